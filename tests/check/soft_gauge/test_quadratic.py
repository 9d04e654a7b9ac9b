"""Checkers of the quadratic penalty: reference, stub, and a hint for each known mistake."""

import math

import pytest
import torch
from torch.func import functional_call

from gaugelib import check
from gaugelib.soft import soft_flow
from tests.balance.networks import initialised, multilayer
from tests.soft.problems import unit_of


def penalty_gradients(w_in, w_out, kappa):
    delta = w_in.square().sum(1) - w_out.square().sum(0)
    return kappa * delta[:, None] * w_in, -kappa * delta * w_out


def along(rate):
    """A tangent of the orbit, with rates made from the two norms of each unit."""

    def gradients(w_in, w_out, kappa):
        rates = kappa * rate(w_in.norm(dim=1), w_out.norm(dim=0))
        return rates[:, None] * w_in, -rates * w_out

    return gradients


def changed(into, out):
    """The right gradients, each after a change."""

    def gradients(*args):
        first, second = penalty_gradients(*args)
        return into(first), out(second)

    return gradients


def times(factor):
    return changed(lambda g: factor * g, lambda g: factor * g)


def without_weights(w_in, w_out, kappa):
    delta = w_in.square().sum(1) - w_out.square().sum(0)
    return kappa * delta[:, None] + 0 * w_in, -kappa * delta + 0 * w_out


def along_the_wrong_axis(w_in, w_out, kappa):
    delta = w_in.square().sum(1) - w_out.square().sum(0)
    return kappa * delta * w_in, -kappa * delta[:, None] * w_out


def summed_over_the_wrong_axis(w_in, w_out, kappa):
    delta = w_in.square().sum(0) - w_out.square().sum(1)
    return kappa * delta[:, None] * w_in, -kappa * delta * w_out


def in_place(w_in, w_out, kappa):
    first, second = penalty_gradients(w_in, w_out, kappa)
    return w_in.copy_(first), w_out.copy_(second)


def relaxation_time(start, end, kappa, rho):
    def far(u):
        return math.log(math.expm1(u)) - math.log(math.exp(u) + 1)

    return (far(start) - far(end)) / (4 * kappa * rho)


def circle_factor(r, s):
    return math.cosh(math.log(r / s))


REFERENCES = {
    "penalty_gradients": penalty_gradients,
    "relaxation_time": relaxation_time,
    "circle_factor": circle_factor,
}
MISTAKES = {
    "penalty_gradients": [
        (changed(lambda g: g, lambda g: -g), "outgoing weights are subtracted"),
        (times(-1), "that is −∇S"),
        (times(2), "twice too long"),
        (times(0.5), "half of it"),
        (times(4), "four times too long"),
        (times(0.25), "a quarter of it"),
        (along(lambda r, s: torch.ones_like(r)), "where is Δ_h?"),
        (lambda w_in, w_out, kappa: (kappa * w_in, kappa * w_out), "weight decay"),
        (lambda w_in, w_out, kappa: penalty_gradients(w_in, w_out, 1), "where is κ?"),
        (without_weights, "multiply by the weights"),
        (along(lambda r, s: (r / s).log()), "not in log(r/s)"),
        (along(lambda r, s: r - s), "not of norms"),
        (changed(lambda g: g.T, lambda g: g.T), "transposed"),
        (along_the_wrong_axis, "Δ_h goes along these"),
        (summed_over_the_wrong_axis, "sum over the other index"),
        (in_place, "wrote into its arguments"),
        (lambda w_in, w_out, kappa: w_in, "return two tensors"),
        (lambda w_in, w_out, kappa: (w_in, w_out), "so does its share"),
    ],
    "relaxation_time": [
        (lambda a, b, kappa, rho: math.log(a / b) / (4 * kappa * rho), "the law near balance"),
        (lambda a, b, kappa, rho: math.log(a / b) / kappa, "log-ratio penalty moved along"),
        (lambda a, b, *rest: relaxation_time(2 * a, 2 * b, *rest), "of u/2, not of u"),
        (
            lambda a, b, kappa, rho: (
                math.log(math.sinh(a) / math.sinh(b)) / (4 * kappa * rho * math.cosh(a))
            ),
            "did not shrink",
        ),
        (
            lambda a, b, kappa, rho: math.log(math.sinh(a) / math.sinh(b)) / (4 * kappa * rho),
            "the integral of 1/sinh u",
        ),
        (lambda a, b, kappa, rho: relaxation_time(a, b, 1, rho), "where is κ?"),
        (lambda a, b, kappa, rho: relaxation_time(a, b, kappa, 1), "where is ρ?"),
        (lambda *args: 2 * relaxation_time(*args), "near balance r² + s² = 2ρ"),
        (lambda *args: 4 * relaxation_time(*args), "where is the 4?"),
        (lambda *args: -relaxation_time(*args), "not negative"),
        (lambda *args: 1.1 * relaxation_time(*args), "for t"),
        (
            lambda a, *rest: relaxation_time(a, *rest) if a < 10 else relaxation_time(5, *rest),
            "hardly longer",
        ),
    ],
    "circle_factor": [
        (lambda r, s: 1.0, "which stays on the orbit"),
        (lambda r, s: 1 / circle_factor(r, s), "upside down"),
        (lambda r, s: (r * r + s * s) / 2, "with r·s at the start"),
        (lambda r, s: math.sqrt((r * r + s * s) / 2), "the norm in the end"),
        (lambda r, s: 2 * circle_factor(r, s), "one half of the sum"),
        (lambda r, s: math.sqrt(circle_factor(r, s)), "the output gets both"),
        (lambda r, s: math.cosh(math.log(r / s) / 2), "not of its half"),
        (lambda r, s: math.cosh(2 * math.log(r / s)), "no second 2"),
        (lambda r, s: r / s, "where it started"),
        (lambda r, s: max(r, s) / min(r, s) + 1, "on the circle where"),
        (lambda r, s: circle_factor(r, s) if r > s else s / r + 1, "on the circle where"),
    ],
}


def by_autograd(w_in, w_out, kappa):
    """S written down as it stands, and differentiated for us."""
    leaves = [w.clone().requires_grad_() for w in (w_in, w_out)]
    delta = leaves[0].square().sum(1) - leaves[1].square().sum(0)
    return torch.autograd.grad(kappa / 4 * delta.square().sum(), leaves)


def test_the_gradients_asked_for_are_those_of_the_penalty():
    assert check.penalty_gradients(by_autograd)


def test_the_gradients_asked_for_are_orthogonal_to_those_of_a_loss():
    params, _ = initialised((3, 5, 2), seed=1, log_std=0.5)
    model = multilayer((3, 5, 2))
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).double()

    def products(function):
        slopes = torch.func.grad(lambda t: functional_call(model, t, (x,)).square().mean())(params)
        pair = zip(slopes.values(), function(*params.values(), 0.3))
        return sum(float((a * b).sum()) for a, b in pair)

    assert abs(products(penalty_gradients)) < 1e-12
    assert abs(products(changed(lambda g: g, lambda g: -g))) > 1e-2  # a wrong sign is noticed


def test_the_time_asked_for_is_that_of_the_flow():
    params, group = unit_of(3.0, 0.5)  # u = ln 6, ρ = 3/2
    assert round(relaxation_time(math.log(6), 0.1, 0.1, 1.5), 2) == 4.43

    def end(until):
        flow = soft_flow(params, group, until=until, steps=2000, strength=0.1)
        return float(flow.log_ratio[-1])

    assert end(relaxation_time(math.log(6), 0.1, 0.1, 1.5)) == pytest.approx(0.1, rel=1e-9)
    near_balance = math.log(math.log(6) / 0.1) / (4 * 0.1 * 1.5)
    assert abs(end(near_balance) - 0.1) > 0.01


def squared_log_ratio(r, s):
    return math.log(r / s) ** 2 / 2


def squared_imbalance(r, s):
    return (r * r - s * s) ** 2 / 4


def end_of_flow(penalty, r, s, step=0.002, h=1e-5):
    """Factor on r·s, and r² + s², once the penalty's gradient flow has balanced the unit."""

    def velocity(r, s):
        up, right = penalty(r + h, s) - penalty(r - h, s), penalty(r, s + h) - penalty(r, s - h)
        return -up / (2 * h), -right / (2 * h)

    product = r * s
    for _ in range(20000):
        v = velocity(r, s)
        v = velocity(r + step / 2 * v[0], s + step / 2 * v[1])  # the midpoint's
        r, s = r + step * v[0], s + step * v[1]
    assert abs(r - s) < 1e-6
    return r * s / product, r * r + s * s


@pytest.mark.parametrize(("r", "s"), [(3.0, 0.5), (0.5, 3.0), (1.0, 1.0), (2.0, 1.0)])
def test_the_factor_asked_for_is_where_the_circle_ends(r, s):
    factor, norm = end_of_flow(squared_log_ratio, r, s)
    assert factor == pytest.approx(circle_factor(r, s), rel=1e-5)
    assert norm == pytest.approx(r * r + s * s, rel=1e-5)
    assert round(circle_factor(3.0, 0.5), 3) == 3.083


def test_control_on_the_orbit_the_factor_is_one():
    factor, norm = end_of_flow(squared_imbalance, 3.0, 0.5)
    assert factor == pytest.approx(1.0, abs=1e-3)
    assert norm == pytest.approx(3.0, rel=1e-3)
