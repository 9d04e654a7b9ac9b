"""Existence and uniqueness, run: numbers, steps that hold, and the three ways in which it fails."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import minimum_norm, rescale
from gaugelib.balance import laplacian
from gaugelib.proofs import theorem_uniqueness
from gaugelib.proofs.examples import examples
from tests.balance.newton import newton
from tests.graphs import random_graph
from tests.proofs.dense import Dense, close, complete_graph, sides, unit_in

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
powers = st.sampled_from([0.5, 1.0, 2.0, 3.0])
LAYERED = [name for name in examples() if not name.startswith("chain")]


@given(sizes=sizes, seed=st.integers(0, 10_000), p=powers)
def test_every_step_holds_on_every_living_network(sizes, seed, p):
    graph = complete_graph(sizes, seed)
    assert theorem_uniqueness(graph.params, graph.group, p).broken == ()


def direction(units: int) -> torch.Tensor:
    noise = torch.randn(units, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return noise / noise.abs().max()


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_its_numbers_are_those_of_explicit_loops(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    dense, record = Dense(graph, p), theorem_uniqueness(graph.params, graph.group, p)
    xi = direction(5)
    level = [math.log(x) for x in dense.scale(xi.exp())]

    def along(time):
        return dense.F(dense.scale((time * xi).exp()))

    assert sides(record, 1) == (5.0, 5.0)
    path = record.steps[1].place.edges
    assert path[0][0] == path[-1][1] == 0
    assert all(one[1] == two[0] for one, two in itertools.pairwise(path))
    assert int(xi.abs().argmax()) + 1 in [target for _, target in path]
    rises = [float(xi[t - 1]) * (t > 0) - float(xi[s - 1]) * (s > 0) for s, t in path]
    assert close(sides(record, 2)[0], sum(rises), size=1.0)
    assert close(sides(record, 3)[1], max(rises))
    ((source, target),) = record.steps[2].place.edges
    assert rises[path.index((source, target))] == pytest.approx(max(rises))
    start = along(0.0)
    alone, there = sides(record, 4)
    assert close(alone, 2 * start)
    ends = [
        along(math.log(2 * p * start / dense.W[i][j] ** p) / (p * max(rises)))
        for i, j in dense.edges
        if (dense.number(j), dense.number(i)) == (source, target)
    ]
    assert any(close(there, end) for end in ends)
    assert all(map(close, sides(record, 5), (start, there)))
    curvature = p * sum(dense.W[i][j] ** p * (level[i] - level[j]) ** 2 for i, j in dense.edges)
    assert all(close(side, curvature) for side in sides(record, 6))
    assert close(curvature, float(p * xi @ laplacian(graph.params, graph.group, p) @ xi))
    assert all(map(close, sides(record, 8), (along(0.5), (along(0.0) + along(1.0)) / 2)))


@pytest.mark.parametrize("name", LAYERED)
@pytest.mark.parametrize(
    ("drop", "broken"),
    [
        ("dead", (1, 2, 3, 4, 5, 9)),
        ("bias", (1, 2, 3, 4, 5, 9)),
        ("isolated", (1, 2, 3, 4, 5, 7, 8, 9)),
    ],
)
def test_without_paths_the_named_steps_fail(name, drop, broken):
    params, group = examples()[name]
    assert theorem_uniqueness(params, group, drop=drop).broken == broken


@pytest.mark.parametrize("drop", ["dead", "bias"])
def test_a_unit_on_no_path_lowers_the_norm_for_ever(drop):
    params, group = examples()["random, number 3"]
    record = theorem_uniqueness(params, group, drop=drop)
    start, there = sides(record, 5)
    assert there < start
    assert sides(record, 4)[0] is None


def test_an_isolated_unit_changes_nothing_so_its_scale_is_free():
    params, group = examples()["random, number 3"]
    record = theorem_uniqueness(params, group, drop="isolated")
    assert sides(record, 5)[0] == sides(record, 5)[1]
    assert sides(record, 7) == (0.0, 0.0)


@given(seed=st.integers(0, 10_000), p=powers)
def test_units_on_no_path_are_counted_in_networks_of_any_wiring(seed, p):
    graph = random_graph(2, 5, 2, seed=seed, density=0.4)
    dense = Dense(graph, p)
    alive = [h for h in dense.units if dense.paths(range(2), [h]) and dense.paths([h], range(7, 9))]
    record = theorem_uniqueness(graph.params, graph.group, p)
    assert sides(record, 1) == (float(len(alive)), 5.0)
    assert (record.broken == ()) is (len(alive) == 5)
    if len(alive) < 5:
        assert unit_in(record.steps[0].place.words) not in map(dense.number, alive)


# --- The theorem itself, by a solver that is not the library's ---


@given(seed=st.integers(0, 10_000), p=powers)
def test_every_orbit_has_exactly_one_smallest_network(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    moved = rescale(
        graph.params, graph.group.random(generator=torch.Generator().manual_seed(seed)), graph.group
    )
    weights = []
    for start in (graph.params, moved):
        best = newton(start, graph.group, p)
        weights.append(rescale(start, best.exp(), graph.group)["W"])
        assert torch.allclose(
            minimum_norm(start, graph.group, p=p, tol=1e-12).params["W"], weights[0], rtol=1e-8
        )
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-9, atol=0)


def test_control_with_a_dead_unit_the_norm_falls_along_a_ray_without_end():
    params, group = examples()["the hat"]
    params["2.weight"][0, 2] = 0.0
    norms = [
        float(rescale(params, torch.tensor([1.0, 1.0, 2.0**-k]).double(), group)["0.weight"].norm())
        for k in range(8)
    ]
    assert all(after < before for before, after in itertools.pairwise(norms))
