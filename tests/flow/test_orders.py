"""How fast the charge drifts: the order of each method, measured by halving its step."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import gradient_flow
from tests.flow.problems import charges, drift, linear, problem, slopes

STEPS = [40, 80, 160]


def drifts(made, p, method, steps=STEPS):
    return [
        drift(gradient_flow(made.loss, made.params, until=0.5, steps=n, p=p, method=method), p)
        for n in steps
    ]


@pytest.mark.parametrize("activation", [linear, torch.relu])
def test_euler_drifts_in_proportion_to_its_step_over_a_fixed_time(activation):
    made = problem(3, 4, 3, 2, activation=activation)
    assert slopes(STEPS, drifts(made, 2.0, "euler")) == pytest.approx([1.0, 1.0], abs=0.1)


def test_euler_drifts_with_the_square_of_its_step_in_one_step():
    made = problem(3, 4, 3, 2)
    sizes = [
        drift(
            gradient_flow(made.loss, made.params, until=0.5 / n, steps=1, method="euler"), 2.0
        )
        for n in STEPS
    ]  # fmt: skip
    assert slopes(STEPS, sizes) == pytest.approx([2.0, 2.0], abs=1e-6)


def drift_and_bound(activation, steps, until=0.5):
    """The largest drift of a charge by gradient descent, and η T g² with the largest gradient."""
    made = problem(3, 4, 3, 2, activation=activation)
    options = {"until": until, "steps": steps, "method": "euler", "saved": steps + 1}
    path = gradient_flow(made.loss, made.params, **options)
    squares = []
    for k in range(steps):  # the last state is not stepped from
        slopes = torch.func.grad(made.loss)(path.at(k))
        squares.append(sum(float(slope.square().sum()) for slope in slopes.values()))
    return drift(path, 2.0), until / steps * until * max(squares)


@pytest.mark.parametrize("activation", [linear, torch.relu])
@pytest.mark.parametrize("steps", [10, 80])
def test_the_drift_of_gradient_descent_is_bounded_by_its_step_and_gradients(activation, steps):
    moved, bound = drift_and_bound(activation, steps)
    assert 0.0 < moved <= bound


@pytest.mark.parametrize("steps", [1, 10])
def test_the_bound_on_the_drift_is_reached(steps):
    """One neuron, nearly all of whose gradient is that of its incoming weight."""
    start = {"into": torch.tensor([1e-3]).double(), "out": torch.tensor([1.0]).double()}
    path = gradient_flow(
        lambda theta: -(theta["into"] * theta["out"]).sum(),
        start, until=0.01, steps=steps, method="euler", saved=steps + 1,
    )  # fmt: skip
    states = [(float(path.at(k)["into"]), float(path.at(k)["out"])) for k in range(steps + 1)]
    moved = (states[-1][0] ** 2 - states[-1][1] ** 2) - (states[0][0] ** 2 - states[0][1] ** 2)
    bound = 0.01 / steps * 0.01 * max(w * w + v * v for w, v in states[:-1])
    assert 0.999 * bound < moved <= bound


def test_the_drift_per_step_size_tends_to_an_integral_along_the_flow():
    """Δ(T) - Δ(0) = η ∫ (|g in|² - |g out|²) dt + O(η²): its first coefficient, extrapolated."""
    made = problem(3, 4, 3, 2, activation=linear)

    def coefficient(steps):
        path = gradient_flow(made.loss, made.params, until=0.5, steps=steps, method="euler")
        return (charges(path.at(-1), 2.0) - charges(path.at(0), 2.0)) * steps / 0.5

    exact = gradient_flow(made.loss, made.params, until=0.5, steps=100)
    rate = exact.map(lambda theta: charges(torch.func.grad(made.loss)(theta), 2.0))
    integral = (rate[0] + 4 * rate[1:-1:2].sum(0) + 2 * rate[2:-1:2].sum(0) + rate[-1]) / 600
    coarse, middle, fine = (coefficient(n) for n in (40, 80, 160))
    extrapolated = (8 * fine - 6 * middle + coarse) / 3
    assert_close(extrapolated, integral, rtol=0, atol=2e-5)
    assert (1.01 * integral - extrapolated).abs().max() > 1e-3  # the control


def test_control_a_tanh_network_drifts_further_than_the_bound():
    moved, bound = drift_and_bound(torch.tanh, 320)
    assert moved > bound


def test_runge_kutta_has_order_4_on_smooth_stretches():
    made = problem(3, 4, 3, 2, activation=linear)
    steps = [10, 20, 40]
    assert slopes(steps, drifts(made, 2.0, "rk4", steps)) == pytest.approx([4.0, 4.0], abs=0.4)


@pytest.mark.parametrize("seed", [0, 1])
def test_control_kinks_that_are_crossed_reduce_the_order_of_runge_kutta(seed):
    made, steps = problem(3, 4, 3, 2, seed=seed), [25, 200]
    # One step is wrong by O(η²) at each crossing, by more or less as it falls: far from order 4.
    (order,) = slopes(steps, drifts(made, 2.0, "rk4", steps))
    assert order < 3.0


@pytest.mark.parametrize("seed", [2, 3])
def test_control_a_flow_that_slides_along_a_kink_leaves_runge_kutta_order_1(seed):
    made = problem(3, 4, 3, 2, seed=seed)  # one neuron switches on and off all the way, on one x
    assert slopes(STEPS, drifts(made, 2.0, "rk4")) == pytest.approx([1.0, 1.0], abs=0.1)


def test_the_state_itself_converges_with_the_order_of_the_method():
    made = problem(3, 4, 2, activation=linear)

    def end(steps, method):
        path = gradient_flow(made.loss, made.params, until=0.5, steps=steps, method=method)
        return torch.cat([value.flatten() for value in path.at(-1).values()])

    exact, steps = end(160, "rk4"), [10, 20, 40]
    for method, order in [("euler", 1.0), ("midpoint", 2.0), ("rk4", 4.0)]:
        errors = [float((end(n, method) - exact).norm()) for n in steps]
        assert slopes(steps, errors)[-1] == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("activation", [linear, torch.relu])
def test_the_exponentiated_update_drifts_where_euler_does_not(activation):
    """θ ← θ exp(-η sgn(θ) ∂L): additive in log θ, so the charge is not linear in what it adds."""
    made = problem(3, 4, 3, 2, activation=activation)

    def drift_of_update(steps):
        theta = {name: value.clone().requires_grad_() for name, value in made.params.items()}
        for _ in range(steps):
            grads = torch.autograd.grad(made.loss(theta), list(theta.values()))
            theta = {
                name: (value * torch.exp(-value.sign() * 0.5 * grad / steps))
                .detach()
                .requires_grad_()
                for (name, value), grad in zip(theta.items(), grads)
            }
        return float((charges(theta, 1.0) - charges(made.params, 1.0)).detach().abs().max())

    found = [drift_of_update(n) for n in STEPS]
    assert slopes(STEPS, found) == pytest.approx([1.0, 1.0], abs=0.1)
    assert found[-1] > 1e-5
    assert max(drifts(made, 1.0, "euler")) <= 1e-12
