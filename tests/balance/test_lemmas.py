"""The lemmas behind the minimum-norm gauge, each with a control."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    imbalance,
    incoming_norm,
    minimum_norm,
    outgoing_norm,
    rescale,
    weight_norm,
)
from tests.balance.networks import chain, initialised
from tests.balance.newton import newton
from tests.graphs import random_graph

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
exponents = st.sampled_from([0.5, 1.0, 2.0, 3.0])


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
def test_control_unbalanced_networks_can_be_made_lighter(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    slope = imbalance(graph.params, graph.group, p)
    if slope.abs().max() > 1e-3 * power_sum(graph.params, graph.group, p):
        scales = torch.exp(-1e-4 * slope / slope.norm())
        lighter = rescale(graph.params, scales, graph.group)
        assert power_sum(lighter, graph.group, p) < power_sum(graph.params, graph.group, p)


# --- monotone improvement and the doubled step ---


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
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


def fall_by_hand(graph, scales, p):
    """What a step takes off F, as two sums of squares, edge by edge and never by subtraction.

    The first is G(1) - G(a), which is zero for the doubled step; the second is G(a) - F(log a),
    which is zero only if the scales at the two ends of every weight are each other's inverse.
    """
    first = graph.inputs + graph.hidden
    a = [1.0] * graph.inputs + scales.tolist() + [1.0] * graph.outputs
    power = graph.params["W"].abs().pow(p)
    chosen = 0.0
    for h in range(graph.inputs, first):
        into, out, t = power[h].sum().item(), power[:, h].sum().item(), a[h] ** (2 * p)
        chosen += (1 - t) * (into - out / t)
    tied = sum(
        power[i, j].item() * (a[i] ** p - a[j] ** -p) ** 2
        for i in range(graph.units)
        for j in range(i)
    )
    return chosen / (2 * p), tied / (2 * p)


@given(
    sizes=sizes, seed=st.integers(0, 9999), p=exponents, exponent=st.sampled_from([0.2, 1, 1.7, 2])
)
def test_every_step_up_to_the_doubled_one_goes_down(sizes, seed, p, exponent):
    graph = fully_connected(sizes, seed)
    draw = torch.Generator().manual_seed(seed)
    moved = rescale(graph.params, graph.group.random(generator=draw, log_std=2.0), graph.group)
    start = replace(graph, params=moved)
    scales = stepped(start.params, graph.group, p, exponent)
    powers, units = moved["W"].abs().pow(p), slice(graph.inputs, graph.inputs + graph.hidden)
    by_hand = (powers.sum(0)[units] / powers.sum(1)[units]) ** (exponent / (4 * p))
    assert_close(scales, by_hand, rtol=1e-10, atol=0.0)  # every unit takes its step
    after = rescale(start.params, scales, graph.group)
    before, now = (power_sum(theta, graph.group, p) / p for theta in (start.params, after))
    chosen, tied = fall_by_hand(start, scales, p)
    assert before - now == pytest.approx(chosen + tied, rel=1e-9, abs=1e-12 * before)
    assert chosen > 0 if exponent < 2 else abs(chosen) < 1e-12 * before
    assert tied > 0


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
def test_a_step_stands_still_where_the_network_is_balanced_and_nowhere_else(sizes, seed, p):
    graph = fully_connected(sizes, seed)
    balanced = rescale(graph.params, newton(graph.params, graph.group, p).exp(), graph.group)
    draw = torch.Generator().manual_seed(seed)
    log_scales = torch.randn(graph.hidden, generator=draw, dtype=torch.float64)
    log_scales /= log_scales.abs().max()
    for far in (0.0, 1e-3):
        near = rescale(balanced, (far * log_scales).exp(), graph.group)
        for exponent in (0.5, 1.0, 2.0):
            scales = stepped(near, graph.group, p, exponent)
            fall = sum(fall_by_hand(replace(graph, params=near), scales, p))
            moved = (scales - 1).abs().max()
            if far:
                assert moved > 1e-6
                assert fall > 0
            else:
                assert moved < 1e-9
                assert fall < 1e-15 * power_sum(near, graph.group, p)


def test_the_worked_chain():
    params, group = chain(8.0, 1.0, 1.0)
    once = rescale(params, stepped(params, group, 2.0, 1.0), group)
    twice = rescale(once, stepped(once, group, 2.0, 1.0), group)
    doubled = rescale(params, stepped(params, group, 2.0, 2.0), group)
    found = [power_sum(theta, group, 2.0) for theta in (params, once, twice, doubled)]
    assert found == pytest.approx([66.0, 26.456, 18.419, 17.0], abs=1e-3)
    assert power_sum(minimum_norm(params, group, tol=1e-12).params, group, 2.0) == pytest.approx(12)


def test_control_three_times_the_step_runs_away():
    params, group = chain(8.0, 1.0, 1.0)
    heights = [power_sum(params, group, 2.0)]
    for _ in range(12):
        params = rescale(params, stepped(params, group, 2.0, 3.0), group)
        heights.append(power_sum(params, group, 2.0))
    assert heights[-1] > 10 * heights[0]


@pytest.mark.parametrize(("exponent", "rises"), [(2.0, False), (2.1, True)])
def test_control_a_step_longer_than_the_doubled_one_can_go_up(exponent, rises):
    """In a deep chain, disturbed at every other unit in turn: by the rate of the step there."""
    layers, group = 12, chain(*[1.0] * 12)[1]
    wave = [(-1) ** k * math.sin(math.pi * k / layers) for k in range(1, layers)]
    disturbed = (1e-3 * torch.tensor(wave).double()).exp()
    params = rescale(chain(*[1.0] * layers)[0], disturbed, group)
    after = rescale(params, stepped(params, group, 2.0, exponent), group)
    before, now = (power_sum(theta, group, 2.0) - layers for theta in (params, after))
    grown = 1 - exponent / 2 * (1 + math.cos(math.pi / layers))
    assert now / before == pytest.approx(grown**2, rel=1e-3)
    assert (now > before) == rises


# --- one lightest network, and convergence to it ---


@given(sizes=sizes, seed=st.integers(0, 9999), p=st.sampled_from([0.25, 1.0, 2.0, 8.0]))
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


def iterated(params, group, p, exponent, steps=200, still=()):
    """The iteration, and the norm to the p-th power on its way; units in `still` are not moved."""
    heights = [power_sum(params, group, p)]
    for _ in range(steps):
        scales = stepped(params, group, p, exponent)
        scales[list(still)] = 1.0
        params = rescale(params, scales, group)
        heights.append(power_sum(params, group, p))
    return params, heights


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7, 2.0])
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("thread", [1.0, 1e-4])
def test_the_iteration_converges_to_the_lightest_network(exponent, p, thread):
    """However little holds the network together: a unit may be heard by a thread only."""
    params, group = initialised([4, 6, 5, 3], seed=1)
    params["4.weight"][:, 2] *= thread
    form = rescale(params, newton(params, group, p).exp(), group)
    end, heights = iterated(params, group, p, exponent)
    assert all(b <= a * (1 + 1e-13) for a, b in pairwise(heights))
    assert all(b < a for a, b in pairwise(heights[:20]))
    assert_close(end, form, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
@pytest.mark.parametrize("dead", [False, True])
def test_control_with_a_dead_unit_there_is_no_such_limit(exponent, dead):
    """Nobody hears unit 2: the step makes its scale 0, which is no gauge.

    If that unit is left out of the iteration, the limit depends on the point of the orbit that it
    started from, and can be made lighter.
    """
    params, group = initialised([4, 6, 5, 3], seed=1)
    if dead:
        params["2.weight"][:, 2] = 0.0
        assert stepped(params, group, 2.0, exponent)[2] == 0.0
        with pytest.raises(GaugeError, match="finite and positive"):
            rescale(params, stepped(params, group, 2.0, exponent), group)
    turned = group.identity()
    turned[2] = 10.0
    still = (2,) if dead else ()
    ends = [
        iterated(start, group, 2.0, exponent, still=still)[0]
        for start in (params, rescale(params, turned, group))
    ]
    apart = power_sum(ends[1], group, 2.0) / power_sum(ends[0], group, 2.0)
    lighter = power_sum(rescale(ends[0], 1 / turned, group), group, 2.0)
    assert (apart > 1.5) == dead
    assert (lighter < power_sum(ends[0], group, 2.0)) == dead
    assert (apart == pytest.approx(1.0)) != dead
