"""The still picture of GaugeRace: the curves up to the epoch, and the bars of two parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaugelib.widgets.shared.colours import BAND, INK, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.gauge_race import GaugeRace

LINES = {"never": (NEGATIVE, ":", 2), "once": (POSITIVE, "--", 4), "every": (INK, "-", 1)}
TICKS = [m * 10.0**k for k in range(-4, 4) for m in (1, 3)]
NAMES = {
    "regularised": "penalised loss",
    "loss": "loss without the penalty",
    "train_error": "training error",
    "test_error": "test error",
    "norm": "norm",
}


def draw(figure: Figure, widget: GaugeRace) -> None:
    """Draw the curves on the left, the bars on the right."""
    left, right = figure.subplots(1, 2)
    _curves(left, widget)
    _bars(right, widget)


def in_words(widget: GaugeRace) -> str:
    """The picture as two or three sentences."""
    whole, loss = widget.at("regularised"), widget.at("loss")
    told = ", ".join(f"{arm} {value:.3g}" for arm, value in whole.items())
    begun = (
        f"Training of {widget.depth} layers with the gauge fixed never, once or every step, at "
        f"epoch {widget.epoch} of 30"
    )
    if widget.epoch == 0:
        return (
            f"{begun}: nothing has been learnt. Beside the empty plot three bars show the "
            f"penalised loss, of which {loss['never']:.3g} is loss in each and the rest penalty."
        )
    return (
        f"{begun}. On the left the {NAMES[widget.plotted]} of each arm falls; on the right the "
        f"penalised losses, {told}, are bars of loss and penalty. Of the difference between never "
        f"and once {widget.loss_share():.0%} is loss."
    )


def _curves(axes: Axes, widget: GaugeRace) -> None:
    curves = widget.curves(widget.plotted)
    for arm, curve in curves.items():
        colour, style, width = LINES[arm]
        seen = curve[: widget.epoch + 1].where(curve[: widget.epoch + 1] > 0, float("nan"))
        axes.plot(seen, color=colour, ls=style, lw=width, label=arm)
        axes.plot(widget.epoch, seen[-1], "o", color=colour, ms=4)
    whole = [value for curve in curves.values() for value in curve.tolist() if value > 0]
    low, high = 0.85 * min(whole), 1.15 * max(whole)
    axes.set(yscale="log", xlim=(-0.5, 30.5), ylim=(low, high))
    axes.set_yticks([t for t in TICKS if low <= t <= high], minor=False)
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="epoch", ylabel=NAMES[widget.plotted])
    axes.legend(frameon=False, fontsize=8)


def _bars(axes: Axes, widget: GaugeRace) -> None:
    loss, penalty = widget.at("loss"), widget.at("penalty")
    arms = list(loss)
    axes.barh(arms, list(loss.values()), color=POSITIVE, label="loss")
    lefts = list(loss.values())
    axes.barh(
        arms,
        list(penalty.values()),
        left=lefts,
        color=BAND,
        hatch="//",
        ec=SOFT,
        label="penalty",
    )
    axes.invert_yaxis()
    axes.set_xlabel(f"penalised loss at epoch {widget.epoch}")
    axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
