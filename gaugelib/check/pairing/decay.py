"""Checkers for "The pairing theorem": how imbalance decays, and which gauges are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import between
from gaugelib.check.verdict import Verdict, WrongAnswer, close, counts, judge, recognise


def halving_epochs(function: Callable[[float, float, float, int], Any]) -> Verdict:
    """Check a function (p, λ, η, steps in an epoch) -> epochs in which an imbalance is halved.

    Example:
        >>> halving_epochs(lambda p, decay, lr, steps: 1 / (decay * p * lr * steps))
        Not yet: after that time a share 1/e is left, not one half.
    """

    def test() -> str:
        for p in (2.0, 1.5, 1.0):
            decay, lr = between(1e-4, 2e-4), between(1e-3, 2e-3)
            steps = int(between(1000, 2000))
            rate = decay * p * lr * steps
            found, half = answer_of(function, p, decay, lr, steps, like=rate), math.log(2)
            if counts(found, half / rate, _near):
                continue
            recognise(
                found,
                {
                    "the imbalance is a sum of p-th powers, so it decays at λp, not at λ.": (
                        half * p / rate
                    ),
                    f"right for p = 2 but not for p = {p}: the rate is λp.": half * p / (2 * rate),
                    "after that time a share 1/e is left, not one half.": 1 / rate,
                    "those are steps; an epoch has many.": half / rate * steps,
                    "that is a time; one step takes η of it.": half / rate * lr * steps,
                    "that is the share lost in an epoch; it is asked how many epochs it takes.": (
                        -math.expm1(-rate)
                    ),
                },
                partial(counts, same=_near),
            )
            raise WrongAnswer(f"for p = {p} the imbalance is not halved then: e^(−λpt) = 1/2.")
        return "the epochs after which one half is left, for p = 2, 3/2 and 1."

    return judge(test)


def lost_share(function: Callable[[float, float, float, float, int, int], Any]) -> Verdict:
    """Check a function (p, λ, η, factor, steps, epochs) -> share of an imbalance that is lost.

    The learning rate is η in the first epoch and is multiplied by the factor after each.
    """

    def test() -> str:
        for p in (2.0, 1.0, 1.5):
            decay, lr = between(5e-3, 1e-2), between(1e-3, 2e-3)
            factor, epochs = between(0.9, 0.96), int(between(20, 30))
            rate, total = decay * p * lr * 1875, (1 - factor**epochs) / (1 - factor)
            found = answer_of(function, p, decay, lr, factor, 1875, epochs, like=rate)
            right = -math.expm1(-rate * total)
            if _near(found, right):
                continue
            recognise(
                found,
                {
                    "that is what is left; what is lost is the rest.": 1 - right,
                    "η shrinks after every epoch, so later epochs count for less.": (
                        -math.expm1(-rate * epochs)
                    ),
                    "the first epoch still has the full η.": -math.expm1(-rate * total * factor),
                    "your sum of learning rates never ends; the training does.": (
                        -math.expm1(-rate / (1 - factor))
                    ),
                    "the imbalance is a sum of p-th powers, so it decays at λp, not at λ.": (
                        -math.expm1(-rate * total / p)
                    ),
                    "that is the exponent λpt; it is the share only while it is small.": (
                        rate * total
                    ),
                    "a share, please, not a percentage.": 100 * right,
                },
                _near,
            )
            raise WrongAnswer("add up the learning rates of all steps: that is the time t.")
        return "one minus e^(−λpt), with the time that the learning rates add up to."

    return judge(test)


def keeps_gauge(function: Callable[[int, int, int], Any]) -> Verdict:
    """Check a function (start, metric, penalty) -> whether a start in that gauge stays in it.

    Args:
        function: takes the exponents, each 1 or 2, of the gauge at the start, of the flow's metric
            and of its penalty; returns True if every such flow keeps that gauge exactly.

    Example:
        >>> keeps_gauge(lambda start, metric, penalty: metric == penalty)
        Not yet: a matched pair damps its own imbalance, but the start has to be free of that one.
    """

    def test() -> str:
        cases = list(product((1, 2), repeat=3))
        found = [answer_of(function, *case, like=True) for case in cases]
        recognise(
            found,
            {
                "a matched pair damps its own imbalance, but the start has to be free of that "
                "one.": [m == q for _, m, q in cases],
                "without a penalty, yes; but a penalty of the other exponent pulls away.": [
                    g == m for g, m, _ in cases
                ],
                "a penalty decides where training ends; the metric may leave on the way.": [
                    g == q for g, _, q in cases
                ],
                "not any penalty goes with any gauge: put Δ⁽q⁾ ≠ 0 into the law of mismatch.": [
                    True
                ]
                * 8,
                "there are flows that keep it: when do all three sums coincide?": [False] * 8,
            },
        )
        for (g, m, q), kept in zip(cases, found, strict=True):
            if kept != (g == m == q):
                raise WrongAnswer(
                    f"start {g}, metric {m}, penalty {q}: Δ⁽{g}⁾ starts at zero, and it is "
                    f"Δ⁽{m}⁾ whose rate is −λ·{m}·Δ⁽{q}⁾; so does Δ⁽{g}⁾ stay at zero?"
                )
        return "two of the eight stay, those in which all three exponents agree."

    return judge(test)


def _near(found: float, expected: float) -> bool:
    """The law of the flow, or that of its steps: they differ by a relative ηλ."""
    return close(found, expected, 1e-4)
