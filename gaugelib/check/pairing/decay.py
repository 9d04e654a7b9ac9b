"""Checkers for "The pairing theorem": how imbalance decays, and which gauges are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import between

_NEAR = 1e-4  # the law of the flow, or that of its steps: they differ by a relative ηλ


@by_cases("the epochs after which one half is left, for p = 2, 3/2 and 1.")
def halving_epochs() -> Iterator[Case]:
    """Check a function (p, λ, η, steps in an epoch) -> epochs in which an imbalance is halved.

    Example:
        >>> halving_epochs(lambda p, decay, lr, steps: 1 / (decay * p * lr * steps))
        Not yet: after that time a share 1/e is left, not one half.
    """
    for p in (2.0, 1.5, 1.0):
        decay, lr = between(1e-4, 2e-4), between(1e-3, 2e-3)
        steps = int(between(1000, 2000))
        rate, half = decay * p * lr * steps, math.log(2)
        yield Case(
            (p, decay, lr, steps),
            half / rate,
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
            f"for p = {p} the imbalance is not halved then: e^(−λpt) = 1/2.",
            tolerance=_NEAR,
            counted=True,
        )


@by_cases("one minus e^(−λpt), with the time that the learning rates add up to.")
def lost_share() -> Iterator[Case]:
    """Check a function (p, λ, η, factor, steps, epochs) -> share of an imbalance that is lost.

    The learning rate is η in the first epoch and is multiplied by the factor after each.
    """
    for p in (2.0, 1.0, 1.5):
        decay, lr = between(5e-3, 1e-2), between(1e-3, 2e-3)
        factor, epochs, steps = between(0.9, 0.96), int(between(20, 30)), int(between(1000, 1800))
        rate, total = decay * p * lr * steps, (1 - factor**epochs) / (1 - factor)
        right = -math.expm1(-rate * total)
        yield Case(
            (p, decay, lr, factor, steps, epochs),
            right,
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
                "that is the exponent λpt; it is the share only while it is small.": rate * total,
                "a share, please, not a percentage.": 100 * right,
                "1875 steps are the paper's epoch; here it has as many as are given.": (
                    -math.expm1(-rate * total * 1875 / steps)
                ),
            },
            "add up the learning rates of all steps: that is the time t.",
            tolerance=_NEAR,
        )


_EIGHT = list(product((1, 2), repeat=3))


@by_cases(
    "two of the eight stay, those in which all three exponents agree.",
    rows=tuple(f"start {g}, metric {m}, penalty {q}" for g, m, q in _EIGHT),
    choices=(False, True),
)
def keeps_gauge() -> Iterator[Case]:
    """Check a function (start, metric, penalty) -> whether a start in that gauge stays in it.

    Args:
        function: takes the exponents, each 1 or 2, of the gauge at the start, of the flow's metric
            and of its penalty; returns True if every such flow keeps that gauge exactly.

    Example:
        >>> keeps_gauge(lambda start, metric, penalty: metric == penalty)
        Not yet: a matched pair damps its own imbalance, but the start has to be free of that one.
    """
    yield Case(
        _EIGHT,
        [g == m == q for g, m, q in _EIGHT],
        {
            "a matched pair damps its own imbalance, but the start has to be free of that one.": [
                m == q for _, m, q in _EIGHT
            ],
            "without a penalty, yes; but a penalty of the other exponent pulls away.": [
                g == m for g, m, _ in _EIGHT
            ],
            "a penalty decides where training ends; the metric may leave on the way.": [
                g == q for g, _, q in _EIGHT
            ],
            "not any penalty goes with any gauge: put Δ⁽q⁾ ≠ 0 into the law of mismatch.": (
                [True] * 8
            ),
            "there are flows that keep it: when do all three sums coincide?": [False] * 8,
        },
        [
            f"start {g}, metric {m}, penalty {q}: Δ⁽{g}⁾ starts at zero, and it is Δ⁽{m}⁾ whose "
            f"rate is −λ·{m}·Δ⁽{q}⁾; so does Δ⁽{g}⁾ stay at zero?"
            for g, m, q in _EIGHT
        ],
    )
