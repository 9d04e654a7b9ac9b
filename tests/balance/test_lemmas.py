"""The lemmas behind the minimum-norm gauge, each with a control."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import imbalance, incoming_norm, minimum_norm, outgoing_norm, rescale, weight_norm
from tests.balance.networks import initialised
from tests.graphs import random_graph

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
exponents = st.sampled_from([0.5, 1.0, 2.0, 3.0])


def chain(*weights):
    """A chain of neurons with the given weights."""
    params, group = initialised([1] * (len(weights) + 1))
    values = (torch.full((1, 1), float(w)).double() for w in weights)
    return dict(zip(params, values, strict=True)), group


def power_sum(params, group, p):
    return (weight_norm(params, group, p) ** p).item()


def above(params, group, scales, p):
    """The auxiliary function, written out edge by edge: (1/2p) sum |W|^p (a_i^2p + a_j^-2p)."""
    total, full = 0.0, torch.cat([torch.ones(1).double(), scales])
    for name, entry in group.entries.items():
        if entry.kind == "weight":
            to, out_of = full[entry.target] ** (2 * p), full[entry.source] ** (-2 * p)
            total += float((params[name].abs() ** p * (to + out_of)).sum())
    return total / (2 * p)


def stepped(params, group, p, exponent):
    """Scales (out/in)^(exponent/4p): 1 is the published step, 2 the doubled one."""
    into, out = incoming_norm(params, group, p), outgoing_norm(params, group, p)
    return (out / into) ** (exponent / 4)


def fully_connected(sizes, seed):
    """A random graph in which every unit feeds all later ones."""
    return random_graph(*sizes, seed=seed)


# --- balanced if and only if lightest ---


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
@settings(deadline=None, max_examples=25)
def test_balanced_networks_are_lightest(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    params = minimum_norm(graph.params, graph.group, p=p, tol=1e-12).params
    assert imbalance(params, graph.group, p).abs().max() < 1e-9 * power_sum(params, graph.group, p)
    smallest = power_sum(params, graph.group, p)
    draw = torch.Generator().manual_seed(seed)
    for log_std in (1e-2, 0.3, 2.0):
        other = rescale(params, graph.group.random(generator=draw, log_std=log_std), graph.group)
        assert power_sum(other, graph.group, p) >= smallest * (1 - 1e-12)


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
@settings(deadline=None, max_examples=25)
def test_control_unbalanced_networks_can_be_made_lighter(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    slope = imbalance(graph.params, graph.group, p)
    if slope.abs().max() > 1e-3 * power_sum(graph.params, graph.group, p):
        scales = torch.exp(-1e-4 * slope / slope.norm())
        lighter = rescale(graph.params, scales, graph.group)
        assert power_sum(lighter, graph.group, p) < power_sum(graph.params, graph.group, p)


# --- monotone improvement and the doubled step ---


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
@settings(deadline=None, max_examples=40)
def test_the_auxiliary_function_lies_above_and_touches(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    before = power_sum(graph.params, graph.group, p) / p
    assert math.isclose(above(graph.params, graph.group, graph.group.identity(), p), before)
    draw = torch.Generator().manual_seed(seed)
    for log_std in (0.01, 0.3, 1.0):
        scales = graph.group.random(generator=draw, log_std=log_std)
        there = power_sum(rescale(graph.params, scales, graph.group), graph.group, p) / p
        assert there <= above(graph.params, graph.group, scales, p) * (1 + 1e-12)
    scales = stepped(graph.params, graph.group, p, 1.0)
    low = above(graph.params, graph.group, scales, p)
    for unit in range(graph.hidden):
        for factor in (0.99, 1.01):
            near = scales.clone()
            near[unit] *= factor
            assert above(graph.params, graph.group, near, p) >= low


@given(
    sizes=sizes, seed=st.integers(0, 9999), p=exponents, exponent=st.sampled_from([0.2, 1, 1.7, 2])
)
@settings(deadline=None, max_examples=60)
def test_every_step_up_to_the_doubled_one_goes_down(sizes, seed, p, exponent):
    graph = fully_connected(sizes, seed)
    draw = torch.Generator().manual_seed(seed)
    start = rescale(graph.params, graph.group.random(generator=draw, log_std=2.0), graph.group)
    after = rescale(start, stepped(start, graph.group, p, exponent), graph.group)
    assert power_sum(after, graph.group, p) <= power_sum(start, graph.group, p) * (1 + 1e-12)


def test_the_worked_chain():
    params, group = chain(8, 1, 1)
    once = rescale(params, stepped(params, group, 2.0, 1.0), group)
    twice = rescale(once, stepped(once, group, 2.0, 1.0), group)
    doubled = rescale(params, stepped(params, group, 2.0, 2.0), group)
    found = [power_sum(theta, group, 2.0) for theta in (params, once, twice, doubled)]
    assert found == pytest.approx([66.0, 26.456, 18.419, 17.0], abs=1e-3)
    assert power_sum(minimum_norm(params, group, tol=1e-12).params, group, 2.0) == pytest.approx(12)


def test_control_three_times_the_step_runs_away():
    params, group = chain(8, 1, 1)
    heights = [power_sum(params, group, 2.0)]
    for _ in range(12):
        params = rescale(params, stepped(params, group, 2.0, 3.0), group)
        heights.append(power_sum(params, group, 2.0))
    assert heights[-1] > 10 * heights[0]


# --- bounded dials ---


def longest_bounds(graph, p):
    """Upper bounds on the scales: the best product of |W|_p/|W_ij| over paths from an input."""
    norm = weight_norm(graph.params, graph.group, p).item()
    bounds = [1.0] * graph.inputs
    for i in range(graph.inputs, graph.inputs + graph.hidden):
        edges = [(norm / abs(w), j) for j, w in enumerate(graph.params["W"][i].tolist()) if w]
        bounds.append(min(factor * bounds[j] for factor, j in edges))
    return torch.tensor(bounds[graph.inputs :]).double()


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
@settings(deadline=None, max_examples=30)
def test_dials_that_do_not_raise_the_norm_are_bounded(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    height, bounds = power_sum(graph.params, graph.group, p), longest_bounds(graph, p)
    draw = torch.Generator().manual_seed(seed)
    for log_std in (0.1, 0.5, 2.0, 5.0):
        scales = graph.group.random(generator=draw, log_std=log_std)
        moved = power_sum(rescale(graph.params, scales, graph.group), graph.group, p)
        if moved <= height:
            assert (scales <= bounds * (1 + 1e-9)).all()


def test_control_the_printed_bound_fails_below_one():
    params, group = chain(1, 100)
    a, p = torch.tensor([100.0]).double(), 0.5
    height = power_sum(params, group, p)
    assert power_sum(rescale(params, a, group), group, p) == pytest.approx(height)
    printed, corrected = height / 1.0, height ** (1 / p) / 1.0
    assert (printed, corrected) == (pytest.approx(11.0), pytest.approx(121.0))
    assert printed < a.item() <= corrected


# --- one lightest network, and convergence to it ---


@given(sizes=sizes, seed=st.integers(0, 9999), p=st.sampled_from([0.25, 1.0, 2.0, 8.0]))
@settings(deadline=None, max_examples=20)
def test_every_point_of_an_orbit_has_the_same_lightest_network(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    form = minimum_norm(graph.params, graph.group, p=p, tol=1e-11).params
    draw = torch.Generator().manual_seed(seed)
    other = rescale(graph.params, graph.group.random(generator=draw, log_std=1.0), graph.group)
    assert_close(
        minimum_norm(other, graph.group, p=p, tol=1e-11).params, form, rtol=1e-6, atol=1e-9
    )


def test_control_a_dead_unit_has_no_lightest_point():
    params, group = initialised([3, 4, 2])
    params["2.weight"][:, 1] = 0.0
    found = minimum_norm(params, group)
    assert found.dead.tolist() == [1]
    assert found.scales[1] == 1.0
    for a in (0.1, 0.01):
        scales = found.scales.clone()
        scales[1] = a
        smaller = rescale(params, scales, group)
        assert power_sum(smaller, group, 2.0) < power_sum(found.params, group, 2.0)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_the_iteration_converges_to_the_lightest_network(exponent, p):
    params, group = initialised([4, 6, 5, 3], seed=1)
    form = minimum_norm(params, group, p=p, tol=1e-13).params
    heights = [power_sum(params, group, p)]
    for _ in range(200):
        params = rescale(params, stepped(params, group, p, exponent), group)
        heights.append(power_sum(params, group, p))
    assert all(b <= a * (1 + 1e-13) for a, b in pairwise(heights))
    assert_close(params, form, rtol=1e-7, atol=1e-10)


def test_control_with_a_dead_unit_the_iteration_runs_away():
    params, group = initialised([4, 6, 3], seed=1)
    params["2.weight"][:, 2] = 1e-100  # not quite dead: nearly nothing pushes back
    before = params["0.weight"][2].abs().max()
    for _ in range(20):
        params = rescale(params, stepped(params, group, 2.0, 1.0), group)
    assert params["0.weight"][2].abs().max() < 1e-20 * before
