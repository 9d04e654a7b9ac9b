"""Figures of the chapter "Conservation laws"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import pyplot as plt
from torch import Tensor

from gaugelib.group import GaugeError
from gaugelib.plot.colours import colour
from gaugelib.plot.layout import frames, key, name_axes, size, wrapped
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def charges(
    times: Tensor, runs: Mapping[str, Tensor], ylabel: str = "charges of the hidden units"
) -> Figure:
    r"""The charge of every hidden unit against time, one panel for each run, on one scale.

    Args:
        times: times $t$, shape `(T,)`.
        runs: title of a panel -> charges, or another number of each unit, shape `(T, units)`.
        ylabel: what the axis shows.
    """
    figure, row = frames(1, len(runs), 3.0, sharex=True, sharey=True)
    for axes, (title, values) in zip(row[0], runs.items(), strict=True):
        axes.plot(times, values, color=colour(0), linestyle="-", linewidth=1.4)
        axes.set_title(title)
    name_axes(row, "time t", ylabel)
    return figure


@in_style
def drift_orders(steps: Tensor, drifts: Mapping[str, Tensor]) -> Figure:
    r"""Drift of the charge over a fixed time against the step size, on logarithmic axes.

    Args:
        steps: step sizes $\eta > 0$, shape `(n,)`.
        drifts: name of a method -> its drift at each step size, shape `(n,)`.

    Raises:
        GaugeError: if a drift is not positive, which no logarithmic axis can show.
    """
    figure, axes = plt.subplots(figsize=size(6.0, 3.4))
    for name, values in drifts.items():
        if not bool((values > 0).all()):
            raise GaugeError(f"the drift of '{name}' must be positive to be drawn")
        axes.loglog(steps, values, marker="o", markersize=4, label=name)
    axes.set(xlabel="step size η", ylabel=wrapped("drift of the charge over a fixed time"))
    if len(steps) <= 6:  # the steps themselves, where there is room to name each
        axes.set_xticks(steps, [f"{step:.2g}" for step in steps.tolist()])
        axes.minorticks_off()
    key(figure, axes)
    return figure


@in_style
def drifts(runs: Mapping[str, Tensor]) -> Figure:
    r"""How far the charges have moved against the number of the step, on a logarithmic axis.

    Args:
        runs: name of a method -> largest change of any charge after each step, shape `(steps,)`.
    """
    figure, axes = plt.subplots(figsize=size(6.4, 3.2))
    for name, values in runs.items():
        axes.plot(values, label=name)
    axes.set(xlabel="step", ylabel=wrapped("largest change of a charge"), yscale="log")
    key(figure, axes)
    return figure
