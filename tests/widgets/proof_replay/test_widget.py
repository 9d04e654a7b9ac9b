"""ProofReplay: what it ships is what the proofs computed; its traits refuse what is not there."""

import copy
import json
import math

import pytest
import torch
import traitlets
from torch import nn

from gaugelib import GaugeError, hat, mlp_group, params_of, proofs, rescale
from gaugelib.proofs import Record, Side, Step
from gaugelib.proofs.examples import examples
from gaugelib.widgets import ProofReplay
from gaugelib.widgets.proof_replay.replay import number, packed
from gaugelib.widgets.proof_replay.still import Picture
from tests.widgets.node import NodeTests

pytestmark = pytest.mark.xdist_group("proof_replay")

PROOFS = (
    "lemma_auxiliary",
    "lemma_balanced_is_minimal",
    "lemma_compact",
    "theorem_uniqueness",
    "lemma_conserved",
    "theorem_pairing",
    "theorem_soft",
    "theorem_zero_modes",
    "theorem_splitting",
    "theorem_barriers",
)
EUCLIDEAN = PROOFS[-3:]  # they refuse other exponents than 2
STATEMENTS = 9


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    return [case for name in PROOFS for case in cases_of(name)]


def test_what_is_shipped_is_what_the_proofs_computed(cases, tmp_path):
    run(cases, tmp_path).require(at_least=len(cases) + STATEMENTS)


def test_the_cases_reach_every_proof_network_and_drop(cases):
    assert len(cases) == 6 * sum(1 + len(first(name).drops) for name in PROOFS)
    assert any(not step["holds"] for case in cases for step in case["steps"])
    assert any(step["left"] == "nan" for case in cases for step in case["steps"])


@pytest.mark.parametrize("what", ["left", "right", "slack"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[:1])
    wrong[0]["steps"][1][what] *= 1 + 1e-9
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"2 {what}: relative error" in done.output


@pytest.mark.parametrize(("what", "other"), [("holds", False), ("claim", "1 = 1"), ("place", "h₉")])
def test_another_verdict_claim_or_place_is_noticed(cases, tmp_path, what, other):
    wrong = copy.deepcopy(cases[:1])
    wrong[0]["steps"][0][what] = other
    assert not run(wrong, tmp_path).succeeded


def test_what_json_cannot_carry_is_shipped_by_name(tmp_path):
    values = [(1.0, math.inf), (-math.inf, 2.0), (None, 1.0)]
    steps = tuple(Step("why", Side("l", left), "≤", Side("r", right)) for left, right in values)
    trace = Record("Title", "statement", (), steps, "nowhere")
    case = one_case("odd", packed({"": [trace]}, ["only"]), "", 1, trace)
    run([case], tmp_path).require(at_least=1 + STATEMENTS)
    assert [number(x) for x in (math.inf, -math.inf, math.nan, None)] == ["∞", "−∞", None, None]


def test_every_part_is_shipped_once_and_a_widget_is_light():
    for name in PROOFS:
        replay = ProofReplay(proof=name)._replay
        for part in ("words", "pictures", "steps"):
            values = [json.dumps(value) for value in replay[part]]
            assert len(values) == len(set(values))
        assert len(json.dumps(replay, allow_nan=False)) < 30_000


@pytest.mark.parametrize("name", PROOFS)
def test_its_trace_is_the_one_that_is_shown(name):
    p = 2.0 if name in EUCLIDEAN else 1.0
    widget = ProofReplay(proof=name, p=p, network=4)
    params, group = list(examples().values())[3]
    function = getattr(proofs, name)
    assert str(widget.trace) == str(function(params, group, p))
    for drop in widget.trace.drops:
        widget.drop = drop
        assert widget.trace.dropped == drop
        assert str(widget.trace) == str(function(params, group, p, drop=drop))


def test_any_function_that_returns_a_trace_is_a_proof():
    def lemma_of_the_reader(params, group, p, *, drop=None):
        size = float(sum(value.abs().sum() for value in params.values()))
        step = Step("Sizes are not negative.", Side("0", 0.0), "≤", Side("Σ |θ|", size))
        return Record("Mine", "0 ≤ Σ |θ|.", (), (step,), "a network")

    widget = ProofReplay(proof=lemma_of_the_reader)
    assert (widget.proof, widget.trace.broken) == ("lemma_of_the_reader", ())
    assert widget._replay["title"] == "Mine"
    assert "Mine" in widget.alt_text()
    assert widget.still()[:4] == b"\x89PNG"


def test_a_network_of_the_readers_own_is_shown_in_several_gauges():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    params, group = params_of(model), mlp_group(model)
    before = {name: value.clone() for name, value in params.items()}
    widget = ProofReplay.from_params(params, group, proof="lemma_balanced_is_minimal", p=1)
    assert [len(runs) for runs in widget._replay["runs"].values()] == [4, 4, 4]
    assert widget.trace.network == "4 hidden units, 20 weights, p = 1"
    least = []
    for widget.network in (1, 2, 3, 4):
        assert widget.trace.broken == ()
        least.append(widget.trace.steps[5].left.value)
    assert max(least) - min(least) < 1e-9 * least[0]  # one orbit, one smallest norm
    assert all(torch.equal(params[name], value) for name, value in before.items())
    assert repr(widget).startswith("ProofReplay.from_params(params, group, proof='lemma_balanced")


def test_a_readers_dead_unit_shows_without_anything_dropped():
    params = params_of(hat())
    params["2.weight"][0, 1] = 0.0
    widget = ProofReplay.from_params(params, mlp_group(hat()), proof="theorem_uniqueness")
    assert widget.trace.broken[0] == 1
    assert "h₂" in widget.trace.steps[0].place.words


def test_a_network_too_large_to_draw_is_replayed_without_a_picture():
    model = nn.Sequential(nn.Linear(10, 40), nn.ReLU(), nn.Linear(40, 3))
    widget = ProofReplay.from_params(params_of(model), mlp_group(model), proof="lemma_compact")
    assert widget.trace.sketch is None
    assert widget._replay["pictures"] == [{"columns": [], "edges": []}]
    assert widget.trace.broken == ()


def test_a_gauge_moves_the_picture_and_not_its_shape():
    params, group = params_of(hat()), mlp_group(hat())
    moved = rescale(params, torch.tensor([4.0, 1.0, 1.0]).double(), group)
    one, two = (proofs.lemma_compact(theta, group).sketch for theta in (params, moved))
    assert one.columns == two.columns == ((1, 2, 3),)
    assert [edge[:2] for edge in one.edges] == [edge[:2] for edge in two.edges]
    assert one.edges != two.edges
    assert sum(share for *_, share in one.edges) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"proof": "lemma_unheard_of"}, "'theorem_uniqueness', .*; found 'lemma_unh"),
        ({"proof": "Record"}, "found 'Record'"),
        ({"proof": 3}, "proof must be a function or its name, found int"),
        ({"drop": "root"}, "drop must be one of: '', 'dead', 'double', 'triple'; found 'root'"),
        ({"revealed": "root"}, "revealed must be one of: '', 'dead', .*; found 'root'"),
        ({"network": 7}, r"network must lie in 1..6, found 7"),
        ({"step": 0}, r"step must lie in 1..8, found 0"),
        ({"p": float("nan")}, "p must hold finite numbers, found nan"),
        ({"p": -1.0}, "the exponent p must be a finite number > 0"),
        ({"p": 1.0, "proof": "theorem_zero_modes"}, "about Euclidean lengths, p = 2; found p = 1"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message):
        ProofReplay(**arguments)


def test_a_refused_trait_leaves_the_widget_as_it_was():
    widget = ProofReplay(step=3)
    wrong = (("step", 9), ("network", 0), ("drop", "nothing"), ("revealed", "nothing"))
    for name, value in wrong:
        before = getattr(widget, name)
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(widget, name, value)
        assert getattr(widget, name) == before
    with pytest.raises(traitlets.TraitError, match="read-only"):
        widget.p = 1.0  # its numbers were computed with p = 2


def test_the_still_picture_and_its_words_follow_the_state():
    plain, broken = ProofReplay(), ProofReplay(drop="triple", step=7, revealed="triple")
    assert plain.still() != broken.still()
    assert "Every step holds" in plain.alt_text()
    assert "Steps that fail: 5, 7." in broken.alt_text()
    assert "G(ã) ≤ G(1)" in broken.alt_text()


def test_what_fails_is_told_only_when_it_is_asked_for():
    widget = ProofReplay(drop="triple", step=7)
    silent = widget.still(), widget.alt_text()
    assert not widget.told
    assert "fail is not shown yet" in silent[1]
    assert not any(word in silent[1] for word in ("holds", "5, 7"))
    widget.revealed = "triple"
    assert widget.told
    assert widget.still() != silent[0]
    widget.network = 6  # the same question, already answered
    assert widget.told
    widget.drop = "double"  # another question
    assert not widget.told
    widget.drop = ""  # of the whole proof nothing is asked
    assert widget.told
    assert repr(ProofReplay(drop="dead", revealed="dead")).endswith("revealed='dead')")


@pytest.mark.parametrize("name", PROOFS)
def test_what_stands_for_the_picture_is_never_too_long(name):
    for params, group in examples().values():
        for drop in (None, *first(name).drops):
            trace = getattr(proofs, name)(params, group, drop=drop)
            for step in range(1, len(trace.steps) + 1):
                assert 40 <= len(Picture(trace, step).in_words()) <= 400


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases), "utf8")
    return NodeTests("proof_replay/widget.test.mjs", FIXTURES=str(fixtures))


def first(name: str) -> Record:
    params, group = next(iter(examples().values()))
    return getattr(proofs, name)(params, group)


def cases_of(name: str) -> list[dict]:
    replay = ProofReplay(proof=name)._replay
    function = getattr(proofs, name)
    found = []
    for position, (network, (params, group)) in enumerate(examples().items(), start=1):
        for drop in ("", *first(name).drops):
            trace = function(params, group, drop=drop or None)
            found.append(one_case(f"{name}, {network}, {drop}", replay, drop, position, trace))
    return found


def one_case(name: str, replay: dict, drop: str, network: int, trace: Record) -> dict:
    def value(x: float | None) -> float | str:
        x = math.nan if x is None else x
        return x if math.isfinite(x) else str(x)

    steps = [
        {
            "text": step.text,
            "claim": f"{step.left.name} {step.relation} {step.right.name}",
            "holds": step.holds,
            "left": value(step.left.value),
            "right": value(step.right.value),
            "slack": value(step.slack),
            "place": step.place.words,
            "edges": [list(edge) for edge in step.place.edges],
            "units": list(step.place.units),
        }
        for step in trace.steps
    ]
    return {"name": name, "packed": replay, "drop": drop, "network": network, "steps": steps}
