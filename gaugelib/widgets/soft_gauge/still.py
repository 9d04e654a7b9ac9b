"""The still picture of SoftGauge: the map, and the loss and the imbalances of the chosen run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection

from gaugelib.widgets.shared.colours import ACCENT, INK, NEGATIVE, POSITIVE, SOFT
from gaugelib.widgets.soft_gauge.run import Run
from gaugelib.widgets.soft_gauge.stable import Choice, reach, stored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EMPTY = "#e4e8ec"


@dataclass(frozen=True, eq=False)
class Picture:
    """The map, and two runs at its chosen cell."""

    chosen: Choice
    run: Run
    free: Run  # without a penalty

    def draw(self, figure: Figure) -> None:
        """Draw the map on the left, on the right the chosen run and the one without a penalty."""
        panels = figure.subplot_mosaic(
            [["map", "loss"], ["map", "imbalance"]], width_ratios=(1, 1.1)
        )
        _map(panels["map"], self.chosen, self.run)
        _loss(panels["loss"], self.run, self.free)
        _imbalances(panels["imbalance"], self.run)

    def in_words(self) -> str:
        """The picture as three sentences."""
        chosen, runs = self.chosen, (self.run, self.free)
        if not chosen.revealed:
            return (
                "An empty map of penalty strength κ and learning rate η with one cell marked, at "
                f"κ = {chosen.strength:g} and η = {chosen.lr:.3g}, and beside it the loss and the "
                f"imbalances of the run of seed {chosen.seed} there."
            )
        stable = chosen.stable()
        here, none = (_reached(stable[k].all(1)) for k in (chosen.cell[0], 0))
        said = ["stable" if getattr(run, chosen.criterion) else "unstable" for run in runs]
        return (
            "A map of penalty strength κ and learning rate η with, in each cell, a bar as long as "
            f"the share of {stable.shape[2]} seeds that trained stably, from the start "
            f"“{chosen.start}”. With κ = {chosen.strength:g} all are stable {here}, without a "
            f"penalty {none}. Beside it the run of seed {chosen.seed} at κ = {chosen.strength:g} "
            f"and η = {chosen.lr:.3g}, which is {said[0]}; without a penalty it is {said[1]}."
        )


def _reached(stable: np.ndarray) -> str:
    return f"up to η = {most:.3g}" if (most := reach(stable)) else "at no η of the map"


def _map(axes: Axes, chosen: Choice, run: Run) -> None:
    kept, share = stored(), chosen.stable().mean(2)
    strengths, logs = kept["strengths"], np.log2(kept["etas"])
    high = 0.86 * (logs[1] - logs[0])
    _bars(axes, logs, high, np.ones_like(share), EMPTY)
    if chosen.revealed:
        _bars(axes, logs, high, share, POSITIVE)
    columns = np.arange(1, len(strengths))
    limit = -np.log2(run.stiffest * np.array(strengths[1:]))
    if chosen.revealed:
        axes.plot(columns, limit, "--", color=INK, lw=1.5, label="ηκμ$_{max}$ = 1 at the start")
    column, row = chosen.cell
    axes.plot(column, logs[row], "s", ms=9, mew=2, mfc="none", color=ACCENT, label="this run")
    axes.set(xlim=(-0.6, len(strengths) - 0.4), ylim=(logs[0] - 0.3, logs[-1] + 0.3))
    axes.set_xticks(range(len(strengths)), [f"{s:g}" for s in strengths], fontsize=7)
    rows = range(0, len(logs), 6)
    axes.set_yticks([logs[j] for j in rows], [f"{kept['etas'][j]:.3g}" for j in rows])
    axes.set(xlabel="penalty strength κ", ylabel="learning rate η")
    axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)


def _bars(axes: Axes, rows: np.ndarray, high: float, share: np.ndarray, colour: str) -> None:
    """A bar in each cell; together they take a third of the time that they take one by one."""
    left, low = np.meshgrid(np.arange(len(share)) - 0.45, rows - high / 2, indexing="ij")
    right, top = left + 0.9 * share, low + high
    corners = [(left, low), (right, low), (right, top), (left, top)]
    bars = np.stack([np.stack(corner, -1) for corner in corners], -2).reshape(-1, 4, 2)
    axes.add_collection(PolyCollection(list(bars), facecolors=colour, edgecolors="none"))


def _loss(axes: Axes, run: Run, free: Run) -> None:
    axes.plot(_seen(free.losses), ":", color=SOFT, lw=1.5, label="without a penalty")
    axes.plot(_seen(run.losses), color=ACCENT, lw=2, label="this run")
    axes.set(yscale="log", ylabel="loss")
    axes.legend(frameon=False, fontsize=7)


def _imbalances(axes: Axes, run: Run) -> None:
    half = run.imbalances.shape[1] // 2
    for h, imbalance in enumerate(np.abs(run.imbalances).T):
        label = {0: "first hidden layer", half: "second"}.get(h)
        axes.plot(_seen(imbalance), color=POSITIVE if h < half else NEGATIVE, lw=1, label=label)
    largest = np.abs(run.imbalances[0]).max()
    axes.set(yscale="log", ylim=(1e-5 * largest, 3 * largest))
    axes.set(xlabel="steps", ylabel="imbalance |Δ|")
    axes.legend(frameon=False, fontsize=7, ncols=2, loc="lower left")


def _seen(values: np.ndarray) -> np.ndarray:
    """What a logarithmic axis can show."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)
