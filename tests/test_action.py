"""The action: what it leaves in place, what it moves, and how derivatives follow."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    generator,
    hat,
    mlp_group,
    orbit,
    params_of,
    rescale,
    weight_norm,
)
from tests.graphs import flat, path_products, random_graph, stabiliser_dimension

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
POINTS = torch.randn(7, 3, generator=torch.Generator().manual_seed(1)).double()


def moved_relative(graph, params, activation=torch.relu):
    """How far the function moved from that of `graph.params`, relative to its size."""
    x = POINTS[:, : graph.inputs]
    before = graph(graph.params, x, activation)
    return ((graph(params, x, activation) - before).abs().max() / before.abs().max()).item()


# --- Proposition: positively homogeneous functions of one number -------------------------------

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


# --- Theorem: rescaling symmetry ---------------------------------------------------------------


@given(sizes=sizes, seed=st.integers(0, 10_000), density=st.sampled_from([1.0, 0.6]))
@settings(deadline=None, max_examples=40)
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


@pytest.mark.parametrize("forgotten", ["outgoing weights", "biases", "sign"])
def test_control_half_a_rescaling_moves_the_function(forgotten):
    graph = random_graph(2, 5, 2, seed=8)
    scales = graph.group.random(generator=torch.Generator().manual_seed(8))
    after = rescale(graph.params, scales, graph.group)
    first = graph.inputs + graph.hidden
    if forgotten == "outgoing weights":
        after["W"][first:] = graph.params["W"][first:]
    elif forgotten == "biases":
        after["b"] = graph.params["b"]
    else:
        after = rescale(graph.params, 1 / scales, graph.group)
        after["W"] = graph.params["W"] * (after["W"] / graph.params["W"]).nan_to_num(1.0) ** -1
        after["W"][:first] = graph.params["W"][:first]
    assert moved_relative(graph, after) > 0.05


# --- Proposition: a group action, and the size of its orbits -----------------------------------


@given(sizes=sizes, seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
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
@settings(deadline=None, max_examples=60)
def test_orbits_have_one_dimension_for_each_unit_tied_to_the_outside(sizes, seed, density):
    graph = random_graph(*sizes, seed=seed, density=density)
    graph.params["b"].mul_(graph.params["W"][:, 0] != 0)  # some biases vanish
    assert orbit_dimension(graph) == graph.hidden - stabiliser_dimension(graph)


def test_control_a_unit_with_no_edges_is_moved_by_nothing():
    graph = random_graph(2, 4, 1, seed=0)
    assert orbit_dimension(graph) == 4
    graph.params["W"][3, :] = graph.params["W"][:, 3] = graph.params["b"][3] = 0.0
    assert orbit_dimension(graph) == 3
    scales = torch.tensor([1.0, 5.0, 1.0, 1.0]).double()
    assert_close(rescale(graph.params, scales, graph.group), graph.params, rtol=0, atol=0)


# --- Theorem: path products and signs name the orbit -------------------------------------------


def gauge_between(graph, other):
    """Least-squares log-scales that carry the graph's parameters to `other`, and what they miss."""
    edges = flat(graph.params) != 0
    ratio = (flat(other)[edges] / flat(graph.params)[edges]).abs().log()
    matrix = graph.incidence().T[edges]
    logs = torch.linalg.lstsq(matrix, ratio[:, None], driver="gelsd").solution[:, 0]
    return logs, (matrix @ logs - ratio).abs().max().item()


@given(sizes=sizes, seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_path_products_and_signs_name_the_orbit(sizes, seed):
    graph = random_graph(*sizes, seed=seed)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    other = rescale(graph.params, scales, graph.group)
    before, after = path_products(graph.params, graph), path_products(other, graph)
    assert before.keys() == after.keys()
    assert all(math.isclose(before[k], after[k], rel_tol=1e-10) for k in before)
    logs, missed = gauge_between(graph, other)
    assert missed < 1e-10
    assert_close(logs.exp(), scales, rtol=1e-8, atol=0)


def test_control_other_path_products_mean_another_orbit():
    graph = random_graph(2, 4, 1, seed=2)
    other = {name: value.clone() for name, value in graph.params.items()}
    other["W"][4, 3] *= 1.1  # one weight between hidden units
    assert gauge_between(graph, other)[1] > 0.01


def test_control_without_signs_path_products_name_too_little():
    graph = random_graph(2, 1, 1, seed=2)
    graph.params["W"][3, :2] = 0.0  # no edge past the hidden unit
    graph.params["b"].zero_()
    other = {**graph.params, "W": -graph.params["W"]}
    assert path_products(other, graph) == path_products(graph.params, graph)
    assert gauge_between(graph, other)[1] < 1e-12  # the sizes agree,
    assert moved_relative(graph, other) > 0.1  # the functions do not


# --- Proposition: derivatives transform inversely ----------------------------------------------


def loss_of(graph, targets):
    def loss(params):
        return (graph(params, POINTS[:, : graph.inputs]) - targets).square().mean()

    return loss


def random_problem(seed):
    graph = random_graph(2, 5, 2, seed=seed)
    targets = torch.randn(7, 2, generator=torch.Generator().manual_seed(seed)).double()
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed), log_std=0.7)
    return graph, loss_of(graph, targets), scales


def gradient(loss, params):
    return torch.func.grad(loss)(params)


def hessian(graph, loss, params):
    """Dense Hessian over (W, b) flattened, by differentiating twice."""
    blocks = torch.func.jacrev(torch.func.grad(loss))(params)
    n = {name: value.numel() for name, value in params.items()}
    rows = [torch.cat([blocks[r][c].reshape(n[r], n[c]) for c in "Wb"], dim=1) for r in "Wb"]
    return torch.cat(rows)


@pytest.mark.parametrize("seed", range(5))
def test_gradients_transform_inversely(seed):
    graph, loss, scales = random_problem(seed)
    there = gradient(loss, rescale(graph.params, scales, graph.group))
    here = gradient(loss, graph.params)
    assert_close(there, rescale(here, 1 / scales, graph.group), rtol=1e-10, atol=1e-13)


def test_control_gradients_do_not_transform_like_weights():
    graph, loss, scales = random_problem(0)
    there = gradient(loss, rescale(graph.params, scales, graph.group))
    wrong = rescale(gradient(loss, graph.params), scales, graph.group)
    assert (flat(there) - flat(wrong)).abs().max() > 0.1


@pytest.mark.parametrize("seed", range(5))
def test_hessians_transform_inversely_on_both_sides(seed):
    graph, loss, scales = random_problem(seed)
    there = hessian(graph, loss, rescale(graph.params, scales, graph.group))
    factor = torch.exp(-flat(graph.group.spread(scales.log())))
    expected = factor[:, None] * hessian(graph, loss, graph.params) * factor
    assert_close(there, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_gradient_is_orthogonal_to_orbit(seed):
    graph, loss, scales = random_problem(seed)
    slope = gradient(loss, graph.params)
    tangent = generator(graph.params, scales.log(), graph.group)
    size = flat(slope).norm() * flat(tangent).norm()
    assert abs(flat(slope) @ flat(tangent)) <= 1e-14 * size


def test_control_gradient_of_a_tanh_network_is_not_orthogonal():
    graph, _, scales = random_problem(0)
    x = POINTS[:, : graph.inputs]
    slope = gradient(lambda params: graph(params, x, torch.tanh).square().mean(), graph.params)
    tangent = generator(graph.params, scales.log(), graph.group)
    size = flat(slope).norm() * flat(tangent).norm()
    assert abs(flat(slope) @ flat(tangent)) > 1e-2 * size


def test_the_function_s_jacobian_vanishes_along_the_orbit():
    graph, _, scales = random_problem(1)
    tangent = generator(graph.params, scales.log(), graph.group)
    jacobian = torch.func.jacrev(lambda params: graph(params, POINTS[:, :2]))(graph.params)
    terms = {name: jacobian[name] * tangent[name] for name in tangent}
    derivative = sum(term.flatten(2).sum(-1) for term in terms.values())
    size = sum(term.flatten(2).abs().sum(-1) for term in terms.values())
    assert (derivative.abs() <= 1e-14 * size).all()


# --- Proposition: norm, gradient and curvature are not functions of the function ---------------


def measures(graph, loss, unit, a):
    """Norm, size of the gradient and largest curvature after one unit was rescaled by a."""
    scales = torch.ones(graph.hidden).double()
    scales[unit] = a
    there = rescale(graph.params, scales, graph.group)
    return (
        weight_norm(there, graph.group).item(),
        flat(gradient(loss, there)).norm().item(),
        torch.linalg.matrix_norm(hessian(graph, loss, there), 2).item(),
    )


@pytest.mark.parametrize("direction", [-1, 1])
def test_norm_gradient_and_curvature_are_unbounded_on_an_orbit(direction):
    graph, loss, _ = random_problem(0)
    near, far = (measures(graph, loss, 2, a**direction) for a in (1e3, 1e5))
    growth = [later / earlier for earlier, later in zip(near, far, strict=True)]
    assert growth == pytest.approx([1e2, 1e2, 1e4], rel=0.01)


def test_control_on_a_unit_that_feeds_nobody_shrinking_costs_nothing():
    graph, loss, _ = random_problem(0)
    graph.params["W"][:, 4] = 0.0  # unit 2 of the hidden ones
    near, far = (measures(graph, loss, 2, a) for a in (1e-3, 1e-5))
    assert far == pytest.approx(near, rel=1e-3)


# --- generator and orbit -----------------------------------------------------------------------


def test_generator_is_the_velocity_of_the_orbit():
    graph, _, scales = random_problem(3)
    step = 1e-6
    times = torch.tensor([-step, step]).double()
    before, after = orbit(graph.params, scales.log(), graph.group, times)
    slope = (flat(after) - flat(before)) / (2 * step)
    assert_close(flat(generator(graph.params, scales.log(), graph.group)), slope, rtol=0, atol=1e-8)


def test_orbit_composes_like_time():
    graph, _, scales = random_problem(3)
    times = torch.tensor([0.0, 0.3, 1.0]).double()
    points = list(orbit(graph.params, scales.log(), graph.group, times))
    assert_close(points[0], graph.params)
    assert_close(points[2], rescale(graph.params, scales, graph.group))


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_scales_that_are_not_positive_numbers_are_refused_by_layer_and_unit(bad):
    model = hat()
    params = params_of(model)
    kept = {name: value.clone() for name, value in params.items()}
    with pytest.raises(GaugeError, match=rf"unit 1 of layer '0' has scale {bad}"):
        rescale(params, torch.tensor([1.0, bad, 1.0]), mlp_group(model))
    assert all(torch.equal(params[name], kept[name]) for name in params)


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (torch.ones(4), r"shape \(3,\); found \(4,\)"),
        (torch.ones(1, 3), r"shape \(3,\); found \(1, 3\)"),
        (torch.ones(3, dtype=torch.int64), "floating point"),
        ([1.0, 1.0, 1.0], "found list"),
    ],
)
def test_scales_of_another_shape_or_type_are_refused(scales, message):
    with pytest.raises(GaugeError, match=message):
        rescale(params_of(hat()), scales, mlp_group(hat()))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_parameters_that_are_not_numbers_are_refused_by_name(bad):
    params = params_of(hat())
    params["2.weight"][0, 1] = bad
    with pytest.raises(GaugeError, match=r"'2.weight' holds NaN or infinity"):
        rescale(params, torch.ones(3), mlp_group(hat()))


def test_a_restricted_group_measures_but_does_not_act():
    weights_only = mlp_group(hat()).restrict("weight")
    with pytest.raises(GaugeError, match="counts only parameters of kind 'weight'"):
        rescale(params_of(hat()), torch.ones(3), weights_only)
    with pytest.raises(GaugeError, match="counts only"):
        generator(params_of(hat()), torch.ones(3), weights_only)


def test_times_must_be_a_vector():
    with pytest.raises(GaugeError, match="times"):
        next(orbit(params_of(hat()), torch.ones(3), mlp_group(hat()), torch.tensor(1.0)))


def test_the_caller_s_tensors_stay_untouched():
    graph, _, scales = random_problem(6)
    kept = {name: value.clone() for name, value in graph.params.items()}
    asked = scales.clone()
    moved = rescale(graph.params, scales, graph.group)
    generator(graph.params, scales, graph.group)
    assert all(torch.equal(graph.params[name], kept[name]) for name in kept)
    assert torch.equal(scales, asked)
    assert all(moved[name].data_ptr() != graph.params[name].data_ptr() for name in kept)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_each_parameter_keeps_its_dtype(dtype):
    params = {name: value.to(dtype) for name, value in params_of(hat()).items()}
    moved = rescale(params, torch.tensor([2.0, 0.5, 4.0]).double(), mlp_group(hat()))
    assert {value.dtype for value in moved.values()} == {dtype}
    assert moved["2.weight"].tolist() == [[0.5, -4.0, 0.25]]


@pytest.mark.cuda
def test_rescaling_stays_on_the_device():
    model = hat().cuda()
    moved = rescale(params_of(model), torch.tensor([2.0, 0.5, 4.0]).cuda(), mlp_group(model))
    assert all(value.is_cuda for value in moved.values())
    assert moved["2.weight"].tolist() == [[0.5, -4.0, 0.25]]
