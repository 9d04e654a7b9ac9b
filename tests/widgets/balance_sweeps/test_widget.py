"""BalanceSweeps: its JavaScript sweeps as gaugelib does; its traits refuse what has no balance."""

import copy
import json
import math
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch
import traitlets
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, hat, mlp_group, rescale, weight_norm
from gaugelib.widgets import BalanceSweeps
from gaugelib.widgets.balance_sweeps.layered import METHODS, MOST_SWEEPS
from tests.balance.newton import newton
from tests.widgets.balance_sweeps.sweeping import Chain
from tests.widgets.node import WIDGETS, NodeTests, evaluate

pytestmark = pytest.mark.xdist_group("balance_sweeps")

NETWORKS = 12
STATEMENTS = 12


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    draws = torch.Generator().manual_seed(21)
    return [one_case(index, draws) for index in range(NETWORKS)]


def test_javascript_sweeps_as_gaugelib_does_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=NETWORKS + STATEMENTS)


@pytest.mark.parametrize("what", ["norm", "gamma", "imbalances", "layers", "share", "weights"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[:1])
    state = wrong[0]["runs"][0]["states"][1]
    state[what] = nudged(state[what])
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"paper {what}: relative error" in done.output


def test_another_network_another_minimum_and_another_rate_are_noticed(cases, tmp_path):
    for name in ("start", "least"):
        wrong = copy.deepcopy(cases[:1])
        wrong[0][name] = nudged(wrong[0][name])
        assert not run(wrong, tmp_path).succeeded, name
    wrong = copy.deepcopy(cases[:1])
    wrong[0]["runs"][0]["predicted"] += 1e-6
    assert "paper predicted: relative error" in run(wrong, tmp_path).output


def test_python_sweeps_as_gaugelib_does():
    for seed, method in enumerate(METHODS * 2):
        widget = BalanceSweeps(random_state=seed, method=method, sweeps=(5, 5, 5), p=1 + seed % 2)
        start = widget._opening()
        wanted = Chain(start, widget.p).history(method, 5)[-1]
        found = widget.history()[-1]
        assert_close(found.norm, wanted.norm, rtol=1e-12, atol=0)
        assert_close(found.gamma, wanted.gamma, rtol=1e-9, atol=1e-13)
        assert_close(found.layers, wanted.layers, rtol=1e-9, atol=1e-13)
        for matrix, rows in zip(widget.to_params().values(), wanted.weights, strict=True):
            assert_close(matrix.tolist(), rows, rtol=1e-12, atol=0)


def test_javascript_and_python_name_the_same_methods_and_bounds():
    module = (WIDGETS / "balance_sweeps/layered.js").as_uri()
    names = "METHODS, MOST_SWEEPS, BALANCED"
    printed = evaluate(
        f"import {{ {names} }} from {module!r}; console.log(JSON.stringify([{names}]));"
    )
    assert json.loads(printed) == [list(METHODS), MOST_SWEEPS, 1e-12]


def test_sweeps_change_the_norm_and_not_the_function():
    widget = BalanceSweeps(depth=4, sweeps=(9, 0, 0))
    hidden = [layer for _ in range(3) for layer in (nn.Linear(4, 4, bias=False), nn.ReLU())]
    model = nn.Sequential(*hidden, nn.Linear(4, 1, bias=False)).double()
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    start = dict(zip(widget.to_params(), widget._opening(), strict=True))
    before, after = (
        torch.func.functional_call(model, params, (x,)) for params in (start, widget.to_params())
    )
    assert_close(after, before, rtol=1e-12, atol=1e-12)
    group = mlp_group(model)
    assert weight_norm(widget.to_params(), group) < 0.8 * weight_norm(start, group)
    widget.method = "alternating"  # control: no sweep of this method has been made
    assert_close(weight_norm(widget.to_params(), group), weight_norm(start, group))


def test_it_opens_on_layers_that_lag_behind():
    widget = BalanceSweeps()
    first, last = (Chain(widget._opening(), 2).history("paper", k)[-1] for k in (0, 16))
    assert first.share < 0.4
    assert last.share > 0.99
    assert last.gamma > 1e6 * widget.history("two-level")[-1].gamma


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 3}, "p must be 1 or 2, found 3"),
        ({"depth": 9}, r"depth must lie in 2\.\.8, found 9"),
        ({"width": 0}, r"width must lie in 1\.\.12, found 0"),
        ({"log_std": -0.1}, r"log_std must lie in 0\.\.3, found -0.1"),
        ({"log_std": float("nan")}, "log_std must hold finite numbers, found nan"),
        ({"method": "newton"}, "method must be one of: 'paper', 'alternating', 'two-level'"),
        ({"sweeps": (1, 2)}, r"sweeps must be one number in 0\.\.400 for each of paper"),
        ({"sweeps": (1, 2, 401)}, r"sweeps must be .* found \[1, 2, 401\]"),
        ({"random_state": -1}, r"random_state must lie in 0\.\.4294967295, found -1"),
        ({"weights": [[[1.0]]]}, "at least two matrices, found 1"),
        ({"weights": [[[1.0, 2.0], [1.0]], [[1.0, 1.0]]]}, r"weights\[0\] must be a matrix"),
        ({"weights": [[[1.0]], [[1.0, 1.0]]]}, r"weights\[1\] takes 2 neurons, .* makes 1"),
        ({"weights": [[[1.0]], [[math.inf]]]}, "weights must hold finite numbers, found inf"),
        ({"weights": [[[1e-13]], [[1.0]]]}, "found 1e-13"),
        ({"weights": [[[0.0], [1.0]], [[1.0, 1.0]]]}, "neuron 1 of hidden layer 1 has no incoming"),
        ({"weights": [[[1.0], [1.0]], [[1.0, 0.0]]]}, "neuron 2 of hidden layer 1 has no outgoing"),
        ({"weights": [[[1.0] * 200] * 200, [[1.0] * 200]]}, "at most 20000 weights, found 40200"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message) as caught:
        BalanceSweeps(**arguments)
    assert isinstance(caught.value, traitlets.TraitError)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(1, 1), "found Linear"),
        (nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)), "found Linear, Tanh, Linear"),
        (nn.Sequential(nn.Linear(1, 2), nn.ReLU()), "found Linear, ReLU"),
        (nn.Sequential(nn.Linear(1, 1)), "at least two matrices"),
    ],
)
def test_another_network_is_refused_with_the_reason(model, message):
    with pytest.raises(GaugeError, match=message):
        BalanceSweeps.from_model(model)


def test_a_model_goes_in_unchanged_and_its_balanced_weights_come_out():
    model = hat()
    widget = BalanceSweeps.from_model(model, method="two-level", sweeps=(0, 0, 5))
    group = mlp_group(model)
    params = {"0.weight": model[0].weight.detach(), "2.weight": model[2].weight.detach()}
    assert widget.history()[0].norm == weight_norm(params | biases(model), group).item() ** 2
    balanced = widget.to_params()
    assert_close(weight_norm(balanced | biases(model), group).item() ** 2, 8.0)
    assert_close(balanced["0.weight"].flatten(), torch.tensor([1.0, 2**0.5, 1.0]).double())


def biases(model):
    return {name: value for name, value in model.named_parameters() if name.endswith("bias")}


@pytest.mark.parametrize("traits", [{}, {"sweeps": (0, 0, 0)}, {"depth": 2, "width": 1, "p": 1}])
def test_the_still_picture_shows_the_state_and_the_words_say_it(traits):
    widget = BalanceSweeps(**traits)
    first = widget.still()
    assert first == BalanceSweeps(**traits).still()
    assert f"{widget.history()[-1].gamma:.2g}" in widget.alt_text()
    widget.sweeps = [2, 3, 1]
    assert widget.still() != first


def nudged(numbers):
    """The largest of nested numbers, wrong in its ninth digit."""
    if not isinstance(numbers, list):
        return numbers * (1 + 1e-9)
    largest = max(range(len(numbers)), key=lambda k: size(numbers[k]))
    return [nudged(x) if k == largest else x for k, x in enumerate(numbers)]


def size(numbers) -> float:
    return max(map(size, numbers)) if isinstance(numbers, list) else abs(numbers)


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("balance_sweeps/widget.test.mjs", FIXTURES=str(fixtures))


def one_case(index: int, draws: torch.Generator) -> dict:
    """A network, given or drawn by the widget, and gaugelib's sweeps of it."""
    depth, p = 2 + index % 6, 1 + index % 2
    traits = {"depth": depth, "width": 1 + index % 4, "log_std": 0.5 * (index % 4)}
    if index % 3 == 0:
        widths = torch.randint(1, 5, (depth + 1,), generator=draws).tolist()
        sizes = [(fan_out, fan_in) for fan_in, fan_out in pairwise(widths)]
        drawn = [torch.randn(*s, generator=draws, dtype=torch.float64).tolist() for s in sizes]
        traits["weights"] = drawn
    widget = BalanceSweeps(**traits, p=p, random_state=1000 * index)
    start = widget._opening()
    chain = Chain(start, p)
    best = newton(chain.start, chain.group, p).exp()
    states = {method: chain.history(method, 12) for method in METHODS}
    return {
        "name": f"{index}: {depth} weight layers, p = {p}, {len(widget.weights)} given",
        "opening": {
            "given": widget.weights,
            "depth": depth,
            "width": widget.width,
            "sigma": widget.log_std,
            "seed": widget.random_state,
        },
        "p": p,
        "start": [matrix.tolist() for matrix in start],
        "runs": [
            {
                "method": method,
                "states": [asdict(state) for state in states[method]],
                # By differentiation of the sweep; the solver has no rate that all networks share.
                "predicted": None if method == "two-level" else chain.contraction(method, best),
            }
            for method in METHODS
        ],
        "least": weight_norm(rescale(chain.start, best, chain.group), chain.group, p).item() ** p,
    }
