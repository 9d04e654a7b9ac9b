"""AttentionHead: its JavaScript and its Python find what torch's attention finds."""

import itertools
import json
import random

import pytest
import torch
import traitlets
from torch.func import functional_call, jacrev
from torch.testing import assert_close

from gaugelib import params_of, rescale, trace_group
from gaugelib.widgets import AttentionHead
from tests.widgets.attention_head.heads import MATRICES, ORBITS, Head, RealHead, as_given, shown
from tests.widgets.node import NodeTests

STATEMENTS = 7  # tests in widget.test.mjs beside the cases
EXACT = {"rtol": 1e-12, "atol": 1e-13}
SETTINGS = [
    {"part": part, "rotary": rotary, "tied": tied, "answers": answers}
    for part, rotary, tied, answers in itertools.product(
        ("qk", "vo"), (False, True), (False, True), (True, False)
    )
]
every_setting = pytest.mark.parametrize(
    "setting", SETTINGS, ids=lambda s: ", ".join(k if v is True else str(v) for k, v in s.items())
)


def drawn(setting, seed=0) -> AttentionHead:
    draw = random.Random(f"{setting} {seed}")
    return AttentionHead(**setting, log2_scales=[draw.uniform(-4, 4) for _ in range(4)])


def keeps(widget: AttentionHead) -> bool:
    """Whether the head should be what it was, by the statement of the chapter."""
    untied = widget.part == "qk" and widget.rotary and not widget.tied
    return widget.answers and not untied


@pytest.fixture(scope="module")
def cases() -> dict:
    built = []
    for k, setting in enumerate(SETTINGS):
        for seed in (0, 1):
            widget = drawn(setting, seed)
            found = shown(widget)
            built.append(
                {
                    "name": f"case {k}, {seed}: {widget!r}",
                    "traits": {**setting, "log2_scales": widget.log2_scales},
                    "keeps": keeps(widget),
                    "wanted": {
                        "pattern": found.pattern.tolist(),
                        "outputs": found.outputs.tolist(),
                        "changes": found.changes,
                        "norm": found.norm,
                        "least": found.least,
                        "lightest": found.lightest,
                    },
                }
            )
    return {"head": AttentionHead()._head, "cases": built}


def test_the_javascript_finds_what_torch_finds(cases, tmp_path):
    fixtures = tmp_path / "cases.json"
    fixtures.write_text(json.dumps(cases), "utf8")
    tests = NodeTests("attention_head/widget.test.mjs", FIXTURES=str(fixtures))
    tests.require(at_least=2 * len(SETTINGS) + STATEMENTS)


@pytest.mark.parametrize("wrong", ["norm", "least", "pattern"])
def test_control_a_wrong_fixture_is_noticed(cases, tmp_path, wrong):
    changed = json.loads(json.dumps(cases))
    wanted = changed["cases"][3]["wanted"]
    if wrong == "pattern":
        wanted["pattern"][2][1] += 1e-9
    else:
        wanted[wrong] *= 1 + 1e-9
    fixtures = tmp_path / "wrong.json"
    fixtures.write_text(json.dumps(changed), "utf8")
    tests = NodeTests("attention_head/widget.test.mjs", FIXTURES=str(fixtures))
    assert tests.failed == 1


@every_setting
def test_its_python_finds_it_too(setting):
    widget = drawn(setting)
    found = shown(widget)
    for name in MATRICES:
        assert_close(widget.to_params()[name], found.weights[name], **EXACT)
    assert_close(widget.pattern(), found.pattern, **EXACT)
    assert_close(widget.outputs(), found.outputs, **EXACT)
    assert widget.squared_norm() == pytest.approx(found.norm, rel=1e-12)
    assert widget.lightest().tolist() == pytest.approx(found.lightest, abs=1e-12)


@every_setting
def test_the_head_stands_still_where_it_should_and_moves_where_it_should(setting):
    changes = shown(drawn(setting)).changes
    if keeps(drawn(setting)):
        assert max(changes.values()) < 1e-12
    elif setting["part"] == "qk":
        assert changes["pattern"] > 1e-2
        assert changes["output"] > 1e-2
    else:
        assert changes["pattern"] == 0
        assert changes["output"] > 1e-2


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s["answers"] and s["tied"]])
def test_scales_that_are_powers_of_two_move_not_a_bit(setting):
    before = AttentionHead(**setting, log2_scales=[0.0] * 4)
    widget = AttentionHead(**setting, log2_scales=[4.0, -2.0, 1.0, -3.0])
    assert torch.equal(widget.pattern(), before.pattern())
    assert torch.equal(widget.outputs(), before.outputs())
    assert widget.squared_norm() > before.squared_norm()


@pytest.mark.parametrize("rotary", [False, True])
def test_the_library_finds_the_dials_of_the_widget_and_no_others(rotary):
    head, x = RealHead(as_given(), rotary), AttentionHead().inputs()
    assert_close(head(x), Head(as_given(), rotary)(x), **EXACT)
    group = trace_group(head, x)
    orbits = {"query": ORBITS["qk"][rotary], "value": ORBITS["vo"][rotary]}
    assert {k: units.stop - units.start for k, units in group.layers.items()} == {
        name: len(channels) for name, channels in orbits.items()
    }
    dials = [3.0, 3.0, -2.0, -2.0] if rotary else [3.0, -1.0, -2.0, 4.0]
    for part, name in (("qk", "query"), ("vo", "value")):
        widget = AttentionHead(part=part, rotary=rotary, log2_scales=dials)
        scales = torch.ones(group.units, dtype=torch.float64)
        scales[group.layers[name]] = widget.scales[[channels[0] for channels in orbits[name]]]
        moved = rescale(params_of(head), scales, group)
        for matrix, weight in widget.to_params().items():
            assert torch.equal(moved[f"{matrix}.weight"], weight)


@pytest.mark.parametrize("rotary", [False, True])
def test_there_are_no_other_rescalings_of_entries_than_those_of_the_dials(rotary):
    """Their dimension is that of the null space of J diag(weights), common to three heads.

    At one head alone it is larger: it holds what mixes channels, which differs from head to head.
    """
    draw = torch.Generator().manual_seed(19)
    heads = [as_given()]
    for _ in range(2):
        heads.append({k: torch.randn_like(w, generator=draw) for k, w in as_given().items()})
    x = torch.randn(12, 5, 4, generator=draw, dtype=torch.float64)
    module = Head(as_given(), rotary)

    def jacobian(weights):
        def outputs(logs):
            scaled = {f"{k}.weight": weights[k] * s.exp() for k, s in logs.items()}
            return torch.stack([functional_call(module, scaled, (each,)) for each in x])

        parts = jacrev(outputs)({k: torch.zeros_like(w) for k, w in weights.items()})
        return torch.cat([parts[k].flatten(3).flatten(0, 2) for k in MATRICES], 1)

    jacobians = [jacobian(weights) for weights in heads]
    found = [torch.linalg.svdvals(j) for j in (jacobians[0], torch.cat(jacobians))]
    one, common = (int((values < 1e-10 * values[0]).sum()) for values in found)
    dimension = len(ORBITS["qk"][rotary]) + len(ORBITS["vo"][rotary])
    assert common == dimension
    assert one > 2 * dimension  # a control: one head does not tell
    assert found[1][-dimension - 1] > 1e-5 * found[1][0]


@pytest.mark.parametrize("part", ["qk", "vo"])
def test_at_the_lightest_both_sides_of_a_dial_weigh_the_same_and_no_other_place_is_lighter(part):
    for rotary in (False, True):
        dials = AttentionHead(part=part, rotary=rotary).lightest().tolist()
        least = AttentionHead(part=part, rotary=rotary, log2_scales=dials)
        first, second = (side.square().sum(1) for side in least._picture().matrices)
        for orbit in ORBITS[part][rotary]:
            assert_close(first[orbit].sum(), second[orbit].sum())
        draw = random.Random(2)
        for _ in range(20):
            others = [s + draw.uniform(-0.5, 0.5) for s in dials]
            other = AttentionHead(part=part, rotary=rotary, log2_scales=others)
            assert other.squared_norm() > least.squared_norm()


def test_its_numbers_have_two_decimals_and_its_state_is_small():
    head = AttentionHead()._head
    numbers = [x for name in ("inputs", *MATRICES) for row in head[name] for x in row]
    assert all(x == round(x, 2) for x in numbers)
    assert len(json.dumps(head)) < 1500
    assert AttentionHead(part="vo")._head == head


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({}, "stands still and the output stands still"),
        ({"answers": False}, "moves and the output moves"),
        ({"rotary": True}, "stands still and the output stands still"),
        ({"rotary": True, "tied": False, "log2_scales": [1.0, 0.0, 0.0, 0.0]}, "attention moves"),
        ({"part": "vo", "answers": False}, "attention stands still and the output moves"),
    ],
)
def test_its_still_picture_follows_its_state(traits, words):
    widget = AttentionHead(**traits)
    assert words in widget.alt_text()
    assert widget.still() != AttentionHead(log2_scales=[0.0] * 4).still()
    assert "with every a = 1" in AttentionHead(log2_scales=[0.0] * 4).alt_text()
    assert ("rotary" in widget.alt_text()) == widget.rotary


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"part": "kv"}, "part must be one of: 'qk', 'vo'; found 'kv'"),
        ({"log2_scales": [0.0] * 3}, "log2_scales must hold 4 numbers, found 3"),
        ({"log2_scales": [0.0, 0.0, 0.0, 4.5]}, "log2_scales must lie within ±4"),
        ({"log2_scales": [0.0, 0.0, 0.0, float("nan")]}, "log2_scales must hold finite numbers"),
    ],
)
def test_bad_traits_are_refused_by_name(traits, reason):
    with pytest.raises(traitlets.TraitError, match=reason):
        AttentionHead(**traits)


def test_its_part_is_chosen_once():
    widget = AttentionHead(part="vo")
    widget.part = "vo"
    with pytest.raises(traitlets.TraitError, match="chosen when the widget is made; it is 'vo'"):
        widget.part = "qk"
    assert widget.part == "vo"


def test_what_the_page_writes_is_read_back():
    widget = AttentionHead(rotary=True)
    widget.set_state({"tied": False, "log2_scales": [1.0, -1.0, 0.0, 0.0]})
    assert widget.scales.tolist() == [2.0, 0.5, 1.0, 1.0]
    widget.set_state({"tied": True})
    assert widget.scales.tolist() == [1.0] * 4
    assert widget._start["log2_scales"] == [2.0, 2.0, -1.0, -1.0]
