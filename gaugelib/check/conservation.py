"""Checkers for the exercises of the chapter "Conservation laws"."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import above, between, dense, normal
from gaugelib.check.verdict import TOLERANCE, Verdict, WrongAnswer, close, judge, recognise

WIDTHS = [3, 5, 4, 2]
_BOTH = "return two numbers, w and v: one alone does not tell whether it leaves its hyperbola"
Blocks = list[tuple[Tensor, Tensor]]


def layer_charges(function: Callable[[list[Tensor], list[Tensor], float, float], Any]) -> Verdict:
    """Check a function (weights, biases, slope, p) -> charges of a leaky network's hidden units.

    Args:
        function: takes weights `[(n1, n0), (n2, n1), ...]`, a bias for each layer, the slope of the
            activation for negative inputs, and p > 0; returns one vector for each hidden layer.
    """

    def test() -> str:
        for p, slope in ((2.0, 0.1), (1.0, 0.3), (1.5, -1.0)):
            weights, biases = dense(WIDTHS), [normal(n) for n in WIDTHS[1:]]
            parts, two = (_sides(weights, biases, q) for q in (p, 2.0))
            right = [i + g - o for i, g, o in parts]
            ask = "return one vector for each hidden layer: other shapes are not the charges"
            found = answer_of(function, weights, biases, slope, p, like=right, ask=ask)
            if close(found, right, size=max(float((i + g + o).max()) for i, g, o in parts)):
                continue
            squares = [i + g - o for i, g, o in two]
            leak = abs(slope) ** p
            recognise(
                found,
                {
                    "a trained bias flows into its unit, so it counts too.": [
                        i - o for i, _, o in parts
                    ],
                    "upside down: the book counts in minus out.": [o - i - g for i, g, o in parts],
                    f"right for p = 2 but not for p = {p}: the charge takes p-th powers.": squares,
                    "the slope passes a factor through on both sides; it is in no charge.": [
                        leak * (i + g) - o for i, g, o in parts
                    ],
                    "the slope does not weaken what flows out: only the weights count.": [
                        i + g - leak * o for i, g, o in parts
                    ],
                },
            )
            raise WrongAnswer(
                f"for p = {p} these are not the charges; sum |θ|ᵖ over what flows into a unit, "
                "subtract what flows out."
            )
        return "the charges of a leaky network, whatever its slope."

    return judge(test)


@by_cases("what the bias loses the weights gain, whether the bias moves or not.")
def weight_rate() -> Iterator[Case]:
    """Check a function (b, ∂L/∂b, p) -> rate at which the flow changes a unit's weight imbalance.

    Example:
        >>> weight_rate(lambda bias, slope, p: 0.0)
        Not yet: the weights alone keep their imbalance only where b or its slope is zero.
    """
    signs = (1, 1), (-1, 1), (1, -1), (-1, -1)
    for p, (first, second) in zip((1.5, 2.0, 1.0, 3.0), signs, strict=True):
        bias, slope = first * above(0.5), second * above(0.5)
        opposite = (
            "that is the rate of |b|ᵖ; the weights must make up for it."
            if (first, second) == (1, 1)
            else "right where b and its slope are positive, but their signs count."
        )
        yield Case(
            (bias, slope, p),
            p * bias * slope,
            {
                "the weights alone keep their imbalance only where b or its slope is zero.": 0.0,
                opposite: -p * bias * slope,
                f"right for p = 2 but not for p = {p}: where did the 2 come from?": (
                    2 * bias * slope
                ),
                "that is what the identity leaves over; differentiate |θ|ᵖ for the factor.": (
                    bias * slope
                ),
                "the parameters move at speed |θ|²⁻ᵖ times the slope; put that in.": (
                    p * math.copysign(abs(bias) ** (p - 1), bias) * slope
                ),
            },
            "write the Ward identity of the unit, take the bias to the right.",
        )


def stream_charges(function: Callable[[Tensor, Blocks, Tensor, float], Any]) -> Verdict:
    """Check a function (embed, blocks, read, p) -> charges of the units of a residual stream.

    Args:
        function: takes U `(d, n)`, a list of blocks (W `(m, d)`, V `(d, m)`), R `(k, d)` and p > 0;
            returns one charge for each unit of the stream, shape `(d,)`.
    """

    def test() -> str:
        for p, depth in ((2.0, 2), (1.0, 1), (1.5, 3)):
            embed, read = normal(4, 3), normal(2, 4)
            blocks = [(normal(5, 4), normal(4, 5)) for _ in range(depth)]
            first, last = _power(embed, p, 1), _power(read, p, 0)
            writes = [_power(v, p, 1) for _, v in blocks]
            reads = [_power(w, p, 0) for w, _ in blocks]
            written, taken = sum(writes), sum(reads)
            found = answer_of(function, embed, blocks, read, p, like=first)
            size = float((first + written + taken + last).max())
            if close(found, first + written - taken - last, size=size):
                continue
            recognise(
                found,
                {
                    "what a block writes into the stream flows into it too.": first - taken - last,
                    "what a block reads from the stream flows out of it too.": (
                        first + written - last
                    ),
                    "upside down: the book counts in minus out.": last + taken - first - written,
                    "that is the stream before the first block; the skip ties it to the rest.": (
                        first - reads[0]
                    ),
                    "that is the stream after the last block; the skip ties it to the rest.": (
                        writes[-1] - last
                    ),
                },
            )
            raise WrongAnswer(
                f"with {depth} block(s) and p = {p} this is not conserved; list all edges that "
                "end in one unit of the stream, and all that begin there."
            )
        return "one charge for each unit of the stream, at whatever depth."

    return judge(test)


def drift_order(function: Callable[[Callable[[float], float]], Any]) -> Verdict:
    """Check a function drift -> order k, where drift(η) behaves as a constant times ηᵏ.

    Example:
        >>> drift_order(lambda drift: math.log2(drift(0.01) / drift(0.005)))
        Correct: the order of every law, from two runs.
    """

    def test() -> str:
        for order in (1, 2, 4, 3):
            size = -above(1.0)

            def drift(lr: float, order: int = order, size: float = size) -> float:
                return size * lr**order * (1 + lr / 2)

            found = answer_of(function, drift, like=size)
            if close(found, order, 0.1, size=1.0):
                continue
            recognise(
                found,
                {
                    "that is the ratio of the two drifts; which power of 2 is it?": 2.0**order,
                    "upside down: the order is positive where halving helps.": -float(order),
                    "a natural logarithm; divide by log 2, or take log2.": order * math.log(2),
                },
                partial(close, tolerance=0.05, size=1.0),
            )
            if close(found, order, 0.5, size=1.0):
                raise WrongAnswer("nearly: the step is too long for the first power to lead.")
            raise WrongAnswer(
                f"this drift has order {order}; measure it at two steps, one half of the other."
            )
        return "the order of every law, from two runs."

    return judge(test)


@by_cases("the end of the flow, and no step was taken.", ask=_BOTH, parts=("w", "v"))
def flow_end() -> Iterator[Case]:
    """Check a function (w, v, y, p) -> the end (w, v) of the flow on L = (wv - y)²/2."""
    for p in (2.0, 1.0, 1.5):
        v, y = above(0.5), above(0.5)
        w = above(v + 0.5)
        if p == 1.0:  # the larger may be either
            w, v = v, w
        yield Case(
            (w, v, y, p),
            _end(w, v, y, p),
            {
                "the two in the other order: the larger stays the larger.": (
                    _end(w, v, y, p)[::-1]
                ),
                "that is the balanced minimum; the flow keeps the charge it started with.": (
                    [math.sqrt(y)] * 2
                ),
                "scaling both alike fits the data, but it changes the charge.": (
                    [x * math.sqrt(y / (w * v)) for x in (w, v)]
                ),
                f"right for p = 2 but not for p = {p}: there another charge is kept.": _end(
                    w, v, y, 2.0
                ),
            },
            "two equations fix the end: w·v = y, and the charge is as it was.",
            like=torch.zeros(2),
        )


@by_cases("the whole path, without a single step.", ask=_BOTH, parts=("w", "v"))
def flow_path() -> Iterator[Case]:
    """Check a function (w, v, y, t) -> (w(t), v(t)) of the flow with p = 2 on L = (wv - y)²/2."""
    for run in range(4):
        v, y, time, gap = (between(0.3, 1.3) for _ in range(4))
        w = v + gap
        if run % 2:  # the larger may be either
            w, v = v, w
        right, charge = _path(w, v, y, time), w * w - v * v
        kappa = math.hypot(2 * y, charge)
        linear = y + (w * v - y) * math.exp(-kappa * time)
        logistic = y / (1 + (y / (w * v) - 1) * math.exp(-2 * y * time))
        kept = f"abs(answer[0] ** 2 - answer[1] ** 2 - ({charge})) <= {TOLERANCE * abs(charge)}"
        yield Case(
            (w, v, y, time),
            right,
            {
                "that is the end of the flow; it is reached only as t → ∞.": _end(w, v, y, 2.0),
                "the two in the other order.": right[::-1],
                "wv − y shrinks as e^(−κt) only near the end; solve the whole equation.": (
                    _end(w, v, linear, 2.0)
                ),
                "that is the logistic law of a balanced start; this one has a charge.": (
                    _end(w, v, logistic, 2.0)
                ),
            },
            "the path leaves its hyperbola: w² − v² must stay as it was.",
            rules=[(kept, "on the right hyperbola, but not there at this time.")],
            like=torch.zeros(2),
        )


def _end(w: float, v: float, y: float, p: float) -> list[float]:
    """Where wv = y and w^p - v^p is as it was, for positive numbers."""
    delta = w**p - v**p
    top = (delta + math.hypot(delta, 2 * y ** (p / 2))) / 2
    return [top ** (1 / p), y / top ** (1 / p)]


def _path(w: float, v: float, y: float, time: float) -> list[float]:
    """In s = (w + v)^2 the flow is ds/dt = -(s - s₊)(s - s₋)/2, solved by partial fractions."""
    delta = w * w - v * v
    kappa = math.hypot(2 * y, delta)
    high, low, start = 2 * y + kappa, 2 * y - kappa, (w + v) ** 2
    shrink = (start - high) / (start - low) * math.exp(-kappa * time)
    total = math.sqrt((high - low * shrink) / (1 - shrink))
    return [(total + delta / total) / 2, (total - delta / total) / 2]


def _sides(
    weights: Sequence[Tensor], biases: Sequence[Tensor], p: float
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """What flows into each hidden unit by weights and from the ground, and what flows out."""
    return [
        (_power(before, p, 1), bias.abs().pow(p), _power(after, p, 0))
        for (before, after), bias in zip(pairwise(weights), biases, strict=False)
    ]


def _power(weight: Tensor, p: float, dim: int) -> Tensor:
    return weight.abs().pow(p).sum(dim)
