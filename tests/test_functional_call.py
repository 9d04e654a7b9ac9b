"""functional_call: the outputs of a model at other parameters, and what it refuses."""

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, functional_call, load_params_
from tests.fragile import MODELS, Remembers, TwoPaths, X, build, first, layered, other, tied

RUNNING = [name for name in MODELS if name not in ("raises", "interrupted", "dropout")]


@pytest.mark.parametrize("name", RUNNING)
def test_outputs_are_those_of_a_model_with_these_parameters(name):
    model, moved = build(name), build(name)
    with torch.no_grad():
        for value in moved.parameters():
            value.mul_(1.5)
    found = first(functional_call(model, other(model), (X,)))
    assert torch.equal(found, first(moved(X)))
    assert not torch.equal(found, first(build(name)(X)))
    assert torch.equal(first(functional_call(model, {}, X)), first(build(name)(X)))


def test_arguments_may_be_given_by_name():
    model = layered()
    by_name = functional_call(model, {}, kwargs={"input": X})
    assert torch.equal(by_name, model(X))


def test_a_tied_parameter_is_given_under_any_of_its_names():
    model, double = tied(), tied()
    with torch.no_grad():
        double[0].weight.mul_(2)
    weight = 2 * model[0].weight.detach()
    for names in (["0.weight"], ["2.weight"], ["0.weight", "2.weight"]):
        assert torch.equal(functional_call(model, dict.fromkeys(names, weight), X), double(X))


def test_the_caller_s_tensors_are_not_written_to():
    model = Remembers()
    given = {**other(model), "mean": torch.ones(3, dtype=torch.float64)}
    kept = {name: value.clone() for name, value in given.items()}
    functional_call(model, given, X)
    assert all(torch.equal(given[name], kept[name]) for name in kept)
    assert given.keys() == kept.keys()


def test_it_can_be_differentiated_and_mapped():
    model = TwoPaths()
    theta = {name: value.requires_grad_() for name, value in other(model).items()}
    slopes = torch.autograd.grad(
        functional_call(model, theta, X).square().mean(), list(theta.values())
    )
    moved = TwoPaths()
    load_params_(moved, other(model))
    moved(X).square().mean().backward()
    for slope, value in zip(slopes, moved.parameters(), strict=True):
        torch.testing.assert_close(slope, value.grad, rtol=1e-13, atol=0)
    batch = {n: torch.stack([v, 2 * v]) for n, v in other(model).items()}
    two = torch.func.vmap(lambda theta: functional_call(model, theta, X))(batch)
    for k in range(2):
        one = functional_call(model, {n: v[k] for n, v in batch.items()}, X)
        torch.testing.assert_close(two[k], one, rtol=1e-13, atol=1e-13)


def test_what_is_not_given_keeps_its_gradient():
    model = layered()
    functional_call(model, {"0.weight": torch.ones(3, 3).double()}, X).sum().backward()
    assert model[0].weight.grad is None
    assert model[2].bias.grad.tolist() == [5.0, 5.0, 5.0]


def scripted():
    with pytest.warns(DeprecationWarning, match="script"):
        return torch.jit.script(layered())


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        (layered, {"0.wieght": X}, r"no parameter or buffer '0\.wieght'; it has \['0\.weight', "),
        (layered, {"1.weight": X}, r"no parameter or buffer '1\.weight'"),
        (layered, {"0.bias": X}, r"'0\.bias' has shape \(3,\).*at a tensor of shape \(5, 3\)"),
        (tied, {"0.weight": X[:3], "2.weight": X[:3] + 1}, "one tensor.*give one of them"),
        (lambda: nn.DataParallel(layered()), {}, r"DataParallel .* pass its \.module"),
        (lambda: nn.Sequential(nn.LazyLinear(3)), {}, "no parameters yet; run the model once"),
        (scripted, {}, "TorchScript.*pass the Python model"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_name(make, params, message):
    with pytest.raises(GaugeError, match=message):
        functional_call(make(), params, X)
