"""Checker for "Which gauge?": where noise with decay stops, and for which methods it is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import between
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise

_VANISHES = {
    "SGD": True,
    "clipped": True,
    "layerwise": False,
    "momentum": False,
    "sign": False,
    "Adam": False,
}
_HINTS = {
    "SGD": "v is the gradient of a loss at θ, if only of a batch: what is conserved for it?",
    "clipped": "v is one number times the gradient, the same number for what flows in and out.",
    "layerwise": "what flows into a unit and what flows out lie in two layers, which are "
    "multiplied by two numbers.",
    "momentum": "the older gradients in v were taken at older weights, and are multiplied by θ.",
    "sign": "θ⊙sign(g) sums |θ| with the signs of θg: do those cancel, where θg does?",
    "Adam": "each entry is divided by a root of its own, as for the sign of the gradient.",
}


def resting_imbalance(function: Callable[[str, float, float, float, float], Any]) -> Verdict:
    """Check a function (method, I, O, η, λ) -> (whether the first order vanishes, mean imbalance).

    Args:
        function: takes the name of a method whose step is θ' = (1 − ηλ)θ − ηv, among "SGD",
            "clipped", "layerwise", "momentum", "sign" and "Adam"; the means I and O of Σv² over
            what flows in and out of a unit; the learning rate η and the decay λ. It returns
            whether Σ_in θv − Σ_out θv is 0 in every step, and the stationary mean of
            Δ = Σ_in θ² − Σ_out θ² if it is, 0 if not.

    Example:
        >>> resting_imbalance(lambda method, into, out, lr, decay: [True, 0.0])
        Not yet: layerwise: what flows into a unit and what flows out lie in two layers, ...
    """

    def test() -> str:
        ask = "return two things: True or False, and one number"
        given, found = {}, {}
        for turn in (1, 2):
            for method in _VANISHES:
                into, out = between(1.0, 3.0), between(4.0, 9.0)
                numbers = (into, out) if turn == 1 else (out, into)
                numbers += (between(0.1, 0.5), between(0.2, 0.5))
                answer = answer_of(function, method, *numbers, like=[True, 1.0], ask=ask)
                given[method, turn], found[method, turn] = numbers, answer
        _judge_orders({method: answer[0] for (method, _), answer in found.items()})
        for (method, turn), (vanishes, rest) in found.items():
            _judge_rest(method, vanishes, rest, *given[method, turn])
        return "η²(I − O)/(1 − (1 − ηλ)²) for the gradient and its multiples, and for no other."

    return judge(test)


def _judge_orders(said: dict[str, bool]) -> None:
    for method, vanishes in _VANISHES.items():
        if all(word != _VANISHES[name] for name, word in said.items()):
            raise WrongAnswer("turned round: say True where the first order vanishes.")
        if said[method] != vanishes:
            raise WrongAnswer(f"{method}: {_HINTS[method]}")


def _judge_rest(
    method: str, vanishes: bool, rest: float, into: float, out: float, lr: float, decay: float
) -> None:
    """A hint if this is not where the law of one step has its fixed point."""
    kept = 1 - lr * decay
    right = lr**2 * (into - out) / (1 - kept**2)
    if not vanishes:
        if close(rest, 0.0, size=1.0):
            return
        raise WrongAnswer(
            f"{method}: with a first-order term the mean squares do not say where it stops; "
            "return 0 for the number."
        )
    if close(rest, right):
        return
    recognise(
        rest,
        {
            "the sign: Δ is in minus out, and the noise adds η²(I − O).": -right,
            "that is for small ηλ; η and λ are not small here: square 1 − ηλ.": (
                lr * (into - out) / (2 * decay)
            ),
            "the imbalance is quadratic in θ: it keeps the share (1 − ηλ)² in a step.": (
                lr**2 * (into - out) / (1 - kept)
            ),
            "one η is missing: v is multiplied by η, and its square by η².": right / lr,
            "that is what one step of noise adds; decay takes some of it each time.": (
                lr**2 * (into - out)
            ),
            "the decay acts on θ, and not on the step: the noise is not multiplied.": (
                kept**2 * right
            ),
            "that is what is left of it after one more decay; then the noise is added.": kept
            * right,
            "that divides by what is kept; divide by what is lost, 1 − (1 − ηλ)².": (
                lr**2 * (into - out) / kept**2
            ),
            "in minus out is asked for, not their sum.": lr**2 * (into + out) / (1 - kept**2),
            "that is where the noise alone would stop; with decay something is left.": 0.0,
        },
    )
    raise WrongAnswer(
        f"{method}: for η = {lr:.3g} and λ = {decay:.3g} it is not {rest:.4g}: put the same Δ on "
        "both sides of Δ = (1 − ηλ)²Δ + η²(I − O)."
    )
