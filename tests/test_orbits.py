"""Orbits: how large they are, what names them, and how one moves along them."""

import math
from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import generator, orbit, rescale
from tests.graphs import flat, moved_relative, path_products, random_graph, stabiliser_dimension

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))


# --- Proposition: a group action, and the size of its orbits ---


@given(sizes=sizes, seed=st.integers(0, 10_000))
def test_rescaling_twice_is_rescaling_once_by_the_product(sizes, seed):
    graph = random_graph(*sizes, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    a, b = (graph.group.random(generator=draw) for _ in "ab")
    once = rescale(graph.params, a * b, graph.group)
    twice = rescale(rescale(graph.params, a, graph.group), b, graph.group)
    back = rescale(once, 1 / (a * b), graph.group)
    assert_close(twice, once, rtol=1e-13, atol=0)
    assert_close(back, graph.params, rtol=1e-13, atol=0)
    assert_close(rescale(graph.params, graph.group.identity(), graph.group), graph.params)


def orbit_dimension(graph):
    """Rank of the tangent vectors of the orbit, one for each hidden unit."""
    eye = torch.eye(graph.hidden).double()
    tangents = [flat(generator(graph.params, e, graph.group)) for e in eye]
    return int(torch.linalg.matrix_rank(torch.stack(tangents)))


@given(sizes=sizes, seed=st.integers(0, 10_000), density=st.sampled_from([0.2, 0.4, 0.7]))
def test_orbits_have_one_dimension_for_each_unit_tied_to_the_outside(sizes, seed, density):
    graph = random_graph(*sizes, seed=seed, density=density)
    some = torch.rand(graph.units, generator=torch.Generator().manual_seed(seed)) < 0.3
    graph.params["b"].mul_(some)
    assert orbit_dimension(graph) == graph.hidden - stabiliser_dimension(graph)


def test_a_bias_alone_ties_a_unit_to_the_outside():
    graph = random_graph(1, 1, 1, seed=0)
    graph.params["W"].zero_()
    assert (orbit_dimension(graph), stabiliser_dimension(graph)) == (1, 0)
    graph.params["b"].zero_()
    assert (orbit_dimension(graph), stabiliser_dimension(graph)) == (0, 1)


def test_control_a_unit_with_no_edges_is_moved_by_nothing():
    graph = random_graph(2, 4, 1, seed=0)
    assert orbit_dimension(graph) == 4
    graph.params["W"][3, :] = graph.params["W"][:, 3] = graph.params["b"][3] = 0.0
    assert orbit_dimension(graph) == 3
    scales = torch.tensor([1.0, 5.0, 1.0, 1.0]).double()
    assert_close(rescale(graph.params, scales, graph.group), graph.params, rtol=0, atol=0)


# --- Theorem: path products and signs name the orbit ---


def gauge_between(graph, other):
    """Least-squares log-scales that carry the graph's parameters to `other`, and what they miss."""
    edges = flat(graph.params) != 0
    ratio = (flat(other)[edges] / flat(graph.params)[edges]).abs().log()
    matrix = graph.incidence().T[edges]
    logs = torch.linalg.lstsq(matrix, ratio[:, None], driver="gelsd").solution[:, 0]
    return logs, (matrix @ logs - ratio).abs().max().item()


@given(sizes=sizes, seed=st.integers(0, 10_000), density=st.sampled_from([1.0, 0.6]))
def test_rescaling_keeps_path_products_and_signs(sizes, seed, density):
    graph = random_graph(*sizes, seed=seed, density=density)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    other = rescale(graph.params, scales, graph.group)
    before, after = path_products(graph.params, graph), path_products(other, graph)
    assert before.keys() == after.keys()
    assert all(math.isclose(before[k], after[k], rel_tol=1e-10) for k in before)
    assert torch.equal(flat(graph.params).sign(), flat(other).sign())


def change_that_no_path_sees(graph, seed):
    """Parameters with the signs and path products of the graph's, and otherwise as far as may be.

    Paths are rows of a matrix over parameter entries; a change of logarithms in its kernel keeps
    every path product.
    """
    n, edges = graph.units, (flat(graph.params) != 0).nonzero().flatten().tolist()
    rows = []
    for path in path_products(graph.params, graph):
        first = [n * n + path[1]] if path[0] == -1 else [path[1] * n + path[0]]
        used = {*first, *(i * n + j for j, i in pairwise(path[1:]))}
        rows.append([float(edge in used) for edge in edges])
    _, sizes, basis = torch.linalg.svd(torch.tensor(rows).double())
    kernel = basis[int((sizes > 1e-9).sum()) :]
    draw = torch.Generator().manual_seed(seed)
    logs = torch.zeros(n * n + n).double()
    logs[edges] = torch.randn(len(kernel), generator=draw).double() @ kernel
    both = flat(graph.params) * logs.exp()
    return {"W": both[: n * n].view(n, n), "b": both[n * n :]}


def keep_living_units(graph):
    """Make the theorem's hypothesis true: every hidden unit feeds the last output."""
    graph.params["W"][graph.inputs + graph.hidden :, graph.inputs : -graph.outputs] += 0.5
    return graph


@given(sizes=sizes, seed=st.integers(0, 10_000), density=st.sampled_from([1.0, 0.5]))
def test_path_products_and_signs_name_the_orbit(sizes, seed, density):
    graph = keep_living_units(random_graph(*sizes, seed=seed, density=density))
    other = change_that_no_path_sees(graph, seed)
    before, after = path_products(graph.params, graph), path_products(other, graph)
    assert all(math.isclose(before[k], after[k], rel_tol=1e-9) for k in before)
    logs, missed = gauge_between(graph, other)
    assert missed < 1e-9
    assert_close(rescale(graph.params, logs.exp(), graph.group), other, rtol=1e-8, atol=1e-12)


def test_control_other_path_products_mean_another_orbit():
    graph = random_graph(2, 4, 1, seed=2)
    other = {name: value.clone() for name, value in graph.params.items()}
    other["W"][4, 3] *= 1.1  # one weight between hidden units
    before, after = path_products(graph.params, graph), path_products(other, graph)
    assert any(not math.isclose(before[k], after[k], rel_tol=1e-3) for k in before)
    assert gauge_between(graph, other)[1] > 0.01


def test_control_a_unit_on_no_path_can_change_unseen():
    graph = random_graph(2, 1, 2, seed=2)
    graph.params["W"][2, :] = graph.params["b"][2] = 0.0  # nobody feeds the hidden unit
    other = {name: value.clone() for name, value in graph.params.items()}
    other["W"][3, 2] *= 3.0  # and its two outgoing weights change by different factors
    assert path_products(other, graph) == path_products(graph.params, graph)
    assert gauge_between(graph, other)[1] > 0.1


def test_control_without_signs_path_products_name_too_little():
    graph = random_graph(2, 1, 1, seed=2)
    graph.params["W"][3, :2] = 0.0  # no edge past the hidden unit
    graph.params["b"].zero_()
    other = {**graph.params, "W": -graph.params["W"]}
    assert path_products(other, graph) == path_products(graph.params, graph)
    assert gauge_between(graph, other)[1] < 1e-12  # the sizes agree,
    assert moved_relative(graph, other) > 0.1  # the functions do not


# --- generator and orbit ---


def test_generator_is_the_velocity_of_the_orbit():
    graph = random_graph(2, 5, 2, seed=3)
    scales = graph.group.random(generator=torch.Generator().manual_seed(3))
    step = 1e-6
    times = torch.tensor([-step, step]).double()
    before, after = orbit(graph.params, scales.log(), graph.group, times)
    slope = (flat(after) - flat(before)) / (2 * step)
    assert_close(flat(generator(graph.params, scales.log(), graph.group)), slope, rtol=0, atol=1e-8)


def test_orbit_composes_like_time():
    graph = random_graph(2, 5, 2, seed=3)
    scales = graph.group.random(generator=torch.Generator().manual_seed(3))
    times = torch.tensor([0.0, 0.3, 1.0]).double()
    points = list(orbit(graph.params, scales.log(), graph.group, times))
    assert_close(points[0], graph.params)
    assert_close(points[2], rescale(graph.params, scales, graph.group))
