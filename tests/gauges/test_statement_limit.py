"""Large p: one equalised network on each orbit, and every road leads to it."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gaugelib import minimum_norm
from tests.balance.newton import newton
from tests.graphs import path_products, random_graph

wirings = st.builds(
    random_graph,
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 2),
    seed=st.integers(0, 9999),
    density=st.sampled_from([0.5, 0.8, 1.0]),
)


def logs(graph):
    """log|W| with -inf for no weight: (to, from), over all units."""
    with np.errstate(divide="ignore"):
        return np.log(abs(graph.params["W"].numpy()))


def connected(graph):
    W, hidden = graph.params["W"] != 0, slice(graph.inputs, graph.inputs + graph.hidden)
    return bool(W[hidden].any(1).all() and W[:, hidden].any(0).all())


def full(graph, alpha):
    """Dials of all units: 0 at inputs and outputs."""
    return np.concatenate([np.zeros(graph.inputs), alpha, np.zeros(graph.outputs)])


def wanted(w, x, h):
    """Where the dial of unit h has to stand, if the others stand at x."""
    return (np.max(w[:, h] + x) - np.max(w[h] - x)) / 2


def sweep(graph, alpha, order):
    w, x = logs(graph), full(graph, alpha)
    for h in order:
        x[graph.inputs + h] = wanted(w, x, graph.inputs + h)
    return x[graph.inputs : graph.inputs + graph.hidden]


def depth(graph):
    """Largest number of hidden units on a path."""
    W, longest = graph.params["W"].numpy() != 0, np.zeros(graph.units, int)
    for i in range(graph.inputs, graph.inputs + graph.hidden):
        before = [longest[j] for j in range(graph.inputs, i) if W[i, j]]
        longest[i] = 1 + max(before, default=0)
    return int(longest.max())


def equalised(graph, rounds=4000):
    """By sweeps from the last unit to the first, until the dials stand still."""
    alpha = np.zeros(graph.hidden)
    for _ in range(rounds):
        new = sweep(graph, alpha, range(graph.hidden - 1, -1, -1))
        if abs(new - alpha).max() < 1e-15:
            break
        alpha = new
    return new


def gaps(graph, alpha):
    """log of the largest weight in over the largest out, at each unit."""
    w, x = logs(graph), full(graph, alpha)
    there = w + x[:, None] - x
    hidden = range(graph.inputs, graph.inputs + graph.hidden)
    return np.array([there[h].max() - there[:, h].max() for h in hidden])


@given(graph=wirings, seed=st.integers(0, 9999))
def test_every_start_and_every_order_end_at_the_one_equalised_network(graph, seed):
    assume(connected(graph))
    rng, best, K = np.random.default_rng(seed), equalised(graph), depth(graph)
    assert_allclose(gaps(graph, best), 0, atol=1e-12)
    alpha = 5 * rng.standard_normal(graph.hidden)
    for _ in range(60):
        before = abs(alpha - best).max()
        for _ in range(K):
            alpha = sweep(graph, alpha, rng.permutation(graph.hidden))
        assert abs(alpha - best).max() <= (1 - 0.5**K) * before + 1e-12
    alpha = 5 * rng.standard_normal(graph.hidden)
    backwards = sweep(graph, alpha, range(graph.hidden - 1, -1, -1))
    assert abs(backwards - best).max() <= (1 - 0.5**K) * abs(alpha - best).max() + 1e-12


@given(graph=wirings, p=st.sampled_from([2.0, 8.0, 64.0]))
def test_the_minimum_norm_gauges_tend_to_it_at_the_stated_rate(graph, p):
    assume(connected(graph))
    W = graph.params["W"] != 0
    hidden = slice(graph.inputs, graph.inputs + graph.hidden)
    n, K = int(max(W[hidden].sum(1).max(), W[:, hidden].sum(0).max())), depth(graph)
    alpha = newton(graph.params, graph.group, p=p).numpy()
    off = abs(alpha - equalised(graph)).max()
    assert off <= K * 2 ** (K - 1) * np.log(n) / p + 1e-9
    assert abs(gaps(graph, alpha)).max() <= np.log(n) / p + 1e-9


def test_the_library_s_gauges_do():
    graph = random_graph(2, 4, 2, seed=1)
    best = equalised(graph)
    off = []
    for p in (4.0, 16.0, 64.0):
        found = minimum_norm(graph.params, graph.group, p=p, tol=1e-10)
        off.append(abs(found.scales.log().numpy() - best).max())
    assert off[0] > 2 * off[1] > 4 * off[2]


@given(graph=wirings)
def test_its_largest_weight_is_the_largest_geometric_mean_along_a_path(graph):
    assume(connected(graph))
    x = full(graph, equalised(graph))
    largest = (logs(graph) + x[:, None] - x).max()
    paths = path_products({**graph.params, "b": torch.zeros_like(graph.params["b"])}, graph)
    means = [np.log(abs(value)) / (len(path) - 1) for path, value in paths.items() if path[0] >= 0]
    # an edge that no dial moves, from an input to an output, is a path of its own
    assert_allclose(largest, max(means), atol=1e-10)


# --- controls ---


def test_control_the_smallest_largest_weight_is_reached_by_others_too():
    """In [4, 1], out [4, 1]: the second dial is free between ¼ and 4, but equalised only at 1."""
    for a in (0.5, 1.0, 2.0):
        assert max(4.0, 1.0 * a, 1.0 / a) == 4.0
    assert [1.0 * a == 1.0 / a for a in (0.5, 1.0, 2.0)] == [False, True, False]


def test_control_tied_units_in_a_cycle_may_be_equalised_in_many_ways():
    """A residual stream u with a block v: in s, u → v A, v → u B, out t, and st < AB."""
    s, A, B, t = 0.5, 4.0, 1.0, 0.5
    for au in (0.3, 1.0, 3.0):
        av = au * np.sqrt(B / A)  # both edges of the cycle are √(AB) = 2
        into, out = max(s * au, B * au / av), max(t / au, A * av / au)
        assert_allclose([into, out], 2.0)
        assert_allclose(A * av / au, B * au / av)


def test_control_sums_in_the_place_of_largest_weights_end_elsewhere():
    graph = random_graph(2, 4, 2, seed=1)
    assert abs(newton(graph.params, graph.group, p=1.0).numpy() - equalised(graph)).max() > 0.1


@pytest.mark.parametrize("weights", [(8.0, 1.0, 1.0), (0.1, 20.0, 5.0)])
def test_on_a_chain_all_of_them_are_the_same(weights):
    graph = random_graph(1, 2, 1, seed=0)
    W = torch.zeros(4, 4).double()
    for k, (i, w) in enumerate(itertools.zip_longest(range(1, 4), weights)):
        W[i, k] = w
    graph.params["W"] = W
    assert_allclose(newton(graph.params, graph.group, p=2.0).numpy(), equalised(graph), atol=1e-10)
