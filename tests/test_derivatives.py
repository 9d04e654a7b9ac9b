"""Derivatives transform inversely, and can be made as large as one likes."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import generator, rescale, weight_norm
from tests.graphs import POINTS, flat, random_graph

# --- Proposition: derivatives transform inversely ---


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


# --- Proposition: norm, gradient and curvature are not functions of the function ---


def measures(graph, loss, unit, a, p=2.0):
    """Norm, size of the gradient and largest curvature after one unit was rescaled by a."""
    scales = torch.ones(graph.hidden).double()
    scales[unit] = a
    there = rescale(graph.params, scales, graph.group)
    return (
        weight_norm(there, graph.group, p).item(),
        flat(gradient(loss, there)).norm().item(),
        torch.linalg.matrix_norm(hessian(graph, loss, there), 2).item(),
    )


@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_norm_gradient_and_curvature_are_unbounded_on_an_orbit(direction, p):
    graph, loss, _ = random_problem(0)
    near, far = (measures(graph, loss, 2, a**direction, p) for a in (1e7, 1e9))
    growth = [later / earlier for earlier, later in zip(near, far, strict=True)]
    assert growth == pytest.approx([1e2, 1e2, 1e4], rel=0.01)


def test_control_on_a_unit_that_feeds_nobody_shrinking_costs_nothing():
    graph, loss, _ = random_problem(0)
    graph.params["W"][:, 4] = 0.0  # unit 2 of the hidden ones
    near, far = (measures(graph, loss, 2, a) for a in (1e-3, 1e-5))
    assert far == pytest.approx(near, rel=1e-3)
