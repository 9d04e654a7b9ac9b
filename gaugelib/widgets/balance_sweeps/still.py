"""The still picture of BalanceSweeps: who is out of balance, and how gamma falls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.balance_sweeps.layered import State
from gaugelib.widgets.shared.colours import ACCENT, INK, LINE, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Runs = Mapping[str, Sequence[State]]  # of each method the network after 0, 1, ... sweeps

COLOURS = {"paper": ACCENT, "alternating": POSITIVE, "two-level": NEGATIVE}
STYLES = {"paper": "solid", "alternating": "dashed", "two-level": "dashdot"}


@dataclass(frozen=True, eq=False)
class Picture:
    """The shown method beside all that were run."""

    runs: Runs
    method: str
    p: int

    def draw(self, figure: Figure) -> None:
        """Draw the imbalances of `method` on the left and gamma against sweeps on the right."""
        left, right = figure.subplots(1, 2)
        _imbalances(left, self.runs[self.method][-1], self.method)
        _gammas(right, self.runs, self.method)

    def in_words(self) -> str:
        """The picture as three sentences."""
        states = self.runs[self.method]
        last = states[-1]
        depth = len(last.layers) + 1
        shown = ", ".join(f"{x:.2g}".replace("-", "−") for x in last.layers)
        return (
            f"A network of {depth} weight layers after {len(states) - 1} sweeps of the method "
            f"{self.method!r}, p = {self.p}: the largest imbalance of a neuron is "
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


def _gammas(axes: Axes, runs: Runs, method: str) -> None:
    for name, states in runs.items():
        if len(states) > 1 or (name == method and all(len(each) == 1 for each in runs.values())):
            gammas = [max(state.gamma, 1e-13) for state in states]
            axes.semilogy(gammas, color=COLOURS[name], ls=STYLES[name], label=name)
    begun = runs[method][0]
    rate = (1 + math.cos(math.pi / (len(begun.layers) + 1))) / 2
    sweeps = np.arange(max(2, *map(len, runs.values())))
    axes.semilogy(begun.gamma * rate**sweeps, color=SOFT, ls="dotted", label="slope cos²(π/2L)")
    axes.set(xlabel="sweeps", ylabel="largest imbalance γ")
    axes.legend(frameon=False, loc="lower left", fontsize=8)
