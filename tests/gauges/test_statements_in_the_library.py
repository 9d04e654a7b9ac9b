"""The library's coefficients, errors and gauges against the statements' own oracles."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from torch.func import functional_call, jacrev

from gaugelib import balance_coefficients, rescale
from gaugelib.gauges import (
    gauss_newton_diagonal,
    gradient_square,
    hessian_diagonal,
    quantise,
    rounding_error,
    rounding_gauge,
)
from tests.gauges.bowls import case, flat, incidence, lowest, moved
from tests.gauges.test_statement_rounding import error, tensors

seeds = st.integers(0, 9999)


def one_loss(here):
    def loss(params, i):
        f = functional_call(here.model, params, (here.x[i : i + 1],))
        return (f - here.y[i : i + 1]).square().sum() / 2

    return loss


@pytest.mark.parametrize("seed", range(5))
def test_squared_gradients_and_both_diagonals_are_those_of_autograd(seed):
    here = case((3, 4, 3, 2), seed)
    squares = gradient_square(one_loss(here), here.params, range(len(here.x)))
    assert_allclose(flat(squares, here.group), (here.slopes() ** 2).mean(0), atol=1e-12)
    newton = gauss_newton_diagonal(here.outputs, here.params)
    wanted = np.diag(here.gauss_newton())
    assert_allclose(flat(newton, here.group), wanted, atol=1e-12 * (1 + wanted.max()))
    hessian = flat(hessian_diagonal(here.loss, here.params), here.group)
    assert_allclose(hessian, wanted, atol=1e-10 * (1 + wanted.max()))  # prop-diagonal


@pytest.mark.parametrize("seed", [5, 7, 9])
def test_the_minimum_gradient_gauge_is_found_and_measured_anew(seed):
    here = case((3, 4, 3, 2), seed, examples=12)
    c = gradient_square(one_loss(here), here.params, range(12))
    found = balance_coefficients(c, here.group, exponent=-2.0, tol=1e-12)
    B = incidence(here.group)
    assert_allclose(found.scales.log().numpy(), lowest(B, flat(c, here.group), -2.0), atol=1e-8)
    there = rescale(here.params, found.scales, here.group)
    anew = gradient_square(one_loss(here), there, range(12))
    assert_allclose(flat(anew, here.group), flat(found.params, here.group), rtol=1e-7, atol=1e-12)
    assert_allclose(B @ flat(anew, here.group), 0, atol=1e-8 * flat(anew, here.group).sum())


def sensitivity(here, params=None):
    return gauss_newton_diagonal(here.outputs, params or here.params)


@pytest.mark.parametrize("per_channel", [False, True])
@given(seed=seeds, log_std=st.sampled_from([0.0, 1.0]))
def test_the_rounding_error_is_that_of_the_statement(per_channel, seed, log_std):
    here = case((3, 5, 4, 2), seed, examples=8)
    alpha = log_std * np.random.default_rng(seed).standard_normal(9)
    there = moved(here.params, alpha, here.group)
    found = rounding_error(there, sensitivity(here, there), here.group, per_channel=per_channel)
    assert_allclose(float(found), error(tensors(here, alpha), rows=per_channel), rtol=1e-9)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_no_point_of_the_orbit_rounds_better_than_the_rounding_gauge(per_channel, seed):
    here = case((3, 5, 4, 2), seed, examples=40)
    a = rounding_gauge(here.params, sensitivity(here), here.group, per_channel=per_channel)
    best, rng = a.log().numpy(), np.random.default_rng(seed)
    least = error(tensors(here, best), rows=per_channel)
    bound = sum((w**2 * c).sum() for w, c in tensors(here)) / 12 / 127**2
    assert bound <= least <= error(tensors(here), rows=per_channel)
    for size in (0.03, 0.3, 1.0):
        for _ in range(8):
            other = best + size * rng.standard_normal(9)
            assert error(tensors(here, other), rows=per_channel) > least * (1 - 2e-3)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", [0, 4])
def test_the_rounding_gauge_is_the_minimum_of_a_smooth_convex_programme(per_channel, seed):
    """Minimise log Σ e^{2m} T(α) with m at least every log|θ| + Bᵀα of its row: by scipy."""
    here = case((3, 4, 2), seed, examples=40)
    B, at, rows = incidence(here.group), 0, []  # of each row: log|θ|, c and Bᵀ
    for value, (w, c) in zip(
        (here.params["0.weight"], here.params["2.weight"]), tensors(here), strict=True
    ):
        b = B[:, at : at + value.numel()].reshape(4, *value.shape)
        parts = range(len(w)) if per_channel else [slice(None)]
        rows += [(np.log(w[i]).ravel(), c[i].ravel(), b[:, i].reshape(4, -1)) for i in parts]
        at += value.numel() + len(w)  # and its biases

    def height(z):
        terms = [
            2 * m + np.log(np.sum(c * np.exp(-2 * (z[:4] @ b))))
            for m, (_, c, b) in zip(z[4:], rows, strict=True)
            if c.sum() > 0
        ]
        return np.logaddexp.reduce(terms)

    room = [
        {"type": "ineq", "fun": lambda z, k=k, r=r, b=b: z[4 + k] - r - z[:4] @ b}
        for k, (r, _, b) in enumerate(rows)
    ]
    start = np.concatenate([np.zeros(4), [r.max() for r, _, _ in rows]])
    found = minimize(height, start, method="SLSQP", constraints=room, options={"maxiter": 500})
    assert found.success
    a = rounding_gauge(here.params, sensitivity(here), here.group, per_channel=per_channel)
    least = error(tensors(here, a.log().numpy()), rows=per_channel)
    assert_allclose(least, np.exp(found.fun) / 127**2 / 12, rtol=2e-3)


def test_control_a_dial_of_a_single_unit_is_not_invisible_per_channel():
    """It cancels in its own row and acts in the rows that it feeds; that of a layer cancels."""
    here = case((3, 5, 4, 2), 3, examples=8)
    one, layer = np.zeros(9), np.zeros(9)
    one[0], layer[:5] = 1.0, 1.0
    start = error(tensors(here), rows=True)
    assert abs(error(tensors(here, one), rows=True) / start - 1) > 0.05
    assert_allclose(error(tensors(here, layer), rows=True), start, rtol=1e-9)


@given(seed=seeds, bits=st.integers(2, 10), per_channel=st.booleans())
def test_quantise_keeps_the_largest_weight_and_half_a_step(seed, bits, per_channel):
    w = case((4, 6, 2), seed).params["0.weight"]
    step = w.abs().amax(1, keepdim=True) if per_channel else w.abs().max()
    step = step / (2 ** (bits - 1) - 1)
    found = quantise(w, bits, per_channel=per_channel)
    assert ((found - w).abs() <= step / 2 * (1 + 1e-12)).all()
    whole = found / step
    assert_allclose(whole, whole.round(), atol=1e-9)
    assert_allclose(found.abs().max(), w.abs().max(), rtol=1e-12)


def test_control_the_diagonal_of_a_curved_network_is_not_gauss_newton_s():
    here = case((3, 4, 2), 0, activation=torch.nn.Tanh)
    hessian = flat(hessian_diagonal(here.loss, here.params), here.group)
    blocks = jacrev(jacrev(here.loss))(here.params)["0.bias"]["0.bias"]
    assert_allclose(hessian[12:16], blocks.diagonal().detach(), atol=1e-12)
    assert abs(hessian - np.diag(here.gauss_newton())).max() > 0.05
