"""Checker for "Somebody else's networks": what rounding one layer costs, and its lower bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise

_ASK = (
    "return three numbers: the expected error with one step, with one step for each row, and "
    "the lower bound"
)
_PLACES = ("with one step for the layer", "with one step for each row", "of the lower bound")


def layer_errors(function: Callable[[Tensor, Tensor, int], Any]) -> Verdict:
    """Check a function (weight, sensitivity, bits) -> expected rounding errors and their bound.

    Args:
        function: takes the weights `(n, m)` of a layer, the mean E|∂f/∂θ|² for each of them, and
            the number b of bits; returns Σ(q²/12)·E|∂f/∂θ|² with the step q = max|θ|/(2^(b−1) − 1)
            of the whole layer, the same with the step of each row, and
            Σθ²·E|∂f/∂θ|²/(12(2^(b−1) − 1)²).

    Example:
        >>> layer_errors(lambda w, s, bits: [0.0, 0.0, 0.0])
        Not yet: with one step for the layer the error is ..., not 0; it is q²/12 times ...
    """

    def test() -> str:
        for rows, columns, bits in ((3, 4, 8), (2, 5, 3), (4, 2, 4), (1, 3, 5)):
            weight, seen = normal(rows, columns), normal(rows, columns).square()
            right = _three(weight, seen, bits)
            found = answer_of(function, weight, seen, bits, like=[1.0] * 3, ask=_ASK)
            for part in range(3):
                if close(found[part], right[part]):
                    continue
                _recognise_all(found, weight, seen, bits)
                _recognise_part(found[part], part, weight, seen, bits)
                raise WrongAnswer(
                    f"{_PLACES[part]} the error is {right[part]:.4g}, not {found[part]:.4g}; it is "
                    "q²/12 times the sensitivities with that step, added up."
                )
        return "bound ≤ one step a row ≤ one step a layer, at 3, 4, 5 and 8 bits."

    return judge(test)


def _three(weight: Tensor, seen: Tensor, bits: int, largest: float | None = None) -> list[float]:
    top = largest or 2 ** (bits - 1) - 1
    by_row = weight.abs().amax(1, keepdim=True)
    return [
        float((scale.square() * seen).sum() / (12 * top**2))
        for scale in (weight.abs().max(), by_row, weight)
    ]


def _recognise_all(found: list[float], weight: Tensor, seen: Tensor, bits: int) -> None:
    right = _three(weight, seen, bits)
    steps = 2 ** (bits - 1) - 1

    def times(factor: float) -> list[float]:
        return [factor * number for number in right]

    recognise(
        found,
        {
            "the order: one step for the layer first, then one for each row, then the bound.": (
                right[::-1]
            ),
            "the largest code is 2^(b−1) − 1: 127 for 8 bits, not 128.": _three(
                weight, seen, bits, 2 ** (bits - 1)
            ),
            "one bit is for the sign: the largest code is 2^(b−1) − 1, not 2^b − 1.": _three(
                weight, seen, bits, 2**bits - 1
            ),
            "one bit is for the sign: the largest code is 2^(b−1) − 1, not 2^b.": _three(
                weight, seen, bits, 2**bits
            ),
            "the largest code is 127 for 8 bits only; use the bits.": _three(
                weight, seen, bits, 127
            ),
            "that is the worst error, half a step; the mean square of a uniform one is q²/12.": (
                times(3)
            ),
            "an error between −q/2 and q/2 has the mean square q²/12, not q².": times(12),
            "an error between −q/2 and q/2 has the mean square q²/12; yours is for 0 to q.": (
                times(4)
            ),
            "add the sensitivities of all weights up; that is their mean.": times(
                1 / weight.numel()
            ),
            "that is the root; the expected square is asked for.": [n**0.5 for n in right],
            "the sensitivity E|∂f/∂θ|² is a square already.": _three(weight, seen.square(), bits),
            "the sensitivities are missing: an error counts by what it does to the output.": _three(
                weight, torch.ones_like(seen), bits
            ),
            "the step is squared: the error of the output is, too.": [
                float((scale * seen).sum() / (12 * steps))
                for scale in (weight.abs().max(), weight.abs().amax(1, keepdim=True), weight.abs())
            ],
        },
    )


def _recognise_part(found: float, part: int, weight: Tensor, seen: Tensor, bits: int) -> None:
    one, by_row, least = _three(weight, seen, bits)
    by_column = _three(weight.T, seen.T, bits)[1]
    top = weight.max().clamp(min=0) if part == 0 else weight.amax(1, keepdim=True)
    signed = float((top.square() * seen).sum() / (12 * (2 ** (bits - 1) - 1) ** 2))
    means = float(seen.mean() * weight.square().sum() / (12 * (2 ** (bits - 1) - 1) ** 2))
    mistakes: tuple[dict[str, float], ...] = (
        {
            "the largest weight may be negative: take its size.": signed,
            "the first has one step for the whole layer; that has one for each row.": by_row,
            "the first is the error, and that is the bound.": least,
        },
        {
            "the largest weight of a row may be negative: take its size.": signed,
            "a row is what flows into one unit, so take the largest along the columns of a row; "
            "yours has a step for each column.": by_column,
            "the second has a step for each row, and that has one for the layer.": one,
            "the second is an error, and that is the bound.": least,
        },
        {
            "the bound weighs each sensitivity with the square of its own weight.": means,
            "that is the error with one step a row; the bound has each weight in the place of "
            "the largest.": by_row,
            "that is the error with one step; the bound has each weight in the place of the "
            "largest.": one,
        },
    )
    recognise(found, mistakes[part])
