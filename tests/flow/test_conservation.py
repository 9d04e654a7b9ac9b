"""Lemma 3.1: the flow with exponent p conserves the charge with exponent p, at every unit."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.testing import assert_close

from gaugelib import GaugeError, gradient_flow
from tests.flow.problems import charges, drift, linear, problem


@pytest.mark.parametrize("activation", [linear, torch.relu])
@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_runge_kutta_conserves_the_charge_with_p_1_to_rounding(activation, method):
    made = problem(3, 4, 3, 2, activation=activation)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=50, p=1.0, method=method)
    assert drift(path, 1.0) <= 1e-12
    assert drift(path, 2.0) > 1e-2  # the control: another charge is not conserved


def runge_kutta(made, p, length, tableau, steps=20):
    """Steps of the flow with exponent p by a method given by its rows of stages and its weights."""
    *stages, weights = tableau
    theta = made.params
    changed = False
    for _ in range(steps):
        speeds = []
        for row in (*stages, weights):
            at = {
                name: value + length * sum((c * k[name] for c, k in zip(row, speeds)), 0.0)
                for name, value in theta.items()
            }
            changed |= any((at[n].sign() != value.sign()).any() for n, value in theta.items())
            slopes = torch.func.grad(made.loss)(at)
            speeds.append({n: -(at[n].abs() ** (2 - p)) * slope for n, slope in slopes.items()})
        theta = at
    return theta, changed


TABLEAUX = {
    "Heun": [[], [1.0], [0.5, 0.5]],
    "Ralston": [[], [0.5], [0.0, 0.75], [2 / 9, 1 / 3, 4 / 9]],
    "of no order": [[], [0.9], [-0.4, 1.3], [0.2, 0.1, -0.6], [0.7, -0.3, 0.1, 0.8]],
}


@pytest.mark.parametrize("name", TABLEAUX)
@pytest.mark.parametrize("activation", [linear, torch.relu])
def test_any_explicit_runge_kutta_method_conserves_the_charge_with_p_1(name, activation):
    made = problem(3, 4, 3, 2, activation=activation)
    end, changed = runge_kutta(made, 1.0, 0.01, TABLEAUX[name])
    assert not changed
    assert (charges(end, 1.0) - charges(made.params, 1.0)).abs().max() <= 1e-12
    for p in (1.5, 2.0):  # the control: each other charge moves in its own flow
        end, _ = runge_kutta(made, p, 0.01, TABLEAUX["of no order"])
        assert (charges(end, p) - charges(made.params, p)).abs().max() > 1e-5


def test_control_a_step_that_changes_a_sign_does_not_conserve_the_charge_with_p_1():
    made = problem(3, 4, 3, 2, activation=linear)
    end, changed = runge_kutta(made, 1.0, 3.0, TABLEAUX["Heun"], steps=1)
    assert changed
    assert (charges(end, 1.0) - charges(made.params, 1.0)).abs().max() > 1e-2


@pytest.mark.parametrize("p", [0.5, 1.5, 2.0])
def test_the_charge_is_conserved_on_smooth_stretches(p):
    made = problem(3, 4, 3, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=100, p=p)
    assert drift(path, p) <= 1e-9
    assert drift(path, 2.5) > 1e-2  # the control


def test_for_p_3_the_charge_is_conserved_until_a_weight_reaches_zero():
    made = problem(3, 4, 3, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.1, steps=50, p=3.0)
    assert drift(path, 3.0) <= 1e-9
    assert drift(path, 2.0) > 1e-2  # the control


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0])
def test_the_implicit_midpoint_conserves_every_charge_to_rounding(p):
    made = problem(3, 4, 3, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=25, p=p, method="midpoint")
    assert drift(path, p) <= 1e-12
    coarse = gradient_flow(made.loss, made.params, until=0.5, steps=25, p=2.0, method="euler")
    assert drift(coarse, 2.0) > 1e-4  # the control: an explicit method of as many steps


@pytest.mark.parametrize("p", [1.5, 2.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_implicit_midpoint_conserves_every_charge_across_kinks(p, seed):
    made = problem(3, 4, 3, 2, seed=seed)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=50, p=p, method="midpoint")
    assert drift(path, p) <= 1e-12
    if p == 2.0:  # the control: the kinks cost Runge-Kutta more than a thousand times as much
        explicit = gradient_flow(made.loss, made.params, until=0.5, steps=50)
        assert drift(explicit, 2.0) > 1e-9


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_where_the_flow_slides_along_a_kink_the_midpoint_is_an_error(seed):
    made = problem(3, 4, 3, 2, seed=seed)
    with pytest.raises(GaugeError, match=r"did not solve .* slides along a kink"):
        gradient_flow(made.loss, made.params, until=0.5, steps=50, method="midpoint")


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_another_modulation_does_not_conserve(p):
    made = problem(3, 4, 3, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=20, p=3.0 - p)
    assert drift(path, p) > 1e-2


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_a_tanh_network_conserves_nothing(p):
    made = problem(3, 4, 3, 2, activation=torch.tanh)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=20, p=p)
    assert drift(path, p) > 1e-2


def test_control_the_charge_without_trained_biases_is_not_conserved():
    made = problem(3, 4, 3, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=20)
    assert drift(path, 2.0, biases=False) > 1e-2


@pytest.mark.parametrize(
    ("p", "decay", "q"), [(1, 0.0, 1), (1.5, 0.2, 1.5), (2, 0.3, 2), (1, 0.2, 2), (2, 0.1, 1.5)]
)
@pytest.mark.parametrize("method", ["rk4", "midpoint"])
def test_the_flow_is_the_solution_that_another_integrator_finds(p, decay, q, method):
    made = problem(2, 3, 2, activation=linear)
    names, values = list(made.params), list(made.params.values())
    sizes = [value.numel() for value in values]

    def velocity(_, theta):
        vector = torch.from_numpy(theta.copy()).requires_grad_()
        parts = vector.split(sizes)
        loss = made.loss({n: x.view(v.shape) for n, v, x in zip(names, values, parts)})
        (slope,) = torch.autograd.grad(loss, vector)
        penalty = decay * np.sign(theta) * np.abs(theta) ** (q - 1)
        return -(np.abs(theta) ** (2 - p)) * (slope.numpy() + penalty)

    start = torch.cat([value.flatten() for value in values]).numpy()
    solved = solve_ivp(velocity, (0, 0.5), start, method="DOP853", rtol=1e-11, atol=1e-12)
    path = gradient_flow(
        made.loss, made.params, until=0.5, steps=50, p=p, decay=decay, decay_p=q, method=method
    )
    end = torch.cat([value.flatten() for value in path.at(-1).values()])
    near = 1e-8 if method == "rk4" else 1e-4  # order 4, order 2
    assert_close(end, torch.from_numpy(solved.y[:, -1].copy()), rtol=0, atol=near)
    assert np.abs(solved.y[:, -1] - start).max() > 0.1  # the control: it went somewhere


def test_frozen_parameters_stay_and_the_others_move():
    made = problem(3, 4, 2)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=20, frozen=["0.bias", "2.weight"])
    for name, values in path.params.items():
        assert torch.equal(values[0], made.params[name])
        assert torch.equal(values[-1], values[0]) == (name in {"0.bias", "2.weight"})


def test_a_frozen_outgoing_layer_breaks_the_law():
    made = problem(3, 4, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=50, frozen=["2.weight"])
    assert drift(path, 2.0) > 1e-2


def heavy_ball(made, friction=0.5, h=0.01):
    """Along θ'' + β θ' = -∇L: how far the charges move, and both sides of their law at times."""
    names, values = list(made.params), list(made.params.values())
    sizes = [value.numel() for value in values]

    def unpack(vector):
        parts = torch.from_numpy(vector.copy()).split(sizes)
        return {name: x.view(v.shape) for name, v, x in zip(names, values, parts)}

    def acceleration(_, state):
        theta, speed = np.split(state, 2)
        leaves = {name: value.requires_grad_() for name, value in unpack(theta).items()}
        slopes = torch.autograd.grad(made.loss(leaves), list(leaves.values()))
        slope = torch.cat([value.flatten() for value in slopes]).numpy()
        return np.concatenate([speed, -friction * speed - slope])

    start = torch.cat([value.flatten() for value in values]).numpy()
    state = np.concatenate([start, np.zeros_like(start)])
    solved = solve_ivp(
        acceleration, (0, 2), state, "DOP853", dense_output=True, rtol=1e-12, atol=1e-13
    )

    def at(t):
        return charges(unpack(np.split(solved.sol(t), 2)[0]), 2.0)

    def sides(t):
        far, near, here = (at(t - 2 * h), at(t + 2 * h)), (at(t - h), at(t + h)), at(t)
        first = (8 * (near[1] - near[0]) - (far[1] - far[0])) / (12 * h)
        second = (16 * (near[0] + near[1]) - far[0] - far[1] - 30 * here) / (12 * h**2)
        return second + friction * first, 2 * charges(unpack(np.split(solved.sol(t), 2)[1]), 2.0)

    return (at(2.0) - at(0.0)).abs().max(), [sides(t) for t in (0.3, 1.0, 1.7)]


def test_heavy_ball_does_not_conserve_but_obeys_a_law_of_second_order():
    """Its law: Δ'' + β Δ' = 2 (|θ'|² flowing in - |θ'|² flowing out)."""
    moved, laws = heavy_ball(problem(2, 3, 2, activation=linear))
    for left, right in laws:
        assert_close(left, right, rtol=0, atol=1e-5)
        assert right.abs().max() > 1e-2
    assert moved > 1e-2


def test_control_heavy_ball_with_a_tanh_network_obeys_no_such_law():
    _, laws = heavy_ball(problem(2, 3, 2, activation=torch.tanh))
    assert max((left - right).abs().max() for left, right in laws) > 1e-3
