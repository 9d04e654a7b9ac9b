"""Curvature along the orbit: H A_hθ = -A_h∇L, so the orbit is level and curved at once."""

from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from gaugelib import rescale
from tests.curvature.vector import by_hand, flat, layered, network, slope_and_products, unflat
from tests.flow.problems import problem
from tests.flow.wirings import WIRINGS, charges_by_hand, problem_of
from tests.tracing.zoo import ZOO, build

KINDS = {"relu": torch.relu, "leaky": lambda z: leaky_relu(z, 0.2), "tanh": torch.tanh}


@cache
def of_zoo(name):
    """A loss of the outputs, θ and B."""
    net = network(*build(name))
    draw = torch.Generator().manual_seed(1)
    targets = torch.randn(len(net.outputs(net.theta)), generator=draw, dtype=torch.float64)
    return net.squares(targets), net.theta, net.incidence()


def mlp(kind, seed=0):
    return problem(3, 5, 4, 2, activation=KINDS[kind], seed=seed)


def relative(found, expected):
    """The error of each column, relative to the column; where that is zero, the error itself."""
    size = expected.norm(dim=0)
    return ((found - expected).norm(dim=0) / torch.where(size > 0, size, 1.0)).max()


def left_over(loss, theta, tangents):
    """How far H v_h is from -A_h∇L."""
    gradient, products = slope_and_products(loss, theta, tangents)
    return relative(products, -(tangents / theta[:, None]) * gradient[:, None])


# --- (i) the identity ---


@pytest.mark.parametrize("name", ZOO)
def test_the_hessian_of_a_tangent_is_minus_the_turned_gradient(name):
    loss, theta, incidence = of_zoo(name)
    gradient, products = slope_and_products(loss, theta, (incidence * theta).T)
    turned = (incidence * gradient).T
    assert relative(products, -turned) <= 1e-12
    assert relative(products, turned) > 1  # the control: a wrong sign


@pytest.mark.parametrize("name", ZOO)
def test_in_any_direction_along_the_orbit(name):
    loss, theta, incidence = of_zoo(name)
    draw = torch.Generator().manual_seed(2)
    rates = torch.randn(3, len(incidence), generator=draw, dtype=torch.float64) @ incidence
    gradient, products = slope_and_products(loss, theta, (rates * theta).T)
    assert relative(products, -(rates * gradient).T) <= 1e-12
    curved, terms = (rates * theta * products.T).sum(1), rates.square() * theta * gradient
    assert_close(curved, -terms.sum(1), rtol=0, atol=1e-12 * float(terms.abs().sum()))


@pytest.mark.parametrize("name", WIRINGS)
def test_with_tangents_written_out_by_hand(name):
    assert left_over(*by_hand(name)) <= 1e-12


@pytest.mark.parametrize("kind", ["relu", "leaky"])
def test_for_layers_at_many_points(kind):
    for seed in range(20):
        assert left_over(*layered(mlp(kind, seed))) <= 1e-12


@given(seed=st.integers(0, 9999), negative=st.sampled_from([0, 1, -2, 3]))
def test_in_whole_numbers_nothing_is_left_over(seed, negative):
    """Small whole numbers are added and multiplied without rounding."""
    draw = torch.Generator().manual_seed(seed)
    whole = lambda *shape: torch.randint(-4, 5, shape, generator=draw).double()  # noqa: E731
    x, y, into, out = 2 * whole(6, 3), whole(6, 2), whole(4, 3), whole(2, 4)
    x[:, 0], into[:, 0] = 1.0, 2 * into[:, 0] + 1  # z is odd: no unit is at its kink
    params = {"into": into, "out": out}

    def loss(theta):
        z = x @ theta["into"].T
        return (torch.where(z > 0, z, negative * z) @ theta["out"].T - y).square().sum()

    gradient = torch.func.grad(loss)(params)
    for unit in torch.eye(4).double():
        way = flat({"into": unit[:, None] * into, "out": -unit * out})
        theta = flat(params)
        product = slope_and_products(lambda v: loss(unflat(v, params)), theta, way[:, None])[1]
        expected = {"into": -unit[:, None] * gradient["into"], "out": unit * gradient["out"]}
        assert torch.equal(product[:, 0], flat(expected))


def test_control_tanh_leaves_something_over():
    for seed in range(3):
        assert left_over(*layered(mlp("tanh", seed))) > 0.1


def test_control_units_counted_at_their_first_use_only_leave_something_over():
    assert left_over(*by_hand("tied", tied=False)) > 0.01


def test_control_a_loss_that_sees_the_weights_leaves_its_own_part_over():
    loss, theta, tangents = layered(mlp("relu"))
    seeing = lambda vector: loss(vector) + 0.05 * vector.square().sum()  # noqa: E731
    gradient, products = slope_and_products(seeing, theta, tangents)
    left = products + tangents / theta[:, None] * gradient[:, None]
    assert_close(left, 0.2 * tangents, rtol=1e-12, atol=1e-12)  # half of it from H, half from ∇


# --- (ii) the curvature ---


def curvatures(made):
    loss, theta, tangents = layered(made)
    return (tangents * slope_and_products(loss, theta, tangents)[1]).sum(0)


def into_units(made):
    """⟨g_in, w_in⟩ by rows."""
    gradient = torch.func.grad(made.loss)(made.params)
    term = {name: gradient[name] * value for name, value in made.params.items()}
    return torch.cat([term[f"{k}.weight"].sum(1) + term[f"{k}.bias"] for k in (0, 2)])


@pytest.mark.parametrize("kind", ["relu", "leaky"])
def test_it_is_minus_twice_what_flows_in_and_of_either_sign(kind):
    found = torch.stack([curvatures(mlp(kind, seed)) for seed in range(5)])
    expected = torch.stack([-2 * into_units(mlp(kind, seed)) for seed in range(5)])
    assert_close(found, expected, rtol=1e-12, atol=1e-13)
    assert found.min() < -1e-2
    assert found.max() > 1e-2
    assert (found + expected).abs().max() > 1e-2  # the control: a wrong sign


@pytest.mark.parametrize("kind", ["relu", "leaky", "tanh"])
def test_the_tangent_is_curved_where_the_orbit_is_level(kind):
    """Second differences of the loss along the straight line, and the loss along the orbit.

    That they agree with H also says that no unit switches on the line: the point is off the kinks.
    """
    made, step = mlp(kind), 1e-4
    loss, theta, tangents = layered(made)
    here, exact = loss(theta), curvatures(made)
    line, orbit = [], []
    for h in range(made.group.units):
        ends = [loss(theta + s * step * tangents[:, h]) for s in (1, -1)]
        line.append((sum(ends) - 2 * here) / step**2)
        scales = torch.ones(made.group.units).double()
        for scales[h] in (0.5, 3.0):
            orbit.append(made.loss(rescale(made.params, scales, made.group)) - here)
    assert_close(torch.stack(line), exact, rtol=1e-5, atol=1e-6)
    assert exact.abs().max() > 1e-2
    moved = torch.stack(orbit).abs().max()
    assert moved > 1e-2 if kind == "tanh" else moved < 1e-13  # the control: tanh has no orbit


def test_control_the_curvature_of_tanh_is_another_number():
    made = mlp("tanh")
    assert (curvatures(made) + 2 * into_units(made)).abs().max() > 1e-2


# --- (iii) the charge ---


@pytest.mark.parametrize("name", WIRINGS)
@pytest.mark.parametrize("step", [0.3, 0.01])
def test_a_step_moves_the_charge_by_the_same_number(name, step):
    params = problem_of(name)[0]
    loss, theta, tangents = by_hand(name)
    gradient, products = slope_and_products(loss, theta, tangents)
    found = gradient @ products
    # |g_out|² - |g_in|² is minus the charge that the gradient would have
    expected = -charges_by_hand(name, unflat(gradient, params), 2.0)
    assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert expected.abs().max() > 1e-3
    after = unflat(theta - step * gradient, params)
    moved = charges_by_hand(name, after, 2.0) - charges_by_hand(name, params, 2.0)
    assert_close(moved, -(step**2) * found, rtol=1e-9, atol=1e-13)
    assert (moved - step**2 * found).abs().max() > 1e-6  # the control: a wrong sign
