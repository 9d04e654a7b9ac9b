"""Exact steps, taken in turn: block by block the lightest network is reached if the blocks span.

The minimiser of each block is found here by Newton's method on dense matrices, so that nothing of
the library's sweeps, of their order or of their closed forms is used.
"""

import itertools

import pytest
import torch
from torch.testing import assert_close

from gaugelib import minimum_norm, params_of, trace_group
from tests.balance.networks import chain, initialised, wired
from tests.balance.newton import edges, newton


def incidence(params, group, p):
    """B of the moving entries, shape (units, entries), and their powers."""
    to, out_of, power = edges(params, group, p)
    columns = torch.arange(len(power))
    matrix = torch.zeros(group.units + 1, len(power)).double()
    matrix[to, columns] += 1
    matrix[out_of, columns] -= 1
    return matrix[1:], power


def slope(matrix, power, p, alpha):
    return matrix @ (power * (p * matrix.T @ alpha).exp())


def height(matrix, power, p, alpha):
    return (power * (p * matrix.T @ alpha).exp()).sum()


def lowest(matrix, power, p, alpha, basis):
    """The minimum of F over alpha + span(basis), by damped Newton steps."""
    for _ in range(200):
        flow = power * (p * matrix.T @ alpha).exp()
        down = -basis.T @ (matrix @ flow)
        curved = p * (basis.T @ matrix) * flow @ (matrix.T @ basis)
        step = basis @ torch.linalg.solve(curved, down)
        alpha = alpha + step / max(1.0, float(p * (matrix.T @ step).abs().max()))
        if step.abs().max() < 1e-13:
            return alpha
    raise AssertionError("no minimum over a block")


def parities(group):
    """The units of every other layer, as columns of a basis for each parity."""
    eye = torch.eye(group.units).double()
    places = [torch.arange(place.start, place.stop) for place in group.layers.values()]
    return [eye[:, torch.cat(places[k::2])] for k in (0, 1) if places[k::2]]


def whole_layers(group):
    basis = torch.zeros(group.units, len(group.layers)).double()
    for column, place in enumerate(group.layers.values()):
        basis[place, column] = 1
    return [basis]


def random_blocks(group, seed):
    """Blocks in general position: bases of a random splitting of a random basis."""
    draw = torch.Generator().manual_seed(seed)
    turned = torch.linalg.qr(torch.randn(group.units, group.units, generator=draw).double())[0]
    return list(turned.split(1 + group.units // 3, dim=1))


def rounds(params, group, p, blocks, number):
    matrix, power = incidence(params, group, p)
    alpha = torch.zeros(group.units).double()
    heights = [height(matrix, power, p, alpha)]
    for _ in range(number):
        for basis in blocks:
            alpha = lowest(matrix, power, p, alpha, basis)
        heights.append(height(matrix, power, p, alpha))
    return alpha, heights, slope(matrix, power, p, alpha)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("blocks", ["parities", "parities and layers", "general position"])
def test_exact_steps_in_turn_end_at_the_lightest_network(blocks, p):
    params, group = initialised((3, 5, 4, 6, 2), seed=4, log_std=0.7)
    chosen = {
        "parities": parities(group),
        "parities and layers": parities(group) + whole_layers(group),
        "general position": random_blocks(group, seed=4),
    }[blocks]
    alpha, heights, _ = rounds(params, group, p, chosen, 40)
    assert_close(alpha, newton(params, group, p), rtol=0.0, atol=1e-6)
    assert all(after <= before * (1 + 1e-13) for before, after in itertools.pairwise(heights))
    assert all(after < before for before, after in itertools.pairwise(heights[:5]))


def test_so_do_the_library_s_methods_on_other_wirings_too():
    for name in ("residual", "dense", "convolutional"):
        model, example = wired(name)
        params, group = params_of(model), trace_group(model, example)
        for method in ("alternating", "two-level"):
            found = minimum_norm(params, group, method=method, tol=1e-10, max_passes=5000)
            assert_close(found.scales.log(), newton(params, group), rtol=0.0, atol=1e-6)


def test_control_blocks_that_do_not_span_stop_short():
    params, group = initialised((3, 5, 4, 6, 2), seed=4, log_std=0.7)
    alpha, heights, left = rounds(params, group, 2.0, whole_layers(group), 10)
    assert heights[-1] == pytest.approx(float(heights[-2]), rel=1e-14)
    assert left.abs().max() > 0.1
    assert (alpha - newton(params, group)).abs().max() > 0.1


def test_control_moves_in_between_that_only_keep_the_height_may_undo_every_step():
    """Balance the first dial, go to a point as high at which the second is balanced: no progress.

    The chain 2, 1, 1 with p = 1. Its second dial is balanced where it is half of the first (in
    logarithms), and along that line the height takes the value of every point again.
    """
    params, group = chain(2.0, 1.0, 1.0)
    matrix, power = incidence(params, group, 1.0)
    first, second = torch.eye(2).double().split(1, dim=1)
    balanced = lowest(matrix, power, 1.0, torch.zeros(2).double(), first)
    level, lightest = height(matrix, power, 1.0, balanced), newton(params, group, 1.0)
    assert level > 1.001 * height(matrix, power, 1.0, lightest)

    def on_the_line(x):
        return torch.tensor([x, x / 2], dtype=torch.float64)

    low, high = lightest[0].item(), 10.0
    for _ in range(100):
        middle = (low + high) / 2
        below = height(matrix, power, 1.0, on_the_line(middle)) < level
        low, high = (middle, high) if below else (low, middle)
    other = on_the_line(low)
    assert_close(height(matrix, power, 1.0, other), level, rtol=1e-12, atol=0.0)
    assert_close(lowest(matrix, power, 1.0, balanced, first), balanced, rtol=0.0, atol=1e-12)
    assert_close(lowest(matrix, power, 1.0, other, second), other, rtol=0.0, atol=1e-12)
