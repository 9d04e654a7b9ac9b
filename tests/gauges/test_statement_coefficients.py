"""One bowl for any coefficients: when it has a lowest point, when only one, and who finds it."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from gaugelib import GaugeError, balance_coefficients
from tests.gauges.bowls import bowl, flat, incidence, lowest
from tests.graphs import random_graph

exponents = st.sampled_from([-2.0, -1.0, 0.5, 1.0, 2.0, 8.0])
wirings = st.builds(
    random_graph,
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(1, 2),
    seed=st.integers(0, 9999),
    density=st.sampled_from([0.2, 0.35, 0.6, 1.0]),
)


def coefficients(graph, biases=True):
    """Squares of the weights, which are zero where the wiring has none."""
    c = {name: value.square() for name, value in graph.params.items()}
    return c if biases else {**c, "b": torch.zeros_like(c["b"])}


def dense(graph, c):
    """B and c over the positive coefficients alone."""
    B, c = incidence(graph.group), flat(c, graph.group)
    return B[:, c > 0], c[c > 0]


def on_paths(graph, c):
    """Which units lie on a path of positive coefficients, and which positive coefficients do."""
    W, b, n = c["W"].numpy() > 0, c["b"].numpy() > 0, graph.units
    behind = np.array([i < graph.inputs or bool(b[i]) for i in range(n)])
    ahead = np.arange(n) >= graph.inputs + graph.hidden
    for _ in range(n):
        behind |= W @ behind
        ahead |= ahead @ W
    hidden = slice(graph.inputs, graph.inputs + graph.hidden)
    units = (behind & ahead)[hidden]
    edges = all(behind[j] and ahead[i] for i, j in zip(*np.nonzero(W), strict=True))
    return units, edges and all(ahead[i] for i in np.nonzero(b)[0])


def recedes(B):
    """How far a direction in a box can lower terms and raise none: by linear programming."""
    return -linprog(B.sum(1), A_ub=B.T, b_ub=np.zeros(B.shape[1]), bounds=(-1, 1)).fun


@given(graph=wirings, k=exponents, seed=st.integers(0, 9999))
def test_it_is_convex(graph, k, seed):
    B, c = dense(graph, coefficients(graph))
    a, b = np.random.default_rng(seed).standard_normal((2, graph.hidden))
    assert bowl(B, c, k, (a + b) / 2) <= (bowl(B, c, k, a) + bowl(B, c, k, b)) / 2 * (1 + 1e-12)


@given(graph=wirings, k=exponents, biases=st.booleans(), seed=st.integers(0, 9999))
def test_the_solver_of_the_minimum_norm_finds_where_it_is_lowest(graph, k, biases, seed):
    c = coefficients(graph, biases)
    units, _ = on_paths(graph, c)
    assume(units.all())
    found = balance_coefficients(c, graph.group, exponent=k, tol=1e-12)
    B, dense_c = dense(graph, c)
    alpha = found.scales.log().numpy()
    assert_allclose(alpha, lowest(B, dense_c, k), atol=1e-8)
    flow = dense_c * np.exp(k * (alpha @ B))
    assert_allclose(B @ flow, 0, atol=1e-9 * flow.sum())
    assert_allclose(flat(found.params, graph.group).sum(), flow.sum(), rtol=1e-9)
    others = alpha + np.random.default_rng(seed).standard_normal((20, graph.hidden))
    assert all(bowl(B, dense_c, k, other) > flow.sum() for other in others)


@given(graph=wirings, biases=st.booleans())
def test_it_has_a_lowest_point_if_and_only_if_all_positive_coefficients_lie_on_paths(graph, biases):
    """Else a direction lowers terms and raises none: what linear programming finds."""
    c = coefficients(graph, biases)
    B, _ = dense(graph, c)
    assume(B.shape[1])
    assert (recedes(B) < 1e-9) == on_paths(graph, c)[1]


@given(graph=wirings, biases=st.booleans())
def test_it_has_exactly_one_if_and_only_if_all_units_do(graph, biases):
    c = coefficients(graph, biases)
    B, _ = dense(graph, c)
    assume(B.shape[1])
    one = recedes(B) < 1e-9 and np.linalg.matrix_rank(B) == graph.hidden
    assert one == on_paths(graph, c)[0].all()


# --- controls ---


def two_units(first, second):
    """One input, two units, one output: c in and c out of each."""
    B = np.array([[1.0, -1.0, 0, 0], [0, 0, 1.0, -1.0]])
    return B, np.array([*first, *second])


def test_control_a_unit_without_coefficients_costs_uniqueness_and_not_the_minimum():
    """It lies on no path; the bowl is a valley along its dial, and attains its minimum 2."""
    B, c = two_units((1.0, 1.0), (0.0, 0.0))
    assert recedes(B[:, c > 0]) < 1e-12
    values = [bowl(B, c, 2.0, np.array([0.0, other])) for other in (-3.0, 0.0, 5.0)]
    assert values == [2.0, 2.0, 2.0]


def test_control_coefficients_on_one_side_have_no_lowest_point():
    B, c = two_units((1.0, 1.0), (1.0, 0.0))
    assert recedes(B[:, c > 0]) > 0.5
    values = [bowl(B, c, 2.0, np.array([0.0, other])) for other in (0.0, -5.0, -10.0)]
    assert values[0] > values[1] > values[2] > 2.0


def test_control_a_cycle_of_tied_units_is_a_minimum_without_any_path():
    """u feeds v and v feeds u, nobody else: attained along a line, both dials turned alike."""
    B, c = np.array([[-1.0, 1.0], [1.0, -1.0]]), np.array([4.0, 1.0])
    assert recedes(B) < 1e-12
    at = np.array([0.0, -np.log(2) / 2])
    assert_allclose([bowl(B, c, 2.0, at + turn) for turn in (0.0, 3.0)], 4.0)
    assert bowl(B, c, 2.0, at + np.array([0.1, 0.0])) > 4.0


@pytest.mark.parametrize("k", [-2.0, 2.0])
def test_control_with_the_other_sign_of_the_exponent_it_is_not_balanced(k):
    graph = random_graph(2, 4, 2, seed=3)
    c = coefficients(graph)
    found = balance_coefficients(c, graph.group, exponent=k, tol=1e-12)
    B, dense_c = dense(graph, c)
    wrong = dense_c * np.exp(-k * (found.scales.log().numpy() @ B))
    assert abs(B @ wrong).max() > 0.1 * wrong.sum()


def test_control_a_negative_coefficient_bends_the_bowl_down_and_is_refused():
    B, c = two_units((1.0, 1.0), (1.0, -1.0))
    a, b = np.array([0.0, -1.0]), np.array([0.0, 1.0])
    assert bowl(B, c, 2.0, (a + b) / 2) <= (bowl(B, c, 2.0, a) + bowl(B, c, 2.0, b)) / 2
    a, b = np.array([0.0, -2.0]), np.array([0.0, -1.0])
    assert bowl(B, c, 2.0, (a + b) / 2) > (bowl(B, c, 2.0, a) + bowl(B, c, 2.0, b)) / 2
    graph = random_graph(2, 3, 1, seed=0)
    bad = {**coefficients(graph), "b": -torch.ones_like(graph.params["b"])}
    with pytest.raises(GaugeError, match="negative"):
        balance_coefficients(bad, graph.group, exponent=-2.0)
