"""Lemma 2.2 and its converse, run: numbers, steps that hold, and what breaks without balance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import imbalance, rescale
from gaugelib.balance import objective
from gaugelib.proofs import lemma_balanced_is_minimal
from gaugelib.proofs.examples import examples
from tests.balance.newton import newton
from tests.proofs.dense import Dense, close, complete_graph, sides, unit_in

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
powers = st.sampled_from([0.5, 1.0, 2.0, 3.0])
LAYERED = [name for name in examples() if not name.startswith("chain")]


@given(sizes=sizes, seed=st.integers(0, 10_000), p=powers)
def test_every_step_holds_on_the_balanced_network_of_every_orbit(sizes, seed, p):
    graph = complete_graph(sizes, seed)
    assert lemma_balanced_is_minimal(graph.params, graph.group, p).broken == ()


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_its_numbers_are_those_of_explicit_loops_and_of_newtons_method(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    best = newton(graph.params, graph.group, p)
    given, least = Dense(graph, p), dense_at(graph, best, p)
    there, here = least.F(least.scale((-best).exp())), least.F(least.scale([1.0] * 5))
    half = least.F(least.scale((-best / 2).exp()))
    assert close(there, given.F(given.scale([1.0] * 5)))
    record = lemma_balanced_is_minimal(graph.params, graph.group, p)
    for number, pair in {2: (half, (here + there) / 2), 4: (here, there), 6: (here, there)}.items():
        assert all(close(*both) for both in zip(sides(record, number), pair)), number
    assert close(sides(record, 3)[0], 0.0, size=here)
    h = graph.inputs + unit_in(record.steps[4].place.words) - 1
    assert all(map(close, sides(record, 5), (least.into(h), least.out(h))))
    terms = [
        (least.W[i][j] ** p, (least.W[i][j] / ratio) ** p)
        for i, j in least.edges
        for ratio in [least.scale(best.exp())[i] / least.scale(best.exp())[j]]
    ]
    middles = [(math.sqrt(one * two), (one + two) / 2) for one, two in terms]
    most = max(middles, key=lambda pair: 1 - pair[0] / pair[1])
    assert all(map(close, sides(record, 1), most))


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_started_out_of_balance_its_slope_and_its_savings_are_those_of_the_network(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    best, dense = newton(graph.params, graph.group, p), Dense(graph, p)
    record = lemma_balanced_is_minimal(graph.params, graph.group, p, drop="balanced")
    slope = float(imbalance(graph.params, graph.group, p) @ best)
    assert all(close(side, slope) for side in sides(record, 3))
    start = dense.F(dense.scale([1.0] * 5))
    assert close(sides(record, 4)[0], start + slope, size=start)
    h = graph.inputs + unit_in(record.steps[6].place.words) - 1
    alone = [1.0] * 5
    alone[h - graph.inputs] = (dense.out(h) / dense.into(h)) ** (1 / (2 * p))
    saved = dense.F(dense.scale([1.0] * 5)) - dense.F(dense.scale(alone))
    assert all(close(side, saved, size=start) for side in sides(record, 7))


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("name", list(examples()))
def test_out_of_balance_the_steps_that_need_it_fail(name, p):
    params, group = examples()[name]
    record = lemma_balanced_is_minimal(params, group, p, drop="balanced")
    assert record.broken == (5, 6, 8)
    log = newton(params, group, p)
    ends = [float(objective(params, x, group, p)) for x in (0 * log, log)]
    assert all(map(close, sides(record, 6), ends))


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("name", LAYERED)
def test_balanced_totals_of_layers_are_not_enough(name, p):
    params, group = examples()[name]
    record = lemma_balanced_is_minimal(params, group, p, drop="layers")
    assert record.broken == (5, 6, 8)
    # Balanced totals of all L layers are equal: the geometric mean of what they were.
    totals = [float((w.abs() ** p).sum()) for n, w in params.items() if n.endswith("weight")]
    mean = math.prod(totals) ** (1 / len(totals))
    assert close(sides(record, 6)[0], len(totals) * mean / p)


@pytest.mark.parametrize("name", ["chain 8, 1, 1", "chain 1, 2, 1"])
def test_where_a_layer_has_one_unit_its_total_is_enough(name):
    params, group = examples()[name]
    assert lemma_balanced_is_minimal(params, group, drop="layers").broken == ()


@pytest.mark.parametrize("drop", [None, "balanced"])
def test_a_network_that_comes_balanced_is_compared_with_another_point(drop):
    params, group = examples()["the hat"]
    balanced = rescale(params, newton(params, group).exp(), group)
    record = lemma_balanced_is_minimal(balanced, group, drop=drop)
    assert record.broken == (() if drop is None else (5, 6, 8))
    assert abs(sides(record, 6)[1] - sides(record, 6)[0]) > 0.1


def test_control_a_dead_unit_cannot_be_balanced():
    params, group = examples()["the hat"]
    params["2.weight"][0, 2] = 0.0
    record = lemma_balanced_is_minimal(params, group)
    assert {5, 8} <= set(record.broken)
    assert record.steps[4].place.units == (3,)


def dense_at(graph, log_scales, p) -> Dense:
    moved = rescale(graph.params, log_scales.exp(), graph.group)
    return Dense(graph, p, moved["W"])
