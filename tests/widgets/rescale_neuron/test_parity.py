"""The widget's JavaScript computes what gaugelib computes."""

import copy
import json

import pytest
import torch
from torch import nn
from torch.func import functional_call

from gaugelib import (
    imbalance,
    incoming_norm,
    mlp_group,
    outgoing_norm,
    params_of,
    rescale,
    weight_norm,
)
from gaugelib.widgets import RescaleNeuron
from tests.balance.newton import newton
from tests.widgets.node import WIDGETS, NodeTests

pytestmark = pytest.mark.xdist_group("rescale_neuron-parity")

NETWORKS = 24


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    generator = torch.Generator().manual_seed(5)
    return [one_case(index, generator) for index in range(NETWORKS)]


@pytest.fixture(scope="module", params=["the source", "what the linker made of it"])
def module(request, tmp_path_factory):
    if request.param == "the source":
        return WIDGETS / "rescale_neuron/widget.js"
    path = tmp_path_factory.mktemp("linked") / "rescale_neuron.mjs"
    path.write_text(RescaleNeuron()._esm, encoding="utf8")
    return path


def test_javascript_agrees_with_gaugelib_to_ten_digits(cases, module, tmp_path):
    run(cases, module, tmp_path).require(at_least=NETWORKS)


@pytest.mark.parametrize("what", ["f", "norm", "incoming", "outgoing", "imbalance", "w", "b", "v"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[:1])
    numbers = wrong[0]["wanted"][what]
    if isinstance(numbers, list):
        largest = max(range(len(numbers)), key=lambda k: abs(numbers[k]))
        numbers[largest] *= 1 + 1e-9
    else:
        wrong[0]["wanted"][what] = numbers * (1 + 1e-9)
    done = run(wrong, WIDGETS / "rescale_neuron/widget.js", tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


def test_another_minimum_is_noticed(cases, tmp_path):
    wrong = copy.deepcopy(cases[:1])
    wrong[0]["minimum"]["scales"][0] *= 1 + 1e-9
    done = run(wrong, WIDGETS / "rescale_neuron/widget.js", tmp_path)
    assert not done.succeeded
    assert "minimum-norm scales: relative error" in done.output


def test_statements_about_the_shared_functions():
    NodeTests("rescale_neuron/widget.test.mjs").require(at_least=11)


def run(cases, module, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("rescale_neuron/parity.test.mjs", FIXTURES=str(fixtures), MODULE=str(module))


def one_case(index: int, generator: torch.Generator) -> dict:
    """A random network in a random gauge, whole or broken, and what gaugelib says about it."""
    units = int(torch.randint(1, 9, (), generator=generator))
    p = 1 + index % 2
    forget, tanh, forget_bias = index % 4 == 2, index % 8 in (3, 6), index % 8 in (1, 2)
    model = network(units, nn.ReLU(), generator)
    group, params = mlp_group(model), params_of(model)
    scales = group.random(generator=generator, log_std=1.5)
    moved = rescale(params, scales, group)
    if forget:
        moved["2.weight"] = params["2.weight"]
    if forget_bias:
        moved["0.bias"] = params["0.bias"]
    shown = nn.Sequential(model[0], nn.Tanh() if tanh else nn.ReLU(), model[2])
    low, high = (torch.tensor([-3.0, 1.0]) + torch.rand(2, generator=generator)).tolist()
    x = torch.linspace(low, high, 401, dtype=torch.float64)[:, None]
    f, original = (functional_call(shown, theta, (x,))[:, 0] for theta in (moved, params))
    wanted = {
        "scales": scales,
        "w": moved["0.weight"][:, 0],
        "b": moved["0.bias"],
        "v": moved["2.weight"][0],
        "f": f,
        "original": original,
        "norm": weight_norm(moved, group, p) ** p,
        "startNorm": weight_norm(params, group, p) ** p,
        "incoming": incoming_norm(moved, group, p),
        "outgoing": outgoing_norm(moved, group, p),
        "imbalance": imbalance(moved, group, p),
        "tilt": imbalance(moved, group, p)
        / (incoming_norm(moved, group, p) ** p + outgoing_norm(moved, group, p) ** p),
    }
    if (
        forget or forget_bias or tanh
    ):  # otherwise the difference is rounding, which no two programs share
        gap = (f - original).abs().max()
        wanted |= {"absolute": gap, "relative": gap / original.abs().max()}
    minimum = None
    if not forget:
        best = newton(params, group, p).exp()
        least = weight_norm(rescale(params, best, group), group, p) ** p
        minimum = {"scales": best.tolist(), "norm": least.item()}
    return {
        "name": f"{index}: {units} hidden neurons, p = {p}, {forget=}, {forget_bias=}, {tanh=}",
        "traits": {
            "net": {
                "w": params["0.weight"].flatten().tolist(),
                "b": params["0.bias"].tolist(),
                "v": params["2.weight"].flatten().tolist(),
                "c": params["2.bias"].item(),
            },
            "log2Scales": scales.log2().tolist(),
            "p": p,
            "forget": forget,
            "forgetBias": forget_bias,
            "tanh": tanh,
            "xRange": [low, high],
        },
        "wanted": {name: numbers.tolist() for name, numbers in wanted.items()},
        "minimum": minimum,
    }


def network(units: int, act: nn.Module, generator: torch.Generator) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(1, units), act, nn.Linear(units, 1)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model
