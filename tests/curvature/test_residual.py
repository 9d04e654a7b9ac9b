"""The second-order identity: the Hessian turns the tangent of the orbit into the gradient."""

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.testing import assert_close

from gaugelib import GaugeError, hessian, mlp_group, params_of, rescale, trace_group, ward_residual
from gaugelib.curvature import curvature_residual
from gaugelib.gradient import gradient
from tests.flow.problems import forward, problem
from tests.graphs import POINTS, flat, random_graph
from tests.tracing.zoo import ZOO, build, loss_of


class Kinks(TorchFunctionMode):
    """Watches how near to zero the inputs of rectifiers come."""

    def __init__(self):
        super().__init__()
        self.nearest, self.count = float("inf"), 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in {"relu", "leaky_relu", "prelu", "relu_"}:
            self.nearest = min(self.nearest, float(args[0].detach().abs().min()))
            self.count += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", ZOO)
def test_the_second_order_identity_on_every_architecture(name):
    model, example = build(name)
    group = trace_group(model, example)
    loss, params = loss_of(model, example), params_of(model)
    with Kinks() as kinks:
        found = curvature_residual(loss, params, group, relative=True)
    assert kinks.nearest > 1e-9  # no kink is met
    assert found.shape == (group.units,)
    assert found.max() <= 1e-12


@pytest.mark.parametrize("name", ["mlp", "deep mlp", "cnn", "resnet", "channel shuffle"])
def test_the_rectifiers_are_seen_that_must_stay_off_their_kinks(name):
    model, example = build(name)
    with Kinks() as kinks:
        loss_of(model, example)(params_of(model))
    assert kinks.count > 0


def test_control_the_identity_fails_for_tanh():
    for seed in range(3):
        broken = problem(3, 5, 4, 2, activation=torch.tanh, seed=seed)
        assert curvature_residual(broken.loss, broken.params, broken.group, relative=True).min() > (
            1e-2
        )


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_the_residual_is_that_of_the_dense_hessian(activation):
    graph = random_graph(2, 5, 2, seed=3)

    def loss(theta):
        return graph(theta, POINTS[:, :2], activation).square().mean()

    matrix, slope = hessian(loss, graph.params), flat(gradient(loss, graph.params))
    rates, theta = graph.incidence(), flat(graph.params)
    expected = (matrix @ (rates * theta).T).T + rates * slope
    found = curvature_residual(loss, graph.params, graph.group)
    assert_close(found, expected.norm(dim=1), rtol=1e-9, atol=1e-13)
    wrong = (matrix @ (rates * theta).T).T - rates * slope  # control: the wrong sign
    assert wrong.norm(dim=1).max() > 1.0
    inward, outward = rates.clamp(min=0) * theta, rates.clamp(max=0) * theta
    size = (inward @ matrix).norm(dim=1) + (outward @ matrix).norm(dim=1)
    size = size + (rates * slope).norm(dim=1)
    relative = curvature_residual(loss, graph.params, graph.group, relative=True)
    assert_close(relative, (expected.norm(dim=1) / size).nan_to_num(), rtol=1e-9, atol=1e-13)
    directions = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    along = curvature_residual(loss, graph.params, graph.group, directions)
    assert_close(along, (directions.double() @ expected).norm(dim=1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_the_residual_is_the_derivative_of_the_gradient_carried_back(activation):
    """Of a symmetric loss, D_a grad L(D_a theta) is the same at every a."""
    graph, step = random_graph(2, 4, 2, seed=3), 1e-5

    def loss(theta):
        return graph(theta, POINTS[:, :2], activation).square().mean()

    def carried(unit, by):
        logs = torch.zeros(graph.hidden).double()
        logs[unit] = by
        there = rescale(graph.params, logs.exp(), graph.group)
        return flat(rescale(gradient(loss, there), logs.exp(), graph.group))

    numeric = [(carried(h, step) - carried(h, -step)) / (2 * step) for h in range(graph.hidden)]
    found = curvature_residual(loss, graph.params, graph.group)
    assert_close(found, torch.stack(numeric).norm(dim=1), rtol=1e-5, atol=1e-8)
    assert (found.min() > 1e-3) == (activation is torch.tanh)


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_at_a_critical_point_it_still_tells(activation):
    """The targets are the network's own: no gradient, and the Ward identity says 0 = 0."""
    given = problem(3, 5, 4, 2, seed=1)
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).double()
    targets = forward(given.params, x, activation)

    def loss(theta):
        return (forward(theta, x, activation) - targets).square().mean()

    assert ward_residual(loss, given.params, given.group).abs().max() == 0
    found = curvature_residual(loss, given.params, given.group, relative=True)
    if activation is torch.relu:
        assert found.max() <= 1e-12
    else:
        assert found.min() > 1e-2


def test_where_the_ward_identity_holds_by_chance_it_is_not_fooled():
    """A penalty sees the weights; at a balanced point its slope along the orbit is zero."""
    params = {"0.weight": torch.tensor([[3.0], [1.0]]), "2.weight": torch.tensor([[3.0, -1.0]])}
    params = {name: value.double() for name, value in params.items()}
    group = mlp_group(
        nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    )
    x = torch.tensor([[0.5], [1.5]]).double()

    def penalised(theta):
        hidden = torch.relu(x @ theta["0.weight"].T)
        decay = sum(value.square().sum() for value in theta.values()) / 2
        return (hidden @ theta["2.weight"].T).square().mean() + decay

    assert ward_residual(penalised, params, group).abs().max() < 1e-14
    # what is left over is 2 v_h
    expected = torch.tensor([6.0, 2.0]).double() * 2**0.5
    assert_close(curvature_residual(penalised, params, group), expected, rtol=1e-12, atol=0)


def test_a_unit_that_nobody_reads_satisfies_the_identity():
    graph = random_graph(2, 3, 1, seed=0)
    graph.params["W"][:, 3] = 0.0
    graph.params["W"][3] = 0.0
    graph.params["b"][3] = 0.0

    def loss(theta):
        return graph(theta, POINTS[:, :2]).square().mean()

    assert curvature_residual(loss, graph.params, graph.group, relative=True)[1] == 0.0


def test_a_network_without_hidden_units_has_no_residuals():
    given = problem(3, 2)
    assert curvature_residual(given.loss, given.params, given.group).shape == (0,)


def test_nothing_is_written_by_the_identity():
    given = problem(3, 4, 2)
    params = {name: value.clone().requires_grad_() for name, value in given.params.items()}
    found = curvature_residual(given.loss, params, given.group, relative=True)
    assert not found.requires_grad
    for name, value in params.items():
        assert value.grad is None
        assert torch.equal(value, given.params[name])


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 4, 1)])
def test_directions_of_another_shape_are_refused(shape):
    given = problem(3, 4, 2)
    with pytest.raises(GaugeError, match=r"shape \(directions, 4\)"):
        curvature_residual(given.loss, given.params, given.group, torch.ones(shape))


def test_a_restricted_group_is_refused():
    given = problem(3, 4, 2)
    with pytest.raises(GaugeError, match="counts only parameters of kind 'weight'"):
        curvature_residual(given.loss, given.params, given.group.restrict("weight"))


def test_an_infinite_curvature_is_refused():
    given = problem(3, 4, 2)
    params = {**given.params, "0.bias": torch.zeros(4).double()}

    def loss(theta):
        return given.loss(theta) + theta["0.bias"].pow(1.5).sum()

    with pytest.raises(GaugeError, match=r"holds NaN or infinity at '0\.bias'"):
        curvature_residual(loss, params, given.group)
