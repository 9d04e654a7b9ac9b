"""Figures of the chapter "Conservation laws"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import pyplot as plt
from torch import Tensor

from gaugelib.group import GaugeError
from gaugelib.plot.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def charges(
    times: Tensor, runs: Mapping[str, Tensor], ylabel: str = "charges of the hidden units"
) -> Figure:
    r"""The charge of every hidden unit against time, one panel for each run, on one scale.

    Args:
        times: times $t$, shape `(T,)`.
        runs: title of a panel -> charges, or another number of each unit, shape `(T, units)`.
        ylabel: what the axis shows.
    """
    with style():
        figure, panels = plt.subplots(1, len(runs), figsize=(7.2, 3.0), sharey=True, squeeze=False)
        for axes, (title, values) in zip(panels[0], runs.items(), strict=True):
            axes.plot(times, values, color="#1b4f8a", linestyle="-", linewidth=1.4)
            axes.set(title=title, xlabel="time t")
        panels[0, 0].set_ylabel(ylabel)
    return figure


def drift_orders(steps: Tensor, drifts: Mapping[str, Tensor]) -> Figure:
    r"""Drift of the charge over a fixed time against the step size, on logarithmic axes.

    Args:
        steps: step sizes $\eta > 0$, shape `(n,)`.
        drifts: name of a method -> its drift at each step size, shape `(n,)`.

    Raises:
        GaugeError: if a drift is not positive, which no logarithmic axis can show.
    """
    with style():
        figure, axes = plt.subplots(figsize=(6.0, 3.4))
        for name, values in drifts.items():
            if not bool((values > 0).all()):
                raise GaugeError(f"the drift of '{name}' must be positive to be drawn")
            axes.loglog(steps, values, marker="o", markersize=4, label=name)
        axes.set(xlabel="step size η", ylabel="drift of the charge over a fixed time")
        axes.legend()
    return figure


def drifts(runs: Mapping[str, Tensor]) -> Figure:
    r"""How far the charges have moved against the number of the step, on a logarithmic axis.

    Args:
        runs: name of a method -> largest change of any charge after each step, shape `(steps,)`.
    """
    with style():
        figure, axes = plt.subplots(figsize=(6.4, 3.2))
        for name, values in runs.items():
            axes.plot(values, label=name)
        axes.set(xlabel="step", ylabel="largest change of a charge", yscale="log")
        axes.legend()
    return figure
