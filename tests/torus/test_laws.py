"""Ward identity, charges, their decay and the soft penalty, with Q in the place of B."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import (
    charge,
    generator,
    gradient_flow,
    minimum_norm,
    relative_imbalance,
    rescale,
    soft_penalty,
    soft_step,
    ward_residual,
)
from gaugelib.curvature.identity import curvature_residual
from gaugelib.noether import decayed, step_drift
from tests.torus.gates import NETWORKS, Gated, attention, dense, flat

networks = st.builds(
    lambda name, seed: NETWORKS[name](seed=seed), st.sampled_from([*NETWORKS]), st.integers(0, 9999)
)
each = pytest.mark.parametrize("name", NETWORKS)


def small(name: str, seed: int = 1) -> Gated:
    """With weights of size 1/2, at which flows stay slow."""
    net = NETWORKS[name](seed=seed)
    for value in net.params.values():
        value *= 0.5
    return net


def smooth(theta, net: Gated):
    """No function of the outputs alone: a penalty on the parameters."""
    return net.loss(theta) + sum(value.sin().sum() for value in theta.values())


@given(net=networks)
def test_ward_identity(net: Gated):
    slopes = net.gradient(net.params)
    by_hand = dense(net.group) @ (flat(net.params) * flat(slopes))
    size = dense(net.group).abs() @ (flat(net.params) * flat(slopes)).abs()
    assert (by_hand.abs() <= 1e-11 * size.max()).all()
    found = ward_residual(net.loss, net.params, net.group, relative=True)
    assert found.max() <= 1e-9
    broken = ward_residual(lambda theta: smooth(theta, net), net.params, net.group, relative=True)
    assert broken.max() > 1e-6  # the control


@each
def test_no_other_diagonal_rescaling_leaves_the_function_alone(name):
    """The null space of J diag(theta) at three points is spanned by the columns of Q transposed."""
    net = NETWORKS[name](seed=3)
    draw = torch.Generator().manual_seed(4)
    x = torch.randn(60, *net.inputs, generator=draw, dtype=torch.float64)
    rows = []
    for _ in range(3):
        point = {n: torch.randn(v.shape, generator=draw).double() for n, v in net.params.items()}
        jacobian = torch.func.jacrev(lambda theta: net.forward(theta, x).reshape(-1))(point)
        rows.append(torch.cat([j.flatten(1) for j in jacobian.values()], 1) * flat(point))
    rows = torch.cat(rows)
    values = torch.linalg.svdvals(rows)
    null = int((values < 1e-9 * values[0]).sum()) + max(0, rows.shape[1] - len(values))
    assert null == net.group.units == torch.linalg.matrix_rank(dense(net.group))
    assert (rows @ dense(net.group).T).abs().max() <= 1e-9 * values[0]


@each
def test_the_second_order_identity(name):
    net = small(name)
    found = curvature_residual(net.loss, net.params, net.group, relative=True)
    assert found.max() <= 1e-10


@given(net=networks, lr=st.floats(1e-3, 0.5), decay=st.sampled_from([0.0, 0.3]))
def test_the_exact_law_of_one_step(net: Gated, lr, decay):
    slopes = net.gradient(net.params)
    after = {n: v - lr * (slopes[n] + decay * v) for n, v in net.params.items()}
    law = (1 - lr * decay) ** 2 * charge(net.params, net.group) + step_drift(slopes, net.group, lr)
    size = sum(v.square().sum() for v in [*net.params.values(), *slopes.values()])
    assert_close(charge(after, net.group), law, rtol=0, atol=1e-12 * float(size))
    by_hand = dense(net.group) @ flat(after).square()
    assert_close(charge(after, net.group), by_hand)
    wrong = (1 - lr * decay) ** 2 * charge(net.params, net.group)
    assert (charge(after, net.group) - wrong).abs().max() > 0  # the control: the drift is there


@each
@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_runge_kutta_conserves_the_charge_with_p_1_to_rounding(name, method):
    net = small(name)
    path = gradient_flow(net.loss, net.params, until=0.5, steps=50, p=1.0, method=method)
    charges = path.map(lambda theta: charge(theta, net.group, 1.0))
    assert (charges - charges[0]).abs().max() <= 1e-12
    others = path.map(lambda theta: charge(theta, net.group, 2.0))
    assert (others - others[0]).abs().max() > 1e-5  # the control: another charge


@each
def test_charges_decay_at_the_rate_of_their_pair(name):
    net, decay = small(name), 0.3
    start = net.params
    path = gradient_flow(
        net.loss, start, until=0.2, steps=20, p=1.0, decay=decay, decay_p=1.0, saved=3
    )
    charges = path.map(lambda theta: charge(theta, net.group, 1.0))
    expected = decayed(charges[0], path.times, 1.0, decay)
    assert_close(charges, expected, rtol=0, atol=1e-10)
    assert_close(expected[-1], charges[0] * math.exp(-0.3 * 0.2))
    other = gradient_flow(
        net.loss, start, until=0.2, steps=20, p=1.0, decay=decay, decay_p=2.0, saved=3
    )
    left = other.map(lambda theta: charge(theta, net.group, 1.0))
    assert (left - expected).abs().max() > 1e-3  # the control: another penalty


@each
def test_the_minimum_norm_gauge_is_kept_by_its_own_pair(name):
    net = small(name)
    start = minimum_norm(net.params, net.group, p=1.0, tol=1e-14, include_bias=True).params
    for penalty, kept in ((1.0, True), (2.0, False)):
        path = gradient_flow(
            net.loss, start, until=0.2, steps=20, p=1.0, decay=0.3, decay_p=penalty, saved=3
        )
        worst = path.map(lambda s: relative_imbalance(s, net.group, 1.0, include_bias=True)).max()
        assert worst <= 1e-10 if kept else worst > 1e-5


@given(net=networks)
def test_the_soft_penalty_has_a_vertical_gradient(net: Gated):
    rows, theta = dense(net.group), flat(net.params)
    value = soft_penalty(net.params, net.group)
    assert_close(value, (rows @ theta.square()).square().sum() / 4)
    leaves = {n: v.clone().requires_grad_() for n, v in net.params.items()}
    grads = torch.autograd.grad(soft_penalty(leaves, net.group), list(leaves.values()))
    pull = flat(dict(zip(leaves, grads)))
    assert_close(pull, (rows.T @ (rows @ theta.square())) * theta)
    assert_close(pull, flat(generator(net.params, charge(net.params, net.group), net.group)))
    slope = flat(net.gradient(net.params))
    size = pull.norm() * slope.norm()
    assert abs(pull @ slope) <= 1e-10 * size
    decay = theta @ pull  # the control: of weight decay something is left
    assert abs(decay) > 1e-6 * theta.norm() * pull.norm()


@given(net=networks)
def test_a_soft_step_only_rescales(net: Gated):
    size = sum(float(value.square().sum()) for value in net.params.values())
    after = soft_step(net.params, net.group, lr=0.05 / size, include_bias=True)
    assert_close(net.loss(after), net.loss(net.params), rtol=1e-9, atol=1e-12)
    before = soft_penalty(net.params, net.group)
    assert soft_penalty(after, net.group) < before


def test_control_a_key_that_does_not_answer_is_no_symmetry():
    net = attention()
    scales = net.group.random(generator=torch.Generator().manual_seed(0))
    moved = rescale(net.params, scales, net.group)
    moved["k.weight"], moved["k.bias"] = net.params["k.weight"], net.params["k.bias"]
    assert (net.loss(moved) - net.loss(net.params)).abs() > 1e-3
