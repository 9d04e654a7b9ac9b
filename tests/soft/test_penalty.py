"""The penalty on imbalance acts along the orbit alone; that on log-ratios does not."""

import math

import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import minimize
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    generator,
    hat,
    mlp_group,
    params_of,
    soft_penalty,
    soft_step,
)
from tests.balance.networks import initialised
from tests.soft.problems import (
    NETWORKS,
    POINTS,
    flat,
    imbalance_by_hand,
    loss_of,
    moved_relative,
    network,
    ratios,
    slope,
    unit_of,
)


def along(a, b):
    """Cosine of the angle between two directions."""
    return float(flat(a) @ flat(b) / (flat(a).norm() * flat(b).norm()))


# --- the gradient ---


@pytest.mark.parametrize("name", NETWORKS)
def test_the_penalty_is_a_quarter_of_the_squared_imbalance(name):
    _, _, params, group = network(name)
    expected = 0.3 / 4 * imbalance_by_hand(params, group, True).square().sum()
    assert_close(soft_penalty(params, group, strength=0.3), expected, rtol=1e-12, atol=0.0)
    by_ratio = soft_penalty(params, group, kind="log-ratio", strength=0.3, include_bias=False)
    assert_close(by_ratio, 0.15 * ratios(params, group).square().sum(), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("name", NETWORKS)
def test_its_gradient_is_the_tangent_of_the_orbit(name):
    _, _, params, group = network(name)
    found = slope(lambda p: soft_penalty(p, group, strength=0.3), params)
    expected = generator(params, 0.3 * imbalance_by_hand(params, group, True), group)
    assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_its_gradient_is_orthogonal_to_that_of_the_loss(name):
    model, example, params, group = network(name)
    down = slope(loss_of(model, example), params)
    assert abs(along(down, slope(lambda p: soft_penalty(p, group), params))) < 1e-12


@pytest.mark.parametrize("name", NETWORKS)
def test_control_other_penalties_are_not_orthogonal_to_it(name):
    model, example, params, group = network(name)
    down = slope(loss_of(model, example), params)
    by_ratio = slope(lambda p: soft_penalty(p, group, kind="log-ratio"), params)
    weights_only = slope(lambda p: soft_penalty(p, group, include_bias=False), params)
    for other in (by_ratio, weights_only, params):  # the last is weight decay's
        assert abs(along(down, other)) > 1e-4


def test_without_hidden_biases_what_counts_is_the_same():
    params, group = initialised((3, 6, 5, 2), bias=True)
    for name in ("0.bias", "2.bias"):
        params[name].zero_()
    both = [
        slope(lambda p, b=counts: soft_penalty(p, group, include_bias=b), params)
        for counts in (True, False)
    ]
    assert_close(*both)


def test_it_can_be_batched_over_networks():
    each = [initialised((3, 5, 4, 2), seed=seed)[0] for seed in range(3)]
    group = initialised((3, 5, 4, 2))[1]
    batch = {name: torch.stack([one[name] for one in each]) for name in each[0]}
    found = torch.func.vmap(torch.func.grad(lambda p: soft_penalty(p, group)))(batch)
    for k, one in enumerate(each):
        expected = slope(lambda p: soft_penalty(p, group), one)
        assert_close({name: value[k] for name, value in found.items()}, expected)


# --- alone, as a flow in parameter space ---


def flowed(params, group, kind, until, strength=1.0):
    """The penalty's own gradient flow, by SciPy, over all parameters."""
    sizes = [value.numel() for value in params.values()]

    def unpack(vector):
        parts = torch.as_tensor(vector).split(sizes)
        return {n: part.view(v.shape) for (n, v), part in zip(params.items(), parts)}

    def speed(_, vector):
        penalty = lambda p: soft_penalty(p, group, kind=kind, strength=strength)  # noqa: E731
        return -flat(slope(penalty, unpack(vector))).numpy()

    found = solve_ivp(
        speed, (0, until), flat(params).numpy(), method="DOP853", rtol=1e-9, atol=1e-12
    )
    return unpack(found.y[:, -1])


def test_it_slides_along_the_hyperbola():
    params, group = unit_of(3.0, 0.5)
    there = flowed(params, group, "imbalance", 5.0)
    r, s = (there[name].norm() for name in ("0.weight", "2.weight"))
    assert_close(torch.stack([r, s]), torch.full((2,), 1.5).double().sqrt(), rtol=1e-7, atol=0.0)


def test_control_the_log_ratio_slides_along_the_circle():
    params, group = unit_of(3.0, 0.5)
    there = flowed(params, group, "log-ratio", 40.0)
    r, s = (float(there[name].norm()) for name in ("0.weight", "2.weight"))
    assert math.isclose(r * r + s * s, 9.25, rel_tol=1e-7)
    assert math.isclose(r * s / 1.5, math.cosh(math.log(6)), rel_tol=1e-6)
    assert math.cosh(math.log(6)) > 3.08


def contributions(params):
    """What each hidden unit does to the output, as a matrix: shape (units, outputs, inputs)."""
    return torch.einsum("oh,hi->hoi", params["2.weight"], params["0.weight"])


def squares(params):
    """r² and s² of each unit of the first hidden layer, shape (2, units)."""
    out = params["2.weight"].square().sum(0)
    return torch.stack([params["0.weight"].square().sum(1), out])


def on_circles(widths, *, bias=False):
    """A network whose first hidden units have r² + s² = 2, 2.5, 3, 3.5 and are uneven."""
    params, group = initialised(widths, bias=bias)
    angles, radii = torch.tensor([0.4, 1.3, 0.7, 1.0]), torch.tensor([2.0, 2.5, 3.0, 3.5]).sqrt()
    r, s = (torch.stack([angles.sin(), angles.cos()]) * radii).double()
    params["0.weight"] *= (r / params["0.weight"].norm(dim=1))[:, None]
    params["2.weight"] *= s / params["2.weight"].norm(dim=0)
    return params, group


def test_the_log_ratio_slides_every_unit_along_its_own_circle():
    params, group = on_circles((3, 4, 2))
    r2, s2 = squares(params)
    halfway = flowed(params, group, "log-ratio", 0.1, 3.0)
    assert_close(flowed(params, group, "log-ratio", 0.3, 1.0), halfway, rtol=1e-7, atol=1e-9)
    there = flowed(params, group, "log-ratio", 5.0, 3.0)
    for later in (halfway, there):
        assert_close(squares(later).sum(0), r2 + s2, rtol=1e-7, atol=0.0)
    assert (squares(halfway)[0] - squares(halfway)[1]).abs().max() > 0.1
    grown = torch.cosh((r2 / s2).log() / 2)
    assert grown.sort().values.diff().min() > 0.05  # each by a factor of its own
    expected = grown[:, None, None] * contributions(params)
    assert_close(contributions(there), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("widths", "bias"), [((3, 4, 3, 2), False), ((3, 4, 2), True)])
def test_control_with_a_second_layer_or_biases_units_leave_the_circle(widths, bias):
    params, group = on_circles(widths, bias=bias)
    if bias:
        params["0.bias"] += 0.5
    there = flowed(params, group, "log-ratio", 2.0)
    assert (squares(there).sum(0) / squares(params).sum(0) - 1).abs().max() > 1e-2


def test_a_deep_networks_function_stays():
    model, _, params, group = network("layered")
    there = flowed(params, group, "imbalance", 1.0)
    assert soft_penalty(there, group) < 1e-2 * soft_penalty(params, group)
    assert moved_relative(model, POINTS, params, there) < 1e-7


def test_control_the_log_ratio_moves_it():
    model, _, params, group = network("layered")
    there = flowed(params, group, "log-ratio", 3.0)
    assert moved_relative(model, POINTS, params, there) > 0.1


# --- what it does to training ---


def plane(penalty):
    """Minimise ½ (wv − 1)² + penalty from (3, 0.2), by SciPy."""
    params, group = initialised((1, 1, 1))

    def both(x):
        point = {n: torch.tensor([[float(v)]]).double() for n, v in zip(params, x)}

        def total(p):
            product = (p["0.weight"] * p["2.weight"]).sum()
            return 0.5 * (product - 1) ** 2 + penalty(p, group)

        return float(total(point)), flat(slope(total, point)).numpy()

    return minimize(both, [3.0, 0.2], jac=True, method="BFGS", options={"gtol": 1e-10}).x


def test_minima_with_the_penalty_are_the_balanced_minima_of_the_loss():
    w, v = plane(soft_penalty)
    assert math.isclose(w, 1.0, rel_tol=1e-7)
    assert math.isclose(v, 1.0, rel_tol=1e-7)


def test_control_weight_decay_moves_the_minimum():
    w, v = plane(lambda p, _: 0.05 * flat(p).square().sum())
    assert math.isclose(w * v, 0.9, rel_tol=1e-6)  # wv − 1 = −λ, with λ = 0.1


@pytest.mark.parametrize("name", NETWORKS)
def test_the_squared_gradients_add_so_that_both_vanish_together(name):
    model, example, params, group = network(name)
    loss = loss_of(model, example)

    def size(function):
        return flat(slope(function, params)).square().sum()

    apart = size(loss) + size(lambda p: soft_penalty(p, group))
    together = size(lambda p: loss(p) + soft_penalty(p, group))
    assert_close(together, apart, rtol=1e-12, atol=0.0)
    control = size(lambda p: loss(p) + soft_penalty(p, group, kind="log-ratio"))
    by_ratio = size(lambda p: soft_penalty(p, group, kind="log-ratio"))
    assert abs(float(control / (size(loss) + by_ratio)) - 1) > 1e-5


# --- what is refused ---


def test_unknown_kinds_strengths_and_steps_are_refused():
    params, group = params_of(hat()), mlp_group(hat())
    with pytest.raises(GaugeError, match="kind must be one of"):
        soft_penalty(params, group, kind="norm")  # type: ignore[arg-type]
    for strength in (-1.0, math.nan, math.inf):
        with pytest.raises(GaugeError, match="strength must be"):
            soft_penalty(params, group, strength=strength)
    with pytest.raises(GaugeError, match="lr must be"):
        soft_step(params, group, lr=-0.1)
    with pytest.raises(GaugeError, match="scales must be finite and positive"):
        soft_step(params, group, lr=1e4)
    with pytest.raises(GaugeError, match="kind 'weight'"):
        soft_penalty(params, group.restrict("weight"))


def test_dead_units_cost_no_log_ratio_a_silent_number():
    params = params_of(hat())
    params["2.weight"][0, 2] = 0.0
    for asked in (soft_penalty, soft_step):
        with pytest.raises(GaugeError, match=r"dead units: 0\[2\]"):
            asked(params, mlp_group(hat()), kind="log-ratio")
