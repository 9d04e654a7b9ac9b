"""The step along the orbit, and how strong it and the penalty may be."""

import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import imbalance, laplacian, log_ratio, rescale, soft_penalty, soft_step
from tests.balance.networks import initialised
from tests.balance.newton import newton
from tests.graphs import random_graph
from tests.soft.problems import (
    NETWORKS,
    POINTS,
    imbalance_by_hand,
    moved_relative,
    network,
    ratios,
    slope,
    unit_of,
)

# --- the step along the orbit ---


@pytest.mark.parametrize("kind", ["imbalance", "log-ratio"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_moves_no_function_and_lowers_the_penalty(name, kind):
    model, example, params, group = network(name)
    there = soft_step(params, group, strength=0.5, lr=0.02, kind=kind)
    assert moved_relative(model, example, params, there) < 1e-13
    before, after = (soft_penalty(p, group, kind=kind, include_bias=False) for p in (params, there))
    assert after < before


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_are_what_their_formulas_say(name):
    _, _, params, group = network(name)
    for kind, alpha in (
        ("imbalance", -0.006 * imbalance_by_hand(params, group)),
        ("log-ratio", -0.003 * ratios(params, group)),
    ):
        found = soft_step(params, group, strength=0.3, lr=0.02, kind=kind)
        assert_close(found, rescale(params, alpha.exp(), group), rtol=1e-12, atol=0.0)


def test_half_a_step_is_algorithm_1_and_a_whole_one_the_doubled_step():
    _, _, params, group = network("layered")
    out_over_in = (-2 * ratios(params, group)).exp()
    for size, exponent in ((0.5, 1 / 8), (1.0, 1 / 4)):
        found = soft_step(params, group, lr=size, kind="log-ratio")
        assert_close(found, rescale(params, out_over_in**exponent, group), rtol=1e-12, atol=0.0)


def test_steps_end_in_the_gauge_of_smallest_norm():
    _, _, params, group = network("layered")
    there = params
    for _ in range(150):
        there = soft_step(there, group, lr=1.0, kind="log-ratio")
    expected = rescale(params, newton(params, group).exp(), group)
    assert_close(there, expected, rtol=1e-10, atol=0.0)


def test_control_a_step_with_the_penaltys_own_gradient_moves_the_function_a_little():
    model, _, params, group = network("layered")
    down = slope(lambda p: soft_penalty(p, group), params)
    moves = []
    for lr in (2e-3, 1e-3):
        there = {name: w - lr * down[name] for name, w in params.items()}
        moves.append(moved_relative(model, POINTS, params, there))
    assert moves[1] > 1e-6
    assert 3 < moves[0] / moves[1] < 5.5  # at second order in the step


# --- how strong it may be ---


def descended(r, s, size, steps):
    """Norms into and out of one unit after explicit steps of the penalty's gradient."""
    params, group = unit_of(r, s)
    for _ in range(steps):
        down = slope(lambda p: soft_penalty(p, group), params)
        params = {name: w - size * down[name] for name, w in params.items()}
    return [float(params[name].norm()) for name in ("0.weight", "2.weight")]


def test_an_explicit_step_is_stable_up_to_one_over_the_laplacian():
    # near balance r = s = 1: η κ λ_max(ℒ) = η κ (r² + s²) < 1; each step multiplies u by 1 − 4ηκ
    for size, factor in ((0.49, 0.96), (0.51, 1.04)):
        r, s = descended(1.0, 1.0001, size, 40)
        assert math.isclose(abs(math.log(r / s)), 1e-4 * factor**40, rel_tol=0.02)


def grown_in_steps(share, skips, steps=60):
    """By how much explicit steps of a share of 1/λ_max change imbalance in a balanced deep net."""
    params, group = initialised((3, 6, 5, 4, 2))
    if skips:  # three units in a ring: here the signs off the diagonal of ℒ matter
        graph = random_graph(2, 5, 2)
        params, group = {"W": graph.params["W"], "b": 0 * graph.params["b"]}, graph.group
    balanced = rescale(params, newton(params, group).exp(), group)
    top = torch.linalg.eigvalsh(laplacian(balanced, group))[-1]
    draw = torch.Generator().manual_seed(0)
    there = near = rescale(balanced, group.random(generator=draw, log_std=1e-7), group)
    for _ in range(steps):
        down = slope(lambda p: soft_penalty(p, group, include_bias=False), there)
        there = {name: w - share / top * down[name] for name, w in there.items()}
    return float(imbalance(there, group).norm() / imbalance(near, group).norm())


@pytest.mark.parametrize("skips", [False, True])
def test_in_a_deep_network_explicit_steps_below_the_limit_damp_every_imbalance(skips):
    assert grown_in_steps(0.95, skips) < 0.3


@pytest.mark.parametrize("skips", [False, True])
def test_control_beyond_the_limit_explicit_steps_make_it_grow(skips):
    assert grown_in_steps(1.05, skips) > 10


@pytest.mark.parametrize("share", [1.05, 1.1, 1.2, 1.5])
def test_too_long_a_step_shrinks_the_unit_until_it_is_stable(share):
    """A step of a share of the limit, which is ηκ = ½ for the unit with r = s = 1."""
    size = share / 2
    r, s = descended(1.0, 1.001, size, 300)
    assert r * s <= 1 / share + 0.003
    assert r * s > 2 / share - 1.1 or share > 1.2  # about as far below as it was above, no more


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.9, 0.98])
def test_control_a_step_below_the_limit_leaves_the_unit(share):
    r, s = descended(1.0, 1.001, share / 2, 200)
    assert math.isclose(r * s, 1.001, rel_tol=3e-5)
    assert math.isclose(r, s, rel_tol=1e-5)


@pytest.mark.parametrize(("r", "s"), [(1.0, 1.3), (0.7, 0.2), (3.0, 2.9)])
@pytest.mark.parametrize("size", [0.01, 0.3, 0.6])
def test_a_step_multiplies_what_the_unit_contributes_by_one_minus_a_square(r, s, size):
    after = descended(r, s, size, 1)
    kept = 1 - (size * (r * r - s * s)) ** 2
    assert math.isclose(math.prod(after), abs(kept) * r * s, rel_tol=1e-12)


@pytest.mark.parametrize(("layers", "strength"), [(2, 1.0), (3, 4.0), (4, 1.0), (6, 1.0)])
def test_the_step_along_the_orbit_is_stable_up_to_two_over_the_walk(layers, strength):
    # layered: eigenvalues of I − P̃ reach 1 + cos(π/L), so ηκ < 2/(1 + cos(π/L))
    params, group = initialised((*(3, 6, 5, 4, 6, 5)[:layers], 2))
    balanced = rescale(params, newton(params, group).exp(), group)
    draw = torch.Generator().manual_seed(0)
    near = rescale(balanced, group.random(generator=draw, log_std=1e-5), group)
    limit, grown = 2 / (1 + math.cos(math.pi / layers)), []
    for share in (0.9, 0.98, 1.02, 1.1):
        there, sizes = near, []
        for _ in range(60):
            there = soft_step(
                there, group, lr=share * limit / strength, strength=strength, kind="log-ratio"
            )
            sizes.append(float(log_ratio(there, group).norm()))
        grown.append(sizes[-1] / sizes[-21])
    assert max(grown[:2]) < 0.9
    assert min(grown[2:]) > 1.1
    for factor, share in zip(grown[1:3], (0.98, 1.02)):  # by the eigenvalue 1 − 2 share, each step
        assert math.isclose(factor, (2 * share - 1) ** 20, rel_tol=0.1)
