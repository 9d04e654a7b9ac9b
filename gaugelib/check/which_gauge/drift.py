"""Checker for "Which gauge?": where noise with decay stops, and for which methods it is known."""

from __future__ import annotations

from collections.abc import Iterator

from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import between

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


@by_cases(
    "η²(I − O)/(1 − (1 − ηλ)²) for the gradient and its multiples, and for no other.",
    ask="return two things: True or False, and one number",
    parts=("mean of Δ",),
    rows=tuple(_VANISHES),
    choices=(False, True),
)
def resting_imbalance() -> Iterator[Case]:
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
    given = []
    for turn in (1, 2):
        for method in _VANISHES:
            into, out = between(1.0, 3.0), between(4.0, 9.0)
            sides = (into, out) if turn == 1 else (out, into)
            given.append((method, *sides, between(0.1, 0.5), between(0.2, 0.5)))
    yield Case(
        given,
        [_VANISHES[method] for method, *_ in given],
        {
            "turned round: say True where the first order vanishes.": [
                not _VANISHES[method] for method, *_ in given
            ]
        },
        [f"{method}: {_HINTS[method]}" for method, *_ in given],
        like=[True, 1.0],
        part=0,
    )
    for method, *numbers in given:
        yield _rest(method, *numbers)


def _rest(method: str, into: float, out: float, lr: float, decay: float) -> Case:
    """Where the law of one step has its fixed point."""
    given, kept = (method, into, out, lr, decay), 1 - lr * decay
    if not _VANISHES[method]:
        hint = (
            f"{method}: with a first-order term the mean squares do not say where it stops; "
            "return 0 for the number."
        )
        return Case(given, 0.0, otherwise=hint, like=[True, 1.0], part=1, size=1.0)
    right = lr**2 * (into - out) / (1 - kept**2)
    return Case(
        given,
        right,
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
        f"{method}: for η = {lr:.3g} and λ = {decay:.3g} it is not {{answer:.4g}}: put the same Δ "
        "on both sides of Δ = (1 − ηλ)²Δ + η²(I − O).",
        like=[True, 1.0],
        part=1,
    )
