"""The simultaneous step with columns of any length: never up with its own exponent."""

import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.torus.gates import dense, stacked

seeds = st.integers(0, 100_000)
sigmas = st.sampled_from([0.5, 3.0, 6.0])


def drawn(seed: int, sigma: float):
    """Columns with exponents from -2 to 2, every dial with both signs, and sizes to the power p."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randint(-2, 3, (3, 7), generator=draw).double()
    sizes = (sigma * torch.randn(7, generator=draw, dtype=torch.float64)).exp()
    return rows, sizes


def sides(rows, sizes):
    return rows.clamp(min=0) @ sizes, (-rows).clamp(min=0) @ sizes


def longest(rows):
    return float(rows.abs().sum(0).max())


def bound(rows, sizes, alpha):
    """G with p = 1."""
    (into, out), m = sides(rows, sizes), longest(rows)
    rest = (sizes * (1 - rows.abs().sum(0) / m)).sum()
    return rest + (into * (m * alpha).exp() + out * (-m * alpha).exp()).sum() / m


def norm(rows, sizes, alpha):
    """F with p = 1, of which any other p is a change of letters."""
    return (sizes * torch.exp(rows.T @ alpha)).sum()


def step(rows, sizes, kappa, m=None):
    into, out = sides(rows, sizes)
    return kappa / (m or longest(rows)) * (out / into).log()


def both_signs(rows):
    return bool(((rows > 0).any(1) & (rows < 0).any(1)).all())


@given(seed=seeds, sigma=sigmas, kappa=st.floats(0.01, 1.0))
def test_every_step_up_to_the_longest_safe_one_does_not_raise_the_norm(seed, sigma, kappa):
    rows, sizes = drawn(seed, sigma)
    assume(both_signs(rows))
    assert norm(rows, sizes, step(rows, sizes, kappa)) <= sizes.sum() * (1 + 1e-12)


@given(seed=seeds, sigma=sigmas, kappa=st.floats(0.05, 0.95))
def test_a_shorter_one_lowers_it_unless_balanced(seed, sigma, kappa):
    rows, sizes = drawn(seed, sigma)
    assume(both_signs(rows))
    into, out = sides(rows, sizes)
    share = ((into - out).abs() * (into + out)).max() / sizes.sum() ** 2
    assume(share > 1e-6)
    assert norm(rows, sizes, step(rows, sizes, kappa)) < sizes.sum()


@given(seed=seeds, sigma=st.floats(0.1, 2.0))
def test_the_bound_touches_and_lies_above(seed, sigma):
    rows, sizes = drawn(seed, sigma)
    zero = torch.zeros(3).double()
    torch.testing.assert_close(bound(rows, sizes, zero), norm(rows, sizes, zero))
    alpha = torch.randn(3, generator=torch.Generator().manual_seed(seed)).double()
    assert norm(rows, sizes, alpha) <= bound(rows, sizes, alpha) * (1 + 1e-12)


def gate_ratios(power):
    """F after a step over F before, with exponents power/p, for 2000 draws of two scalar gates."""
    rows = dense(stacked(1, 1, 1).group)
    draw = torch.Generator().manual_seed(0)
    sizes = (3 * torch.randn(2000, rows.shape[1], generator=draw, dtype=torch.float64)).exp()
    into, out = sizes @ rows.clamp(min=0).T, sizes @ (-rows).clamp(min=0).T
    return (sizes * (power * (out / into).log() @ rows).exp()).sum(1) / sizes.sum(1)


def test_control_the_exponents_of_edges_raise_it_on_longer_columns():
    assert longest(dense(stacked(1, 1, 1).group)) == 3
    assert gate_ratios(1 / 3).max() <= 1
    assert gate_ratios(1 / 2).max() > 2


def test_control_the_longest_safe_step_may_stand_still_off_balance():
    rows, sizes = torch.tensor([[1.0, -1.0]]).double(), torch.tensor([1.0, 4.0]).double()
    alpha = step(rows, sizes, 1.0)
    moved = sizes * torch.exp(rows.T @ alpha)
    torch.testing.assert_close(moved, torch.tensor([4.0, 1.0]).double())
    half = sizes * torch.exp(rows.T @ step(rows, sizes, 0.5))
    torch.testing.assert_close(half, torch.tensor([2.0, 2.0]).double())
