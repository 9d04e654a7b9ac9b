"""Checkers for "The pairing theorem": a paired step, and an experiment with arms to compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import between, normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise

Rule = Callable[[Tensor, Tensor, float, float], Tensor]


def egd_step(function: Callable[[list[Tensor], list[Tensor], float, float], Any]) -> Verdict:
    """Check a function (weights, gradients, η, λ) -> weights after one step of the paper's EGD.

    Args:
        function: takes two lists of tensors of the same shapes, the learning rate and the strength
            of the penalty; returns a list of new tensors.
    """

    def test() -> str:
        for _ in range(3):
            weights, grads = ([normal(4, 3), normal(2, 4)] for _ in range(2))
            weights[0][0, 0] = 0.0
            lr, decay = between(0.2, 1.2), between(0.2, 1.2)
            ask = "return a list of tensors, with the shapes of the weights"
            found = answer_of(function, weights, grads, lr, decay, like=weights, ask=ask, pure=True)
            if close(found, _stepped(_egd, weights, grads, lr, decay)):
                continue
            mistakes = {h: _stepped(rule, weights, grads, lr, decay) for h, rule in _RULES.items()}
            recognise(found, mistakes)
            raise WrongAnswer("not W·exp(−η·sgn(W)·∂L/∂W − ηλ), entry by entry.")
        return "one step of EGD; zeros stayed, and no weight changed its sign."

    return judge(test)


def fixes_gauge(function: Callable[[int, str], Any]) -> Verdict:
    """Check a function (step, arm) -> whether the gauge is fixed before that step.

    Args:
        function: takes the number of a step, counted from 0, and one of the arms "never", "once",
            "every" and "every 10"; returns True or False.

    Example:
        >>> fixes_gauge(lambda step, arm: arm == "once" and step == 1)
        Not yet: 'once': steps are counted from 0, and one was taken before you fixed.
    """

    def test() -> str:
        for arm, right in _PLANS.items():
            found = [answer_of(function, step, arm, like=True) for step in _STEPS]
            if found == right:
                continue
            recognise(
                found,
                {
                    f"'{arm}': steps are counted from 0, and one was taken before you fixed.": [
                        k == 1 for k in _STEPS
                    ],
                    f"'{arm}': the first step too is taken in the gauge.": [
                        fixed and (k > 0 or arm == "once")
                        for k, fixed in zip(_STEPS, right, strict=True)
                    ],
                    f"'{arm}': that is after every tenth step; fix before it.": [
                        k % 10 == 9 for k in _STEPS
                    ],
                    f"'{arm}' is not 'every': compare the whole name.": [True] * len(_STEPS),
                },
            )
            fixed = [k for k, yes in zip(_STEPS, found, strict=True) if yes]
            raise WrongAnswer(f"'{arm}': of the first 41 steps you fix before {fixed or 'none'}.")
        return "four arms, all fixed before the step and not after it."

    return judge(test)


def gain_share(function: Callable[[Tensor, Tensor, Tensor], Any]) -> Verdict:
    """Check a function (never, once, every) -> share of the gain that fixing once already has.

    Args:
        function: takes the curves of three arms, each `(seeds, epochs + 1)`; the gain is what the
            mean over the seeds is lower by at the last epoch, compared with never fixing.
    """

    def test() -> str:
        for seeds in (3, 5):
            low = 0.2 + 0.1 * normal(seeds, 7).sigmoid()
            once, never = low + 0.2 * normal(seeds, 7).sigmoid(), low + 0.3
            never = never + normal(seeds, 7).sigmoid()
            curves = never, once, low
            ask = "return one number: average over the seeds"
            found = answer_of(function, *curves, like=1.0, ask=ask)
            a, b, c = (curve[:, -1].mean() for curve in curves)
            right = (a - b) / (a - c)
            if close(found, right):
                continue
            first, whole = (_gains(*curves, pick) for pick in (lambda x: x[:, 0], lambda x: x))
            recognise(
                found,
                {
                    "gains are never minus the other arm; one of your differences is reversed.": (
                        -right
                    ),
                    "that is the share that is left for fixing again and again.": 1 - right,
                    "upside down: what once has, out of what every has.": 1 / right,
                    "that is a mean of ratios, in which a seed with a small gain counts most; "
                    "average first, then divide.": ((never - once) / (never - low))[:, -1].mean(),
                    "those are losses; the gain of once is what it saves, never minus once.": b / a,
                    "a ratio of losses hides what both arms gained; subtract each from never.": c
                    / b,
                    "that is a gain, in units of the loss; divide by that of every.": a - b,
                    "that is before the first step; take the last epoch.": first,
                    "that is over all epochs; take the last.": whole,
                },
            )
            raise WrongAnswer("(never − once)/(never − every), of means at the last epoch.")
        return "the share of the gain that needs no second fixing."

    return judge(test)


def norms_after(
    function: Callable[[Tensor, Tensor, Tensor, Tensor, float, float], Any],
) -> Verdict:
    """Check a function that knows the sums of squares of rows after a step from the batch.

    Args:
        function: takes the sums of squares of the rows of a weight `(n,)`, its inputs `(batch, m)`,
            what it made of them and the slopes there, both `(batch, n)`, the learning rate and the
            strength of the decay; returns the sums after a step of gradient descent, `(n,)`.
    """

    def test() -> str:
        for batch in (2, 5):
            weight, x, slopes = normal(4, 3), normal(batch, 3), normal(batch, 4)
            lr, decay = between(0.2, 0.8), between(0.2, 0.8)
            norms, z, keep = weight.square().sum(1), x @ weight.T, 1 - lr * decay
            ask = "return a tensor with one number for each row"
            given = norms, x, z, slopes, lr, decay
            found = answer_of(function, *given, like=norms, ask=ask, pure=True)
            grad = slopes.T @ x
            right = (keep * weight - lr * grad).square().sum(1)
            if close(found, right):
                continue
            paired, squares = (slopes * z).sum(0), grad.square().sum(1)
            old, last = keep**2 * norms, lr**2 * squares
            alone = (slopes.square().T @ x.square()).sum(1)
            bound = slopes.square().sum(0) * x.square().sum()
            recognise(
                found,
                {
                    "downhill: the middle term is taken away.": old + 2 * lr * keep * paired + last,
                    "the square has a middle term too, ⟨W, G⟩ of each row.": old + last,
                    "the squares of the gradient are missing, with η².": right - last,
                    "η multiplies the gradient, so it is squared with it.": right
                    + (lr - lr**2) * squares,
                    "the decay multiplies the weights of the middle term as well.": old
                    - 2 * lr * paired
                    + last,
                    "the decay multiplies W, so that its square is in the sums.": right
                    - old
                    + keep * norms,
                    "the middle term comes twice: (a − b)² = a² − 2ab + b².": old
                    - lr * keep * paired
                    + last,
                    "pairs of two examples count too: the gradient is summed before it is "
                    "squared.": right - last + lr**2 * alone,
                    "that is the bound by Cauchy and Schwarz; the products x·x of pairs of "
                    "examples are known.": right - last + lr**2 * bound,
                },
            )
            raise WrongAnswer("not the sums of squares of (1 − ηλ)W − ηG, row by row.")
        return "all of it from the batch, and no weight was read."

    return judge(test)


def _egd(w: Tensor, g: Tensor, lr: float, decay: float) -> Tensor:
    return w * (-lr * (w.sign() * g + decay)).exp()


_RULES: dict[str, Rule] = {
    "the gradient needs the sign of its weight: below 0, to grow is to shrink in size.": (
        lambda w, g, lr, decay: w * (-lr * (g + decay)).exp()
    ),
    "the factor already multiplies W; do not put W beside λ as well.": (
        lambda w, g, lr, decay: w * (-lr * (w.sign() * g + decay * w)).exp()
    ),
    "the sign belongs to the gradient alone; the decay shrinks weights of both signs.": (
        lambda w, g, lr, decay: w * (-lr * w.sign() * (g + decay)).exp()
    ),
    "the decay stands in the exponent; it is not subtracted behind it.": (
        lambda w, g, lr, decay: w * (-lr * w.sign() * g).exp() - lr * decay * w
    ),
    "the decay is taken after the step; it belongs into the same exponent.": (
        lambda w, g, lr, decay: w * (-lr * w.sign() * g).exp() * (1 - lr * decay)
    ),
    "that is SGD, the step for p = 2; here each weight is multiplied.": (
        lambda w, g, lr, decay: w - lr * g - lr * decay * w
    ),
    "the exponent holds the sign of W, not W itself.": (
        lambda w, g, lr, decay: w * (-lr * (w * g + decay)).exp()
    ),
    "uphill: the exponent wants a minus.": (
        lambda w, g, lr, decay: w * (lr * (w.sign() * g + decay)).exp()
    ),
}


def _stepped(
    rule: Rule, weights: list[Tensor], grads: list[Tensor], lr: float, decay: float
) -> list[Tensor]:
    return [rule(w, g, lr, decay) for w, g in zip(weights, grads, strict=True)]


_STEPS = range(41)
_PLANS = {
    "never": [False for _ in _STEPS],
    "once": [k == 0 for k in _STEPS],
    "every": [True for _ in _STEPS],
    "every 10": [k % 10 == 0 for k in _STEPS],
}


def _gains(never: Tensor, once: Tensor, every: Tensor, pick: Callable[[Tensor], Tensor]) -> Tensor:
    a, b, c = (pick(curve).mean() for curve in (never, once, every))
    return (a - b) / (a - c)
