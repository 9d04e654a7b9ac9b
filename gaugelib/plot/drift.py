"""Figures of the chapter "Which gauge?": where learning drifts, and what a fair choice leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from gaugelib.plot.colours import colour, ink
from gaugelib.plot.layout import frames, is_narrow, key, name_axes
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DASHES, COLOURS = ("-", "--", ":", "-."), 4
MARKS = ("o", "s", "^", "D", "v")

Way = tuple[Sequence[float], Sequence[float], Sequence[float]]


@in_style
def noise_orbits(panels: Mapping[str, tuple[Sequence[Way], float]]) -> Figure:
    r"""How noise moves $\log(r/s)$ on one orbit: dots as measured, lines as the averaged motion.

    Args:
        panels: title -> the ways from several gauges, each as times $\tau$, measured values and
            predicted values, and the equilibrium, a horizontal line.
    """
    figure, row = frames(1, len(panels), 3.0, sharex=True, sharey=True)
    for axes, (title, (ways, rest)) in zip(row[0], panels.items(), strict=True):
        for k, (times, seen, predicted) in enumerate(ways):
            axes.plot(times, predicted, "-", color=colour(k))
            axes.plot(times, seen, "o", color=colour(k), markersize=3.5)
        axes.axhline(rest, color=ink(), linestyle="--", linewidth=1.0)
        axes.set_title(title)
    name_axes(row, "time τ = η² × step", "log r/s")
    handles = [
        Line2D([], [], color=ink(), ls="", marker="o", markersize=3.5, label="measured"),
        Line2D([], [], color=ink(), label="averaged motion"),
        Line2D([], [], color=ink(), ls="--", lw=1.0, label="equilibrium"),
    ]
    key(figure, row[0, 0], handles, above=True)
    return figure


@in_style
def optimiser_curves(panels: Mapping[str, Mapping[str, Way]], ylabel: str) -> Figure:
    """A quantity of trained networks against the epochs, a line for each optimiser.

    Args:
        panels: title -> optimiser -> epochs, means and standard errors; the band is two of them to
            each side.
        ylabel: what the quantity is.
    """
    figure, row = frames(1, len(panels), 3.4, sharex=True)
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    for axes, (title, lines) in zip(row[0], panels.items(), strict=True):
        for name, (epochs, means, errors) in lines.items():
            k = names.index(name)
            middle, reach = np.asarray(means), 2 * np.asarray(errors)
            style, shade = DASHES[k // COLOURS % len(DASHES)], colour(k)
            axes.plot(epochs, middle, style, color=shade, label=name)
            axes.fill_between(epochs, middle - reach, middle + reach, color=shade, alpha=0.15)
        axes.set_title(title)
    name_axes(row, "epochs", ylabel)
    handles = [
        Line2D([], [], color=colour(k), ls=DASHES[k // COLOURS % len(DASHES)], label=name)
        for k, name in enumerate(names)
    ]
    columns = 2 if is_narrow() else 4
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, columnspacing=1.0)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * ceil(len(names) / columns))
    return figure


@in_style
def fair_rates(
    rates: Sequence[float], losses: Mapping[str, Sequence[float | None]], title: str
) -> Figure:
    """The loss after training against the rate, a line for each start.

    Args:
        rates: the learning rates.
        losses: start -> mean log loss at each rate, None where a run diverged.
        title: of the panel.
    """
    figure, ((axes,),) = frames(1, 1, 3.4)
    for k, (name, logs) in enumerate(losses.items()):
        shown = [(rate, np.exp(log)) for rate, log in zip(rates, logs) if log is not None]
        style = DASHES[k // COLOURS % len(DASHES)]
        axes.plot(*zip(*shown), style, color=colour(k), marker=MARKS[k], ms=4, label=name)
    axes.set(xscale="log", yscale="log", xlabel="rate η", ylabel="training loss", title=title)
    if not is_narrow():
        axes.legend()
        return figure
    figure.legend(loc="outside upper left")  # the names are too long for two columns
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * len(losses))
    return figure
