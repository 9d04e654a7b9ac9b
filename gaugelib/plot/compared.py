"""What a gauge does to a network that is rounded, pruned or averaged, as measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from matplotlib.ticker import NullFormatter

from gaugelib.group import GaugeError
from gaugelib.plot.colours import colour
from gaugelib.plot.layout import frames, is_narrow, key, name_axes
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measured = tuple[float, float]
"""A mean over seeds and its standard error."""

DASHES, MARKS, COLOURS = ("-", "--", ":", "-."), ("o", "D", "^", "s"), 4
BETWEEN = 0.28  # of the kinds in a row


@in_style
def by_gauge(
    panels: Mapping[str, Mapping[str, Mapping[str, Measured]]], xlabel: str, log: bool = False
) -> Figure:
    """One row for each gauge, in it one mark for each kind with a bar of two standard errors.

    Args:
        panels: title -> gauge -> kind -> mean and standard error; all panels have the same gauges,
            at most four kinds.
        xlabel: what the axis shows.
        log: whether the axis is logarithmic.

    Raises:
        GaugeError: if there are no panels, or they differ in their gauges.
    """
    gauges = [list(rows) for rows in panels.values()]
    if not gauges or any(rows != gauges[0] for rows in gauges):
        raise GaugeError(f"panels must have the same gauges, found {gauges}")
    height = 0.9 + 0.3 * len(gauges[0])
    height /= 0.72 if is_narrow() else 1  # a row needs the same room there
    figure, axes = frames(1, len(panels), height, sharex=True, sharey=True)
    for ax, (title, rows) in zip(axes[0], panels.items(), strict=True):
        for y, kinds in enumerate(rows.values()):
            for k, (kind, one) in enumerate(kinds.items()):
                _mark(ax, y + BETWEEN * (k - (len(kinds) - 1) / 2), k, one, kind if y == 0 else "")
        ax.set(title=title, xscale="log" if log else "linear")
        if log:
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_yticks(range(len(rows)), list(rows))
    axes[0, 0].set_ylim(len(gauges[0]) - 0.5, -0.5)
    name_axes(axes, xlabel)
    key(figure, axes[0, 0], above=True)
    return figure


def _mark(axes: Axes, y: float, k: int, one: Measured, label: str) -> None:
    mean, error = one
    shade = colour(k)
    axes.plot([mean - 2 * error, mean + 2 * error], [y, y], "-", color=shade, linewidth=1.4)
    axes.plot([mean], [y], MARKS[k], color=shade, markersize=5, label=label or None)


@in_style
def pruned(
    sparsity: Sequence[float], ways: Mapping[str, Sequence[Measured]], ylabel: str
) -> Figure:
    """What is left of a network against the share of its weights that were set to 0.

    Args:
        sparsity: the shares.
        ways: how weights were chosen -> mean and standard error at each share; drawn are the mean
            and a band of one standard error to each side.
        ylabel: what is left.

    Raises:
        GaugeError: if there are no ways, or one has not a pair for each share.
    """
    if not ways or any(len(pairs) != len(sparsity) for pairs in ways.values()):
        found = {way: len(pairs) for way, pairs in ways.items()}
        raise GaugeError(f"each way needs {len(sparsity)} pairs, one for each share, found {found}")
    figure, ((axes,),) = frames(1, 1, 3.6)
    for k, (way, pairs) in enumerate(ways.items()):
        means, errors = zip(*pairs, strict=True)
        _curve(axes, sparsity, means, k, way)
        low, high = ([m + side * e for m, e in zip(means, errors)] for side in (-1, 1))
        axes.fill_between(sparsity, low, high, color=colour(k), alpha=0.12)
    axes.set(xlabel="share of weights set to zero", ylabel=ylabel)
    _name_ways(figure, axes)
    return figure


@in_style
def segments(
    t: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float]]], ylabel: str = "loss"
) -> Figure:
    r"""The loss along the segment $(1-t)\theta+t\theta'$ between two networks, logarithmic.

    Args:
        t: places on the segment, from 0 to 1.
        panels: title -> how the two were written -> losses at these places.
        ylabel: what is drawn.
    """
    figure, axes = frames(1, len(panels), 3.0, sharey=True)
    for ax, (title, ways) in zip(axes[0], panels.items(), strict=True):
        for k, (way, losses) in enumerate(ways.items()):
            _curve(ax, t, losses, k, way)
        ax.set(title=title, yscale="log")
    name_axes(axes, "place t on the segment", ylabel)
    _name_ways(figure, axes[0, 0])
    return figure


def _curve(axes: Axes, x: Sequence[float], y: Sequence[float], k: int, way: str) -> None:
    """After four colours dashes, and marks that are open, for what may lie on another curve."""
    turn = k // COLOURS
    look = {"color": colour(k), "marker": MARKS[k % len(MARKS)], "markersize": 4 + 3 * min(turn, 1)}
    look["markerfacecolor"] = "none" if turn else look["color"]
    axes.plot(x, y, DASHES[turn % len(DASHES)], label=way, **look)


def _name_ways(figure: Figure, axes: Axes) -> None:
    """The legend above the figure, which it makes higher, in columns."""
    ways, columns = axes.get_legend_handles_labels()[0], 1 if is_narrow() else 3
    figure.legend(handles=ways, loc="outside upper left", ncols=columns, columnspacing=1.0)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * ceil(len(ways) / columns))
