"""One hidden layer, isotropic inputs: r²/s² is 1, d/o and d/o, exactly.

The inputs are all vectors of signs: x and -x alike, E xxᵀ = I, and w·x = 0 for no generic w.
"""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gaugelib import balance_coefficients, minimum_norm, rescale
from tests.gauges.bowls import Case, case

sizes = st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(1, 3))


def signs(d):
    return np.array(list(itertools.product([-1.0, 1.0], repeat=d)))


def weights(d, n, o, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal((o, n))


def squares(W, V, x, noise=None):
    """Mean squared derivatives: of the outputs, or of ½|ε|² at residuals ε (draws, o)."""
    on, h = (x @ W.T > 0).astype(float), np.maximum(x @ W.T, 0)
    pairs = on.T @ x**2 / len(x)  # (n, d)
    if noise is None:
        return pairs * (V**2).sum(0)[:, None], np.tile((h**2).mean(0), (len(V), 1))
    by_rows = ((noise @ V) ** 2).mean(0)
    return pairs * by_rows[:, None], (noise**2).mean(0)[:, None] * (h**2).mean(0)


def ratio(W, V):
    """r²/s² of each unit."""
    return (W**2).sum(1) / (V**2).sum(0)


def balanced(W, V, into, out):
    """W and V in the gauge where the sums of these squares balance: a⁴ = in/out, k = -2."""
    a = (into.sum(1) / out.sum(0)) ** 0.25
    return W * a[:, None], V / a


@given(size=sizes, seed=st.integers(0, 9999))
def test_the_diagonal_adds_up_to_half_d_s_squared_and_half_o_r_squared(size, seed):
    d, _, o = size
    W, V = weights(*size, seed)
    into, out = squares(W, V, signs(d))
    assert_allclose(into.sum(1), d * (V**2).sum(0) / 2)
    assert_allclose(out.sum(0), o * (W**2).sum(1) / 2)


@given(size=sizes, seed=st.integers(0, 9999))
def test_the_flattest_gauge_has_d_over_o_and_the_lightest_one_is_sharper_by_their_means(size, seed):
    d, _, o = size
    W, V = weights(*size, seed)
    flat = balanced(W, V, *squares(W, V, signs(d)))
    assert_allclose(ratio(*flat), d / o)
    light = balanced(W, V, V.T**2, W.T**2)  # a⁴ = s²/r²
    assert_allclose(ratio(*light), 1.0)
    traces = [sum(c.sum() for c in squares(*net, signs(d))) for net in (light, flat)]
    assert_allclose(traces[0] / traces[1], (d + o) / (2 * np.sqrt(d * o)))


@given(size=sizes, seed=st.integers(0, 9999), size_of_noise=st.floats(0.1, 3))
def test_with_noise_on_the_targets_squared_gradients_are_the_same_diagonal(
    size, seed, size_of_noise
):
    d, _, o = size
    W, V = weights(*size, seed)
    noise = size_of_noise * signs(o)
    for found, plain in zip(squares(W, V, signs(d), noise), squares(W, V, signs(d)), strict=True):
        assert_allclose(found, size_of_noise**2 * plain)


@pytest.mark.parametrize(("d", "n", "o"), [(6, 5, 2), (4, 8, 1), (2, 3, 6)])
def test_the_library_finds_these_gauges_by_autograd(d, n, o):
    like, x = case((d, n, o), 0, bias=False), torch.as_tensor(signs(d))
    here = Case(like.model, like.params, like.group, x, torch.zeros(len(x), o).double())
    diagonal = (here.derivatives() ** 2).sum(1).mean(0)
    split = np.split(diagonal, [n * d])
    c = {
        name: torch.as_tensor(part.copy()).reshape(value.shape)
        for (name, value), part in zip(here.params.items(), split, strict=True)
    }
    found = balance_coefficients(c, here.group, exponent=-2.0, tol=1e-12)
    flat = rescale(here.params, found.scales, here.group)
    light = minimum_norm(here.params, here.group, tol=1e-12).params
    for params, wanted in ((flat, d / o), (light, 1.0)):
        W, V = (value.numpy() for value in params.values())
        assert_allclose(ratio(W, V), wanted, rtol=1e-6)


def test_he_s_start_is_flatter_than_the_lightest_gauge_where_its_ratio_is_nearer():
    """Of unit sizes: trace over the smallest is (1 + d/n)/(2 √(d/n)) at r² = 2, s² = 2o/n."""
    for d, n, o in ((64, 64, 10), (8, 500, 4), (784, 100, 10), (5, 50, 5)):
        he = (d * 2 * o / n + o * 2) / 2
        smallest = np.sqrt(d * o) * np.sqrt(2 * 2 * o / n)
        assert_allclose(he / smallest, (1 + d / n) / (2 * np.sqrt(d / n)))
        light = (d + o) / (2 * np.sqrt(d * o))
        assert (light > he / smallest) == (abs(np.log(d / o)) > abs(np.log(n / d)))


# --- controls ---


def test_control_inputs_that_are_not_symmetric():
    W, V = weights(4, 3, 2, 0)
    x = (signs(4) + 0.5) / np.sqrt(1.25)  # of mean squares 1
    assert abs(ratio(*balanced(W, V, *squares(W, V, x))) - 2.0).max() > 0.2


def test_control_inputs_of_unequal_sizes():
    W, V = weights(4, 3, 2, 0)
    x = signs(4) * np.array([0.1, 0.3, 1.0, 1.7])
    assert abs(ratio(*balanced(W, V, *squares(W, V, x))) - 2.0).max() > 0.2


def test_control_noise_that_differs_between_outputs():
    W, V = weights(4, 3, 2, 0)
    noise = signs(2) * np.array([0.2, 2.0])
    found = ratio(*balanced(W, V, *squares(W, V, signs(4), noise)))
    assert np.ptp(found) > 0.2
