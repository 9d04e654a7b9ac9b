"""Where the parts of a figure stand: side by side, or one below another on a narrow page."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from textwrap import fill
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

from gaugelib.plot.style import NARROW, look

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure


Shared = bool | Literal["row", "col"]


def is_narrow() -> bool:
    """Whether the figure is for a narrow page."""
    return look().narrow


def size(width: float, height: float) -> tuple[float, float]:
    """Width and height of a figure in inches; on a narrow page what fits there."""
    return NARROW["figure.figsize"] if is_narrow() else (width, height)


def frames(
    rows: int, columns: int, height: float, *, sharex: Shared = False, sharey: Shared = False
) -> tuple[Figure, np.ndarray]:
    """Axes in rows and columns, or all one below another on a narrow page.

    Args:
        rows: number of rows.
        columns: number of columns.
        height: of a row, in inches.
        sharex: as `plt.subplots` takes it.
        sharey: likewise.

    Returns:
        The figure, and the axes in the shape `(rows, columns)` in either case.
    """
    across, down, size = columns, rows, (7.2, height * rows)
    if is_narrow():
        across, down = 1, rows * columns
        size = (NARROW["figure.figsize"][0], 0.72 * height * down)
    figure, axes = plt.subplots(
        down, across, figsize=size, squeeze=False, sharex=sharex, sharey=sharey
    )
    return figure, axes.reshape(rows, columns)


def wrapped(label: str) -> str:
    """The name of a vertical axis, in two lines where the page is narrow and the axis short."""
    return fill(label, 20) if is_narrow() else label


def name_axes(axes: np.ndarray, x: str, y: str = "") -> None:
    """Name the axes that panels share: at the lower and left edges, or once on a narrow page."""
    if is_narrow():
        figure = axes[0, 0].figure
        figure.supxlabel(x)
        figure.supylabel(y)
        return
    for bottom in axes[-1]:
        bottom.set_xlabel(x)
    if y:
        axes[0, 0].set_ylabel(y)


def spare_labels(axis: Axis) -> None:
    """On a narrow page a logarithmic axis names no more than 1, 2 and 5 of each decade."""
    if is_narrow():
        axis.set_minor_formatter(
            FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
        )


def key(
    figure: Figure, axes: Axes, handles: Sequence[Artist] | None = None, above: bool = False
) -> None:
    """The legend: within the axes, or above the figure, which it makes higher by its lines.

    On a narrow page it is always above, where it hides nothing.
    """
    named = axes.get_legend_handles_labels()[0] if handles is None else handles
    if not above and not is_narrow():
        axes.legend(handles=named)
        return
    short = max(len(str(handle.get_label())) for handle in named) <= 16
    columns = (2 if short else 1) if is_narrow() else len(named)
    figure.legend(handles=named, loc="outside upper left", ncols=columns, columnspacing=1.0)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * ceil(len(named) / columns))
