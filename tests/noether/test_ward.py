"""The Ward identity: the gradient of a loss is orthogonal to the orbit, at every unit."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.testing import assert_close

from gaugelib import GaugeError, params_of, rescale, trace_group, ward_residual
from gaugelib.gradient import gradient
from tests.flow.problems import problem
from tests.graphs import POINTS, random_graph
from tests.tracing.zoo import ZOO, build, loss_of


@pytest.mark.parametrize("name", ZOO)
def test_ward_identity_on_every_architecture(name):
    model, example = build(name)
    group = trace_group(model, example)
    found = ward_residual(loss_of(model, example), params_of(model), group, relative=True)
    assert found.shape == (group.units,)
    assert found.max() <= 1e-12


@given(
    seed=st.integers(0, 9999),
    widths=st.lists(st.integers(1, 6), min_size=3, max_size=6),
    kind=st.sampled_from(["squares", "absolute", "cross entropy", "margin"]),
)
def test_ward_identity_for_any_loss_of_the_outputs(seed, widths, kind):
    given = problem(*widths, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(9, widths[0], generator=draw).double()
    y = torch.randint(0, widths[-1], (9,), generator=draw)

    def loss(theta):
        out = x
        for k in range(0, 2 * len(widths) - 2, 2):
            out = out @ theta[f"{k}.weight"].T + theta[f"{k}.bias"]
            out = F.leaky_relu(out, 0.2) if k < 2 * len(widths) - 4 else out
        return {
            "squares": lambda: out.square().sum(),
            "absolute": lambda: (out - 0.3).abs().mean(),
            "cross entropy": lambda: F.cross_entropy(out, y),
            "margin": lambda: F.softplus(1 - out).mean() + out.tanh().prod(1).sum(),
        }[kind]()

    assert ward_residual(loss, given.params, given.group, relative=True).max() <= 1e-12


def test_control_the_identity_fails_for_tanh():
    for seed in range(3):
        broken = problem(3, 5, 4, 2, activation=torch.tanh, seed=seed)
        assert ward_residual(broken.loss, broken.params, broken.group, relative=True).max() > 1e-2


def test_control_the_identity_fails_where_the_bias_is_left_out():
    given = problem(3, 5, 2)
    slopes = gradient(given.loss, given.params)
    terms = {name: given.params[name] * slopes[name] for name in slopes}
    assert given.group.restrict("weight").collect(terms).abs().max() > 1e-3
    assert given.group.collect(terms).abs().max() < 1e-15


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_the_residual_is_the_derivative_along_the_orbit(activation):
    graph = random_graph(2, 4, 2, seed=3)
    step = 1e-5

    def loss(theta):
        return graph(theta, POINTS[:, :2], activation).square().mean()

    def moved(unit, by):
        logs = torch.zeros(graph.hidden).double()
        logs[unit] = by
        return float(loss(rescale(graph.params, logs.exp(), graph.group)))

    numeric = [(moved(h, step) - moved(h, -step)) / (2 * step) for h in range(graph.hidden)]
    found = ward_residual(loss, graph.params, graph.group)
    assert_close(found, torch.tensor(numeric).double(), rtol=1e-5, atol=1e-8)
    assert (found.abs().max() > 1e-3) == (activation is torch.tanh)


def test_a_unit_without_gradient_satisfies_the_identity():
    graph = random_graph(2, 3, 1, seed=0)
    graph.params["W"][:, 3] = 0.0  # nobody reads the second hidden unit

    def loss(theta):
        return graph(theta, POINTS[:, :2]).square().mean()

    assert ward_residual(loss, graph.params, graph.group, relative=True)[1] == 0.0


def test_nothing_is_written_by_the_identity():
    given = problem(3, 4, 2)
    params = {name: value.clone().requires_grad_() for name, value in given.params.items()}
    found = ward_residual(given.loss, params, given.group)
    assert not found.requires_grad
    for name, value in params.items():
        assert value.grad is None
        assert torch.equal(value, given.params[name])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda theta: theta["0.weight"], r"shape \(\), found \(4, 3\)"),
        (lambda theta: 1.0, "found float"),
        (lambda theta: torch.zeros(()), "none of the parameters"),
        (lambda theta: theta["0.weight"].detach().sum(), "none of the parameters"),
        (lambda theta: (theta["0.bias"] * float("nan")).sum(), "'0.bias' holds NaN"),
    ],
)
def test_a_loss_without_a_gradient_is_refused(loss, message):
    given = problem(3, 4, 2)
    with pytest.raises(GaugeError, match=message):
        ward_residual(loss, given.params, given.group)


def test_a_loss_of_the_model_instead_of_the_dictionary_is_refused():
    model, example = build("mlp")
    with pytest.raises(GaugeError, match="functional_call"):
        ward_residual(
            lambda theta: model(example).sum(), params_of(model), trace_group(model, example)
        )


def test_a_restricted_group_is_refused():
    given = problem(3, 4, 2)
    with pytest.raises(GaugeError, match="counts only parameters of kind 'weight'"):
        ward_residual(given.loss, given.params, given.group.restrict("weight"))
