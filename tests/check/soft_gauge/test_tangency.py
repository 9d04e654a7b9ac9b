"""Checkers of "Soft gauge fixing" about penalties: reference, stub, a hint for each mistake."""

import pytest
import torch

from gaugelib import (
    generator,
    gradient_flow,
    imbalance,
    incoming_norm,
    laplacian,
    log_ratio,
    outgoing_norm,
    soft_penalty,
)
from gaugelib.check.soft_gauge import tangency
from gaugelib.soft import vertical
from tests.balance.networks import initialised
from tests.check.judged import passes_every_time
from tests.soft.problems import moved_relative, network


def length(direction):
    return torch.cat([value.flatten() for value in direction.values()]).norm()


def rest(slope, part):
    return {name: slope[name] - part[name] for name in slope}


def off_orbit_share(penalty, params, group):
    slope = torch.func.grad(penalty)(params)
    part = vertical(params, slope, group)
    return float(length(rest(slope, part)) / length(slope))


def by_pythagoras(penalty, params, group):
    slope = torch.func.grad(penalty)(params)
    part = vertical(params, slope, group)
    return (1 - (length(part) / length(slope)) ** 2).clamp(min=0).sqrt()


def compared(answer):
    """An answer made from the gradient, its vertical part and the parameters."""

    def share(penalty, params, group):
        slope = torch.func.grad(penalty)(params)
        return answer(slope, vertical(params, slope, group), params)

    return share


def on_one_tangent(penalty, params, group):
    slope = torch.func.grad(penalty)(params)
    single = generator(params, imbalance(params, group, include_bias=True), group)
    dot = sum((slope[n] * single[n]).sum() for n in slope) / length(single) ** 2
    return length({n: slope[n] - dot * single[n] for n in slope}) / length(slope)


def on_each_tangent_alone(penalty, params, group):
    slope = torch.func.grad(penalty)(params)
    left = dict(slope)
    for unit in torch.eye(group.units).double():
        single = generator(params, unit, group)
        dot = sum((slope[n] * single[n]).sum() for n in slope) / length(single) ** 2
        left = {n: left[n] - dot * single[n] for n in left}
    return length(left) / length(slope)


def per_tensor(slope, part, params):
    return sum((slope[n] - part[n]).norm() / slope[n].norm() for n in slope) / len(slope)


def summed(slope, part, params):
    return sum((slope[n] - part[n]).norm() for n in slope) / sum(g.norm() for g in slope.values())


def delta(params, group):
    return imbalance(params, group, include_bias=True)


def log_cosh(params, group):
    return delta(params, group).cosh().log().sum()


def quartic(params, group):
    return delta(params, group).pow(4).sum()


def form(params, group):
    """ΔᵀAΔ with a positive definite A that is not a multiple of the identity."""
    weights = torch.arange(1, group.units + 1).double()
    return delta(params, group).square() @ weights + delta(params, group).sum().square()


def log_ratios(params, group):
    return log_ratio(params, group, include_bias=True).square().sum()


def norms(params, group):
    into = incoming_norm(params, group, include_bias=True)
    return (into - outgoing_norm(params, group)).square().sum()


def relative(params, group):
    total = incoming_norm(params, group, include_bias=True) ** 2 + outgoing_norm(params, group) ** 2
    return (delta(params, group) / total).square().sum()


def balanced_without_biases(params, group):
    return imbalance(params, group).pow(4).sum()


def only_the_first_layer(params, group):
    place = next(iter(group.layers.values()))
    return delta(params, group)[place].pow(4).sum()


def another_every_time(params, group):
    draw = torch.Generator()
    draw.seed()
    return delta(params, group).pow(4) @ torch.rand(group.units, generator=draw).double()


REFERENCES = {"off_orbit_share": off_orbit_share, "own_penalty": log_cosh}
MISTAKES = {
    "off_orbit_share": [
        (compared(lambda g, v, _: length(v) / length(g)), "the share along the orbit"),
        (compared(lambda g, v, _: 1 - length(v) / length(g)), "a difference of norms"),
        (compared(lambda g, v, _: (length(rest(g, v)) / length(g)) ** 2), "take the root"),
        (compared(lambda g, v, _: length(rest(g, v)) / length(v)), "by the whole gradient"),
        (compared(lambda g, v, p: length(rest(g, v)) / length(p)), "not by the weights"),
        (compared(lambda g, v, _: length(rest(g, v))), "divide by ‖g‖"),
        (on_one_tangent, "on the one for Δ only"),
        (on_each_tangent_alone, "not orthogonal"),
        (compared(per_tensor), "not a mean over tensors"),
        (compared(summed), "not a sum of norms"),
        (lambda penalty, params, group: 0.5, "for weight decay you find 0.5000"),
        (lambda penalty, params, group: True, "return one number"),
        (lambda penalty, params, group: params, "return one number"),
    ],
    "own_penalty": [
        (soft_penalty, "the quadratic penalty"),
        (lambda p, group: 7 * soft_penalty(p, group) + 3, "the quadratic penalty"),
        (lambda p, group: sum(v.square().sum() for v in p.values()), "weight decay pulls"),
        (log_ratios, "go down a circle"),
        (lambda p, group: imbalance(p, group, p=1.0).square().sum(), "is a sign"),
        (norms, "a difference of norms"),
        (relative, "divide Δ by has a slope"),
        (lambda p, group: log_ratio(p, group).pow(4).sum(), "of its gradient leave the orbit"),
        (balanced_without_biases, "right without biases"),
        (lambda p, group: -quartic(p, group), "or smaller"),
        (lambda p, group: delta(p, group).sum(), "or smaller"),
        (lambda p, group: delta(p, group).pow(3).sum(), "or smaller"),
        (lambda p, group: delta(p, group).abs().sum(), "has a kink"),
        (lambda p, group: delta(p, group).exp().sum(), "or smaller"),
        (lambda p, group: delta(p, group).sum().square(), "it sees 1 of 7"),
        (only_the_first_layer, "it sees 4 of 7"),
        (another_every_time, "two values"),
        (lambda p, group: 0 * quartic(p, group), "zero off balance"),
        (lambda p, group: quartic(p, group) / 0, "infinite or not a number"),
        (lambda p, group: delta(p, group).pow(4), "return one number"),
        (lambda p, group: quartic(p, group).item(), "return one number"),
        (lambda p, group: quartic(p, group).detach(), "compute with tensors"),
    ],
}


@pytest.mark.parametrize("answer", [quartic, form, lambda p, group: delta(p, group).cosh().sum()])
def test_other_functions_of_the_imbalance_pass_too(answer):
    passes_every_time("own_penalty", answer)


def test_the_largest_imbalance_and_a_power_of_the_quadratic_penalty_pass_too():
    passes_every_time("own_penalty", lambda p, group: delta(p, group).square().max())
    passes_every_time("own_penalty", lambda p, group: soft_penalty(p, group).square())


def test_the_share_may_be_found_by_pythagoras():
    passes_every_time("off_orbit_share", by_pythagoras)


def tangents(params, group):
    """One row for each unit."""
    units = torch.eye(group.units).double()
    return torch.stack(
        [torch.cat([v.flatten() for v in generator(params, u, group).values()]) for u in units]
    )


def test_the_projection_of_the_checker_is_least_squares_on_the_tangents():
    params, group = initialised((3, 4, 3, 2), seed=0, bias=True)
    slope = torch.func.grad(log_ratios)(params, group)
    flat, basis = torch.cat([v.flatten() for v in slope.values()]), tangents(params, group)
    rates = torch.linalg.lstsq(basis.T, flat[:, None]).solution[:, 0]
    found, part = tangency._vertical(params, slope, group)
    torch.testing.assert_close(found, rates, rtol=1e-9, atol=1e-12)
    assert length(rest(slope, part)) / length(slope) > 0.1


@pytest.mark.parametrize("penalty", [log_cosh, quartic, form])
def test_the_flow_of_a_function_of_the_imbalance_keeps_the_network(penalty):
    model, example, params, group = network("layered")
    params = {name: 0.4 * value for name, value in params.items()}
    path = gradient_flow(lambda t: penalty(t, group), params, until=0.02, steps=100)
    assert moved_relative(model, example, params, path.at(-1)) < 1e-8
    assert delta(path.at(-1), group).abs().max() < 0.9 * delta(params, group).abs().max()


def test_control_the_flow_of_log_ratios_does_not():
    model, example, params, group = network("layered")
    path = gradient_flow(lambda t: log_ratios(t, group), params, until=0.5, steps=100)
    assert moved_relative(model, example, params, path.at(-1)) > 1e-2


def test_the_rates_of_a_tangent_gradient_are_the_slopes_in_the_imbalance():
    params, group = initialised((3, 4, 3, 2), seed=0, bias=True)
    slope = torch.func.grad(log_cosh)(params, group)
    expected = generator(params, 2 * delta(params, group).tanh(), group)
    assert length(rest(slope, expected)) < 1e-12 * length(slope)
    assert laplacian(params, group).diagonal().min() > 0
