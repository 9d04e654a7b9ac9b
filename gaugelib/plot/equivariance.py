"""Figures of the chapter "Two symmetries"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, degrees, floor, log10
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gaugelib.group import GaugeError
from gaugelib.plot.colours import colour, ink, pale
from gaugelib.plot.layout import frames, key
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = ("o", "s", "^", "D")
SQUARE = 4.4  # inches


@in_style
def landscape(
    loss: Callable[[Tensor, Tensor], Tensor],
    minima: Mapping[str, tuple[float, float]],
    descents: Sequence[Tensor],
    *,
    barrier: tuple[float, float],
    names: tuple[str, str] = ("a", "b"),
    middle: tuple[float, float] = (0.0, 0.0),
    reach: float = 2.0,
) -> Figure:
    """A plane of two weights: contours of the loss, the barrier, minima, and ways of descent.

    Contours stand at equal steps of the loss's square root, so that shallow minima have some.

    Args:
        loss: of the two weights, entry by entry.
        minima: what each is -> where it is.
        descents: for each the points that it came through, shape `(steps, 2)`.
        barrier: direction of the line through the origin that none of them crosses.
        names: of the two weights.
        middle: of the square that is shown.
        reach: from the middle to its edge.

    Raises:
        GaugeError: if the barrier has no direction, the square no size, or the loss is the same
            everywhere in it or not finite.
    """
    if not any(barrier) or not reach > 0:
        raise GaugeError(f"barrier must not be (0, 0) and reach > 0, found {barrier} and {reach}")
    x, y = (torch.linspace(m - reach, m + reach, 161, dtype=torch.float64) for m in middle)
    heights = loss(x[None, :], y[:, None]).detach()
    if not heights.isfinite().all() or heights.min() == heights.max():
        raise GaugeError("the loss must be finite in the square, and not the same everywhere")
    figure, ((axes,),) = frames(1, 1, SQUARE)
    root = (heights - heights.min()).sqrt()
    levels = (heights.min() + (root.max() * torch.arange(1, 25) / 24).square()).tolist()
    style = {"colors": pale(), "linewidths": 0.6, "linestyles": "solid", "zorder": 0}
    axes.contour(x, y, heights, levels, **style)
    edges = middle[0] - reach, middle[0] + reach, middle[1] - reach, middle[1] + reach
    far = 2 * (reach + max(map(abs, middle))) / max(map(abs, barrier))
    ends = [(-far * part, far * part) for part in barrier]
    axes.plot(*ends, color=ink(), linestyle="-", label="barrier")
    for k, way in enumerate(each.detach() for each in descents):
        label = "descent" if k == 0 else None
        axes.plot(way[:, 0], way[:, 1], color=colour(0), linestyle="-", linewidth=1.2, label=label)
        axes.plot(way[:1, 0], way[:1, 1], "o", color=colour(0), markersize=4)
    for k, (title, (across, up)) in enumerate(minima.items()):
        options = {"linestyle": "none", "markersize": 9, "mec": ink(), "zorder": 3}
        axes.plot([across], [up], MARKS[1 + k % 3], color=colour(1 + k), label=title, **options)
    axes.set(xlabel=names[0], ylabel=names[1], xlim=edges[:2], ylim=edges[2:], aspect="equal")
    axes.grid(visible=False)
    key(figure, axes, above=True)
    return figure


@in_style
def circle(
    angles: Tensor, losses: Mapping[str, Tensor], barrier: Sequence[float], marked: str = "barrier"
) -> Figure:
    """The least loss in each direction of a plane, with the directions that the barrier has.

    Args:
        angles: directions in radians, ascending, shape `(k,)`.
        losses: title -> the least loss over the ray in each direction, shape `(k,)`.
        barrier: its directions in radians.
        marked: their name.

    Raises:
        GaugeError: if there are no losses, or less than two angles or more than three turns.
    """
    if not losses or len(angles) < 2 or not angles[0] < angles[-1] < angles[0] + 20:
        raise GaugeError(
            "a circle needs losses, and angles that ascend through at most three turns"
        )
    figure, ((axes,),) = frames(1, 1, 3.0)
    turned = torch.rad2deg(angles)
    edges = float(turned[0]), float(turned[-1])
    for k, (title, values) in enumerate(losses.items()):
        axes.plot(turned, values.detach(), color=colour(k), label=title)
    for k, angle in enumerate(barrier):
        axes.axvline(degrees(angle), color=ink(), linewidth=1.2, label=marked if k == 0 else None)
    axes.set(xlabel="direction in degrees", ylabel="least loss", xlim=edges)
    _every_quarter(axes, *edges)
    key(figure, axes, above=True)
    return figure


def _every_quarter(axes: Axes, low: float, high: float) -> None:
    """Ticks every 90 degrees for more than a half turn, every 30 for less."""
    by = 90 if high - low > 180 else 30
    ticks = [k * by for k in range(floor(low / by), ceil(high / by) + 1)]
    axes.set_xticks([tick for tick in ticks if low - 1 <= tick <= high + 1])


@in_style
def shares(
    rows: Mapping[str, Mapping[float, tuple[float, float, float]]],
    expected: Mapping[str, Mapping[float, float]],
    *,
    xlabel: str,
    ylabel: str = "share of runs solved",
) -> Figure:
    """Shares with their intervals, one mark for each place, beside what a count expects.

    Args:
        rows: title -> place -> share, and the lower and the upper end of its interval.
        expected: title -> place -> share, drawn as a line without marks.
        xlabel: what the places are; a ratio of 20 between them makes the axis logarithmic.
        ylabel: what the shares are of.

    Raises:
        GaugeError: if there are no rows, or one has no places.
    """
    if not rows or not all(rows.values()):
        raise GaugeError("shares need rows, and each of them a place")
    figure, ((axes,),) = frames(1, 1, 3.0)
    places = sorted({place for each in rows.values() for place in each})
    wide = places[0] > 0 and log10(places[-1] / places[0]) >= log10(20)
    gap = 0.0 if wide else 0.012 * (places[-1] - places[0])
    for k, (title, each) in enumerate(rows.items()):
        shift = gap * (k - (len(rows) - 1) / 2)
        share, low, high = zip(*each.values())
        lengths = [[s - e for s, e in zip(share, low)], [e - s for s, e in zip(share, high)]]
        options = {"fmt": MARKS[k % 4], "color": colour(k), "capsize": 3, "elinewidth": 1.2}
        axes.errorbar([p + shift for p in each], share, lengths, label=title, **options)
    for k, (title, each) in enumerate(expected.items()):
        axes.plot(list(each), list(each.values()), color=colour(len(rows) + k), label=title)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(-0.03, 1.03))
    if wide:
        axes.set_xscale("log")
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    key(figure, axes, above=True)
    return figure
