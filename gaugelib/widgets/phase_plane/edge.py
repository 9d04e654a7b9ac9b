"""The mode "edge": what it opens with, and its still picture, the steps and what they burn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gaugelib.curvature import edge_path
from gaugelib.widgets.phase_plane.still import Plane, frame, hyperbola
from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, LINE, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPENS = {"w": 2.0, "v": 0.1, "target": 1.0, "p": 2, "lr": 0.25}
RESTORED = ("w", "v", "target", "lr", "steps")
LOWEST = (None, None)
ABOVE_0 = ()
LAST = 40  # the last step that is drawn, as in edge.js


class Run(NamedTuple):
    """A run of gradient descent, one entry for each step."""

    w: np.ndarray
    v: np.ndarray
    sharpness: np.ndarray
    charge: np.ndarray


class Picture(Plane):
    """The plane beside sharpness and imbalance against the number of steps."""

    def draw(self, figure: Figure) -> None:
        """Draw the plane on the left, on the right sharpness above imbalance against steps."""
        parts = figure.subplot_mosaic([["plane", "sharpness"], ["plane", "charge"]])
        run = _run(self)
        _plane(parts["plane"], self, run)
        above, below = parts["sharpness"], parts["charge"]
        charge = self.w**2 - self.v**2
        sharpness = math.hypot(charge, 2 * self.target)
        above.axhline(sharpness, color=BAND, lw=6, alpha=0.6, label="the flow's end")
        above.axhline(2 / self.lr, color=INK, ls="dashed", lw=1.2, label="2/η")
        below.axhline(charge, color=BAND, lw=6, alpha=0.6)
        for axes, values in ((above, run.sharpness), (below, run.charge)):
            axes.plot(values, "o-", color=NEGATIVE, ms=3, lw=0.8)
        above.set(xlim=(0, LAST), ylim=(0, 2.4 * sharpness or 1), ylabel="sharpness λ")
        above.legend(frameon=False, loc="upper right", fontsize=8, ncols=2)
        below.axhline(0, color=SOFT, lw=0.8)
        below.set(xlim=(0, LAST), xlabel="step k", ylabel="imbalance Δ")
        below.set_ylim(*sorted((-0.5 * charge, 1.2 * charge)) if charge else (-1, 1))

    def in_words(self) -> str:
        """The picture as three sentences."""
        charge, run = self.w**2 - self.v**2, _run(self)
        least = math.hypot(charge, 2 * self.target)
        begun = (
            f"The plane of the weights w and v with a start at ({self.w:.3g}, {self.v:.3g}) and, "
            f"dashed, the minima w v = {self.target:.3g}."
        )
        if self.steps == 0:
            return (
                f"{begun} Beside it empty plots of sharpness and imbalance against steps, with a "
                f"line at 2/η = {2 / self.lr:.3g} and one at {least:.3g}, the sharpness of the "
                "minimum to which the flow leads."
            )
        if len(run.w) <= self.steps:
            ends = f"run away after {len(run.w) - 1} steps"
        else:
            ends = (
                f"after {self.steps} steps are at sharpness {run.sharpness[-1]:.3g} and imbalance "
                f"{run.charge[-1]:.3g}, which was {charge:.3g} at the start"
            )
        return (
            f"{begun} The flow would end at the sharpness {least:.3g}. The steps of gradient "
            f"descent with η = {self.lr:.3g}, for which 2/η = {2 / self.lr:.3g}, {ends}."
        )


def _run(plane: Plane) -> Run:
    """The run by its closed map, up to where it runs away.

    A step multiplies w + v by 1 - ηe and w - v by 1 + ηe, and so their product, the charge.
    """
    w, v, y = plane.w, plane.v, plane.target
    path = edge_path(w * v, w * w + v * v, target=y, lr=plane.lr, steps=plane.steps)
    with np.errstate(all="ignore"):
        rho, size = (values.numpy() for values in path)
        move = plane.lr * (rho[:-1] - y)
        plus = (w + v) * np.cumprod([1, *(1 - move)])
        minus = (w - v) * np.cumprod([1, *(1 + move)])
        charge = plus * minus
        sharpness = (size + np.hypot(charge, 2 * (2 * rho - y))) / 2
        values = (plus + minus) / 2, (plus - minus) / 2, sharpness, charge
    kept = int(np.cumprod(size < 1e6).sum())
    return Run(*(each[:kept] for each in values))


def _plane(axes: Axes, plane: Plane, run: Run) -> None:
    w, v, y = plane.w, plane.v, plane.target
    high = max(2.6, 1.25 * abs(w), 1.25 * abs(v), 1.25 * math.sqrt(abs(y)))
    for k in range(6):
        for sign in (1, -1):
            _both(axes, sign * (high * (k + 0.5) / 6) ** 2, high, color=LINE, lw=0.8)
    for sign in (1, -1):
        axes.plot([-high, high], [-sign * high, sign * high], ":", color=SOFT, lw=1)
    grid = np.linspace(-high, high, 241)
    field = grid[None, :] ** 2 - grid[:, None] ** 2
    level = {"colors": BAND, "linewidths": 6, "alpha": 0.6, "linestyles": "solid"}
    axes.contour(grid, grid, field, levels=[w * w - v * v], **level)
    _both(axes, y, high, color=POSITIVE, lw=1.4, ls="dashed")
    axes.plot(run.w, run.v, "o-", color=NEGATIVE, ms=3, lw=0.8, label="steps")
    axes.plot(w, v, "o", color=ACCENT, markeredgecolor=INK, label="the start", zorder=3)
    frame(axes, -high, high)
    axes.legend(frameon=True, framealpha=1, loc="lower right", fontsize=8)


def _both(axes: Axes, value: float, high: float, **style) -> None:
    """Both branches of the hyperbola w v = value."""
    w, v = hyperbola(value, high)
    for side in (1, -1):
        axes.plot(side * w, side * v, **style)
