"""The charges, and the exact law of one discrete step."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, charge, imbalance, mlp_group, params_of
from gaugelib.noether import decayed, step_drift
from tests.flow.problems import charges, problem
from tests.tracing.dense import mlp


@given(
    seed=st.integers(0, 9999),
    widths=st.lists(st.integers(1, 5), min_size=3, max_size=6),
    p=st.floats(0.3, 4.0),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    biases=st.booleans(),
)
def test_the_charge_is_what_flows_in_minus_what_flows_out(seed, widths, p, dtype, biases):
    made = problem(*widths, seed=seed)
    params = {name: value.to(dtype) for name, value in made.params.items()}
    found = charge(params, made.group, p, include_bias=biases)
    assert found.dtype == dtype
    assert_close(found, charges(params, p, biases=biases), rtol=1e-5, atol=1e-5)


def test_without_biases_the_charge_is_the_imbalance():
    made = problem(3, 5, 4, 2)
    found = charge(made.params, made.group, 1.5, include_bias=False)
    assert torch.equal(found, imbalance(made.params, made.group, 1.5))
    assert (found - charge(made.params, made.group, 1.5)).abs().min() > 0.1  # the control


# --- Proposition: one step of gradient descent ---


def one_step(activation, seed, lr, weight_decay, batch, bias=True):
    """Parameters before, gradients of the loss alone, and parameters after a step of SGD."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(3, 6, bias=bias), activation(), nn.Linear(6, 5, bias=bias), activation(),
            nn.Linear(5, 2, bias=bias),
        ).double()  # fmt: skip
        x, y = torch.randn(batch, 3).double(), torch.randn(batch, 2).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)
    before = params_of(model)
    nn.functional.mse_loss(model(x), y).backward()
    grads = {name: value.grad.clone() for name, value in model.named_parameters()}
    optimizer.step()
    group = mlp_group(_with_relu(model))
    return before, grads, params_of(model), group


def _with_relu(model):
    same = copy.deepcopy(model)
    same[1], same[3] = nn.ReLU(), nn.ReLU()
    return same


@given(
    seed=st.integers(0, 9999),
    lr=st.floats(1e-3, 1.0),
    weight_decay=st.sampled_from([0.0, 1e-3, 0.2]),
    batch=st.sampled_from([1, 4, 32]),
    bias=st.booleans(),
)
def test_one_step_moves_the_charge_by_the_squared_gradients_exactly(
    seed, lr, weight_decay, batch, bias
):
    before, grads, after, group = one_step(nn.ReLU, seed, lr, weight_decay, batch, bias)
    shrunk = (1 - lr * weight_decay) ** 2 * charge(before, group)
    assert_close(charge(after, group), shrunk + step_drift(grads, group, lr), rtol=0, atol=1e-12)


def test_control_one_step_of_a_tanh_network_moves_it_otherwise():
    before, grads, after, group = one_step(nn.Tanh, 0, 0.3, 0.0, 32)
    missed = charge(after, group) - charge(before, group) - step_drift(grads, group, 0.3)
    assert missed.abs().max() > 1e-3  # where the law holds, 1e-12


def test_control_the_step_law_needs_the_square_of_the_decay():
    before, grads, after, group = one_step(nn.ReLU, 0, 0.3, 0.2, 32)
    wrong = (1 - 0.3 * 0.2) * charge(before, group) + step_drift(grads, group, 0.3)
    assert (charge(after, group) - wrong).abs().max() > 1e-3


def test_control_adam_obeys_no_such_law():
    made = problem(3, 5, 4, 2)
    leaves = {name: value.clone().requires_grad_() for name, value in made.params.items()}
    made.loss(leaves).backward()
    grads = {name: value.grad.clone() for name, value in leaves.items()}
    torch.optim.Adam(leaves.values(), lr=0.01).step()
    after = {name: value.detach() for name, value in leaves.items()}
    moved = charge(after, made.group) - charge(made.params, made.group)
    # Its first step is of one size for all, so the term of first order does not vanish.
    assert moved.abs().max() > 10 * step_drift(grads, made.group, 0.01).abs().max()


@pytest.mark.parametrize("lr", [math.nan, math.inf])
def test_a_step_size_that_is_not_finite_is_refused(lr):
    made = problem(3, 4, 2)
    with pytest.raises(GaugeError, match="finite number"):
        step_drift(made.params, made.group, lr)


# --- decay in closed form ---


def test_the_decayed_charge_solves_its_equation():
    start, times = torch.tensor([3.0, -1.0]).double(), torch.linspace(0, 2, 201).double()
    found = decayed(start, times, p=1.5, decay=0.4)
    assert found.shape == (201, 2)
    assert torch.equal(found[0], start)
    slope = (found[2:] - found[:-2]) / (times[2] - times[0])
    assert_close(slope, -0.4 * 1.5 * found[1:-1], rtol=1e-4, atol=0)
    assert torch.equal(decayed(start, 2.0, p=1.5, decay=0.4), found[-1])


@pytest.mark.parametrize(
    ("p", "decay"), [(0.0, 0.1), (math.inf, 0.1), (2.0, -0.1), (2.0, math.nan)]
)
def test_decay_out_of_range_is_refused(p, decay):
    with pytest.raises(GaugeError, match="found"):
        decayed(torch.ones(2), 1.0, p, decay)


def test_an_exponent_out_of_range_is_refused_by_the_charge():
    model = mlp(3, 4, 2)
    with pytest.raises(GaugeError, match="found -1"):
        charge(params_of(model), mlp_group(model), -1.0)
