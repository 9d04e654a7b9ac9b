"""The still picture of BalanceSweeps: who is out of balance, and how gamma falls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.balance_sweeps.layered import METHODS, State
from gaugelib.widgets.shared.colours import ACCENT, INK, LINE, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.balance_sweeps import BalanceSweeps

COLOURS = {"paper": ACCENT, "alternating": POSITIVE, "two-level": NEGATIVE}
STYLES = {"paper": "solid", "alternating": "dashed", "two-level": "dashdot"}


def draw(figure: Figure, widget: BalanceSweeps) -> None:
    """Draw the imbalances on the left and gamma against sweeps on the right."""
    left, right = figure.subplots(1, 2)
    _imbalances(left, widget.history()[-1], widget.method)
    _gammas(right, widget)


def in_words(widget: BalanceSweeps) -> str:
    """The picture as three sentences."""
    states = widget.history()
    last = states[-1]
    depth = len(last.layers) + 1
    shown = ", ".join(f"{x:.2g}".replace("-", "−") for x in last.layers)
    return (
        f"A network of {depth} weight layers after {len(states) - 1} sweeps of the method "
        f"{widget.method!r}, p = {widget.p}: the largest imbalance of a neuron is "
        f"{last.gamma:.2g}, those of whole layers are {shown}. Beside it the largest imbalance "
        "against sweeps for the methods that were run."
    )


def _imbalances(axes: Axes, state: State, method: str) -> None:
    depth = len(state.layers) + 1
    axes.axhline(0, color=LINE)
    for h, neurons in enumerate(state.imbalances, start=1):
        places = h + 0.6 * ((np.arange(len(neurons)) + 0.5) / len(neurons) - 0.5)
        names = ("a neuron", "its layer as a whole") if h == 1 else (None, None)
        axes.plot(places, neurons.tolist(), "o", color=ACCENT, markersize=4, label=names[0])
        ends, whole = [h - 0.34, h + 0.34], [state.layers[h - 1]] * 2
        axes.plot(ends, whole, color=INK, linewidth=2.5, label=names[1])
    # After a sweep of alternating balancing the even layers are in balance.
    seen = [method != "alternating" or h % 2 == 1 for h in range(1, depth)]
    mode = [math.sin(math.pi * (h + 1) / depth) * on for h, on in enumerate(seen)]
    size = sum(x * s for x, s in zip(state.layers, mode)) / sum(s * s for s in mode)
    h = np.linspace(0.5, depth - 0.5, 121)
    axes.plot(
        h, size * np.sin(np.pi * h / depth), color=SOFT, ls="dotted", label="sin(πh/L), fitted"
    )
    top = max(state.gamma, 1e-15)
    axes.set(xlabel="hidden layer h", ylabel="imbalance (in − out) / (in + out)")
    axes.set(xticks=range(1, depth), ylim=(-1.2 * top, 1.6 * top))
    axes.legend(frameon=False, loc="upper left", fontsize=8)


def _gammas(axes: Axes, widget: BalanceSweeps) -> None:
    runs = {method: widget.history(method) for method in METHODS}
    runs = {method: states for method, states in runs.items() if len(states) > 1}
    for method, states in (runs or {widget.method: widget.history()}).items():
        gammas = [max(state.gamma, 1e-13) for state in states]
        axes.semilogy(gammas, color=COLOURS[method], ls=STYLES[method], label=method)
    depth = len(widget.history()[0].layers) + 1
    rate = (1 + math.cos(math.pi / depth)) / 2
    sweeps = np.arange(max([len(states) for states in runs.values()], default=2))
    begun = widget.history()[0].gamma
    axes.semilogy(begun * rate**sweeps, color=SOFT, ls="dotted", label="slope cos²(π/2L)")
    axes.set(xlabel="sweeps", ylabel="largest imbalance γ")
    axes.legend(frameon=False, loc="lower left", fontsize=8)
