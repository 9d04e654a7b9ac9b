"""Averaging with a copy: along each path a factor that is never below one."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gaugelib import functional_call, hat, minimum_norm, mlp_group, params_of, rescale
from tests.gauges.bowls import case, flat, incidence, moved
from tests.graphs import path_products, random_graph

seeds, parts = st.integers(0, 9999), st.floats(0.05, 0.95)


def mean(params, other, t=0.5):
    return {n: (1 - t) * params[n] + t * other[n] for n in params}


def steps_of(graph, alpha, path):
    """(Bᵀα)_e along a path of units; -1 in front is the constant 1 behind a bias."""
    x = dict(zip(range(graph.inputs, graph.inputs + graph.hidden), alpha, strict=True))
    at = [x.get(unit, 0.0) for unit in path]
    return np.diff(at)


@given(seed=seeds, t=parts, log_std=st.sampled_from([0.1, 1.0]))
def test_products_along_paths_are_multiplied_by_what_is_never_below_one(seed, t, log_std):
    graph = random_graph(2, 4, 2, seed=seed, density=0.8)
    alpha = log_std * np.random.default_rng(seed).standard_normal(4)
    other = moved(graph.params, alpha, graph.group)
    before = path_products(graph.params, graph)
    after = path_products(mean(graph.params, other, t), graph)
    half = path_products(mean(graph.params, other), graph)
    for path, product in before.items():
        x = steps_of(graph, alpha, path)
        assert_allclose(x.sum(), 0, atol=1e-12)
        factor = np.prod(1 - t + t * np.exp(x))
        assert_allclose(after[path] / product, factor, rtol=1e-9)
        assert_allclose(half[path] / product, np.prod(np.cosh(x / 2)), rtol=1e-9)
        assert factor >= 1 - 1e-12
        if abs(x).max() > 1e-2:
            assert factor > 1 + 1e-7


@given(seed=seeds)
def test_the_half_way_mean_is_a_gauge_of_the_weights_times_cosines(seed):
    here = case((3, 4, 3, 2), seed)
    alpha = np.random.default_rng(seed).standard_normal(7)
    half = mean(here.params, moved(here.params, alpha, here.group))
    B = incidence(here.group)
    found = flat(here.params, here.group) * np.cosh(alpha @ B / 2) * np.exp(alpha @ B / 2)
    assert_allclose(flat(half, here.group), found, rtol=1e-12)


@given(seed=seeds, t=parts)
def test_with_one_hidden_layer_each_unit_has_its_own_factor(seed, t):
    here = case((3, 4, 2), seed)
    alpha = np.random.default_rng(seed).standard_normal(4)
    a, p = np.exp(alpha), here.params
    found = here.outputs(mean(p, moved(p, alpha, here.group), t))
    units = torch.relu(here.x @ p["0.weight"].T + p["0.bias"])
    factor = torch.as_tensor((1 - t + t * a) * (1 - t + t / a))
    assert_allclose(found, (units * factor) @ p["2.weight"].T + p["2.bias"], rtol=1e-9, atol=1e-12)


def test_the_hat_and_its_copy_with_a_factor_of_four():
    """(4 + 1)/2 · (¼ + 1)/2 = 1.5625 = cosh²(log 2)."""
    params, group = params_of(hat()), mlp_group(hat())
    half = mean(params, rescale(params, torch.tensor([4.0, 1.0, 1.0]), group))
    x = torch.linspace(-1, 3, 41).double()[:, None]
    wanted = 1.5625 * torch.relu(x) - 2 * torch.relu(x - 1) + torch.relu(x - 2)
    assert torch.equal(functional_call(hat(), half, (x,)), wanted)


def lightest(params, group):
    found = minimum_norm(params, group, include_bias=True, tol=1e-13)
    return flat(found.params, group)


@given(seed=seeds)
def test_the_distance_of_the_lightest_ones_is_a_function_of_the_two_orbits(seed):
    one, two = case((3, 4, 3, 2), seed), case((3, 4, 3, 2), seed + 1)
    rng, group = np.random.default_rng(seed), one.group
    apart = np.linalg.norm(lightest(one.params, group) - lightest(two.params, group))
    others = [moved(c.params, rng.standard_normal(7), group) for c in (one, two)]
    again = np.linalg.norm(np.subtract(*(lightest(p, group) for p in others)))
    assert_allclose(again, apart, rtol=1e-6)
    assert apart > 0.1
    assert np.linalg.norm(lightest(one.params, group) - lightest(others[0], group)) < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_the_smallest_over_permutations_is_zero_for_a_permuted_copy(seed):
    here, rng = case((2, 4, 2), seed), np.random.default_rng(seed)
    order = rng.permutation(4)

    def permuted(p, to):
        to = torch.as_tensor(np.array(to))
        return {
            "0.weight": p["0.weight"][to],
            "0.bias": p["0.bias"][to],
            "2.weight": p["2.weight"][:, to],
            "2.bias": p["2.bias"],
        }

    copy = moved(permuted(here.params, order), rng.standard_normal(4), here.group)
    home = lightest(here.params, here.group)
    distances = [
        np.linalg.norm(home - lightest(permuted(copy, to), here.group))
        for to in itertools.permutations(range(4))
    ]
    assert min(distances) < 1e-6
    assert sorted(distances)[1] > 0.1


# --- controls ---


def test_control_without_gauge_fixing_the_mean_leaves_the_function():
    here = case((3, 4, 2), 0)
    other = moved(here.params, np.full(4, 1.0), here.group)
    f, half = here.outputs(here.params), here.outputs(mean(here.params, other))
    assert (half - f).abs().max() > 0.3
    fixed = [
        minimum_norm(p, here.group, include_bias=True, tol=1e-13).params
        for p in (here.params, other)
    ]
    assert_allclose(here.outputs(mean(*fixed)), f, atol=1e-9)


def test_control_a_copy_that_is_no_rescaling_can_shrink_a_path():
    params = {"w": 1.0, "v": 1.0}, {"w": -1.0, "v": -1.0}  # of a linear unit: the same product
    half = {n: (params[0][n] + params[1][n]) / 2 for n in ("w", "v")}
    assert half["w"] * half["v"] == 0.0


def test_control_the_same_function_is_not_the_same_orbit():
    """A unit written twice at half its size: distance of the lightest ones is not zero."""
    here = case((2, 2, 1), 0, bias=False)
    w, v = here.params["0.weight"], here.params["2.weight"]
    first = {"0.weight": torch.stack([w[0], w[0]]), "2.weight": v[:, :1].repeat(1, 2) / 2}
    other = {
        "0.weight": torch.stack([w[0], w[0]]),
        "2.weight": v[:, :1] * torch.tensor([[0.3, 0.7]]),
    }
    assert_allclose(here.outputs(first), here.outputs(other), atol=1e-14)
    apart = lightest(first, here.group) - lightest(other, here.group)
    assert np.linalg.norm(apart) > 0.1
