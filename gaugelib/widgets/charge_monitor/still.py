"""The still picture of ChargeMonitor: the charges with a long step beside those with a short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.shared.colours import ACCENT, INK, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.charge_monitor import ChargeMonitor
    from gaugelib.widgets.charge_monitor.descent import Run

COLOURS = (ACCENT, POSITIVE, NEGATIVE, "#1d6b4f", SOFT, "#8a5a00")
FINEST = 1024  # steps until the last time


def draw(figure: Figure, widget: ChargeMonitor) -> None:
    """Draw both runs over the same axes."""
    fine = widget.until / FINEST
    panels = figure.subplots(1, 2, sharey=True)
    for axes, lr in zip(panels, (widget.lr, fine)):
        _charges(axes, widget, widget._run(lr))
        axes.set_title(f"η = {lr:.3g}", fontsize=9)
    power = "²" if widget.p == 2 else ""
    panels[0].set_ylabel(f"charges Δ = Σ in |θ|{power} − Σ out |θ|{power}")


def in_words(widget: ChargeMonitor) -> str:
    """The picture as two or three sentences."""
    fine = widget.until / FINEST
    coarse, close = (_off(widget, widget._run(lr)) for lr in (widget.lr, fine))
    units = sum(len(rows) for rows in widget.weights[:-1])
    rule = "Adam" if widget.method == "adam" else "gradient descent"
    if widget.method == "descent" and widget.p == 1:
        rule = "exponentiated descent"
    return (
        f"The charges of {units} hidden units against time, trained by {rule} until "
        f"t = {widget.until:g}. With step size {widget.lr:.3g} they end {coarse} from the law of "
        f"the flow, with {fine:.3g} only {close}."
    )


def _off(widget: ChargeMonitor, run: Run) -> str:
    if not run.complete:
        return "nowhere: the run ran away"
    law = run.charges[0] * np.exp(-widget.decay * widget.p * run.times[-1])
    return f"{np.abs(run.charges[-1] - law).max():.2g}"


def _charges(axes: Axes, widget: ChargeMonitor, run: Run) -> None:
    begun = run.charges[0]
    low, high = min(0.0, begun.min()), max(0.0, begun.max())
    margin = 0.4 * ((high - low) or 1.0)
    times = np.linspace(0, widget.until, 41)
    for h, charge in enumerate(begun):
        colour = COLOURS[h % len(COLOURS)]
        law = charge * np.exp(-widget.decay * widget.p * times)
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
