"""The still picture of AttentionHead: the two matrices, the attention pattern, the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba

from gaugelib.widgets.shared.colours import BAND, INK, LINE, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

ROUNDING = 1e-12
NAMES = {
    "query": "queries $W_Q$",
    "key": "keys $W_K$",
    "value": "values $W_V$",
    "output": r"output $W_O^{\top}$",
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A head before and after its channels were rescaled."""

    part: str
    sides: tuple[str, str]  # names of the matrices
    matrices: tuple[Tensor, Tensor]  # now, the channels as rows
    patterns: tuple[Tensor, Tensor]  # before and now, (5, 5)
    outputs: tuple[Tensor, Tensor]  # before and now, (5, 4)
    rescaled: bool
    answers: bool
    rotary: bool

    def draw(self, figure: Figure) -> None:
        """Draw the matrices on the left, the attention and the output as bars on the right."""
        first, second, middle, last = figure.subplots(1, 4, width_ratios=(4, 4, 5, 4))
        for axes, name, matrix in zip((first, second), self.sides, self.matrices, strict=True):
            _matrix(axes, NAMES[name], matrix)
        _bars(middle, "attention", *self.patterns, signed=False)
        _bars(last, "output", *self.outputs, signed=True)

    def in_words(self) -> str:
        """The picture as two or three sentences."""
        first, second = self.sides
        answer = "answered" if self.answers else "did not answer"
        when = (
            f"after {first} channels were rescaled and the {second} {answer}"
            if self.rescaled
            else "with every a = 1"
        )
        moved = [
            f"the {name} {'moves' if _gap(*both) > ROUNDING else 'stands still'}"
            for name, both in (("attention", self.patterns), ("output", self.outputs))
        ]
        return (
            f"Two matrices of an attention head{' with rotary positions' if self.rotary else ''}, "
            f"{first} and {second}, {when}. Beside them its attention over five tokens and its "
            f"output, as outlines over those of the head as given: {' and '.join(moved)}."
        )


def _gap(before: Tensor, now: Tensor) -> float:
    return float((now - before).abs().max() / before.abs().max())


def _matrix(axes: Axes, name: str, matrix: Tensor) -> None:
    size = matrix.abs()
    shares = (size / (size + 0.6) / 2).tolist()
    colours = [
        [
            to_rgba(POSITIVE if weight > 0 else NEGATIVE, share)
            for weight, share in zip(*rows, strict=True)
        ]
        for rows in zip(matrix.tolist(), shares, strict=True)
    ]
    axes.imshow(colours, extent=(0, 4, 4, 0), aspect="auto")
    for i, row in enumerate(matrix.tolist()):
        axes.plot((0, 4), (i, i), color="white", lw=2)
        axes.plot((i, i), (0, 4), color="white", lw=2)
        for j, weight in enumerate(row):
            text = f"{weight:.{2 if abs(weight) < 9.995 else 1}f}".replace("-", "−")
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=INK, fontsize=7)
    _dressed(axes, name, (4, 4))
    axes.set_ylabel("channel", fontsize=8, color=SOFT)


def _bars(axes: Axes, name: str, before: Tensor, now: Tensor, signed: bool) -> None:
    most = float(before.abs().max()) if signed else 1.0
    filled, feet, outlines = [], [], []
    for i, rows in enumerate(zip(before.tolist(), now.tolist(), strict=True)):
        for j, both in enumerate(zip(*rows, strict=True)):
            if not signed and j > i:
                continue
            foot, reach = (i + 0.5, 0.42) if signed else (i + 0.92, 0.84)
            left, right = j + 0.12, j + 0.88
            was, top = (foot - reach * max(-1.0, min(1.0, x / most)) for x in both)
            feet.append(((j + 0.04, foot), (j + 0.96, foot)))
            filled.append(((left, foot), (left, was), (right, was), (right, foot)))
            outlines.append(((left, foot), (left, top), (right, top), (right, foot)))
    axes.add_collection(PolyCollection(filled, facecolors=BAND))
    axes.add_collection(LineCollection(feet, colors=LINE, linewidths=1))
    axes.add_collection(LineCollection(outlines, colors=INK, linewidths=1.2))
    _dressed(axes, name, tuple(before.shape))
    axes.set_ylabel("token", fontsize=8, color=SOFT)


def _dressed(axes: Axes, name: str, shape: tuple[int, ...]) -> None:
    rows, columns = shape
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.set_xticks([])
    axes.set_yticks([i + 0.5 for i in range(rows)], [str(i + 1) for i in range(rows)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(name, fontsize=9, color=INK)
