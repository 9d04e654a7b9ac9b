"""The still picture of ProofReplay: one step with its two sides, beside the list of all steps."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gaugelib.widgets.shared.colours import ACCENT, EDGE, INK, NEGATIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.proofs import Record, Step


@dataclass(frozen=True, eq=False)
class Picture:
    """A step of a proof."""

    trace: Record
    number: int  # of the step, from 1
    told: bool = True  # whether verdicts are shown

    def draw(self, figure: Figure) -> None:
        """Draw the step on the left and all steps on the right."""
        left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
        figure.suptitle(self.trace.title, fontsize=11, color=INK, x=0.006, ha="left", weight="bold")
        _sides(left, self.trace.steps[self.number - 1], self.number, self.told)
        _outline(right, self.trace, self.number, self.told)

    def in_words(self) -> str:
        """The picture in a few sentences."""
        step = self.trace.steps[self.number - 1]
        broken = ", ".join(map(str, self.trace.broken))
        fails = f"Steps that fail: {broken}." if broken else "Every step holds."
        if not self.told:
            fails = "Which steps fail is not shown yet."
        return (
            f"The proof “{self.trace.title}” in {len(self.trace.steps)} steps, on a network with "
            f"{self.trace.network}. Step {self.number}: {step.claim}; the sides are "
            f"{_number(step.left.value)} and {_number(step.right.value)}. {fails}"
        )


def _sides(axes: Axes, step: Step, number: int, told: bool) -> None:
    sides = (step.right, step.left)
    lengths = [0.0 if s.value is None or math.isinf(s.value) else s.value for s in sides]
    axes.barh([0.0, 1.0], lengths, height=0.26, color=[EDGE, ACCENT])
    for y, side in enumerate(sides):
        for x, align, text in ((0, "left", side.name), (1, "right", _number(side.value))):
            axes.annotate(
                text, (x, y + 0.2), xycoords=("axes fraction", "data"), ha=align, color=INK
            )
    low, high = min(0.0, *lengths), max(0.0, *lengths, step.size or 0.0)
    axes.set(ylim=(-0.9, 3.3), xlim=(low, high if high > low else low + 1.0))
    text = "\n".join(textwrap.wrap(f"Step {number}. {step.text}", 48))
    axes.annotate(text, (0, 0.98), xycoords="axes fraction", va="top", color=INK)
    mark, colour = _mark(step, told)
    verdict = f"{mark} {'holds' if step.holds else 'fails'}" if told else ""
    below = ", ".join(filter(None, (verdict, step.place.words)))
    axes.annotate(below, (0, 0.04), xycoords="axes fraction", color=colour)
    axes.axis("off")


def _outline(axes: Axes, trace: Record, number: int, told: bool) -> None:
    count = len(trace.steps)
    for k, step in enumerate(trace.steps):
        mark, colour = _mark(step, told)
        weight = "bold" if k == number - 1 else "normal"
        axes.annotate(
            f"{k + 1}  {mark}  {step.claim}", (0.02, 1 - (k + 0.5) / count), va="center",
            xycoords="axes fraction", color=colour, fontsize=8.5, weight=weight,
        )  # fmt: skip
    axes.axis("off")


def _mark(step: Step, told: bool) -> tuple[str, str]:
    if not told:
        return "·", INK
    return ("✓", INK) if step.holds else ("✗", NEGATIVE)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}".replace("-", "−").replace("inf", "∞")
