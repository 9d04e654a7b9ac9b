"""Speed and sharpness along an orbit: two sides of one coin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.gauges.bowls import bowl, case, flat, incidence, lowest, moved

seeds = st.integers(0, 9999)
LIVELY = (5, 7, 9)  # seeds of networks in which no unit is silent


def lively(seed):
    here = case((3, 4, 3, 2), seed, examples=12)
    c = here.slopes().mean(0) ** 2
    into, out = incidence(here.group).clip(0) @ c, (-incidence(here.group)).clip(0) @ c
    assert min(into.min(), out.min()) > 1e-4
    return here, c


def there(here, alpha):
    """(|∇L|², loss, sharpness, trace) at the gauge e^α, by autograd at the point."""
    params = moved(here.params, alpha, here.group)
    G = here.gauss_newton(params)
    speed = (here.slopes(params).mean(0) ** 2).sum()
    return speed, float(here.loss(params)), np.linalg.eigvalsh(G)[-1], np.trace(G)


@pytest.mark.parametrize("seed", LIVELY)
def test_the_loss_falls_at_the_rate_of_the_squared_gradient(seed):
    here, c = lively(seed)
    names, step = list(here.group.entries), 1e-6
    g = here.slopes().mean(0)
    parts = np.split(g, np.cumsum([here.params[n].numel() for n in names])[:-1])
    after = {
        n: here.params[n] - step * here.params[n].new_tensor(p).reshape(here.params[n].shape)
        for n, p in zip(names, parts, strict=True)
    }
    rate = float(here.loss(here.params) - here.loss(after)) / step
    assert_allclose(rate, c.sum(), rtol=1e-3)


@pytest.mark.parametrize("seed", LIVELY)
def test_speed_is_smallest_in_the_minimum_gradient_gauge_and_unbounded(seed):
    here, c = lively(seed)
    B = incidence(here.group)
    slow = lowest(B, c, -2.0)
    least = there(here, slow)[0]
    assert_allclose(least, bowl(B, c, -2.0, slow), rtol=1e-9)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        direction = rng.standard_normal(len(slow))
        direction /= np.linalg.norm(direction)
        values = [there(here, slow + t * direction)[0] for t in (0.0, 1.0, 4.0, 10.0)]
        assert least == values[0] < values[1] < values[2] < values[3]
        assert values[3] > 100 * least


@given(seed=seeds)
def test_sharpness_lies_between_the_mean_and_the_sum_of_the_eigenvalues(seed):
    G = case((3, 4, 2), seed, examples=5).gauss_newton()
    values = np.linalg.eigvalsh(G)
    rank = np.linalg.matrix_rank(G)
    assert rank <= 5 * 2 < len(G)
    assert np.trace(G) / rank <= values[-1] * (1 + 1e-12)
    assert values[-1] <= np.trace(G) * (1 + 1e-12)


@given(seed=seeds)
def test_sharpness_and_trace_are_convex_along_the_orbit(seed):
    here = case((3, 4, 3, 2), seed, examples=6)
    a, b = np.random.default_rng(seed).standard_normal((2, here.group.units))
    for k in (2, 3):
        low, high, middle = (there(here, at)[k] for at in (a, b, (a + b) / 2))
        assert middle <= (low + high) / 2 * (1 + 1e-10)


@pytest.mark.parametrize("seed", LIVELY)
def test_the_minimum_trace_gauge_is_within_the_rank_of_the_least_sharp_one(seed):
    here, _ = lively(seed)
    B, G = incidence(here.group), here.gauss_newton()
    flat_gauge = lowest(B, np.diag(G), -2.0)
    rank, rng = np.linalg.matrix_rank(G), np.random.default_rng(seed)
    around = [there(here, flat_gauge + rng.standard_normal(len(B)) / 3)[2] for _ in range(40)]
    assert there(here, flat_gauge)[2] <= rank * min(around)


@given(seed=seeds, log_std=st.floats(0, 2))
def test_what_is_fast_is_sharp(seed, log_std):
    """|∇L|² ≤ 2 λ_max L in every gauge."""
    here = case((3, 4, 2), seed, examples=5)
    alpha = log_std * np.random.default_rng(seed).standard_normal(here.group.units)
    speed, loss, sharpness, _ = there(here, alpha)
    assert speed <= 2 * sharpness * loss * (1 + 1e-9)


@given(seed=seeds, log_std=st.floats(0, 2))
def test_with_one_example_and_one_output_they_are_proportional(seed, log_std):
    here = case((3, 4, 1), seed, examples=1)
    alpha = log_std * np.random.default_rng(seed).standard_normal(here.group.units)
    speed, loss, sharpness, trace = there(here, alpha)
    assert_allclose(speed, 2 * sharpness * loss, rtol=1e-8)
    assert_allclose(sharpness, trace, rtol=1e-8)


# --- controls ---


def test_control_a_unit_that_no_example_reaches_has_a_flat_dial():
    here = case((3, 4, 2), 0, examples=6)
    bias = here.params["0.bias"].clone()
    bias[0] = -100.0
    here.params["0.bias"] = bias
    values = [there(here, np.array([t, 0, 0, 0])) for t in (-3.0, 0.0, 3.0)]
    for k in (0, 2, 3):
        assert_allclose([v[k] for v in values], values[0][k])


def test_control_an_indefinite_matrix_is_sharper_than_its_trace():
    H = np.diag([1.0, -3.0])
    assert np.linalg.eigvalsh(H)[-1] > np.trace(H)


def test_control_the_lightest_gauge_is_not_the_slowest():
    here, c = lively(5)
    B = incidence(here.group)
    light = lowest(B, flat(here.params, here.group) ** 2, 2.0)
    assert bowl(B, c, -2.0, light) > 1.2 * bowl(B, c, -2.0, lowest(B, c, -2.0))


def test_control_with_the_hessian_for_gauss_newton_it_can_be_fast_and_not_sharp():
    """f = wv at w = v = 1 with the label 2: H is the identity, |∇L|² = 2, 2 λ_max L = 1."""
    w, v, y = 1.0, 1.0, 2.0
    H = np.array([[v * v, 2 * w * v - y], [2 * w * v - y, w * w]])
    speed, loss = (w * v - y) ** 2 * (w * w + v * v), (w * v - y) ** 2 / 2
    assert speed > 2 * np.linalg.eigvalsh(H)[-1] * loss
    assert_allclose(speed, 2 * (w * w + v * v) * loss)  # Gauss-Newton's is w² + v²
