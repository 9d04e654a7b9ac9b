"""The functions of the proof of Theorem 2.1 on networks of any wiring, each with a control."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import imbalance, incoming_norm, minimum_norm, outgoing_norm, rescale, weight_norm
from gaugelib.balance import auxiliary, objective
from tests.balance.networks import chain, initialised
from tests.balance.newton import newton
from tests.graphs import random_graph

seeds = st.integers(0, 10_000)
exponents = st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 8.0])


def wandering(seed, hidden=6):
    graph = random_graph(2, hidden, 2, seed=seed)
    return graph.params, graph.group


def normal(group, seed):
    return torch.randn(group.units, generator=torch.Generator().manual_seed(seed)).double()


def update(params, group, p, exponent):
    """All units at once: a = (out/in)^(exponent/p)."""
    ratio = outgoing_norm(params, group, p) / incoming_norm(params, group, p)
    return ratio**exponent  # norms are p-th roots already


# --- the norm is convex along the orbit ---


@given(seed=seeds, p=exponents)
def test_the_norm_is_convex_in_log_scales(seed, p):
    params, group = wandering(seed)
    a, b = normal(group, seed), normal(group, seed + 1)
    middle = objective(params, (a + b) / 2, group, p)
    ends = (objective(params, a, group, p) + objective(params, b, group, p)) / 2
    assert middle < ends


def test_control_the_norm_is_not_convex_in_the_scales():
    """Two units in a row, p = 1: a + b/a + 1/b is concave at (1, 4) along (1, 32)."""
    params, group = chain(1.0, 1.0, 1.0)
    at = lambda *a: objective(params, torch.tensor(a).double().log(), group, 1.0)  # noqa: E731
    assert at(1.0, 4.0) > (at(0.98, 3.36) + at(1.02, 4.64)) / 2 + 1e-3


@given(seed=seeds, p=exponents)
def test_the_gradient_of_the_norm_is_the_imbalance(seed, p):
    params, group = wandering(seed)
    gradient = torch.func.grad(lambda x: objective(params, x, group, p))(normal(group, 0) * 0)
    assert_close(gradient, imbalance(params, group, p), rtol=1e-10, atol=1e-12)


# --- Lemma 2.3: the auxiliary function, and monotone improvement ---


@given(seed=seeds, p=exponents)
def test_the_auxiliary_function_lies_above_and_touches(seed, p):
    params, group = wandering(seed)
    for size in (0.01, 0.3, 2.0):
        alpha = size * normal(group, seed) / p
        below, above = (f(params, alpha, group, p) for f in (objective, auxiliary))
        assert below <= above * (1 + 1e-14)
    zero = torch.zeros(group.units).double()
    assert_close(auxiliary(params, zero, group, p), objective(params, zero, group, p))


@given(seed=seeds, p=exponents)
def test_the_auxiliary_function_is_smallest_at_the_published_update(seed, p):
    params, group = wandering(seed)
    step = update(params, group, p, 1 / 4).log()
    gradient = torch.func.grad(lambda x: auxiliary(params, x, group, p))(step)
    assert_close(gradient / objective(params, step, group, p), torch.zeros_like(step))
    assert auxiliary(params, step + 0.1 * normal(group, seed), group, p) > auxiliary(
        params, step, group, p
    )


def test_control_half_the_auxiliary_function_does_not_lie_above():
    params, group = wandering(0)
    alpha = 0.01 * normal(group, 0)
    assert auxiliary(params, alpha, group) / 2 < objective(params, alpha, group)


@given(seed=seeds, p=exponents)
def test_the_published_update_lowers_the_norm(seed, p):
    params, group = wandering(seed)
    moved = rescale(params, update(params, group, p, 1 / 4), group)
    assert weight_norm(moved, group, p) < weight_norm(params, group, p)


def test_the_doubled_step_lowers_the_norm_of_a_thousand_wild_networks():
    for seed in range(1000):
        draw = torch.Generator().manual_seed(seed)
        params, group = wandering(seed, hidden=2 + seed % 6)
        wild = torch.randn(params["W"].shape, generator=draw).double()
        params["W"] = params["W"] * (4 * wild).exp()
        norm = weight_norm(params, group)
        for _ in range(5):
            params = rescale(params, update(params, group, 2.0, 1 / 2), group)
            norm, before = weight_norm(params, group), norm
            assert norm <= before * (1 + 1e-12)


@given(seed=seeds, p=exponents)
def test_the_auxiliary_function_returns_to_its_value_at_the_doubled_step(seed, p):
    """Which is why the doubled step is the longest that the lemma allows."""
    params, group = wandering(seed)
    double = update(params, group, p, 1 / 2).log()
    zero = torch.zeros_like(double)
    here = objective(params, zero, group, p)
    assert_close(auxiliary(params, double, group, p), here, rtol=1e-10, atol=0)
    assert auxiliary(params, 0.5 * double, group, p) < here
    assert auxiliary(params, 1.5 * double, group, p) > here


def test_control_the_tripled_step_raises_the_norm_and_runs_away():
    params, group = initialised((4, 6, 5, 6, 3), log_std=1.0)
    norms = [weight_norm(params, group)]
    while norms[-1] < 10 * norms[0] and len(norms) < 1000:
        params = rescale(params, update(params, group, 2.0, 3 / 4), group)
        norms.append(weight_norm(params, group))
    assert norms[-1] > 10 * norms[0]


# --- Lemma 2.4: sublevel sets are compact ---


def sublevel_points(params, group, p, seed):
    """Random directions, followed to where the norm is what it was at the start."""
    start = objective(params, torch.zeros(group.units).double(), group, p)
    for k in range(4):
        direction = normal(group, 100 * seed + k)
        low, high = 0.0, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            inside = objective(params, middle * direction, group, p) <= start
            low, high = (middle, high) if inside else (low, middle)
        yield low * direction


@given(seed=seeds, p=exponents)
def test_ratios_are_bounded_by_norm_over_weight(seed, p):
    """The corrected eq. (17): a_i/a_j <= |W|_p / |W_ij|, for every p > 0."""
    params, group = wandering(seed)
    norm, weight = weight_norm(params, group, p), params["W"].abs()
    for alpha in sublevel_points(params, group, p, seed):
        ratio = group.spread(alpha)["W"].exp()
        assert (ratio * weight <= norm * (1 + 1e-9)).all()


def test_control_a_smaller_bound_fails():
    params, group = wandering(0)
    norm, weight = weight_norm(params, group, 2.0), params["W"].abs()
    points = sublevel_points(params, group, 2.0, 0)
    assert any((group.spread(a)["W"].exp() * weight > norm / 2).any() for a in points)


# --- Theorem: exactly one minimum on each orbit ---


@given(seed=seeds, p=exponents)
def test_the_norm_grows_along_every_ray(seed, p):
    params, group = wandering(seed)
    ray = normal(group, seed)
    ray /= ray.abs().max()
    values = [objective(params, t * ray, group, p) for t in (0.0, 50.0 / p, 100.0 / p)]
    assert values[2] > values[1] > values[0] * 10


def test_control_a_dead_unit_has_a_ray_along_which_the_norm_falls_for_ever():
    params, group = wandering(0)
    params["W"][3, :] = 0.0  # nothing flows into the second hidden unit
    ray = torch.zeros(group.units).double()
    ray[1] = 1.0
    values = [objective(params, t * ray, group) for t in (0.0, 1.0, 10.0, 100.0)]
    assert values[0] > values[1] > values[2]
    assert values[2] >= values[3]
    found = minimum_norm(params, group)
    assert found.dead.tolist() == [1]
    assert found.scales[1] == 1.0


def test_control_a_biased_unit_without_inputs_is_dead_unless_biases_count():
    params, group = wandering(0)
    params["W"][3, :] = 0.0
    params["b"][3] = 2.0
    assert minimum_norm(params, group).dead.tolist() == [1]
    counted = minimum_norm(params, group, include_bias=True, tol=1e-12)
    assert len(counted.dead) == 0
    assert_close(counted.scales.log(), newton(params, group, include_bias=True), rtol=0, atol=1e-8)
