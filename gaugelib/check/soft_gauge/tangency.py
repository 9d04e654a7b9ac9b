"""Checkers for "Soft gauge fixing": which penalties move along the orbit, and one of your own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gaugelib.action import generator, rescale
from gaugelib.balance import imbalance, incoming_norm, laplacian, outgoing_norm
from gaugelib.check.answer import answer_of, called, copied
from gaugelib.check.forms import calmly
from gaugelib.check.fresh import layered, normal
from gaugelib.check.verdict import TOLERANCE, Verdict, WrongAnswer, close, judge, recognise
from gaugelib.group import GaugeGroup
from gaugelib.soft import gauge_coordinates, log_ratio

Params = Mapping[str, Tensor]
Penalty = Callable[[Params], Tensor]
WIDTHS = (3, 4, 3, 2)


def off_orbit_share(function: Callable[[Penalty, dict[str, Tensor], GaugeGroup], Any]) -> Verdict:
    """Check a function (penalty, params, group) -> share of its gradient that leaves the orbit.

    Args:
        function: takes a function from parameters to a scalar, the parameters at which its gradient
            g is wanted, and their group; returns ‖g − vertical part of g‖/‖g‖.
    """

    def test() -> str:
        for name, penalty in _PENALTIES.items():
            params, group = layered(WIDTHS, bias=True)

            def here(theta: Params, penalty=penalty, group=group) -> Tensor:
                return penalty(theta, group)

            found = answer_of(function, here, params, group, like=1.0)
            slope = torch.func.grad(here)(params)
            part = _vertical(params, slope, group)[1]
            off = _norm(_minus(slope, part)) / _norm(slope)
            if _near(found, off):
                continue
            recognise(found, _wrong_shares(params, slope, part, group), _near)
            raise WrongAnswer(
                f"for {name} you find {found:#.4g}: project g on all tangents A_hθ at once, "
                "and compare what is left over with g."
            )
        return "squares of Δ and fourth powers stay on the orbit; three others leave it."

    return judge(test)


def own_penalty(function: Callable[[dict[str, Tensor], GaugeGroup], Any]) -> Verdict:
    """Check a penalty (params, group) -> scalar that acts along the orbit and is not Σ Δ².

    Its gradient must be tangent to the orbit everywhere, biases included; it must be smallest at
    balance and nowhere else, and flat there.
    """

    def test() -> str:
        for bias in (False, True):
            params, group = layered(WIDTHS, bias=bias, scale=0.6)
            balanced = gauge_coordinates(params, group, include_bias=bias).representative
            points = [rescale(balanced, scales, group) for scales in _scales(group.units)]
            values, slopes = zip(*(_judged(function, p, group) for p in points), strict=True)
            if not close(_judged(function, points[0], group)[0], values[0]):
                raise WrongAnswer("two calls with the same network gave two values.")
            rates = [_rates(p, g, group, bias) for p, g in zip(points, slopes, strict=True)]
            near = rescale(balanced, (1e-10 * normal(group.units)).exp(), group)
            least, flat = _judged(function, near, group)
            above = torch.stack(values) - least
            if not bool((above > 0).all()):
                raise WrongAnswer("off balance it is as small as at balance, or smaller.")
            if _norm(flat) > 1e-4 * max(_norm(g) for g in slopes):
                raise WrongAnswer("at balance its slope does not vanish: it has a kink there.")
            seen = int(torch.linalg.matrix_rank(torch.stack(rates), rtol=TOLERANCE))
            if seen < group.units:
                raise WrongAnswer(
                    f"it sees {seen} of {group.units} directions of Δ: along the others a network "
                    "can be off balance for nothing."
                )
            ratios = above / torch.stack([_squares(p, group) for p in points])
            if close(ratios, ratios[0].expand_as(ratios), 1e-4):
                raise WrongAnswer("that is the quadratic penalty, times a number; find another.")
        return "tangent to the orbit, smallest at balance, and not the quadratic one."

    return judge(test)


def _decay(theta: Params, group: GaugeGroup) -> Tensor:
    return torch.stack([value.square().sum() for value in theta.values()]).sum() / 2


def _squares(theta: Params, group: GaugeGroup) -> Tensor:
    return imbalance(theta, group, include_bias=True).square().sum()


def _ratios(theta: Params, group: GaugeGroup) -> Tensor:
    return log_ratio(theta, group, include_bias=True).square().sum()


def _absolute(theta: Params, group: GaugeGroup) -> Tensor:
    return imbalance(theta, group, p=1.0, include_bias=True).square().sum()


def _fourth(theta: Params, group: GaugeGroup) -> Tensor:
    return imbalance(theta, group, include_bias=True).pow(4).sum()


def _norms(theta: Params, group: GaugeGroup) -> Tensor:
    into = incoming_norm(theta, group, include_bias=True)
    return (into - outgoing_norm(theta, group)).square().sum()


def _relative(theta: Params, group: GaugeGroup) -> Tensor:
    total = incoming_norm(theta, group, include_bias=True).square()
    total = total + outgoing_norm(theta, group).square()
    return (imbalance(theta, group, include_bias=True) / total).square().sum()


_PENALTIES = {
    "weight decay": _decay,
    "log-ratios": _ratios,
    "the fourth powers of Δ": _fourth,
    "Δ of absolute values": _absolute,
    "the squares of Δ": _squares,
}
_LEAVING = {
    "weight decay pulls at all weights alike; most of that shrinks the function.": _decay,
    "log-ratios go down a circle: their slope divides each side by its own norm.": _ratios,
    "for p = 1 the slope of |θ| is a sign; only that of θ² is along θ.": _absolute,
    "Δ is a difference of squares; a difference of norms leaves the orbit.": _norms,
    "what you divide Δ by has a slope too, and that leaves the orbit.": _relative,
}


def _wrong_shares(
    params: Params, slope: Params, part: Params, group: GaugeGroup
) -> dict[str, Tensor]:
    rest, total = _minus(slope, part), _norm(slope)
    off = _norm(rest) / total
    pull = group.collect({name: params[name] * slope[name] for name in params})
    delta = imbalance(params, group, include_bias=True)
    single = generator(params, delta, group)
    along = (delta @ pull) / _norm(single).square()
    graph = laplacian(params, group, include_bias=True)
    apart = generator(params, pull / graph.diagonal(), group)
    each = [[value.norm() for value in d.values()] for d in (rest, slope)]
    lost, had = (torch.stack(norms) for norms in each)
    return {
        "that is the share along the orbit; it is asked what leaves it.": _norm(part) / total,
        "a difference of norms is not the norm of the difference.": 1 - _norm(part) / total,
        "that is the share of the square; take the root.": off.square(),
        "divide by the whole gradient, not by its part along the orbit.": _norm(rest) / _norm(part),
        "divide by the gradient, not by the weights.": _norm(rest) / _norm(params),
        "a length depends on the strength of the penalty; divide by ‖g‖.": _norm(rest),
        "the orbit has a tangent for each unit; you projected on the one for Δ only.": (
            _norm({n: slope[n] - along * single[n] for n in slope}) / total
        ),
        "tangents of neighbouring units are not orthogonal: project on all at once.": (
            _norm(_minus(slope, apart)) / total
        ),
        "one norm over all parameters, not a mean over tensors.": (lost / had).mean(),
        "one norm over all parameters, not a sum of norms over tensors.": lost.sum() / had.sum(),
    }


def _judged(function: Any, params: Params, group: GaugeGroup) -> tuple[Tensor, dict[str, Tensor]]:
    """The value and the gradient of the reader's penalty, or a hint."""
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    with torch.enable_grad():
        answer = called(function, dict(leaves), copied(group))
        value = calmly(lambda: answer.as_subclass(Tensor).reshape(()))
    if not isinstance(value, Tensor):
        raise WrongAnswer("return one number, as a tensor: a sum over the units.")
    if value.dtype not in (torch.float32, torch.float64):
        raise WrongAnswer(f"{value.dtype} has too few digits: compute in float32 or float64.")
    if not value.requires_grad:
        raise WrongAnswer("autograd does not get through it: compute with tensors all the way.")
    grad = partial(torch.autograd.grad, inputs=list(leaves.values()), materialize_grads=True)
    slopes = called(grad, value)
    if not all(bool(torch.isfinite(x).all()) for x in (value, *slopes)):
        raise WrongAnswer("it or its gradient is infinite or not a number.")
    return value.detach().double(), dict(zip(leaves, slopes, strict=True))


def _rates(params: Params, slope: Params, group: GaugeGroup, bias: bool) -> Tensor:
    """The rates ξ of a tangent gradient, of length 1; a hint if it is not tangent or zero."""
    length = _norm(slope)
    if length == 0:
        raise WrongAnswer("its gradient is zero off balance too.")
    rates, part = _vertical(params, slope, group)
    share = _norm(_minus(slope, part)) / length
    if share < TOLERANCE:
        return rates / rates.norm()
    if bias:
        raise WrongAnswer(
            "right without biases; with them, your gradient leaves the orbit: a gauge moves a "
            "hidden bias too, so it counts in Δ."
        )
    others = {hint: torch.func.grad(f)(params, group) for hint, f in _LEAVING.items()}
    recognise(_unit(slope), {hint: _unit(other) for hint, other in others.items()}, _alike)
    raise WrongAnswer(
        f"{float(share):.0%} of its gradient leave the orbit: let the weights enter through the "
        "squares in Δ only."
    )


def _vertical(params: Params, slope: Params, group: GaugeGroup) -> tuple[Tensor, dict[str, Tensor]]:
    """The rates ξ of the projection on the tangent space, and the projection."""
    pull = group.collect({name: params[name] * slope[name] for name in params})
    rates = torch.linalg.solve(laplacian(params, group, include_bias=True), pull)
    return rates, generator(params, rates, group)


def _scales(units: int) -> Iterator[Tensor]:
    """From balance: one unit at a time up and down, then all of them at random."""
    for unit in torch.eye(units, dtype=torch.float64):
        yield (0.3 * unit).exp()
        yield (-0.3 * unit).exp()
    for _ in range(units):
        yield (0.4 * normal(units).clamp(-1, 1)).exp()  # in float32 too no cosh overflows


def _minus(first: Params, second: Params) -> dict[str, Tensor]:
    return {name: first[name] - second[name] for name in first}


def _norm(direction: Params) -> Tensor:
    return torch.stack([value.square().sum() for value in direction.values()]).sum().sqrt()


def _unit(direction: Params) -> dict[str, Tensor]:
    length = _norm(direction)
    return {name: value / length for name, value in direction.items()}


def _alike(first: Params, second: Params) -> bool:
    return bool(_norm(_minus(first, second)) < TOLERANCE)


def _near(found: float, expected: Tensor) -> bool:
    """Equal up to what Pythagoras loses to the rounding of float32: the root of it."""
    return close(found, expected, 2e-3, size=1.0)
