"""What a rescaling leaves in place: the function, and only if units have two slopes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import rescale
from tests.graphs import POINTS, moved_relative, random_graph

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))


# --- Proposition: positively homogeneous functions of one number ---

HOMOGENEOUS = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "abs": torch.abs,
    "identity": lambda z: z,
    "upside down": lambda z: -3.0 * torch.relu(z) + 0.5 * torch.relu(-z),
}
OTHERS = {
    "tanh": torch.tanh,
    "gelu": torch.nn.functional.gelu,
    "softplus": torch.nn.functional.softplus,
    "square": torch.square,
    "relu plus one": lambda z: torch.relu(z) + 1.0,
}


def distance_from_two_slopes(function):
    z = torch.linspace(-5, 5, 201).double()
    right, left = function(torch.tensor(1.0).double()), function(torch.tensor(-1.0).double())
    return (function(z) - torch.where(z > 0, right * z, -left * z)).abs().max().item()


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_positively_homogeneous_functions_have_two_slopes(name):
    function, z = HOMOGENEOUS[name], torch.linspace(-5, 5, 201).double()
    for a in (0.25, 3.0, 1e3):
        assert_close(function(a * z), a * function(z), rtol=1e-13, atol=0)
    assert distance_from_two_slopes(function) < 1e-14


@pytest.mark.parametrize("name", OTHERS)
def test_control_other_functions_have_not(name):
    function, z = OTHERS[name], torch.linspace(-5, 5, 201).double()
    assert (function(3.0 * z) - 3.0 * function(z)).abs().max() > 0.1
    assert distance_from_two_slopes(function) > 0.01


# --- Theorem: rescaling symmetry ---


@given(sizes=sizes, seed=st.integers(0, 10_000), density=st.sampled_from([1.0, 0.6]))
def test_rescaling_leaves_the_function_in_place(sizes, seed, density):
    graph = random_graph(*sizes, seed=seed, density=density)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    x = POINTS[:, : graph.inputs]
    before = graph(graph.params, x)
    after = graph(rescale(graph.params, scales, graph.group), x)
    # A sum of products of size up to `terms` is only known to the rounding of its largest term.
    absolute = {name: value.abs() for name, value in graph.params.items()}
    terms = graph(absolute, x.abs()).abs().max()
    assert (after - before).abs().max() <= 1e-14 * terms


@pytest.mark.parametrize("seed", range(5))
def test_each_unit_s_output_is_multiplied_by_its_scale(seed):
    graph = random_graph(2, 5, 2, seed=seed)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    after = graph.values(rescale(graph.params, scales, graph.group), POINTS[:, :2])
    factors = torch.cat([torch.ones(2).double(), scales, torch.ones(2).double()])
    assert_close(after, factors * graph.values(graph.params, POINTS[:, :2]))


def test_powers_of_two_leave_it_bitwise_in_place():
    graph = random_graph(3, 6, 2, seed=4)
    scales = 2.0 ** torch.tensor([-9, 3, 0, 20, -1, 7]).double()
    after = rescale(graph.params, scales, graph.group)
    assert torch.equal(graph(after, POINTS), graph(graph.params, POINTS))


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_every_positively_homogeneous_unit_will_do(name):
    graph = random_graph(2, 5, 2, seed=8)
    scales = graph.group.random(generator=torch.Generator().manual_seed(8))
    after = rescale(graph.params, scales, graph.group)
    assert moved_relative(graph, after, HOMOGENEOUS[name]) < 1e-13


def test_control_tanh_units_move_the_function():
    graph = random_graph(2, 5, 2, seed=8)
    scales = graph.group.random(generator=torch.Generator().manual_seed(8))
    after = rescale(graph.params, scales, graph.group)
    assert moved_relative(graph, after, torch.tanh) > 0.05


RULES = {  # factors of a weight and of a bias, where a is the scale of the target, c of the source
    "right": (lambda a, c: a / c, lambda a: a),
    "outgoing weights forgotten": (lambda a, c: a, lambda a: a),
    "incoming weights forgotten": (lambda a, c: 1 / c, lambda a: a),
    "biases forgotten": (lambda a, c: a / c, torch.ones_like),
    "wrong sign at the outgoing weights": (lambda a, c: a * c, lambda a: a),
    "wrong sign at the incoming weights": (lambda a, c: 1 / (a * c), lambda a: a),
    "wrong sign at the biases": (lambda a, c: a / c, lambda a: 1 / a),
}


def by_rule(graph, scales, name):
    """Parameters after a rule, written out over the matrix of all units."""
    ones = [torch.ones(n).double() for n in (graph.inputs, graph.outputs)]
    a = torch.cat([ones[0], scales, ones[1]])
    weight, bias = RULES[name]
    return {"W": graph.params["W"] * weight(a[:, None], a), "b": graph.params["b"] * bias(a)}


@pytest.mark.parametrize("seed", range(5))
def test_rescaling_is_the_rule_as_it_is_written(seed):
    graph = random_graph(2, 5, 2, seed=seed)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    after = rescale(graph.params, scales, graph.group)
    assert_close(after, by_rule(graph, scales, "right"), rtol=1e-14, atol=0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", RULES)
def test_control_half_a_rescaling_moves_the_function(rule, seed):
    graph = random_graph(2, 5, 2, seed=seed)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    moved = moved_relative(graph, by_rule(graph, scales, rule))
    assert moved < 1e-13 if rule == "right" else moved > 0.05


@pytest.mark.parametrize("unit", range(3))
def test_control_a_negative_scale_moves_the_function(unit):
    """The outgoing weights change their sign with the incoming ones: σ(-z) is not -σ(z)."""
    graph = random_graph(2, 3, 2, seed=8)
    scales = graph.group.identity()
    scales[unit] = -1.0
    after = by_rule(graph, scales, "right")
    assert moved_relative(graph, after) > 0.05
    assert moved_relative(graph, after, lambda z: z) < 1e-13  # where σ is odd, it may be negative
