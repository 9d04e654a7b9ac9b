"""How far a run is from a page: figures of the chapter "Two symmetries"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from gaugelib.group import GaugeError
from gaugelib.plot.colours import colour, ink
from gaugelib.plot.layout import frames, is_narrow, key
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DASHES, COLOURS = ("-", "--", ":", "-."), 4


@in_style
def distances_from_page(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]], floor: float = 1e-17
) -> Figure:
    r"""The distance from a page against the number of steps, both logarithmic.

    Where a run is exactly on the page its line is at the bottom, at `floor`; the axis says so.

    Args:
        runs: title -> numbers of steps and distances; step 0 is left out.
        floor: stands for a distance of 0, and for all that is smaller.

    Raises:
        GaugeError: if there are no runs, a run has no step but 0, or `floor` is not positive.
    """
    if not runs or not floor > 0:
        raise GaugeError(f"a figure needs a run, and floor > 0, found {len(runs)} and {floor}")
    figure, ((axes,),) = frames(1, 1, 3.6)
    for k, (title, (steps, distances)) in enumerate(runs.items()):
        shown = [(s, max(q, floor)) for s, q in zip(steps, distances, strict=True) if s > 0]
        if not shown:
            raise GaugeError(f"a run needs a step after the start, found none in {title!r}")
        dashes = DASHES[k // COLOURS % len(DASHES)]
        axes.plot(*zip(*shown), dashes, color=colour(k), label=title)
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="distance from the page")
    axes.set_ylim(bottom=floor / 3)
    ticks = [floor, *(10.0**k for k in range(-15, 1, 3))]
    axes.set_yticks(ticks, ["0", *(f"$10^{{{k}}}$" for k in range(-15, 1, 3))])
    axes.minorticks_off()
    columns = 1 if is_narrow() else 3
    figure.legend(loc="outside upper left", ncols=columns, columnspacing=1.0)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * ceil(len(runs) / columns))
    return figure


@in_style
def bowls(
    reach: Sequence[float], curvatures: Mapping[str, Sequence[float]], exact: float
) -> Figure:
    """The curvature of the loss across a page, against how far one looks.

    Args:
        reach: the distances at which second differences were taken.
        curvatures: title -> second differences.
        exact: the curvature with infinitely many inputs, a horizontal line.
    """
    figure, ((axes,),) = frames(1, 1, 3.2)
    axes.axhline(0.0, color=ink(), linewidth=0.8)
    for k, (title, values) in enumerate(curvatures.items()):
        axes.plot(reach, values, "o-", color=colour(k), label=title)
    axes.axhline(exact, color=ink(), linestyle="--", label="infinitely many")
    axes.set(xscale="log", xlabel="distance from the page", ylabel="curvature across the page")
    axes.set_yscale("symlog", linthresh=0.1)
    key(figure, axes, above=True)
    return figure
