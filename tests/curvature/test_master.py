"""The two identities of any family T_s: ⟨∇L, v⟩ = χ, and H v + (Dv)'∇L = ∇χ.

The left sides come from ∇ and H alone; χ is the derivative of L along the family, so that its
gradient differentiates through T_s.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.curvature.vector import slope, slope_and_products

M = 6
DRAW = torch.Generator().manual_seed(0)
TURN = torch.randn(M, M, generator=DRAW, dtype=torch.float64)
SHIFT = torch.randn(M, generator=DRAW, dtype=torch.float64)
SIGNS = torch.tensor([1.0, 1, 1, -1, -1, 0], dtype=torch.float64)

FAMILIES = {  # T_s, v and Dv, the last two by hand
    "shift": (lambda s, t: t + s * SHIFT, lambda t: SHIFT, lambda t: torch.zeros(M, M).double()),
    "dilation": (lambda s, t: s.exp() * t, lambda t: t, lambda t: torch.eye(M).double()),
    "rescaling": (lambda s, t: (s * SIGNS).exp() * t, lambda t: SIGNS * t, lambda t: SIGNS.diag()),
    "rotation": (
        lambda s, t: torch.linalg.matrix_exp(s * (TURN - TURN.T)) @ t,
        lambda t: (TURN - TURN.T) @ t,
        lambda t: TURN - TURN.T,
    ),
    "no group": (  # and its Dv is not symmetric
        lambda s, t: t + s * t.roll(1).square() + s**2 * t.sin(),
        lambda t: t.roll(1).square(),
        lambda t: (2 * torch.eye(M).double() * t).roll(1, 0),
    ),
}
LOSSES = {
    "smooth": lambda t: (t.sin() * t.roll(2).exp()).sum() + t.prod(),
    "relu": lambda t: ((t[:3] * t[3:]).relu() + t[3:] - 0.3).square().sum(),
    "of products": lambda t: (t[:3] * t[3:] - 1.0).pow(3).sum(),
}
families = pytest.mark.parametrize("family", FAMILIES)
losses = pytest.mark.parametrize("kind", LOSSES)


def point(seed):
    """Some θ at which no product is near zero: off the kinks of the ReLU."""
    draw = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (M,), generator=draw) * 2 - 1
    return signs * (0.3 + torch.rand(M, generator=draw, dtype=torch.float64))


def rate(loss, move, theta):
    """χ, through the family itself."""
    zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(loss(move(zero, theta)), zero, create_graph=True)
    return found


def rate_slope(loss, move, theta):
    leaf = theta.clone().requires_grad_()
    chi = rate(loss, move, leaf)
    if not chi.requires_grad:
        return torch.zeros_like(theta)
    (found,) = torch.autograd.grad(chi, leaf, allow_unused=True)
    return found


def size(*terms):
    return float(sum(term.abs().max() for term in terms))


@losses
@families
def test_both_identities(family, kind):
    move, v, dv = FAMILIES[family]
    for seed in range(10):
        theta, loss = point(seed), LOSSES[kind]
        gradient, products = slope_and_products(loss, theta, v(theta)[:, None])
        first = gradient @ v(theta)
        assert_close(first, rate(loss, move, theta).detach(), rtol=1e-12, atol=1e-13)
        turned = dv(theta).T @ gradient
        left = products[:, 0] + turned - rate_slope(loss, move, theta)
        assert left.abs().max() <= 1e-12 * size(products, turned)


@losses
@families
def test_against_finite_differences(family, kind):
    """χ and its gradient without automatic differentiation; no unit switches in between."""
    move, v, dv = FAMILIES[family]
    theta, loss, step = point(3), LOSSES[kind], 1e-4
    s = torch.tensor(step, dtype=torch.float64)

    def chi(at):
        return float(loss(move(s, at)) - loss(move(-s, at))) / (2 * step)

    gradient, products = slope_and_products(loss, theta, v(theta)[:, None])
    assert math.isclose(float(gradient @ v(theta)), chi(theta), rel_tol=1e-5, abs_tol=1e-6)
    eye = step * torch.eye(M, dtype=torch.float64)
    numeric = [(chi(theta + e) - chi(theta - e)) / (2 * step) for e in eye]
    left = products[:, 0] + dv(theta).T @ gradient
    assert_close(left, torch.tensor(numeric, dtype=torch.float64), rtol=1e-4, atol=1e-4)


@given(seed=st.integers(0, 9999))
def test_in_whole_numbers_nothing_is_left_over(seed):
    """L = Σ(θᵢθⱼ)² + θᵢ³ and v = (θ₆², θ₁², ...), at whole numbers."""
    draw = torch.Generator().manual_seed(seed)
    theta = torch.randint(-5, 6, (M,), generator=draw).double()
    move, v, dv = FAMILIES["no group"]
    loss = lambda t: (t[:3] * t[3:]).square().sum() + t.pow(3).sum()  # noqa: E731
    gradient, products = slope_and_products(loss, theta, v(theta)[:, None])
    assert torch.equal(gradient @ v(theta), rate(loss, move, theta).detach())
    assert torch.equal(products[:, 0] + dv(theta).T @ gradient, rate_slope(loss, move, theta))


@pytest.mark.parametrize(
    ("family", "wrong"),
    [
        ("no group", lambda dv, gradient: dv @ gradient),  # not transposed
        ("rotation", lambda dv, gradient: dv @ gradient),
        ("rescaling", lambda dv, gradient: -dv @ gradient),  # a wrong sign
        ("dilation", lambda dv, gradient: 0 * gradient),  # left out
    ],
)
def test_control_another_second_term_leaves_something_over(family, wrong):
    move, v, dv = FAMILIES[family]
    theta, loss = point(0), LOSSES["smooth"]
    gradient, products = slope_and_products(loss, theta, v(theta)[:, None])
    left = products[:, 0] + wrong(dv(theta), gradient) - rate_slope(loss, move, theta)
    assert left.abs().max() > 0.1


def test_control_at_a_kink_there_is_no_second_identity():
    """L = relu(θ₁)θ₂ at θ₁ = 0 along the shift: χ jumps from one side to the other."""
    loss = lambda t: t[0].relu() * t[1]  # noqa: E731
    move = FAMILIES["shift"][0]
    sides = [
        rate(loss, move, torch.tensor([at, 0.7, 0, 0, 0, 0], dtype=torch.float64)).detach()
        for at in (1e-9, -1e-9)
    ]
    assert abs(sides[0] - sides[1]) > 0.1
    near = torch.tensor([1e-9, 0.7, 0, 0, 0, 0], dtype=torch.float64)
    assert slope(loss, near).abs().max() > 0.1
