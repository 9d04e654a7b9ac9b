"""One step of a proof, with both sides evaluated on a network, and which of many is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Relation = Literal["=", "≤", "≥", "<"]

ROUNDING = 1e-9
"""What float64 and a solver's tolerance may miss, relative to the numbers that are compared."""


@dataclass(frozen=True)
class Side:
    """One side of an equality or inequality: its name, and its value if it has one."""

    name: str
    value: float | None


@dataclass(frozen=True)
class Place:
    """Where in the network a step was evaluated: in words, and as edges (source, target), units.

    The ground is 0: as a source it is an input, as a target an output.
    """

    words: str = ""
    edges: tuple[tuple[int, int], ...] = ()
    units: tuple[int, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step of a proof: why it should hold, and whether it does.

    Attributes:
        text: the reason, in one or two sentences.
        left: left side.
        relation: what the proof says of the two sides.
        right: right side.
        place: where it was evaluated; of many instances, the tightest one.
        size: what rounding is measured against; by default the larger side.

    Example:
        >>> step = Step("AM-GM at 1 and 9", Side("√(1·9)", 3.0), "≤", Side("½(1 + 9)", 5.0))
        >>> step.claim, step.slack, step.holds
        ('√(1·9) ≤ ½(1 + 9)', 2.0, True)
    """

    text: str
    left: Side
    relation: Relation
    right: Side
    place: Place = Place()
    size: float | None = None

    @property
    def claim(self) -> str:
        """The step as a formula."""
        return f"{self.left.name} {self.relation} {self.right.name}"

    @property
    def slack(self) -> float | None:
        """By how much it holds; below 0, by how much it fails; None if a side has no value."""
        left, right = self.left.value, self.right.value
        if left is None or right is None:
            return None
        difference = 0.0 if left == right else right - left  # ∞ = ∞ leaves no slack
        if self.relation == "=":
            return 0.0 if difference == 0 else -abs(difference)
        return 0.0 - difference if self.relation == "≥" else difference

    @property
    def holds(self) -> bool:
        """Whether the step is true up to rounding; a strict one must be true beyond it."""
        slack = self.slack
        if slack is None or math.isnan(slack):
            return False
        sides = (self.left.value or 0.0, self.right.value or 0.0)
        size = max(map(abs, sides)) if self.size is None else self.size
        # An infinite side leaves nothing to round.
        rounding = ROUNDING * size if math.isfinite(size) else 0.0
        return slack > rounding if self.relation == "<" else slack >= -rounding


def tightest(
    left: Tensor, relation: Relation, right: Tensor, size: Tensor | None = None
) -> tuple[int, str]:
    """Which of many instances of a step has the least slack, relative to its size.

    Args:
        left: left sides, shape `(instances,)`.
        relation: the relation between the sides.
        right: right sides, shape `(instances,)`.
        size: what each slack is measured against; by default the larger side.

    Returns:
        Its index, and the words for it.

    Example:
        >>> tightest(torch.tensor([1.0, 3.0]), "≤", torch.tensor([9.0, 4.0]))
        (1, 'tightest of 2')
    """
    slack = _relative_slack(left, relation, right, size)
    k = int(torch.argmin(slack))
    holds = relation != "=" and bool(slack[k] >= -ROUNDING)
    words = "tightest" if holds else "worst"
    return k, f"{words} of {len(slack)}"


def widest(left: Tensor, relation: Relation, right: Tensor) -> tuple[int, str]:
    """Which of many instances has the most slack; but if one of them fails, the worst.

    Example:
        >>> widest(torch.tensor([1.0, 3.0]), "≤", torch.tensor([9.0, 4.0]))
        (0, 'widest of 2')
        >>> widest(torch.tensor([1.0, 3.0]), "≤", torch.tensor([9.0, 2.0]))
        (1, 'worst of 2')
    """
    slack = _relative_slack(left, relation, right, None)
    if not bool((slack >= -ROUNDING).all()):
        return tightest(left, relation, right)
    return int(torch.argmax(slack)), f"widest of {len(slack)}"


def largest(left: Tensor, right: Tensor, size: Tensor) -> tuple[int, str]:
    """Which of many equalities is about the largest numbers; but if one of them fails, the worst.

    Where both sides are 0 but for rounding, the one with the largest size.

    Example:
        >>> both, size = torch.tensor([0.0, 3.0, 1.0]), torch.tensor([9.0, 3.0, 9.0])
        >>> largest(both, both, size), largest(0 * both, 0 * both, size)
        ((1, 'largest of 3'), (0, 'largest of 3'))
        >>> largest(both, both + torch.tensor([0.0, 0.0, 1.0]), size)
        (2, 'worst of 3')
    """
    if not bool((_relative_slack(left, "=", right, size) >= -ROUNDING).all()):
        return tightest(left, "=", right, size)
    sides = torch.maximum(left.abs(), right.abs())
    sides = torch.where(sides > ROUNDING * size, sides, 0.0)
    return int(torch.argmax(sides if bool(sides.any()) else size)), f"largest of {len(size)}"


def _relative_slack(left: Tensor, relation: Relation, right: Tensor, size: Tensor | None) -> Tensor:
    slack = left - right if relation == "≥" else right - left
    if relation == "=":
        slack = -slack.abs()
    size = torch.maximum(left.abs(), right.abs()) if size is None else size
    return torch.where(size > 0, slack / size, slack)
