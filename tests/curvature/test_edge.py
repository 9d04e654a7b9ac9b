"""The toy f = w₁w₂: its Hessian, the closed map of a step, and where large steps end."""

import itertools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import hessian

fractions = st.builds(Fraction, st.integers(-60, 60), st.integers(1, 12))
steps = st.builds(Fraction, st.integers(1, 60), st.integers(1, 24))


def descend(w1, w2, eta, y):
    """A step of gradient descent on (w₁w₂ - y)²/2, in whatever arithmetic."""
    e = w1 * w2 - y
    return w1 - eta * e * w2, w2 - eta * e * w1


def read(w1, w2):
    """ρ, S and Δ."""
    return w1 * w2, w1 * w1 + w2 * w2, w1 * w1 - w2 * w2


def closed(rho, size, eta, y):
    """The same step for ρ and S alone."""
    e = rho - y
    grown = 1 + eta * eta * e * e
    return rho * grown - eta * e * size, size * grown - 4 * eta * e * rho


def curved(w1, w2, y):
    """H."""
    w = torch.tensor([w1, w2], dtype=torch.float64)
    return hessian(lambda made: (made["w"].prod() - y) ** 2 / 2, {"w": w})


# --- the Hessian ---


@given(w1=st.floats(-3, 3), w2=st.floats(-3, 3), y=st.floats(-3, 3))
def test_its_eigenvalues_in_closed_form(w1, w2, y):
    rho, size, delta = read(w1, w2)
    root = math.hypot(delta, 2 * (2 * rho - y))
    expected = torch.tensor([(size - root) / 2, (size + root) / 2], dtype=torch.float64)
    matrix = curved(w1, w2, y)
    scale = 1.0 + size + abs(y)
    assert_close(torch.linalg.eigvalsh(matrix), expected, rtol=0, atol=1e-13 * scale)


@given(w1=st.floats(0.1, 5), w2=st.floats(0.1, 5), sign=st.sampled_from([-1, 1]))
def test_at_a_minimum_the_largest_is_the_size_and_the_other_zero(w1, w2, sign):
    y = sign * w1 * w2
    _, size, delta = read(w1, sign * w2)
    values = torch.linalg.eigvalsh(curved(w1, sign * w2, y))
    assert_close(
        values, torch.tensor([0.0, size], dtype=torch.float64), rtol=1e-13, atol=1e-13 * size
    )
    assert math.isclose(size, math.hypot(delta, 2 * y), rel_tol=1e-14)


def test_control_away_from_a_minimum_it_is_not():
    values = torch.linalg.eigvalsh(curved(2.0, 1.5, 1.0))
    assert abs(float(values[1]) - 6.25) > 1


def test_sharpness_grows_while_it_learns_from_small_weights():
    """Small steps keep Δ, so that S rises with |ρ| to √(Δ² + 4y²)."""
    for delta in (0.0, 1.0, 3.0):
        large = math.sqrt((delta + math.hypot(delta, 0.02)) / 2)
        w, sizes = (large, 0.01 / large), []
        for _ in range(4000):
            sizes.append(read(*w)[1])
            w = descend(*w, 0.005, 1.0)
        assert all(before < after for before, after in itertools.pairwise(sizes[:300]))
        assert math.isclose(sizes[-1], math.hypot(delta, 2.0), rel_tol=0.01)
        assert sizes[-1] > sizes[0] + 0.5


# --- the map ---


@given(w1=fractions, w2=fractions, y=fractions, eta=steps)
def test_a_step_is_the_map_exactly(w1, w2, y, eta):
    rho, size, delta = read(w1, w2)
    after = read(*descend(w1, w2, eta, y))
    assert after[:2] == closed(rho, size, eta, y)
    assert after[2] == delta * (1 - eta**2 * (rho - y) ** 2)
    assert size**2 == delta**2 + 4 * rho**2


def test_control_a_wrong_sign_in_the_map_is_noticed():
    w1, w2, y, eta = Fraction(2), Fraction(1, 3), Fraction(1), Fraction(1, 5)
    rho, size, delta = read(w1, w2)
    after = read(*descend(w1, w2, eta, y))
    assert after[:2] != (rho * (1 - eta**2 * (rho - y) ** 2) - eta * (rho - y) * size, after[1])
    assert after[2] != delta * (1 + eta**2 * (rho - y) ** 2)


CALM = [  # w₁, w₂, η: each ends at a minimum
    *[(4.0, 0.1, eta) for eta in (0.05, 0.1, 0.15, 0.2)],
    *[(2.0, 0.1, eta) for eta in (0.1, 0.4, 0.5, 0.6, 0.7)],
    *[(1.0, 0.1, eta) for eta in (0.1, 0.5, 0.95)],
]


def both_ways(w1, w2, eta, count=1000):
    """The largest distance of ρ and S, relative to S, between weights by autograd and the map."""
    w = torch.tensor([w1, w2], dtype=torch.float64)
    rho, size, _ = read(w1, w2)
    worst = 0.0
    for _ in range(count):
        leaf = w.clone().requires_grad_()
        (slope,) = torch.autograd.grad((leaf[0] * leaf[1] - 1.0) ** 2 / 2, leaf)
        w = w - eta * slope
        rho, size = closed(rho, size, eta, 1.0)
        there = read(*w.tolist())
        worst = max(worst, abs(there[0] - rho) / there[1], abs(there[1] - size) / there[1])
    return worst


def growth(w1, w2, eta, count=1000):
    """The largest factor by which a small change of the start grows, at any of the times."""
    p, most = torch.eye(2).double(), 1.0
    for _ in range(count):
        e = w1 * w2 - 1.0
        off = -eta * (e + w1 * w2)
        turned = [[1 - eta * w2 * w2, off], [off, 1 - eta * w1 * w1]]
        p = torch.tensor(turned, dtype=torch.float64) @ p
        most = max(most, float(torch.linalg.matrix_norm(p, 2)))
        w1, w2 = descend(w1, w2, eta, 1.0)
    return most


@pytest.mark.parametrize(("w1", "w2", "eta"), CALM)
def test_the_map_follows_gradient_descent_where_it_is_not_chaotic(w1, w2, eta):
    """A change of the start grows a hundredfold at most, so rounding does no more."""
    assert growth(w1, w2, eta) < 100
    assert both_ways(w1, w2, eta) <= 1e-12


@pytest.mark.parametrize("eta", [1.4, 1.5, 1.6])
def test_control_on_a_chaotic_orbit_it_does_not(eta):
    """No minimum is stable, for ηS ≥ 2η|y| > 2: a change grows by 1e9 within 100 steps."""
    assert growth(0.6, 0.3, eta, 100) > 1e9
    assert both_ways(0.6, 0.3, eta) > 1e-3


# --- the fixed points ---


@given(w1=fractions, w2=fractions, eta=steps)
def test_every_minimum_is_a_fixed_point(w1, w2, eta):
    rho, size, _ = read(w1, w2)
    assert closed(rho, size, eta, rho) == (rho, size)
    assert descend(w1, w2, eta, rho) == (w1, w2)
    assert size >= 2 * abs(rho)


@given(y=fractions, eta=steps, sign=st.sampled_from([-1, 1]))
def test_the_other_fixed_points_are_the_origin_and_two_cycles(y, eta, sign):
    """ρ = y ± 2/η, S = 2|ρ|, where ρ has the sign of the ±: both exist if and only if η|y| < 2."""
    assert closed(0, 0, eta, y) == (0, 0)
    rho = y + sign * 2 / eta
    is_one = closed(rho, 2 * abs(rho), eta, y) == (rho, 2 * abs(rho))
    assert is_one == (sign * rho >= 0)
    if abs(eta * y) < 2:
        assert is_one


@given(u=fractions, eta=steps, sign=st.sampled_from([-1, 1]))
def test_on_a_two_cycle_the_weights_change_their_sign(u, eta, sign):
    y = sign * u * u - sign * 2 / eta
    assert descend(u, sign * u, eta, y) == (-u, -sign * u)


@given(rho=fractions, size=fractions, y=fractions, eta=steps)
def test_there_are_no_others(rho, size, y, eta):
    """Among what weights can reach, S ≥ 2|ρ|: e = 0, or ρ = S = 0, or ηe = ±2 with S = 2|ρ|."""
    size = abs(size) + 2 * abs(rho)
    e = rho - y
    listed = e == 0 or size == 0 or (eta * e * rho == size and abs(eta * e) == 2)
    assert (closed(rho, size, eta, y) == (rho, size)) == listed


def derivative(rho, size, eta, y):
    """Of the map, exactly: it is a cubic, so differences over ±1 and ±2 are enough."""

    def along(a, b):
        at = lambda h: closed(rho + h * a, size + h * b, eta, y)  # noqa: E731
        near = [p - q for p, q in zip(at(1), at(-1))]
        far = [p - q for p, q in zip(at(2), at(-2))]
        return [(8 * n - f) / 12 for n, f in zip(near, far)]

    (a, c), (b, d) = along(1, 0), along(0, 1)
    return a, b, c, d


def roots_are(matrix, first, second):
    a, b, c, d = matrix
    return a + d == first + second and a * d - b * c == first * second


@given(y=fractions, more=steps, eta=steps)
def test_the_factors_at_each_fixed_point(y, more, eta):
    """1 and 1 - ηS at a minimum; (1 ± ηy)² at the origin; 9 and 5 ± 2ηy at a two-cycle."""
    size = 2 * abs(y) + more
    assert roots_are(derivative(y, size, eta, y), 1, 1 - eta * size)
    assert roots_are(derivative(0, 0, eta, y), (1 + eta * y) ** 2, (1 - eta * y) ** 2)
    for sign in (1, -1):
        rho = y + sign * 2 / eta
        if sign * rho >= 0:
            assert roots_are(derivative(rho, 2 * abs(rho), eta, y), 9, 5 + sign * 2 * eta * y)


@pytest.mark.parametrize("share", [0.1, 0.9, 0.99])
@pytest.mark.parametrize("size", [2.0, 2.5, 6.0])
def test_a_minimum_is_stable_below_the_edge_and_not_above(size, share):
    w1 = math.sqrt((size + math.sqrt(size**2 - 4)) / 2)
    for eta, stays in ((2 * share / size, True), (2 / share / size, False)):
        w = (w1 * (1 + 1e-6), 1 / w1)
        far = 0.0
        for _ in range(3000):
            w = descend(*w, eta, 1.0)
            far = max(far, abs(w[0] * w[1] - 1.0))
            if far > 1e-2:
                break
        assert (far < 1e-5) == stays


# --- where it ends ---

ENDS = {  # w₁, w₂, η: S at the end, to the digits given; None where it diverges
    ("4", ".1", ".1"): "16.0246313477",
    ("4", ".1", ".2"): "2.0026466236",
    ("4", ".1", ".25"): None,
    ("4", ".1", ".3"): None,
    ("2", ".1", ".4"): "3.8833103639",
    ("2", ".1", ".5"): "2.8791992802",
    ("2", ".1", ".6"): "2.0223431854",
    ("2", ".1", ".7"): "2.0002882161",
    ("2", ".1", ".9"): None,
    ("3", ".1", ".3"): "2.7074150555",  # and back to more with a longer step
    ("3", ".1", ".4"): "3.2677145526",
}


def ended(w1, w2, eta, one, count=400):
    """S where it ends, or None where a weight exceeds a million."""
    for _ in range(count):
        w1, w2 = descend(w1, w2, eta, one)
        if abs(w1) > 10**6:
            return None
    assert abs(w1 * w2 - one) < 1e-9
    return w1 * w1 + w2 * w2


@pytest.mark.parametrize("start", ENDS)
def test_where_each_step_size_ends_with_sixty_digits_and_with_sixteen(start):
    expected = ENDS[start]
    with localcontext() as context:
        context.prec = 60
        exact = ended(*map(Decimal, start), Decimal(1))
    assert (exact is None) == (expected is None)
    w1, w2, eta = map(float, start)
    for last_digits in range(-20, 21):  # of the start
        found = ended(w1 * (1 + last_digits * 2**-52), w2, eta, 1.0)
        assert (found is None) == (expected is None)
        if expected is not None:
            assert str(exact).startswith(expected)
            assert abs(found - float(exact)) < 1e-11
            assert found < 2 / eta  # below the edge


def test_large_steps_end_with_less_imbalance_than_small_ones():
    """And gradient flow keeps Δ: it would end at √(Δ² + 4)."""
    flow = math.hypot(read(4.0, 0.1)[2], 2.0)
    small, large = ended(4.0, 0.1, 0.001, 1.0, 20000), ended(4.0, 0.1, 0.2, 1.0)
    assert math.isclose(small, flow, rel_tol=1e-4)
    assert 2.0 < large < 2.01 < small
