"""Checkers for the exercises of the chapter "The minimum-norm gauge"."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.cases import Asked, Case, by_cases, filled, with_cases
from gaugelib.check.forms import entries, read
from gaugelib.check.fresh import between, dense
from gaugelib.check.verdict import TOLERANCE, Verdict, WrongAnswer, close, judge, recognise

WIDTHS = [3, 5, 4, 6, 2]


def update_scales(function: Callable[[list[Tensor], float], Any]) -> Verdict:
    """Check a function (weights, p) -> scales of one step of Algorithm 1.

    Args:
        function: takes weights `[(n1, n0), (n2, n1), ...]` and p > 0; returns one vector of scales
            for each hidden layer.
    """

    def test() -> str:
        for p in (2.0, 1.0, 0.5):
            weights = dense(WIDTHS)
            ratios = [
                after.abs().pow(p).sum(0) / before.abs().pow(p).sum(1)
                for before, after in pairwise(weights)
            ]
            ask = "return one vector of scales for each hidden layer, layer by layer"
            found = answer_of(function, weights, p, like=ratios, ask=ask)
            if close(found, [r ** (1 / (4 * p)) for r in ratios]):
                continue
            mistakes = {
                "the ratio is upside down: a unit with much going out has to grow.": [
                    r ** (-1 / (4 * p)) for r in ratios
                ],
                "that is the doubled step, 1/(2p); the paper's exponent is 1/(4p).": [
                    r ** (1 / (2 * p)) for r in ratios
                ],
                f"right for p = 2 but not for p = {p}: the exponent is 1/(4p).": [
                    r ** (1 / 8) for r in ratios
                ],
                "compare sums of p-th powers; you took their p-th roots first.": [
                    r ** (1 / (4 * p * p)) for r in ratios
                ],
            }
            recognise(found, mistakes)
            raise WrongAnswer(f"for p = {p} these are not (out/in)^(1/(4p)), layer by layer.")
        return "one step of Algorithm 1, for p = 2, 1 and 1/2."

    return judge(test)


@by_cases("depth sets the number of steps, and nothing else does.")
def steps_needed() -> Iterator[Case]:
    """Check a function (weight layers, factor) -> steps of Algorithm 1 that shrink γ by the factor.

    Example:
        >>> steps_needed(lambda layers, factor: 10)
        Not yet: with 5 weight layers each step multiplies γ by 0.9045; count again.
    """
    for layers, factor in ((5, 1e3), (3, 1e6), (7, 10.0)):
        cosine = math.cos(math.pi / (2 * layers))
        rates = {
            "that is the doubled step; Algorithm 1 has cos²(π/2L).": math.cos(math.pi / layers),
            "the rate is the square of that cosine.": cosine,
            "L counts weight layers, one more than there are hidden layers.": (
                math.cos(math.pi / (2 * (layers - 1))) ** 2
            ),
        }
        yield Case(
            (layers, factor),
            math.log(factor) / -math.log(cosine**2),
            {hint: math.log(factor) / -math.log(rate) for hint, rate in rates.items()},
            f"with {layers} weight layers each step multiplies γ by {cosine**2:.4f}; count again.",
            counted=True,
        )


@by_cases("the geometric over the arithmetic mean.")
def predicted_share() -> Iterator[Case]:
    """Check a function from the totals of the layers to the predicted ratio of lightest to given.

    Example:
        >>> predicted_share(lambda totals: math.prod(totals) ** (1 / len(totals)))
        Not yet: the geometric mean is one half of it; compare it with the arithmetic mean.
    """
    for layers in (2, 3, 5):
        totals = [between(1, 10) for _ in range(layers)]
        mean, geometric = sum(totals) / layers, math.prod(totals) ** (1 / layers)
        yield Case(
            (totals,),
            geometric / mean,
            {
                "the geometric mean is one half of it; compare it with the arithmetic mean.": (
                    geometric
                ),
                "upside down: the lightest cannot be heavier than the given.": mean / geometric,
                "compare the mean with the mean, not with the sum.": geometric / sum(totals),
            },
            "make all totals equal while their product stays; what is the sum?",
        )


_PARTS = ("p", "w_in", "w_out", "a")
_BEFORE, _AFTER = "abs(w_in) ** p + abs(w_out) ** p", "abs(a * w_in) ** p + abs(w_out / a) ** p"
_BOUND = f"({_BEFORE}) / abs(w_in) ** p"
_REFUTED = Case(
    (),
    None,
    rules=[
        (
            "min(p, abs(w_in), abs(w_out), a) <= 0",
            "all four numbers must be positive and finite.",
        ),
        ("p >= 1", "for p ≥ 1 the printed bound is true; look below 1."),
        (
            f"{_AFTER} > ({_BEFORE}) * {1 + TOLERANCE}",
            f"this scale raises the sum from {{{_BEFORE}:.4g}} to {{{_AFTER}:.4g}}; the bound "
            "speaks only of scales that do not.",
        ),
        (
            f"a <= {_BOUND}",
            f"a = {{a:.4g}} obeys the printed bound {{{_BOUND}:.4g}}; go further.",
        ),
    ],
)
_EXCEEDS = f"a = {{a:.4g}} is allowed and exceeds the printed bound {{{_BOUND}:.4g}}."
_NUMBERS = "give numbers for p, w_in, w_out and a"


@with_cases(Asked(lambda: [_REFUTED], _EXCEEDS, _NUMBERS, _PARTS))
def refutation(answer: Mapping[str, float]) -> Verdict:
    """Check a counter-example to the bound (17) as printed, `a ≤ ‖W‖ₚᵖ/|w|ᵖ`, on two weights.

    Args:
        answer: p, the weights w_in and w_out of one neuron, and a scale a of that neuron which does
            not raise the norm and yet exceeds the bound for w_in.
    """

    def test() -> str:
        given = entries(answer, _PARTS) or {}
        if any(given.get(name) is None or given[name] is Ellipsis for name in _PARTS):
            raise WrongAnswer(f"{_NUMBERS}.")
        found = {name: read(given[name], like=1.0, ask=_NUMBERS) for name in _PARTS}
        _REFUTED.judge(list(found.values()), **found)
        return filled(_EXCEEDS, **found)

    return judge(test)


def layer_scales(function: Callable[[list[float], float], Any]) -> Verdict:
    """Check a function (totals, p) -> one scale a hidden layer, making all totals equal."""

    def test() -> str:
        for p, layers in ((2.0, 3), (1.0, 4), (0.5, 2)):
            totals = [between(1, 10) for _ in range(layers)]
            mean = math.exp(sum(map(math.log, totals)) / layers)
            right = [
                math.prod(mean / t for t in totals[: k + 1]) ** (1 / p) for k in range(layers - 1)
            ]
            ask = f"return {layers - 1} numbers, one for each hidden layer"
            found = answer_of(function, totals, p, like=torch.tensor(right), ask=ask)
            if close(found, right):
                continue
            mistakes = {
                "upside down: a layer that carries too much has to shrink.": [1 / a for a in right],
                "the totals are sums of p-th powers; take the p-th root.": [a**p for a in right],
                "each layer also feels the scales before it: multiply them up.": [
                    (mean / t) ** (1 / p) for t in totals[:-1]
                ],
            }
            recognise(found, mistakes)
            raise WrongAnswer(f"with p = {p} the {layers} totals do not become equal.")
        return "every layer carries the same total, and the ends stayed where they were."

    return judge(test)


def alive(function: Callable[[list[Tensor]], Any]) -> Verdict:
    """Check a function from weights to a boolean vector for each hidden layer: who is alive."""

    def test() -> str:
        for trial in range(6):
            weights = dense(WIDTHS)
            if trial:  # cut some units off, first directly, then through their neighbours
                weights[1][0] = 0.0
                weights[2][:, 1] = 0.0
            if trial > 2:
                weights[2][2, 1:] = 0.0  # fed only by a unit that nobody feeds
            right = _alive(weights)
            ask = "return a mask for each hidden layer: who is on a path of non-zero weights"
            found = answer_of(function, weights, like=right, ask=ask)
            if close(found, right):
                continue
            near = [
                (before != 0).any(1) & (after != 0).any(0) for before, after in pairwise(weights)
            ]
            fed = [(before != 0).any(1) for before, _ in pairwise(weights)]
            mistakes = {
                "a unit whose neighbours on one side are all dead is dead too.": near,
                "these are the dead ones; say True for a unit that lives.": [~m for m in right],
                "a unit must be heard as well as fed: look at its columns too.": fed,
            }
            recognise(found, mistakes)
            raise WrongAnswer("a unit lives if it lies on a path of non-zero weights.")
        return "only units on a path from an input to an output live."

    return judge(test)


def _alive(weights: Sequence[Tensor]) -> list[Tensor]:
    fed, heard = [torch.ones(weights[0].shape[1], dtype=torch.bool)], []
    for weight in weights[:-1]:
        fed.append(((weight != 0) & fed[-1]).any(1))
    back = torch.ones(weights[-1].shape[0], dtype=torch.bool)
    for weight in reversed(weights[1:]):
        back = ((weight != 0) & back[:, None]).any(0)
        heard.append(back)
    return [f & h for f, h in zip(fed[1:], reversed(heard), strict=True)]
