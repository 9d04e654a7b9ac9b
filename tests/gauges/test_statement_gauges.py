"""How coefficients follow: |θ|^p with k = p, squared gradients and curvatures with k = -2."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import nn
from torch.func import jacrev

from gaugelib import balance_coefficients
from tests.gauges.bowls import bowl, case, flat, incidence, lowest, moved

seeds = st.integers(0, 9999)
WIDTHS = (3, 4, 3, 2)
NAMES = ("norm", "gradient", "hessian", "gauss-newton")


def batches(given_case, size, params=None):
    """Mean squared gradient of batches drawn with replacement: of the mean, and the variance."""
    slopes = given_case.slopes(params)
    mean = slopes.mean(0)
    return mean**2 + ((slopes - mean) ** 2).mean(0) / size


def second(given_case, params=None):
    """The diagonal of the Hessian, from the dense matrix of torch."""
    params = params or given_case.params
    names = list(given_case.group.entries)
    blocks = jacrev(jacrev(given_case.loss))(params)
    parts = [
        torch.diagonal(blocks[n][n].reshape(params[n].numel(), params[n].numel())) for n in names
    ]
    return torch.cat(parts).detach().numpy()


def measured(name, given_case, params=None, p=2.0):
    """(c, k) of one of the coefficients, by autograd at the point."""
    if name == "norm":
        return abs(flat(params or given_case.params, given_case.group)) ** p, p
    if name == "gradient":
        return batches(given_case, 2, params), -2.0
    if name == "hessian":
        return second(given_case, params), -2.0
    return np.diag(given_case.gauss_newton(params)).copy(), -2.0


@pytest.mark.parametrize("name", NAMES)
@given(seed=seeds, p=st.sampled_from([0.5, 1.0, 2.0, 4.0]))
def test_coefficients_follow_with_their_exponent(name, seed, p):
    here = case(WIDTHS, seed)
    B = incidence(here.group)
    alpha = np.random.default_rng(seed).standard_normal(len(B)) / 2
    c, k = measured(name, here, p=p)
    there, _ = measured(name, here, moved(here.params, alpha, here.group), p=p)
    assert_allclose(there, c * np.exp(k * (alpha @ B)), rtol=1e-9, atol=1e-11 * abs(c).max())


def test_the_sums_are_norm_squared_gradient_and_trace():
    here = case(WIDTHS, 1)
    alpha = np.random.default_rng(0).standard_normal(here.group.units) / 2
    there, B = moved(here.params, alpha, here.group), incidence(here.group)
    norm = sum(float(value.square().sum()) for value in there.values())
    assert_allclose(bowl(B, *measured("norm", here), alpha), norm)
    gradients = torch.autograd.grad(
        here.loss({n: v.requires_grad_() for n, v in there.items()}), list(there.values())
    )
    whole = sum(float(g.square().sum()) for g in gradients)
    assert_allclose(bowl(B, here.slopes().mean(0) ** 2, -2.0, alpha), whole)
    J = here.derivatives(there)
    assert_allclose(bowl(B, *measured("gauss-newton", here), alpha), (J**2).sum() / len(J))


@pytest.mark.parametrize("name", ["norm", "gradient", "gauss-newton"])
@pytest.mark.parametrize("seed", range(3))
def test_each_gauge_is_the_lowest_point_of_what_it_names(name, seed):
    """The library's gauge, then the quantity itself, measured anew at many points of the orbit."""
    here = case((3, 4, 2), seed, examples=20)
    c, k = measured(name, here)
    shaped, start = {}, 0
    for n in here.group.entries:
        size = here.params[n].numel()
        shaped[n] = torch.as_tensor(c[start : start + size]).reshape(here.params[n].shape)
        start += size
    found = balance_coefficients(shaped, here.group, exponent=k, tol=1e-12)
    alpha = found.scales.log().numpy()
    assert_allclose(alpha, lowest(incidence(here.group), c, k), atol=1e-8)
    least = measured(name, here, moved(here.params, alpha, here.group))[0].sum()
    draw = np.random.default_rng(seed)
    for size in (1e-2, 0.3, 1.0):
        other = moved(here.params, alpha + size * draw.standard_normal(len(alpha)), here.group)
        assert measured(name, here, other)[0].sum() > least


def test_the_minimum_gradient_gauge_depends_on_the_size_of_the_batch():
    here = case((3, 4, 2), 0, examples=20)
    B = incidence(here.group)
    one, many = (lowest(B, batches(here, size), -2.0) for size in (1, 1000))
    assert abs(one - many).max() > 0.05


def test_but_not_where_the_mean_of_the_gradient_is_zero():
    """Each example twice, with noise of either sign on what the network itself says."""
    start = case((3, 4, 2), 0, examples=20)
    y = start.outputs(start.params)
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).double()
    x, y = torch.cat([start.x, start.x]), torch.cat([y + noise, y - noise])
    here = type(start)(start.model, start.params, start.group, x, y)
    B = incidence(here.group)
    one, many = (lowest(B, batches(here, size), -2.0) for size in (1, 1000))
    assert_allclose(one, many, atol=1e-9)


# --- controls ---


@pytest.mark.parametrize("name", ["gradient", "hessian", "gauss-newton"])
def test_control_with_tanh_they_do_not_follow(name):
    here = case(WIDTHS, 1, activation=nn.Tanh)
    B, alpha = incidence(here.group), np.full(here.group.units, 0.3)
    c, k = measured(name, here)
    there, _ = measured(name, here, moved(here.params, alpha, here.group))
    assert abs(there - c * np.exp(k * (alpha @ B))).max() > 0.1 * abs(c).max()


def test_control_the_gradient_of_a_loss_with_a_penalty_does_not_follow():
    here = case(WIDTHS, 1)
    B, alpha = incidence(here.group), np.full(here.group.units, 0.3)
    squares = []
    for params in (here.params, moved(here.params, alpha, here.group)):
        penalised = here.slopes(params).mean(0) + 0.5 * flat(params, here.group)
        squares.append(penalised**2)
    assert abs(squares[1] - squares[0] * np.exp(-2 * (alpha @ B))).max() > 0.1


def test_control_with_the_exponent_of_the_weights_gradients_do_not_follow():
    here = case(WIDTHS, 1)
    B, alpha = incidence(here.group), np.full(here.group.units, 0.3)
    c, _ = measured("gradient", here)
    there, _ = measured("gradient", here, moved(here.params, alpha, here.group))
    assert abs(there - c * np.exp(2 * (alpha @ B))).max() > 0.1 * c.max()
