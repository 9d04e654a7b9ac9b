"""Checkers for "The pairing theorem": the mass gap, and the charges of other penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import between, normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise


@by_cases("one for each living hidden unit, whatever the data.")
def massive_modes() -> Iterator[Case]:
    """Check a function (widths, dead) -> eigenvalues that the mass gap puts at 2λ, counted.

    Example:
        >>> massive_modes(lambda widths, dead: sum(widths[1:-1]))
        Not yet: a dead unit has no weights left to rescale: its tangent vector is zero.
    """
    for depth, dead in ((2, 2), (1, 1), (3, 0)):
        hidden = [int(between(4, 13)) for _ in range(depth)]
        widths = [int(between(20, 29)), *hidden, 3]
        yield Case(
            (widths, dead),
            sum(hidden) - dead,
            {
                "a dead unit has no weights left to rescale: its tangent vector is zero.": (
                    sum(hidden)
                ),
                "outputs are read by the world; only hidden units have a dial.": (
                    sum(widths[1:]) - dead
                ),
                "inputs come from the world; only hidden units have a dial.": (
                    sum(widths[:-1]) - dead
                ),
                "one mode for each hidden unit, not one for each layer.": depth,
                "that counts weights; each mode belongs to a unit.": sum(
                    m * n for m, n in pairwise(widths)
                ),
            },
            f"for the widths {widths} with {dead} dead, how many tangent vectors A_h θ are there "
            "that are not zero?",
        )


@by_cases(
    "2λ for the dial, and the other one for the function.",
    ask="return two numbers, in either order",
    parts=("one eigenvalue", "the other"),
)
def two_eigenvalues() -> Iterator[Case]:
    """Check a function (y, λ) -> the two Hessian eigenvalues at the minimum, for y > λ > 0.

    The loss is (wv - y)²/2 + λ(w² + v²)/2; the eigenvalues may come in either order.
    """
    for _ in range(3):
        y, decay = between(2.0, 3.0), between(0.1, 0.5)
        yield Case(
            (y, decay),
            [2 * decay, 2 * (y - decay)],
            {
                "that is the Hessian without the penalty, at its own minimum.": [0, 2 * y],
                "the penalty also moves the minimum: is wv still y there?": [decay, 2 * y + decay],
                "the point is right; the penalty adds λ to both eigenvalues.": (
                    [decay, 2 * y - 3 * decay]
                ),
                "R₂ = (w² + v²)/2 has the slope w, not 2w.": [4 * decay, 2 * (y - 2 * decay)],
                "those belong to w = v = 0, which for y > λ is a saddle.": [decay - y, decay + y],
            },
            "at the minimum w = v; find w² first, then the 2 × 2 Hessian there.",
            like=torch.zeros(2),
            unordered=True,
        )


def mirror_charge(function: Callable[[Tensor, Tensor, float, float], Any]) -> Verdict:
    """Check a function (W_in, W_out, p, q) -> the charge of R = Σ N^q/q at each hidden unit.

    Args:
        function: takes W_in `(hidden, inputs)`, W_out `(outputs, hidden)` and the exponents of the
            row norms N_i = (Σ_j |W_ij|^p)^(1/p) and of their sum; returns shape `(hidden,)`.
    """

    def test() -> str:
        for p, q in ((1.0, 2.0), (2.0, 1.0), (1.5, 3.0), (2.0, 2.0)):
            w_in, w_out = normal(4, 3), normal(2, 4)
            into, out = _shares(w_in, p, q).sum(1), _shares(w_out, p, q).sum(0)
            found = answer_of(function, w_in, w_out, p, q, like=into)
            if close(found, into - out, size=float((into + out).max())):
                continue
            plain = [(w_in.abs() ** r).sum(1) - (w_out.abs() ** r).sum(0) for r in (p, q)]
            rows = w_in.norm(p=p, dim=1)
            recognise(
                found,
                {
                    "upside down: the book counts in minus out.": out - into,
                    "an outgoing weight lies in the row of the unit that it enters; that row's "
                    "norm counts.": into - w_out.norm(p=p, dim=0) ** q,
                    "outgoing weights are counted with the norm of the row that they lie in, not "
                    "with that of the unit.": (into - rows ** (q - p) * w_out.abs().pow(p).sum(0)),
                    "that is the charge of a plain sum of p-th powers; where is q?": plain[0],
                    "that is the charge of a plain sum of q-th powers; where is p?": plain[1],
                    f"right for p = 1 and q = 2 but not for p = {p} and q = {q}.": (
                        _shares(w_in, 1.0, 2.0).sum(1) - _shares(w_out, 1.0, 2.0).sum(0)
                    ),
                    "the exponent of the row's norm is q − p, not p − q.": (
                        rows**p * rows ** (p - q)
                        - (w_out.abs() ** p * w_out.norm(p=p, dim=1)[:, None] ** (p - q)).sum(0)
                    ),
                    "the factor 1/q goes when you differentiate.": (into - out) / q,
                },
            )
            raise WrongAnswer(
                f"for p = {p} and q = {q} that is not Σ c over the weights in minus Σ c over "
                "those out, with c = θ ∂R/∂θ."
            )
        return "the charge that goes with this norm, for four pairs of exponents."

    return judge(test)


def _shares(weight: Tensor, p: float, q: float) -> Tensor:
    """θ ∂R/∂θ of every weight: how a unit's N^q is shared out among its row."""
    return weight.norm(p=p, dim=1, keepdim=True) ** (q - p) * weight.abs() ** p
