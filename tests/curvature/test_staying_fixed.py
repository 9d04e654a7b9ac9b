"""What stays on Fix(M) in training, and what leaves it."""

import pytest
import torch
from torch.testing import assert_close

from tests.curvature.one_layer import D, N, OneLayer, projector, symmetric, twins
from tests.curvature.vector import slope

OPTIMISERS = {
    "gradient descent": lambda p: torch.optim.SGD(p, lr=0.02),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "decay": lambda p: torch.optim.SGD(p, lr=0.02, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
}
optimisers = pytest.mark.parametrize("optimiser", OPTIMISERS)
STEPS = 60


def trained(net, theta, optimiser, *, batches=True, loss=None):
    """θ after some steps, on batches drawn at random or on all of the data."""
    draw = torch.Generator().manual_seed(7)
    leaf = theta.clone().requires_grad_()
    moves = OPTIMISERS[optimiser]([leaf])
    for _ in range(STEPS):
        batch = torch.randperm(N, generator=draw)[:6] if batches else slice(None)
        moves.zero_grad()
        (loss or net.loss)(leaf, batch).backward()
        moves.step()
    return leaf.detach()


def off_fix(matrix, theta):
    return float((matrix @ theta - theta).abs().max())


@optimisers
@pytest.mark.parametrize("kind", ["swap, relu", "swap, tanh", "flip, tanh", "flip, linear"])
def test_every_optimiser_stays_where_a_permutation_or_a_sign_fixes(kind, optimiser):
    net, matrix = symmetric(kind)
    start = projector(matrix) @ net.theta
    end = trained(net, start, optimiser)
    assert off_fix(matrix, end) <= 1e-12
    assert (end - start).abs().max() > 1e-2


def bit_by_bit(net):
    """The same loss with every unit computed alone, by the same operations in the same order."""

    def loss(theta, batch):
        w, v = net.parts(theta)
        total = 0.0
        for unit in range(net.units):
            z = (net.x[batch] * w[unit]).sum(1)
            total = net.act(z)[:, None] * v[unit] + total
        return (total - net.y[batch]).square().mean()

    return loss


@optimisers
@pytest.mark.parametrize("kind", ["relu", "tanh"])
def test_twins_computed_alike_stay_equal_bit_by_bit(kind, optimiser):
    net = twins(kind)
    end = trained(net, net.theta, optimiser, loss=bit_by_bit(net))
    assert torch.equal(net.swap() @ end, end)


@pytest.mark.parametrize("optimiser", ["gradient descent", "momentum", "nesterov", "decay"])
def test_those_without_squares_stay_where_any_orthogonal_matrix_fixes(optimiser):
    net, matrix = symmetric("reflection, linear")
    start = projector(matrix) @ net.theta
    assert off_fix(matrix, start) < 1e-14
    end = trained(net, start, optimiser)
    assert off_fix(matrix, end) <= 1e-12
    assert (end - start).abs().max() > 1e-2


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_control_adam_leaves_what_a_general_orthogonal_matrix_fixes(optimiser):
    net, matrix = symmetric("reflection, linear")
    start = projector(matrix) @ net.theta
    for batches in (True, False):
        assert off_fix(matrix, trained(net, start, optimiser, batches=batches)) > 1e-2


def test_adam_stays_where_the_reflection_is_a_permutation():
    """By a quarter of a turn it swaps the two units."""
    net = OneLayer(3, "linear")
    matrix = net.reflect(-torch.pi / 2)
    assert set(matrix.round(decimals=12).abs().unique().tolist()) == {0.0, 1.0}
    start = projector(matrix) @ net.theta
    assert off_fix(matrix, trained(net, start, "adam")) <= 1e-12


def test_control_different_learning_rates_leave_it():
    net = twins("tanh")
    rates = torch.full_like(net.theta, 0.02)
    rates[net.slot(1)] = 0.03
    theta = net.theta
    for _ in range(STEPS):
        theta = theta - rates * slope(net.loss, theta)
    assert off_fix(net.swap(), theta) > 1e-2


def test_learning_rates_that_the_permutation_keeps_do_not():
    """One for each layer."""
    net = twins("tanh")
    rates = torch.cat([torch.full((net.units * D,), 0.02), torch.full((net.units,), 0.03)]).double()
    theta = net.theta
    for _ in range(STEPS):
        theta = theta - rates * slope(net.loss, theta)
    assert off_fix(net.swap(), theta) <= 1e-12


def test_control_dropout_leaves_it():
    net, draw = twins("tanh"), torch.Generator().manual_seed(8)

    def dropped(theta, batch):
        w, v = net.parts(theta)
        kept = torch.rand(net.units, generator=draw) < 0.5
        return ((net.act(net.x[batch] @ w.T) * 2 * kept) @ v - net.y[batch]).square().mean()

    assert off_fix(net.swap(), trained(net, net.theta, "gradient descent", loss=dropped)) > 1e-2


def test_control_a_symmetry_of_the_data_is_left_by_batches_but_not_by_all_of_them():
    """The inputs come in pairs that differ in the sign of x₁, so M flips a sign in each w.

    L(Mθ) = L(θ) on all the data, and f(x; Mθ) is another function.
    """
    net = OneLayer(3, "tanh")
    mirror = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    net.x[N // 2 :], net.y[N // 2 :] = net.x[: N // 2] * mirror, net.y[: N // 2]
    signs = torch.cat([mirror.repeat(net.units), torch.ones(net.units, dtype=torch.float64)])
    matrix = signs.diag()
    assert_close(net.loss(matrix @ net.theta), net.loss(net.theta), rtol=1e-13, atol=0.0)
    start = projector(matrix) @ net.theta
    assert off_fix(matrix, trained(net, start, "gradient descent", batches=False)) <= 1e-12
    assert off_fix(matrix, trained(net, start, "gradient descent")) > 1e-2
