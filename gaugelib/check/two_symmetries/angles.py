"""Checker for "Two symmetries": the angle between two half pages across the spine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import permutation
from gaugelib.check.verdict import TOLERANCE, Verdict, WrongAnswer, judge, recognise

Permutation = list[int]
SLACK = 0.1  # degrees


def page_angle(function: Callable[[Permutation, int, Permutation, int], Any]) -> Verdict:
    """Check a function (σ, s, τ, t) -> angle in degrees between the half pages s·D_σ and t·D_τ.

    Args:
        function: takes two permutations of n units, entry i saying where i is sent, and the signs
            of δ on the two half pages, 1 or −1; returns an angle from 0 to 180 degrees.

    Example:
        >>> page_angle(lambda sigma, s, tau, t: 30.0)
        Not yet: with 5 units and 3 fixed points of σ⁻¹τ, on the same side, it is ... degrees.
    """

    def test() -> str:
        _judge_angle(function, *_telling(), (1, 1))  # first where a sign alone does not matter
        for n in (3, 5, 4):
            first = permutation(n)
            for fixed in (0, 1, n, n - 2):
                second = _beside(first, fixed)
                for sides in ((1, 1), (-1, -1), (-1, 1), (1, -1)):
                    _judge_angle(function, first, second, sides)
        return "an angle for each number of fixed points, on the same side and across the spine."

    return judge(test)


def _telling() -> tuple[Permutation, Permutation]:
    """Two permutations that agree on three of five units, by which each miscount is told."""
    while True:
        first = permutation(5)
        second = _beside(first, 3)
        product = [first[k] for k in second]
        if all(_fixed(images) < 2 for images in (first, second, product)):
            return first, second


def _beside(first: Permutation, fixed: int) -> Permutation:
    """A fresh permutation that agrees with the first on so many units."""
    while True:
        second = permutation(len(first))
        if sum(a == b for a, b in zip(first, second, strict=True)) == fixed:
            return second


def _judge_angle(
    function: Callable[[Permutation, int, Permutation, int], Any],
    first: Permutation,
    second: Permutation,
    sides: tuple[int, int],
) -> None:
    """A hint if this is not the angle whose cosine is s·t·(fixed points − 1)/(n − 1)."""
    found = answer_of(function, first, sides[0], second, sides[1], like=1.0)
    n, agree = len(first), sum(a == b for a, b in zip(first, second, strict=True))
    cosine = sides[0] * sides[1] * (agree - 1) / (n - 1)
    if _same(found, [cosine]):
        return
    if found < -SLACK or found > 180 + SLACK:
        raise WrongAnswer(
            f"your angle is {found:.4g} degrees; between two half pages it is from 0 to 180."
        )
    radians = {"that is in radians; return degrees.": math.acos(cosine)}
    recognise(found, radians | {"that is its cosine; return the angle.": cosine}, _as_given)
    recognise(found, _wrong_cosines(first, second, sides[0] * sides[1], agree), _same)
    where = "on the same side" if sides[0] == sides[1] else "across the spine"
    raise WrongAnswer(
        f"with {n} units and {agree} fixed points of σ⁻¹τ, {where}, it is not {found:.4g} degrees."
    )


def _same(found: float, cosines: Sequence[float]) -> bool:
    """Whether an angle has one of these cosines; near 0 and 180 it keeps half of its digits."""
    within = -SLACK <= found <= 180 + SLACK
    own = math.cos(math.radians(found))
    return within and any(abs(own - cosine) <= TOLERANCE for cosine in cosines)


def _as_given(found: float, wrong: float) -> bool:
    return abs(found - wrong) < 1e-5


def _wrong_cosines(
    first: Permutation, second: Permutation, sign: int, agree: int
) -> dict[str, list[float]]:
    n = len(first)
    miscounts = (first, second, [first[k] for k in second])
    right = (agree - 1) / (n - 1)
    return {
        "the sign of the half page is missing: where δ < 0 it points along −D_σ.": [right],
        "that is the angle between whole pages; across the spine from a half page lies its own "
        "other side, at 180 degrees.": [abs(right)],
        "turned round: the other half of the second page is meant.": [-sign * right],
        "without the spine: take J/n off P_σ, so that one fixed point counts for nothing.": [
            sign * agree / n
        ],
        "D_σ has the squared length n − 1, not n.": [sign * (agree - 1) / n],
        f"D_σ has the squared length n − 1, and n is {n} here, not 3.": [sign * (agree - 1) / 2],
        "count the units on which σ and τ agree, not those on which they differ.": [
            sign * (n - agree - 1) / (n - 1)
        ],
        "count the fixed points of σ⁻¹τ, which are where σ and τ agree; you count those of σ, of "
        "τ or of στ.": [sign * (_fixed(images) - 1) / (n - 1) for images in miscounts],
    }


def _fixed(images: Sequence[int]) -> int:
    return sum(i == k for k, i in enumerate(images))
