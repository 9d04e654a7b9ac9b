"""Majoriser: its JavaScript computes the proof's numbers as torch and gaugelib do."""

import copy
import json

import pytest
import torch
import traitlets
from torch import nn
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    imbalance,
    incoming_norm,
    mlp_group,
    outgoing_norm,
    rescale,
    weight_norm,
)
from gaugelib.widgets import Majoriser
from gaugelib.widgets.majoriser import POWERS
from tests.balance.newton import newton
from tests.widgets.node import NodeTests

pytestmark = pytest.mark.xdist_group("majoriser")

POINTS = 48
STATEMENTS = 12
NAMES = ("0.weight", "2.weight", "4.weight")


def chain() -> nn.Sequential:
    layers = [layer for _ in range(3) for layer in (nn.Linear(1, 1, bias=False), nn.ReLU())]
    return nn.Sequential(*layers[:-1]).double()


GROUP = mlp_group(chain())


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    draws = torch.Generator().manual_seed(31)
    return [one_case(index, draws) for index in range(POINTS)]


def test_javascript_agrees_with_gaugelib_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=POINTS + STATEMENTS)


def test_the_cases_reach_every_power_and_exponent(cases):
    seen = {(case["state"]["p"], case["state"]["exponent"]) for case in cases}
    assert len(seen) == 12


@pytest.mark.parametrize(
    "what",
    ["here", "bound", "after", "gamma", "least", "elsewhere", "next", "weights", "balanced"],
)
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[:1])
    numbers = wrong[0]["wanted"][what]
    if isinstance(numbers, list):
        largest = max(range(len(numbers)), key=lambda k: abs(numbers[k]))
        numbers[largest] *= 1 + 1e-9
    else:
        wrong[0]["wanted"][what] = numbers * (1 + 1e-9)
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


@pytest.mark.parametrize("p", POWERS)
def test_the_first_exponent_leads_to_the_minimum_of_g(p):
    draws = torch.Generator().manual_seed(1)
    params = network(torch.randn(3, generator=draws, dtype=torch.float64))

    def slope(k):
        return torch.autograd.functional.jacobian(
            lambda z: auxiliary(params, z, p), move(params, p, k)
        )

    assert slope(1).abs().max() <= 1e-12 * auxiliary(params, torch.zeros(2).double(), p)
    assert slope(2).abs().max() > 1e-2  # control: the doubled step leads elsewhere


def test_python_steps_as_gaugelib_does():
    for p in POWERS:
        for k in (1, 2, 3):
            widget = Majoriser(weights=(3.0, -0.5, 2.0), log_scales=(0.3, -0.2), p=p, exponent=k)
            params = widget.to_params()
            widget.step()
            moved = rescale(params, move(params, p, k).exp(), GROUP)
            for name, value in widget.to_params().items():
                assert_close(value, moved[name], rtol=1e-13, atol=0)
            assert widget.path == [[0.3, -0.2]]


@pytest.mark.parametrize(
    ("exponent", "wanted", "norm"), [(1, (4.757, 1.682, 1.0), 26.46), (2, (2.828, 2.828, 1.0), 17)]
)
def test_the_numbers_of_the_exercise(exponent, wanted, norm):
    widget = Majoriser(exponent=exponent)
    widget.step()
    params = widget.to_params()
    assert [round(value.item(), 3) for value in params.values()] == list(wanted)
    assert weight_norm(params, GROUP).item() ** 2 == pytest.approx(norm, abs=0.005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 4}, r"p must be one of: 0.5, 1.0, 2.0, 3.0; found 4.0"),
        ({"exponent": 4}, "exponent must be one of: 1, 2, 3; found 4"),
        ({"cut": "both"}, "cut must be one of: 'step', 'neuron 1', 'neuron 2'; found 'both'"),
        ({"weights": (1.0, 2.0)}, r"three numbers .* found \[1.0, 2.0\]"),
        ({"weights": (1.0, 0.0, 2.0)}, r"a weight 0 is dead\), found \[1.0, 0.0, 2.0\]"),
        ({"weights": (1.0, 1e7, 2.0)}, "size 1e-6 to 1e6"),
        ({"weights": (1.0, float("nan"), 2.0)}, "weights must hold finite numbers, found nan"),
        ({"log_scales": (0.0,)}, "log_scales must be two numbers"),
        ({"log_scales": (0.0, 51.0)}, r"within ±50, found \[0.0, 51.0\]"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message) as caught:
        Majoriser(**arguments)
    assert isinstance(caught.value, traitlets.TraitError)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(1, 1), "found Linear"),
        (nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)), "found Linear, ReLU, Linear"),
        (
            nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1)),
            r"with weights of \[\(2, 1\), \(1, 2\), \(1, 1\)\]",
        ),
    ],
)
def test_another_network_is_refused_with_the_reason(model, message):
    with pytest.raises(GaugeError, match=message):
        Majoriser.from_model(model)


def test_a_model_goes_in_and_what_was_balanced_comes_out():
    model = chain()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (8.0, 1.0, 1.0), strict=True):
            parameter.fill_(value)
    widget = Majoriser.from_model(model)
    assert repr(widget) == "Majoriser()"
    for _ in range(60):
        widget.step()
    for value in widget.to_params().values():
        assert value.item() == pytest.approx(2.0, rel=1e-7)


@pytest.mark.parametrize(
    "traits", [{}, {"exponent": 3, "p": 0.5}, {"weights": (1.0, 1.0, 1.0)}, {"log_scales": (3, -2)}]
)
def test_the_still_picture_shows_the_state_and_the_words_say_it(traits):
    first = Majoriser(**traits).still()
    assert first == Majoriser(**traits).still()
    assert first != Majoriser(weights=(0.5, 3.0, 1.0)).still()
    words = Majoriser().alt_text()
    for number in ("pF here is 66", "pG is 41.5", "pF is 26.46", "1/4p"):
        assert number in words


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("majoriser/widget.test.mjs", FIXTURES=str(fixtures))


def one_case(index: int, draws: torch.Generator) -> dict:
    """A random chain in a random gauge, and what gaugelib says of it and of its next step."""
    p, exponent = POWERS[index % 4], 1 + index // 4 % 3
    weights = torch.randn(3, generator=draws, dtype=torch.float64).mul(2)
    logs, change = torch.randn(2, 2, generator=draws, dtype=torch.float64).mul(0.5)
    start = network(weights)
    params = rescale(start, logs.exp(), GROUP)
    step = move(params, p, exponent)
    best = newton(start, GROUP, p).exp()
    balanced = rescale(start, best, GROUP)
    total = incoming_norm(params, GROUP, p) ** p + outgoing_norm(params, GROUP, p) ** p
    wanted = {
        "weights": torch.cat([params[name].flatten() for name in NAMES]),
        "here": weight_norm(params, GROUP, p) ** p,
        "bound": auxiliary(params, step, p),
        "after": weight_norm(rescale(params, step.exp(), GROUP), GROUP, p) ** p,
        "next": logs + step,
        "gamma": (imbalance(params, GROUP, p) / total).abs().max(),
        "least": weight_norm(balanced, GROUP, p) ** p,
        "balanced": best.log(),
        "elsewhere": auxiliary(params, change, p),
    }
    return {
        "name": f"{index}: p = {p}, exponent {exponent}/4p",
        "state": {
            "weights": weights.tolist(),
            "logs": logs.tolist(),
            "p": p,
            "exponent": exponent,
        },
        "change": change.tolist(),
        "wanted": {name: numbers.tolist() for name, numbers in wanted.items()},
    }


def network(weights: torch.Tensor) -> dict[str, torch.Tensor]:
    return {name: weight.reshape(1, 1) for name, weight in zip(NAMES, weights, strict=True)}


def move(params, p: float, k: int) -> torch.Tensor:
    """log a of the step with exponent k / 4p of the p-th powers, which is k / 4 of the norms."""
    out, into = outgoing_norm(params, GROUP, p), incoming_norm(params, GROUP, p)
    return k / 4 * (out / into).log()


def auxiliary(params, logs: torch.Tensor, p: float) -> torch.Tensor:
    """p G by Lemma 2.3, read off the group's targets and sources; ground has scale 1."""
    scales = torch.cat([torch.ones(1, dtype=torch.float64), logs.exp()])
    terms = [
        params[name].abs() ** p
        * (scales[entry.target] ** (2 * p) + scales[entry.source] ** (-2 * p))
        for name, entry in GROUP.entries.items()
    ]
    return torch.stack([term.sum() for term in terms]).sum() / 2
