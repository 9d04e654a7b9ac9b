"""Discrete symmetries: on Fix(M) the gradient is tangent, and the Hessian splits in two blocks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.curvature.one_layer import (
    ACTIVATIONS,
    SYMMETRIES,
    D,
    N,
    OneLayer,
    projector,
    symmetric,
    twins,
)
from tests.curvature.vector import second, slope

symmetries = pytest.mark.parametrize("kind", SYMMETRIES)


# --- gradient and Hessian ---


@symmetries
def test_gradient_and_hessian_are_carried_along(kind):
    net, matrix = symmetric(kind)
    theta, there = net.theta, matrix @ net.theta
    assert_close(net.values(there, net.x), net.values(theta, net.x), rtol=1e-12, atol=1e-13)
    assert_close(slope(net.loss, there), matrix @ slope(net.loss, theta), rtol=1e-12, atol=1e-13)
    before, after = second(net.loss, theta), second(net.loss, there)
    assert_close(after, matrix @ before @ matrix.T, rtol=1e-12, atol=1e-12)
    assert (after - before).abs().max() > 1e-2  # the control: not the same matrix


@symmetries
def test_on_fix_the_gradient_is_tangent_and_the_hessian_splits(kind):
    net, matrix = symmetric(kind)
    on = projector(matrix)
    off = torch.eye(len(on), dtype=torch.float64) - on
    assert 0 < round(float(on.trace())) < len(on)
    theta = on @ net.theta
    hessian = second(net.loss, theta)
    assert (off @ slope(net.loss, theta)).abs().max() <= 1e-12
    assert (off @ hessian @ on).abs().max() <= 1e-12 * hessian.abs().max()
    # the control: beside Fix neither holds
    assert (off @ slope(net.loss, net.theta)).abs().max() > 1e-2
    assert (off @ second(net.loss, net.theta) @ on).abs().max() > 1e-2


@pytest.mark.parametrize("kind", ["relu", "softplus"])
def test_control_the_sign_of_such_a_unit_is_no_symmetry(kind):
    net = OneLayer(3, kind)
    there = net.flip() @ net.theta
    assert abs(net.loss(there) - net.loss(net.theta)) > 1e-3


# --- the normal block ---


def block_of_twins(net, unit=0):
    """[[v E[ℓ' s″ x x'], c], [c', 0]] with c = E[ℓ' s' x], by hand; and c."""
    w, v = net.parts(net.theta)
    z = net.x @ w[unit]
    leaf = z.clone().requires_grad_()
    (first,) = torch.autograd.grad(net.act(leaf).sum(), leaf, create_graph=True)
    bent = torch.zeros_like(z)
    if first.requires_grad:
        bent = torch.autograd.grad(first.sum(), leaf)[0]
    errors = 2 * (net.values(net.theta, net.x) - net.y) / net.outputs  # ℓ'
    c = (first.detach()[:, None] * net.x).T @ errors / N  # (D, outputs)
    top = (net.x.T * (errors @ v[unit]) * bent) @ net.x / N
    zero = torch.zeros(net.outputs, net.outputs, dtype=torch.float64)
    return torch.cat([torch.cat([top, c], dim=1), torch.cat([c.T, zero], dim=1)]), c


def normal_block(net, count=2):
    """H on perturbations of the first units that sum to zero, in an orthonormal basis."""
    each = torch.linalg.qr(torch.ones(count, 1).double(), mode="complete")[0][:, 1:]
    eye = torch.eye(D + net.outputs, dtype=torch.float64)
    basis = torch.zeros(len(net.theta), (count - 1) * len(eye), dtype=torch.float64)
    for unit, row in enumerate(each):
        basis[net.slot(unit)] = torch.kron(row[None, :], eye)
    return basis.T @ second(net.loss, net.theta) @ basis


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_the_normal_block_of_twins(kind, outputs):
    for seed in range(5):
        net = twins(kind, outputs=outputs, seed=seed)
        block, c = block_of_twins(net)
        assert_close(normal_block(net), block, rtol=1e-11, atol=1e-12)
        gradient = slope(net.loss, net.theta)
        v = net.parts(net.theta)[1][0]
        assert_close(gradient[net.slot(0)][:D], c @ v, rtol=1e-12, atol=1e-13)
        assert (normal_block(net) + block).abs().max() > 1e-2  # the control: a wrong sign


@pytest.mark.parametrize("kind", ["relu", "tanh"])
def test_of_triplets_it_comes_twice(kind):
    net = OneLayer(4, kind)
    for unit in (1, 2):
        net.theta[net.slot(unit)] = net.theta[net.slot(0)]
    block, _ = block_of_twins(net)
    expected = torch.kron(torch.eye(2, dtype=torch.float64), block)
    assert_close(normal_block(net, 3), expected, rtol=1e-11, atol=1e-12)


@given(seed=st.integers(0, 9999))
def test_for_relu_it_has_two_eigenvalues_that_are_not_zero(seed):
    net = twins("relu", seed=seed)
    _, c = block_of_twins(net)
    size = float(c.norm())
    expected = torch.tensor([-size, *[0.0] * (D - 1), size], dtype=torch.float64)
    assert_close(torch.linalg.eigvalsh(normal_block(net)), expected, rtol=1e-11, atol=1e-13)


def settled(kind, seed=0):
    """Twins at a critical point: the labels miss the outputs by a residual with J'r = 0."""
    net = twins(kind, seed=seed)
    jac = torch.func.jacrev(lambda theta: net.values(theta, net.x).reshape(-1))(net.theta)
    wish = net.y[:, 0]
    residual = wish - jac @ torch.linalg.lstsq(jac, wish, driver="gelsd").solution
    net.y = (net.values(net.theta, net.x)[:, 0] - residual)[:, None]
    assert slope(net.loss, net.theta).abs().max() < 1e-13
    assert net.loss(net.theta) > 0.1
    return net


def test_at_a_critical_point_that_of_relu_is_zero_and_that_of_tanh_is_not():
    assert normal_block(settled("relu")).abs().max() < 1e-13
    block = normal_block(settled("tanh"))
    assert block[:D, :D].abs().max() > 1e-2
    assert block[D:].abs().max() < 1e-13


def test_control_with_no_weight_out_a_critical_point_may_be_a_saddle():
    """Where v = 0 the gradient of w vanishes whatever c is: the claim needs v ≠ 0."""
    net = OneLayer(2, "relu")
    net.theta[net.slot(1)] = net.theta[net.slot(0)]
    net.theta[2 * D :] = 0.0
    gradient = slope(net.loss, net.theta)
    assert gradient[: 2 * D].abs().max() == 0
    assert torch.linalg.eigvalsh(normal_block(net))[0] < -1e-2


def test_control_for_a_density_of_inputs_relu_has_a_second_derivative():
    """L = E[relu(x + b)] with x uniform in [-1, 1] has L″ = 1/2: E[s″] is not zero there.

    For any number of inputs it is zero off the kinks, and the slope jumps at each of them.
    """
    x = (torch.arange(200000, dtype=torch.float64) + 0.5) / 100000 - 1.0
    loss = lambda b: (x + b).relu().mean()  # noqa: E731
    ends = [slope(loss, torch.tensor(b, dtype=torch.float64)) for b in (0.31, 0.29)]
    assert abs((ends[0] - ends[1]) / 0.02 - 0.5) < 1e-3
    near = [slope(loss, torch.tensor(0.3 + b, dtype=torch.float64)) for b in (2e-6, 4e-6)]
    assert near[0] == near[1]


@pytest.mark.parametrize("kind", ["tanh", "linear"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_normal_block_of_a_sign(kind, outputs):
    """w = v = 0, where the unit is all that is normal; s'(0) = 1 for both."""
    net = OneLayer(3, kind, outputs)
    slot = net.slot(0)
    net.theta[slot] = 0.0
    errors = 2 * (net.values(net.theta, net.x) - net.y) / outputs
    c = net.x.T @ errors / N
    block = second(net.loss, net.theta)[slot][:, slot]
    assert_close(block[:D, D:], c, rtol=1e-12, atol=1e-13)
    assert block[:D, :D].abs().max() < 1e-14
    assert block[D:, D:].abs().max() < 1e-14
    assert torch.linalg.eigvalsh(block)[0] < -1e-2  # so it is left, if something is to be learned
    assert slope(net.loss, net.theta)[slot].abs().max() == 0
