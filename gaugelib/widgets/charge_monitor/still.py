"""The still picture of ChargeMonitor: the charges with a long step beside those with a short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.charge_monitor.descent import Run, Settings
from gaugelib.widgets.shared.colours import ACCENT, INK, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (ACCENT, POSITIVE, NEGATIVE, "#1d6b4f", SOFT, "#8a5a00")
FINEST = 1024  # steps until the last time


@dataclass(frozen=True, eq=False)
class Picture:
    """Two runs of one training."""

    how: Settings
    coarse: Run
    fine: Run  # in as many steps as `FINEST` says

    def draw(self, figure: Figure) -> None:
        """Draw both runs over the same axes."""
        panels = figure.subplots(1, 2, sharey=True)
        how = self.how
        power = "²" if how.p == 2 else ""
        for axes, lr, run in zip(panels, (how.lr, how.until / FINEST), (self.coarse, self.fine)):
            _charges(axes, how, run)
            axes.set_title(f"η = {lr:.3g}", fontsize=9)
        panels[0].set_ylabel(f"charges Δ = Σ in |θ|{power} − Σ out |θ|{power}")

    def in_words(self) -> str:
        """The picture as two or three sentences."""
        how, ends = self.how, [_off(self.how, run) for run in (self.coarse, self.fine)]
        rule = "Adam" if how.method == "adam" else "gradient descent"
        if how.method == "descent" and how.p == 1:
            rule = "exponentiated descent"
        return (
            f"The charges of {self.coarse.charges.shape[1]} hidden units against time, trained by "
            f"{rule} until t = {how.until:g}. With step size {how.lr:.3g} they end {ends[0]} from "
            f"the law of the flow, with {how.until / FINEST:.3g} only {ends[1]}."
        )


def _off(how: Settings, run: Run) -> str:
    if not run.complete:
        return "nowhere: the run ran away"
    law = run.charges[0] * np.exp(-how.decay * how.p * run.times[-1])
    return f"{np.abs(run.charges[-1] - law).max():.2g}"


def _charges(axes: Axes, how: Settings, run: Run) -> None:
    begun = run.charges[0]
    low, high = min(0.0, begun.min()), max(0.0, begun.max())
    margin = 0.4 * ((high - low) or 1.0)
    times = np.linspace(0, how.until, 41)
    for h, charge in enumerate(begun):
        colour = COLOURS[h % len(COLOURS)]
        law = charge * np.exp(-how.decay * how.p * times)
        axes.plot(run.times, run.charges[:, h], color=colour, lw=2)
        axes.plot(
            times, law, color=INK, lw=1, ls="dashed", label="law of the flow" if h == 0 else None
        )
        end = float(np.clip(run.charges[-1, h], low - margin, high + margin))
        axes.annotate(
            f"{h + 1}", (run.times[-1], end), (3, -3), textcoords="offset points", fontsize=8
        )
    axes.set(xlabel="time t = η · steps", ylim=(low - margin, high + margin))
    axes.legend(frameon=False, loc="lower right", fontsize=8)
