"""The still picture of GaugeRace: the curves up to the epoch, and the bars of two parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gaugelib.widgets.shared.colours import BAND, INK, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

LINES = {"never": (NEGATIVE, ":", 2), "once": (POSITIVE, "--", 4), "every": (INK, "-", 1)}
TICKS = [m * 10.0**k for k in range(-4, 4) for m in (1, 3)]
NAMES = {
    "regularised": "penalised loss",
    "loss": "loss without the penalty",
    "train_error": "training error",
    "test_error": "test error",
    "norm": "norm",
}


@dataclass(frozen=True, eq=False)
class Picture:
    """The arms of a race at an epoch."""

    depth: int
    plotted: str
    epoch: int
    curves: dict[str, dict[str, Tensor]]  # of each quantity the curve of each arm
    loss_share: float  # of what "once" gains over "never"

    def draw(self, figure: Figure) -> None:
        """Draw the curves on the left, the bars on the right."""
        left, right = figure.subplots(1, 2)
        _curves(left, self.curves[self.plotted], self.plotted, self.epoch)
        _bars(right, self._at("loss"), self._at("penalty"), self.epoch)

    def _at(self, quantity: str) -> dict[str, float]:
        return {arm: float(curve[self.epoch]) for arm, curve in self.curves[quantity].items()}

    def in_words(self) -> str:
        """The picture as two or three sentences."""
        whole, loss = self._at("regularised"), self._at("loss")
        told = ", ".join(f"{arm} {value:.3g}" for arm, value in whole.items())
        begun = (
            f"Training of {self.depth} layers with the gauge fixed never, once or every step, at "
            f"epoch {self.epoch} of 30"
        )
        if self.epoch == 0:
            return (
                f"{begun}: nothing has been learnt. Beside the empty plot three bars show the "
                f"penalised loss, of which {loss['never']:.3g} is loss in each and the rest "
                "penalty."
            )
        return (
            f"{begun}. On the left the {NAMES[self.plotted]} of each arm falls; on the right the "
            f"penalised losses, {told}, are bars of loss and penalty. Of the difference between "
            f"never and once {self.loss_share:.0%} is loss."
        )


def _curves(axes: Axes, curves: dict[str, Tensor], plotted: str, epoch: int) -> None:
    for arm, curve in curves.items():
        colour, style, width = LINES[arm]
        seen = curve[: epoch + 1].where(curve[: epoch + 1] > 0, float("nan"))
        axes.plot(seen, color=colour, ls=style, lw=width, label=arm)
        axes.plot(epoch, seen[-1], "o", color=colour, ms=4)
    whole = [value for curve in curves.values() for value in curve.tolist() if value > 0]
    low, high = 0.85 * min(whole), 1.15 * max(whole)
    axes.set(yscale="log", xlim=(-0.5, 30.5), ylim=(low, high))
    axes.set_yticks([t for t in TICKS if low <= t <= high], minor=False)
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="epoch", ylabel=NAMES[plotted])
    axes.legend(frameon=False, fontsize=8)


def _bars(axes: Axes, loss: dict[str, float], penalty: dict[str, float], epoch: int) -> None:
    arms, lefts, widths = list(loss), list(loss.values()), list(penalty.values())
    axes.barh(arms, lefts, color=POSITIVE, label="loss")
    axes.barh(arms, widths, left=lefts, color=BAND, hatch="//", ec=SOFT, label="penalty")
    axes.invert_yaxis()
    axes.set_xlabel(f"penalised loss at epoch {epoch}")
    axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
