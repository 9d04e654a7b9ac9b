"""SoftGauge: its runs in JavaScript are those of torch; its verdicts are those of the map."""

import copy
import io
import json

import matplotlib.image
import pytest
import torch
import traitlets
from rjsmin import jsmin
from torch.testing import assert_close

from gaugelib import GaugeError
from gaugelib.soft import soft_penalty
from gaugelib.widgets import SoftGauge
from gaugelib.widgets.soft_gauge.stable import nearest, stored
from tests.widgets.node import NodeTests
from tests.widgets.soft_gauge.training import GROUP, TINY, SoftTraining

pytestmark = pytest.mark.xdist_group("soft_gauge")

STATEMENTS = 11
ETAS, STRENGTHS = TINY["etas"], TINY["strengths"]["imbalance"]
CELLS = [  # start, seed, place of the strength, place of eta
    ("uneven 1", 3, 4, 16), ("uneven 1", 0, 6, 10), ("uneven 1", 1, 0, 7), ("uneven 1", 2, 8, 3),
    ("uneven 0.5", 4, 5, 14), ("he", 2, 7, 12), ("balanced", 1, 3, 18), ("uneven 1", 0, 7, 18),
]  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> dict:
    return {"map": stored(), "cases": [one_case(*cell) for cell in CELLS]}


def test_javascript_trains_as_torch_does_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=len(CELLS) + STATEMENTS)


WRONG = [
    (("losses", 100), "losses"),
    (("imbalances", 100, 2), "imbalances"),
    (("stiffest",), "stiffest"),
    (("predicted",), "predicted"),
    (("measured",), "measured"),
]


@pytest.fixture(scope="module")
def wrong_numbers(cases, tmp_path_factory) -> NodeTests:
    """One run on as many cases, each of them with one wrong number."""
    wrong = [wrong_at(cases["cases"][0], *place) for place, _ in WRONG]
    return run(cases | {"cases": wrong}, tmp_path_factory.mktemp("wrong"))


def wrong_at(case, *place) -> dict:
    """A case with a number that is wrong in its ninth digit."""
    wrong = copy.deepcopy(case)
    *way, last = ("wanted", *place)
    inside = wrong
    for key in way:
        inside = inside[key]
    inside[last] += 1e-9 * (max(map(abs, inside)) if isinstance(inside, list) else inside[last])
    return wrong


@pytest.mark.parametrize(("place", "message"), WRONG)
def test_control_a_number_wrong_in_its_ninth_digit_is_noticed(wrong_numbers, place, message):
    assert wrong_numbers.failed == len(WRONG)
    assert wrong_numbers.output.count(f"{message}: relative error") == 1


def test_control_a_penalty_of_the_wrong_sign_is_noticed(cases, tmp_path):
    wrong = one_case(*CELLS[0], sign=-1.0)
    assert not run(cases | {"cases": [wrong]}, tmp_path).succeeded


def test_control_a_map_of_other_verdicts_is_noticed(cases, tmp_path):
    wrong = copy.deepcopy(cases["map"])
    rows = wrong["strict"]["balanced"]
    wrong["strict"]["balanced"] = [row.replace("v", "u") for row in rows]  # seed 0 is unstable
    done = run(cases | {"map": wrong}, tmp_path)
    assert not done.succeeded
    assert "is not what is stored" in done.output


@pytest.mark.parametrize("cell", CELLS)
def test_python_trains_as_torch_does(cell):
    widget, wanted = a_widget(*cell), SoftTraining(*numbers(*cell))
    losses, imbalances = widget.history()
    assert_close(losses, torch.tensor(wanted.losses, dtype=torch.float64), rtol=1e-9, atol=0)
    assert_close(imbalances, wanted.imbalances, rtol=1e-9, atol=1e-10)
    found = widget._run(widget.strength)
    assert (found.strict, found.tolerant) == (wanted.strict, wanted.tolerant)
    for name in ("stiffest", "predicted", "measured"):
        expected = getattr(wanted, name)
        if expected is None:
            assert getattr(found, name) is None
        else:
            assert getattr(found, name) == pytest.approx(expected, rel=1e-7)


def test_the_slowest_mode_decays_at_twice_the_strength_times_the_least_eigenvalue():
    found = SoftGauge()._run(0.03)
    assert found.measured == pytest.approx(found.predicted, rel=0.01)


def test_control_another_mode_or_no_penalty_does_not():
    found = SoftGauge()._run(0.03)
    norms = [float(abs(found.imbalances[k]).max()) for k in (-21, -1)]  # faster modes are in it
    assert torch.tensor(norms[0] / norms[1]).log() / (20 * ETAS[16]) > 1.5 * found.predicted
    assert SoftGauge()._run(0.0).predicted == 0.0


def test_share_is_what_the_file_says():
    for start, seed, i, j in CELLS:
        for criterion in ("strict", "tolerant"):
            widget = a_widget(start, seed, i, j, criterion=criterion)
            code = int(TINY[criterion][start]["imbalance"][i][j], 32)
            assert widget.share() == code.bit_count() / 5


def test_parameters_are_those_of_the_file_and_the_penalty_is_gaugelibs():
    widget = a_widget(*CELLS[1])
    params = widget.to_params()
    assert [w.tolist() for w in params.values()] == TINY["starts"]["uneven 1"][0]
    expected = widget.history()[1][0].square().sum() / 4
    assert_close(soft_penalty(params, GROUP), expected)


def test_a_run_that_runs_away_ends_there():
    losses, imbalances = a_widget(*CELLS[-1]).history()
    assert len(losses) == len(imbalances) < 20
    assert losses[-1] > 2 * losses[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "zero"}, "start must be one of: 'balanced', 'he', .*; found 'zero'"),
        ({"criterion": "lax"}, "criterion must be one of: 'strict', 'tolerant'; found 'lax'"),
        ({"seed": 5}, r"seed must lie in 0\.\.4, found 5"),
        ({"strength": 0.02}, "strength must be one of the map's, the nearest is 0.03; found 0.02"),
        ({"strength": -1.0}, "strength must be one of the map's, the nearest is 0; found -1"),
        ({"lr": 0.09}, "lr must be one of the map's, the nearest is 0.09921; found 0.09"),
        ({"lr": float("nan")}, "lr must hold finite numbers, found nan"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message) as caught:
        SoftGauge(**arguments)
    assert isinstance(caught.value, traitlets.TraitError)


def test_a_learning_rate_that_is_written_shorter_is_the_maps():
    assert torch.equal(SoftGauge(lr=0.0787).history()[0], SoftGauge(lr=ETAS[16]).history()[0])


def test_it_says_what_differs_from_its_defaults():
    assert repr(SoftGauge()) == "SoftGauge()"
    assert repr(SoftGauge(strength=1, seed=0)) == "SoftGauge(seed=0, strength=1.0)"
    assert SoftGauge(lr=0.125)._start["lr"] == 0.125


@pytest.mark.parametrize("traits", [{}, {"strength": 1, "lr": 0.125, "seed": 0}, {"start": "he"}])
def test_the_still_picture_is_the_same_bytes_each_time_and_the_words_say_its_verdict(traits):
    first, second = (SoftGauge(**traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)
    widget = SoftGauge(**traits)
    stable = SoftTraining(
        widget.start, widget.seed, widget.strength, ETAS[nearest(ETAS, widget.lr)]
    )
    assert f"which is {'stable' if stable.strict else 'unstable'}" in widget.alt_text()
    assert widget.still() != SoftGauge(**traits | {"strength": 0.1}).still()


def test_what_a_page_carries_is_small():
    state = SoftGauge().get_state()
    assert len(json.dumps(state["_map"])) < 15_000
    assert len(jsmin(state["_esm"])) + len(state["_css"]) < 60_000  # as the build sends it


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("soft_gauge/widget.test.mjs", FIXTURES=str(fixtures))


def numbers(start, seed, i, j) -> tuple[str, int, float, float]:
    return start, seed, STRENGTHS[i], ETAS[j]


def a_widget(start, seed, i, j, **traits) -> SoftGauge:
    return SoftGauge(start=start, seed=seed, strength=STRENGTHS[i], lr=ETAS[j], **traits)


def one_case(start, seed, i, j, sign=1.0) -> dict:
    """A cell and torch's training there."""
    start, seed, strength, lr = numbers(start, seed, i, j)
    wanted = SoftTraining(start, seed, strength, lr, sign=sign)
    names = ("losses", "strict", "tolerant", "stiffest", "predicted", "measured")
    return {
        "name": f"{start}, seed {seed}, κ = {strength}, η = {lr:.4g}",
        "start": start,
        "seed": seed,
        "strength": strength,
        "lr": lr,
        "wanted": {name: getattr(wanted, name) for name in names}
        | {"imbalances": wanted.imbalances.tolist()},
    }
