"""Checkers for "Soft gauge fixing": the quadratic penalty, how fast it acts, how long a step is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from gaugelib.balance import laplacian
from gaugelib.check.answer import answer_of
from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import between, layered, normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.group import GaugeGroup
from gaugelib.soft import gauge_coordinates


def penalty_gradients(function: Callable[[Tensor, Tensor, float], Any]) -> Verdict:
    """Check a function (W_in, W_out, κ) -> the two gradients of S = κ/4 Σ Δ².

    Args:
        function: takes W_in `(hidden, inputs)`, W_out `(outputs, hidden)` and κ; returns a pair of
            the same shapes.
    """

    def test() -> str:
        for inputs, hidden, outputs in ((3, 3, 3), (3, 4, 2), (2, 5, 3)):
            weights, strength = [normal(hidden, inputs), normal(outputs, hidden)], between(0.2, 0.8)
            ask = "return two tensors, one for W_in and one for W_out, with their shapes"
            found = answer_of(function, *weights, strength, like=weights, ask=ask, pure=True)
            w_in, w_out = weights
            delta = w_in.square().sum(1) - w_out.square().sum(0)
            if close(found, _along(w_in, w_out, strength * delta)):
                continue
            recognise(found, _wrong_gradients(w_in, w_out, strength, delta))
            raise WrongAnswer(
                "each Δ_h depends on row h of W_in and column h of W_out, and so does its share."
            )
        return "κΔ_h times the unit's weights in, and −κΔ_h times its weights out."

    return judge(test)


@by_cases("from however far, and the same multiple of 1/(κρ) for each unit.")
def relaxation_time() -> Iterator[Case]:
    """Check a function (u₀, u₁, κ, ρ) -> time in which the quadratic penalty takes u₀ to u₁.

    Example:
        >>> relaxation_time(lambda u0, u1, kappa, rho: math.log(u0 / u1) / (4 * kappa * rho))
        Not yet: that is the law near balance, where sinh u = u; further out u falls faster.
    """
    for _ in range(3):
        start, end = between(1.0, 4.0), between(0.1, 0.8)
        strength, rho = between(0.05, 0.4), between(1.5, 3.0)
        right = math.log(math.tanh(start / 2) / math.tanh(end / 2)) / (4 * strength * rho)
        yield Case(
            (start, end, strength, rho),
            right,
            _wrong_times(start, end, strength, rho, right),
            "solve tanh(u₁/2) = tanh(u₀/2)·e^(−4κρt) for t.",
        )
    yield Case(
        (40.0, 0.5, 1.0, 1.0),
        -math.log(math.tanh(0.25)) / 4,
        otherwise="from u₀ = 40 it takes hardly longer than from u₀ = 10.",
    )


@by_cases("cosh u₀: the circle leads to another orbit.")
def circle_factor() -> Iterator[Case]:
    """Check a function (r, s) -> factor on a unit's output in the end, under S = κ/2 Σ u².

    Example:
        >>> circle_factor(lambda r, s: 1.0)
        Not yet: that is the quadratic penalty, which stays on the orbit; this one leaves it.
    """
    for _ in range(3):
        r, s = between(1.0, 3.0), between(0.2, 0.8)
        for into, out in ((r, s), (s, r)):
            right = (r * r + s * s) / (2 * r * s)
            yield Case(
                (into, out),
                right,
                _wrong_factors(into, out, right),
                f"from r = {into:.3g} and s = {out:.3g}: what are r and s on the circle where they "
                "are equal, and what multiplies the unit's output?",
            )


def largest_step(function: Callable[[dict[str, Tensor], GaugeGroup], Any]) -> Verdict:
    """Check a function (params, group) -> largest ηκ of a stable step of S = κ/4 Σ Δ² at balance.

    Args:
        function: takes parameters without biases, at which every unit is balanced, and their group;
            returns the number below which ηκ must stay.
    """

    def test() -> str:
        for widths in ((3, 4, 3, 2), (1, 1, 1, 1), (3, 4, 2)):
            params, group = layered(widths)
            params = gauge_coordinates(params, group).representative
            found = answer_of(function, params, group, like=1.0)
            graph = laplacian(params, group)
            right = 1 / torch.linalg.eigvalsh(graph)[-1]
            if close(found, right):
                continue
            mistakes = _wrong_steps(graph, laplacian(params, group, p=1.0), len(group.layers))
            recognise(found, mistakes)
            raise WrongAnswer(
                f"for the widths {list(widths)}: at balance the Hessian of S is 2κ B·diag(θ²)·Bᵀ "
                "as seen by the units; when does 1 − η·(an eigenvalue) leave (−1, 1)?"
            )
        return "one over the largest eigenvalue of the Laplacian."

    return judge(test)


def _along(w_in: Tensor, w_out: Tensor, rates: Tensor) -> list[Tensor]:
    """The tangent of the orbit with these rates."""
    return [rates[:, None] * w_in, -rates * w_out]


def _wrong_gradients(
    w_in: Tensor, w_out: Tensor, strength: float, delta: Tensor
) -> dict[str, list[Tensor]]:
    right = _along(w_in, w_out, strength * delta)
    ones, rates = torch.ones_like(delta), strength * delta
    into, out = w_in.norm(dim=1), w_out.norm(dim=0)
    wrong = {
        "outgoing weights are subtracted in Δ: their part has the other sign.": (
            [right[0], -right[1]]
        ),
        "that is −∇S, the direction of a step; the gradient points uphill.": (
            [-right[0], -right[1]]
        ),
        "twice too long: the squares give 2·2, and S has 1/4.": [2 * g for g in right],
        "half of it: one 2 is from Δ², another from θ².": [g / 2 for g in right],
        "four times too long: S has the factor 1/4.": [4 * g for g in right],
        "a quarter of it: both squares give a factor 2 when you differentiate.": (
            [g / 4 for g in right]
        ),
        "the same rate for every unit; where is Δ_h?": _along(w_in, w_out, strength * ones),
        "that is the gradient of weight decay, which pulls at all weights alike.": (
            [strength * w_in, strength * w_out]
        ),
        "where is κ?": [g / strength for g in right],
        "the slope of θ² is 2θ: multiply by the weights.": (
            [rates[:, None].expand_as(w_in), -rates.expand_as(w_out)]
        ),
        "units differ in Δ, the difference of squares, not in log(r/s).": (
            _along(w_in, w_out, strength * (into / out).log())
        ),
        "Δ is a difference of squares, not of norms.": _along(w_in, w_out, strength * (into - out)),
        "transposed: a gradient has the shape of its weights.": [g.t() for g in right],
    }
    if w_in.shape == w_out.shape:
        across = w_in.square().sum(0) - w_out.square().sum(1)
        wrong |= {
            "a unit owns a row of W_in and a column of W_out; Δ_h goes along these.": (
                [rates * w_in, -rates[:, None] * w_out]
            ),
            "what flows into unit h is row h of W_in; sum over the other index.": (
                _along(w_in, w_out, strength * across)
            ),
        }
    return wrong


def _wrong_times(
    start: float, end: float, strength: float, rho: float, right: float
) -> dict[str, float]:
    exponential, rate = math.log(start / end), 4 * strength * rho
    return {
        "that is the law near balance, where sinh u = u; further out u falls faster.": (
            exponential / rate
        ),
        "that is the log-ratio penalty moved along the orbit; its law is another.": (
            exponential / strength
        ),
        "the tangens hyperbolicus is of u/2, not of u.": (
            math.log(math.tanh(start) / math.tanh(end)) / rate
        ),
        "that would be right for Δ, if r² + s² did not shrink on the way.": (
            math.log(math.sinh(start) / math.sinh(end)) / (rate * math.cosh(start))
        ),
        "the rate of sinh is not constant; the integral of 1/sinh u is log tanh(u/2).": (
            math.log(math.sinh(start) / math.sinh(end)) / rate
        ),
        "where is κ?": right * strength,
        "where is ρ?": right * rho,
        "twice too long: near balance r² + s² = 2ρ, which makes the rate 4κρ.": 2 * right,
        "the rate is 4κρ; where is the 4?": 4 * right,
        "a time is not negative: the smaller u comes later.": -right,
    }


def _wrong_factors(r: float, s: float, right: float) -> dict[str, float]:
    u = math.log(r / s)
    return {
        "that is the quadratic penalty, which stays on the orbit; this one leaves it.": 1.0,
        "upside down: on the way r·s grows.": 1 / right,
        "that is r·s in the end; the factor compares it with r·s at the start.": (r * r + s * s)
        / 2,
        "that is the norm in the end; the output is multiplied by the product of both norms.": (
            math.hypot(r, s) / math.sqrt(2)
        ),
        "each of r² and s² ends with one half of the sum.": 2 * right,
        "that is the factor on one of the two norms; the output gets both.": math.sqrt(right),
        "cosh of u₀ itself, not of its half.": math.cosh(u / 2),
        "u = log(r/s) already; there is no second 2.": math.cosh(2 * u),
        "that is where it started; r/s ends at 1.": r / s,
    }


def _wrong_steps(graph: Tensor, absolute: Tensor, depth: int) -> dict[str, Tensor | float]:
    values, degree = torch.linalg.eigvalsh(graph), graph.diagonal()
    return {
        "twice too long: the Hessian of S is 2κℒ, not κℒ.": 2 / values[-1],
        "half of it: a step is stable below two over the curvature.": 1 / (2 * values[-1]),
        "upside down: the stiffer, the shorter the step.": values[-1],
        "the mode with the smallest eigenvalue is slow; the fastest one decides.": 1 / values[0],
        "the trace adds all eigenvalues up; the largest alone decides.": 1 / degree.sum(),
        "that is the limit for one hidden layer, 1/(r² + s²); neighbours in deeper networks push "
        "each other.": 1 / degree.max(),
        "the links of the Laplacian are squares of the weights, not their sizes.": (
            1 / torch.linalg.eigvalsh(absolute)[-1]
        ),
        "that is the limit of the multiplicative step that goes down log-ratios.": (
            2 / (1 + math.cos(math.pi / (depth + 1)))
        ),
    }
