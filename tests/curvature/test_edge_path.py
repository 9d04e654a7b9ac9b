"""The toy at the edge of stability: the closed map is gradient descent, and says where it ends."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import GaugeError
from gaugelib.curvature import edge_path

WEIGHT = st.floats(-4, 4)
RATE = st.floats(0.01, 1.2)


def descended(start, *, lr, steps, target=1.0):
    """The weights at each step of torch's optimiser, shape (steps + 1, 2)."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    rule = torch.optim.SGD([theta], lr=lr)
    seen = [theta.detach().clone()]
    for _ in range(steps):
        rule.zero_grad()
        (0.5 * (theta.prod() - target) ** 2).backward()
        rule.step()
        seen.append(theta.detach().clone())
    return torch.stack(seen)


def mapped(start, *, target=1.0, **settings):
    """The path of the map from two weights."""
    w, v = start
    return edge_path(w * v, w * w + v * v, target=target, **settings)


def distance(start, *, lr, steps, target=1.0):
    """The largest difference of the map from gradient descent, relative to S."""
    theta = descended(start, lr=lr, steps=steps, target=target)
    rho, size = mapped(start, lr=lr, steps=steps, target=target)
    products, sizes = theta.prod(1), theta.square().sum(1)
    return max(((rho - products) / sizes).abs().max(), ((size - sizes) / sizes).abs().max()).item()


# Paths that amplify no rounding: they end, and stay away from balance on the way.
CALM = {
    (4.0, 0.1): (0.05, 0.1, 0.12, 0.15, 0.18, 0.2, 0.22, 0.235, 0.24, 0.245),
    (2.0, 0.1): (0.1, 0.3, 0.45, 0.5, 0.6, 0.75),
    (3.0, 0.2): (0.1, 0.2, 0.3, 0.35, 0.4, 0.42, 0.43),
}
CHAOTIC = ((1.2, 1.2), 1.9)  # never settles


@pytest.mark.parametrize(("start", "lr"), [(k, lr) for k, rates in CALM.items() for lr in rates])
def test_the_map_is_gradient_descent_for_a_thousand_steps(start, lr):
    assert distance(start, lr=lr, steps=1000) <= 1e-12


def test_control_on_a_chaotic_path_rounding_grows_until_the_two_have_nothing_in_common():
    start, lr = CHAOTIC
    assert distance(start, lr=lr, steps=10) <= 1e-12
    assert distance(start, lr=lr, steps=1000) > 0.1


@given(WEIGHT, WEIGHT, RATE, st.floats(-2, 2))
def test_one_step_is_a_step_of_the_weights(w, v, lr, target):
    before, after = descended((w, v), lr=lr, steps=1, target=target)
    rho, size = mapped((w, v), lr=lr, steps=1, target=target)
    scale = 1e-12 * (1 + after.square().sum().item() + size[0].item())
    assert rho[1].item() == pytest.approx(after.prod().item(), abs=scale)
    assert size[1].item() == pytest.approx(after.square().sum().item(), abs=scale)
    move = lr * (before.prod().item() - target)
    charges = [(x[0] ** 2 - x[1] ** 2).item() for x in (before, after)]
    assert charges[1] == pytest.approx(charges[0] * (1 - move**2), abs=scale)


def test_control_the_law_with_the_other_sign_is_not_a_step_of_the_weights():
    before, after = descended((2.0, 0.1), lr=0.5, steps=1)
    charges = [(x[0] ** 2 - x[1] ** 2).item() for x in (before, after)]
    move = 0.5 * (before.prod().item() - 1)
    assert charges[1] == pytest.approx(charges[0] * (1 - move**2), rel=1e-12)
    assert abs(charges[1] - charges[0] * (1 + move**2)) > 1


@pytest.mark.parametrize("lr", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("target", [1.0, 0.5, -0.75])
def test_its_fixed_points_are_the_minima_the_origin_and_the_runs_from_w_to_minus_w(lr, target):
    ends = [(target, size) for size in (2 * abs(target), 3.0, 10.0)] + [(0.0, 0.0)]
    cycles = [target + 2 / lr, target - 2 / lr]
    for rho, size in [*ends, *((rho, 2 * abs(rho)) for rho in cycles)]:
        path = edge_path(rho, size, target=target, lr=lr, steps=1)
        for values in path:
            assert values[1].item() == pytest.approx(values[0].item(), abs=1e-13)
    for rho in cycles:  # the weights are at -w after one step, and back after the next
        side = math.copysign(abs(rho) ** 0.5, rho)
        theta = descended((abs(rho) ** 0.5, side), lr=lr, steps=2, target=target)
        torch.testing.assert_close(theta[1], -theta[0], rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(theta[2], theta[0], rtol=1e-12, atol=1e-12)
    rho, size = edge_path(target + 1, 10.0, target=target, lr=lr, steps=1)  # control: another place
    assert abs(rho[1] - rho[0]) > 0.1
    assert size.shape == (2,)


@pytest.mark.parametrize(("size", "stays"), [(3.0, True), (3.9, True), (4.1, False), (6.0, False)])
def test_a_minimum_holds_if_it_is_less_sharp_than_two_over_the_step(size, stays):
    rho, sizes = edge_path(1.0 + 1e-9, size, target=1.0, lr=0.5, steps=3000)
    left = bool((sizes[-1] - size).abs() > 1e-3)
    assert left != stays
    assert rho[-1].item() == pytest.approx(1.0, abs=1e-6)  # on a flatter minimum, if it left


# Where runs end, y = 1: the sharpness, which at a minimum is S; by another formula, see below.
ENDS = {
    ((4.0, 0.1), 0.1): 16.0246,
    ((4.0, 0.1), 0.125): 15.1171,
    ((4.0, 0.1), 0.15): 9.4360,
    ((4.0, 0.1), 0.2): 2.0026,
    ((4.0, 0.1), 0.22): 5.7948,
    ((4.0, 0.1), 0.3): math.inf,
    ((2.0, 0.1), 0.1): 4.4281,
    ((2.0, 0.1), 0.4): 3.8833,
    ((2.0, 0.1), 0.5): 2.8792,
    ((2.0, 0.1), 0.6): 2.0223,
    ((2.0, 0.1), 0.69): 2.0,
    ((2.0, 0.1), 0.75): 2.0644,
    ((2.0, 0.1), 0.9): math.inf,
    ((3.0, 0.2), 0.2): 9.0122,
    ((3.0, 0.2), 0.3): 2.9727,
    ((3.0, 0.2), 0.34): 2.0003,
    ((3.0, 0.2), 0.45): math.inf,
}


@pytest.mark.parametrize(("start", "lr"), ENDS)
def test_where_runs_end(start, lr):
    """The other formula: a step multiplies w + v by 1 - ηe and w - v by 1 + ηe."""
    rho, size = mapped(start, lr=lr, steps=3000)
    plus, minus = sum(start), start[0] - start[1]
    for _ in range(3000):
        move = lr * ((plus**2 - minus**2) / 4 - 1)
        plus, minus = plus * (1 - move), minus * (1 + move)
        if abs(plus) + abs(minus) > 1e6:
            break
    ends = (plus**2 + minus**2) / 2
    wanted = ENDS[start, lr]
    if wanted == math.inf:
        assert ends > 1e6
        assert not size[-1].isfinite()
        return
    assert size[-1].item() == pytest.approx(ends, rel=1e-9)
    assert size[-1].item() == pytest.approx(wanted, abs=6e-5)
    assert rho[-1].item() == pytest.approx(1.0, abs=1e-12)
    assert size[-1].item() < 2 / lr


def test_a_grid_of_steps_is_run_at_once_in_its_own_precision():
    rates = torch.tensor([[0.1, 0.2], [0.3, 0.15]])
    rho, size = edge_path(0.4, 16.01, target=1.0, lr=rates, steps=3)
    assert rho.shape == size.shape == (4, 2, 2)
    assert rho.dtype == torch.float32
    one, _ = edge_path(0.4, 16.01, target=1.0, lr=0.2, steps=3)
    assert one.dtype == torch.float64
    torch.testing.assert_close(rho[:, 0, 1], one.float(), rtol=1e-5, atol=1e-5)


def test_tensors_of_whole_numbers_are_taken_as_the_numbers_they_hold():
    given = {"target": 1, "lr": 0.1, "steps": 3}
    found = edge_path(torch.tensor([1, 2]), 5, **given)
    expected = edge_path(torch.tensor([1.0, 2.0]).double(), 5.0, **given)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float64
        assert torch.equal(one, other)


def test_it_can_be_differentiated_by_the_step():
    lr = torch.tensor(0.15, dtype=torch.float64, requires_grad=True)

    def end(value):
        return mapped((4.0, 0.1), lr=value, steps=200)[1][-1]

    (slope,) = torch.autograd.grad(end(lr), lr)
    apart = (end(0.15 + 1e-6) - end(0.15 - 1e-6)).item() / 2e-6
    assert slope.item() == pytest.approx(apart, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0.0}, "lr must be positive, found 0"),
        ({"lr": torch.tensor([0.1, math.nan])}, "lr must be positive, found nan"),
        ({"steps": -1}, "steps must not be negative, found -1"),
        ({"size": 0.7}, "no weights have the product 0.4 and the size 0.7"),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message):
        edge_path(
            **({"product": 0.4, "size": 16.01, "target": 1.0, "lr": 0.1, "steps": 1} | arguments)
        )


def test_two_equal_weights_are_not_refused_for_their_rounding():
    for w in torch.linspace(0.1, 2.0, 97, dtype=torch.float64).tolist():
        mapped((w, w * (1 + 1e-16)), lr=0.1, steps=0)
        mapped((w, -w), lr=0.1, steps=0)
