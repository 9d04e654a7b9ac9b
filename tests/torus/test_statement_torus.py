"""What holds for every torus action, with a dense Q and plain autograd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.func import grad, jacrev
from torch.testing import assert_close

from tests.torus.gates import NETWORKS, Gated, dense, flat, reglu


def hessian(function):
    return jacrev(grad(function))


networks = st.builds(lambda name, seed: NETWORKS[name](seed=seed), st.sampled_from([*NETWORKS]),
                     st.integers(0, 10_000))  # fmt: skip
exponents = st.floats(0.5, 3.0)


def slopes_of(net: Gated) -> torch.Tensor:
    return flat(net.gradient(net.params))


def residual(rows, theta, slopes):
    """Of the Ward identity, relative to the terms of its sums."""
    terms = rows.abs() @ (theta * slopes).abs()
    return ((rows @ (theta * slopes)).abs() / terms.clamp(min=1e-300)).max()


@given(net=networks)
def test_the_ward_identity_holds(net: Gated):
    assert residual(dense(net.group), flat(net.params), slopes_of(net)) < 1e-11


@given(net=networks, p=exponents, decay=st.floats(0.0, 1.0))
def test_the_modulated_flow_conserves_and_with_its_decay_damps_the_charges(net, p, decay):
    rows, theta, slopes = dense(net.group), flat(net.params), slopes_of(net)
    size, sign = theta.abs(), theta.sign()
    velocity = -(size ** (2 - p)) * (slopes + decay * sign * size ** (p - 1))
    rate = rows @ (p * size ** (p - 1) * sign * velocity)
    room = p * (rows.abs() @ (theta * slopes).abs()).max() + p * (rows.abs() @ size**p).max()
    assert (rate + decay * p * (rows @ size**p)).abs().max() < 1e-11 * room


@given(net=networks, decay=st.sampled_from([0.0, 0.3]))
def test_over_a_time_the_charges_follow_their_law(net, decay):
    rows, theta, law = dense(net.group), flat(net.params), 1.0
    shapes = {name: value.shape for name, value in net.params.items()}

    def velocity(vector):
        parts = vector.split([s.numel() for s in shapes.values()])
        params = {n: part.view(shapes[n]) for n, part in zip(shapes, parts)}
        return -vector.abs() * (flat(net.gradient(params)) + decay * vector.sign())

    start = rows @ theta.abs()
    for _ in range(5):  # for p = 1 Euler's steps keep a linear law exactly
        step = 0.02 / float((velocity(theta) / theta).abs().max())  # no sign changes
        theta, law = theta + step * velocity(theta), law * (1 - step * decay)
    assert_close(rows @ theta.abs(), law * start, rtol=1e-9, atol=1e-9)


def norm_along(net: Gated, p: float):
    rows, size = dense(net.group), flat(net.params).abs()
    return lambda alpha: (size**p * torch.exp(p * rows.T @ alpha)).sum() / p


@given(net=networks, p=exponents, seed=st.integers(0, 99))
def test_balanced_means_lightest(net, p, seed):
    rows, size, along = dense(net.group), flat(net.params).abs(), norm_along(net, p)
    zero = torch.zeros(len(rows), dtype=torch.float64)
    assert_close(grad(along)(zero), rows @ size**p)
    draw = torch.Generator().manual_seed(seed)
    one, two = torch.randn(2, len(rows), generator=draw, dtype=torch.float64) / 2
    assert along((one + two) / 2) <= (along(one) + along(two)) / 2 * (1 + 1e-12)
    alpha = zero
    for _ in range(40):  # Newton's method, with steps that are not too long
        move = torch.linalg.lstsq(hessian(along)(alpha), -grad(along)(alpha)).solution
        alpha = alpha + move / max(1.0, float(move.norm()) / 2)
        if move.norm() < 1e-9:
            break
    light = size * torch.exp(rows.T @ alpha)
    assert (rows @ light**p).abs().max() < 1e-9 * (light**p).sum()
    assert along(alpha + one) >= along(alpha) * (1 - 1e-12)
    downhill = -grad(along)(zero)
    if downhill.norm() > 1e-3:  # not balanced: not lightest
        assert along(1e-6 * downhill / downhill.norm()) < along(zero)


@given(net=networks, lr=st.floats(0.01, 1.0), decay=st.floats(0.0, 0.9))
def test_one_step_moves_the_charges_by_squared_gradients(net, lr, decay):
    rows, theta, slopes = dense(net.group), flat(net.params), slopes_of(net)
    stepped = (1 - lr * decay) * theta - lr * slopes
    law = (1 - lr * decay) ** 2 * (rows @ theta**2) + lr**2 * (rows @ slopes**2)
    room = (rows.abs() @ (theta**2 + slopes**2)).max()
    assert (rows @ stepped**2 - law).abs().max() < 1e-11 * room


def student(hidden: int, dead: int, lam: float):
    """Loss and decay of a gated layer that starts as its own teacher, its parameters, and Q."""
    net = reglu(2, hidden, 1)
    names = ("gate.weight", "up.weight", "down.weight")
    sizes = [net.params[n].numel() for n in names]
    rows = dense(net.group)
    kept = torch.cat([torch.full((v.numel(),), n in names) for n, v in net.params.items()])
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(60, 2, generator=draw, dtype=torch.float64)
    alive = torch.ones(hidden, dtype=torch.float64)
    alive[:dead] = 0.0
    teacher = flat({n: net.params[n] for n in names})
    shape = torch.cat([alive[:, None].expand(-1, 2).flatten()] * 2 + [alive])

    def output(theta):
        gate, up, down = theta.split(sizes)
        return (torch.relu(x @ gate.view(-1, 2).T) * (x @ up.view(-1, 2).T)) @ down

    answers = output(teacher * shape).detach()

    def loss(theta):
        return (output(theta) - answers).square().mean() + lam / 2 * theta.square().sum()

    return loss, teacher * shape, rows[:, kept]


@pytest.mark.parametrize("dead", [0, 1])
def test_the_mass_gap_has_the_rank_of_the_living_columns(dead):
    lam = 1e-3
    loss, theta, rows = student(3, dead, lam)
    for _ in range(300):  # balanced first, so that the minimum is near
        theta = theta * torch.exp(-0.02 * rows.T @ (rows @ theta**2))
    alive = theta != 0
    for _ in range(100):  # Newton's method for those that are not zero: the others rest there
        move = torch.linalg.solve(hessian(loss)(theta)[alive][:, alive], grad(loss)(theta)[alive])
        theta = theta.index_put(
            (alive.nonzero()[:, 0],), -move / max(1.0, 10 * float(move.norm())), accumulate=True
        )
        if move.norm() < 1e-12:
            break
    assert grad(loss)(theta).norm() < 1e-10
    curvature, rank = hessian(loss)(theta), int(torch.linalg.matrix_rank(rows * (theta != 0)))
    assert rank == 2 * (3 - dead)
    vectors = rows * theta
    assert_close(vectors @ curvature, 2 * lam * vectors, rtol=1e-6, atol=1e-9)
    assert int(torch.linalg.matrix_rank(vectors, rtol=1e-6)) == rank
    near = (torch.linalg.eigvalsh(curvature) / lam - 2).abs() < 1e-6
    assert near.sum() >= rank
    # control: away from a critical point they are none
    off = theta * 1.1
    assert (rows * off @ hessian(loss)(off) - 2 * lam * rows * off).abs().max() > 1e-4


@given(net=networks)
def test_the_soft_penalty_is_vertical(net: Gated):
    rows, theta, slopes = dense(net.group), flat(net.params), slopes_of(net)
    soft = grad(lambda t: (rows @ t**2).square().sum() / 4)(theta)
    assert_close(soft, (rows.T @ (rows @ theta**2)) * theta)
    room = (soft * slopes).abs().sum()
    assert (soft @ slopes).abs() < 1e-11 * room + 1e-15


def with_tanh(net: Gated) -> Gated:
    def forward(params, x):
        gate = torch.tanh(x @ params["gate.weight"].T + params["gate.bias"])
        up = x @ params["up.weight"].T + params["up.bias"]
        return (gate * up) @ params["down.weight"].T + params["down.bias"]

    return Gated(forward, net.params, net.group, net.inputs)


def test_control_a_gate_that_is_not_homogeneous_obeys_none_of_it():
    net = with_tanh(reglu())
    rows, theta, slopes = dense(net.group), flat(net.params), slopes_of(net)
    assert residual(rows, theta, slopes) > 1e-2
    squares = rows @ (theta - 0.1 * slopes) ** 2
    assert (squares - rows @ theta**2 - 0.01 * (rows @ slopes**2)).abs().max() > 1e-4
    soft = (rows.T @ (rows @ theta**2)) * theta
    assert (soft @ slopes).abs() > 1e-3 * (soft * slopes).abs().sum()


def test_control_the_edges_of_one_side_alone_are_no_symmetry():
    net = reglu()
    rows, theta, slopes = dense(net.group), flat(net.params), slopes_of(net)
    half = rows.clone()
    half[net.group.units // 2 :, theta.numel() - 10 :] = 0.0  # of `up`, what flows out
    assert residual(rows, theta, slopes) < 1e-11
    assert residual(half, theta, slopes) > 1e-2
