"""Checkers for "Two symmetries": a barrier among two channels, and what crosses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import normal, whole
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise

THREE = (
    "return three parts: the images of the 2n units, six coefficients for a₁, b₁, c₁, a₂, b₂, c₂, "
    "and one number"
)


def two_channel_barrier(function: Callable[[int], Any]) -> Verdict:
    """Check a function n -> (permutation, equation, codimension): a free barrier of two channels.

    The hidden units 0 … n − 1 are the first channel and n … 2n − 1 the second; unit i of channel k
    has a_k for its own input, b_k for the others, and the output weight c_k.

    Args:
        function: takes n; returns a permutation of the 2n units, entry i saying where i is sent;
            six coefficients of the equation s = 0, in the order a₁, b₁, c₁, a₂, b₂, c₂, of what it
            fixes in E_π; and the codimension of that in E_π.
    """

    def test() -> str:
        for n in (3, whole(4, 5), 2):
            like = [torch.ones(2 * n), torch.ones(6), 1.0]
            units, equation, codimension = answer_of(function, n, like=like, ask=THREE)
            conditions = _conditions(_permutation(units, n), n)
            _judge_permutation(conditions, units, n)
            _judge_equation(equation, conditions, n)
            _judge_codimension(codimension, n)
        return "equal units within one channel: one equation, which the flow keeps."

    return judge(test)


def spine_speeds(function: Callable[[Tensor], Any]) -> Verdict:
    """Check a function ∇L -> three speeds of δ: inherited, shared in (a, b), shared in (δ, b).

    Args:
        function: takes the gradient G = ∂L/∂W of the unconstrained network, `(n, n)`, at weights
            W = (a − b)I + bJ; returns dδ/dt of gradient flow in the inherited metric, of that on
            the shared parameters a and b, and of that on the shared parameters δ and b.

    Example:
        >>> spine_speeds(lambda G: [G[0, 1] - G[0, 0]] * 3)
        Not yet: autograd adds the slopes of all entries that share a parameter: no means here.
    """

    def test() -> str:
        for n, on_spine in ((3, False), (2, False), (3, True), (5, False), (2, True), (4, True)):
            b = normal(1)
            a = b if on_spine else normal(1)
            slopes = (a - b) * torch.eye(n, dtype=b.dtype) + b * torch.ones(n, n, dtype=b.dtype)
            found = answer_of(function, slopes, like=torch.ones(3))
            right = _speeds(a, b, n)
            if close(found, right):
                continue
            recognise(found, _wrong_speeds(a, b, n))
            part = ["in the inherited metric", "of sharing a and b", "of sharing δ and b"]
            size = max(float(right.abs().max()), 1.0)
            first = next(k for k in range(3) if not close(found[k], right[k], size=size))
            place = "on the spine" if on_spine else "beside the spine"
            raise WrongAnswer(
                f"the speed {part[first]} is not right for n = {n} {place}: which entries of W "
                "does each parameter stand for, and how many?"
            )
        return "0, n(n − 2)g and −ng on the spine, and what they are beside it."

    return judge(test)


def _permutation(units: Tensor, n: int) -> Tensor:
    whole_numbers = units.round().long()
    if not close(units, whole_numbers, 1e-9) or sorted(whole_numbers.tolist()) != [*range(2 * n)]:
        raise WrongAnswer(f"the first part has to be a permutation: 0 to {2 * n - 1}, each once.")
    return whole_numbers


def _conditions(images: Tensor, n: int) -> Tensor:
    """Rows of what has to be 0 in (a₁, b₁, c₁, a₂, b₂, c₂) for the permutation to fix them."""
    basis = torch.zeros(6, 2 * n, n + 1, dtype=torch.float64)
    for channel, rows in enumerate((slice(0, n), slice(n, 2 * n))):
        own, other, out = basis[3 * channel : 3 * channel + 3, rows]
        own[:, :n] = torch.eye(n)
        other[:, :n] = 1 - torch.eye(n)
        out[:, n] = 1
    return (basis[:, images] - basis).flatten(1).T


def _judge_permutation(conditions: Tensor, units: Tensor, n: int) -> None:
    codimension = int(torch.linalg.matrix_rank(conditions))
    if codimension == 1:
        return
    if codimension == 0:
        raise WrongAnswer("the identity fixes everything: no equation, and no barrier.")
    first, second = units[:n] < n, units[n:] >= n
    if bool(first.all()) and bool(second.all()):
        raise WrongAnswer(
            "it moves units of both channels, so that two equations hold: codimension 2. One "
            "channel is enough."
        )
    raise WrongAnswer(
        "it takes units of one channel to the other, which are alike only where three equations "
        f"or more hold: codimension {codimension}, and so small a space has no two sides."
    )


def _judge_equation(equation: Tensor, conditions: Tensor, n: int) -> None:
    """A hint if the equation is not the one condition."""
    largest = equation.abs().max()
    if largest == 0:
        raise WrongAnswer("an equation with six zeros holds everywhere.")
    equation = equation / largest  # squares of huge and of tiny coefficients leave float64
    size = equation.norm()
    row = conditions[conditions.norm(dim=1).argmax()]

    def along(line: Tensor) -> bool:
        line, found = line / line.norm(), equation / size
        return close(found, line) or close(found, -line)

    if along(row):
        return
    other = row.roll(3)
    counted = row * torch.tensor([n, n * (n - 1), 1.0] * 2)
    apart = torch.eye(6, dtype=row.dtype)
    for wrong, hint in (
        (other, "that is a barrier, but the other channel's; your permutation leaves it alone."),
        (
            counted,
            "multiplicities do not belong here: coefficients of a and b are asked for, not of "
            "their n and n(n − 1) entries.",
        ),
        (row + other, "one channel's equation only: the other channel is free."),
        (row - other, "one channel's equation only: the other channel is free."),
        (row.abs(), "the sign: two units are alike where a and b are equal, not opposite."),
        *(
            (apart[k] - apart[k + 3], "that compares the channels; the flow does not keep it.")
            for k in range(3)
        ),
        *(
            (apart[k], "the flow does not keep that plane: nothing holds one weight at 0.")
            for k in range(6)
        ),
    ):
        if along(wrong):
            raise WrongAnswer(hint)
    raise WrongAnswer(
        "the flow does not keep that plane: on it the units that you exchange still differ, or it "
        "asks for more than that they are alike."
    )


def _judge_codimension(found: float, n: int) -> None:
    whole_space = 2 * n * (n + 1)
    if close(found, 1.0):
        return
    recognise(
        found,
        {
            "that is the dimension of what is fixed; the codimension is what it lacks of E_π.": 5,
            "that is counted in the space of all weights; within E_π it is cut out by one "
            "equation.": whole_space - 5,
            "that counts what the exchange fixes among all weights; ask within E_π.": n + 1,
            "that is the dimension of E_π.": 6,
            "that is for exchanging the channels; you exchange units of one channel.": 3,
        },
    )
    raise WrongAnswer(f"the codimension is not {found:.4g}: how many equations cut it out of E_π?")


def _speeds(a: Tensor, b: Tensor, n: int) -> Tensor:
    """Gradients of diagonal and off-diagonal entries a and b: the three speeds of δ."""
    return torch.cat([b - a, n * (n - 1) * b - n * a, -n * a])


def _wrong_speeds(a: Tensor, b: Tensor, n: int) -> dict[str, Tensor]:
    inherited, shared, split = _speeds(a, b, n)[:, None]
    return {
        "the sign: gradient flow goes against the gradient.": -_speeds(a, b, n),
        "autograd adds the slopes of all entries that share a parameter: no means here.": (
            torch.cat([inherited] * 3)
        ),
        "autograd adds the slopes: the mean over the diagonal is taken for δ.": torch.cat(
            [inherited, shared, -a]
        ),
        "there are n(n − 1) entries b, not n.": torch.cat([inherited, n * (b - a), split]),
        "there are n(n − 1) entries b, not n²: the diagonal has a.": torch.cat(
            [inherited, n * n * b - n * a, split]
        ),
        "three and six entries are there for n = 3 only; for n = 2 there are two of each, and "
        "the sharing of a and b keeps the barrier.": torch.cat([inherited, 6 * b - 3 * a, -3 * a]),
        "with δ and b shared δ stands on the diagonal alone: its slope is the trace of G.": (
            torch.cat([inherited, shared, shared])
        ),
        "the last two are exchanged.": torch.cat([inherited, split, shared]),
        "with δ and b shared δ is a parameter itself, and b's slope is not subtracted.": (
            torch.cat([inherited, shared, n * n * b - n * a])
        ),
        "the inherited metric divides each sum by its number of entries.": torch.cat(
            [shared, shared, split]
        ),
        "those are speeds of a; subtract those of b.": torch.cat([-a, -n * a, -n * a]),
    }
