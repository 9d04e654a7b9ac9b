"""The mode "soft": what it opens with, and its still picture, hyperbola and circle, f against u."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.phase_plane.still import Plane, frame, hyperbola
from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, LINE, NEGATIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPENS = {"w": 3.0, "v": 0.5, "target": 2.0, "p": 2, "lr": 0.1}
RESTORED = ("w", "v", "penalty", "strength", "time")
LOWEST = (0.15, 0.15)
ABOVE_0 = ("w", "v")
UNTIL = 10.0  # the last time, as in soft.js


class Picture(Plane):
    """The plane beside f / f₀ against u."""

    def draw(self, figure: Figure) -> None:
        """Draw the plane on the left, f / f₀ against u on the right."""
        left, right = figure.subplots(1, 2)
        _plane(left, self)
        u0 = math.log(self.w / self.v)
        if self.time == 0:  # nothing has moved yet
            right.plot(u0, 1.0, "o", color=ACCENT)
            right.set(xlim=sorted((1.1 * u0, -0.1 * u0)) if u0 else (-1.0, 1.0), ylim=(0.0, 4.0))
            right.set(xlabel="log-ratio u = log(w / v)", ylabel="f / f₀")
            return
        u = np.linspace(u0, 0.0, 101)
        right.plot(u, np.ones_like(u), color=ACCENT, lw=2.2, label="penalty on w² − v²")
        f = math.cosh(u0) / np.cosh(u)
        right.plot(u, f, "--", color=NEGATIVE, lw=2.2, label="penalty on u")
        right.plot(u0, 1.0, "o", color=ACCENT)
        right.set_xlim(*sorted((1.1 * u0, -0.1 * u0)) if u0 else (-1.0, 1.0))
        right.set_ylim(0.0, 1.25 * math.cosh(u0))
        right.set(xlabel="log-ratio u = log(w / v)", ylabel="f / f₀")
        right.legend(frameon=False, loc="best", fontsize=8)

    def in_words(self) -> str:
        """The picture as three sentences."""
        u0 = math.log(self.w / self.v)
        if self.time == 0:
            return (
                f"The plane of the weights w and v with a start at ({self.w:.3g}, {self.v:.3g}), "
                f"where the log-ratio u is {u0:.3g}, and the hyperbola w v = "
                f"{self.w * self.v:.3g} of its function. Beside it an empty plot of f / f₀."
            )
        return (
            f"The plane of the weights w and v with a start at ({self.w:.3g}, {self.v:.3g}), where "
            f"u = log(w / v) = {u0:.3g}. A penalty on w² − v² leads along the hyperbola "
            f"w v = {self.w * self.v:.3g} to the diagonal and leaves the function alone; a penalty "
            "on u leads along the circle w² + v² = const and multiplies the function by "
            f"cosh u = {math.cosh(u0):.3g}."
        )


def _plane(axes: Axes, plane: Plane) -> None:
    w, v = plane.w, plane.v
    high = max(4.2, 1.25 * w, 1.25 * v)
    for k in range(6):
        axes.plot(*hyperbola((high * (k + 0.5) / 6) ** 2, high), color=LINE, lw=0.8)
    axes.plot([0, high], [0, high], ":", color=SOFT, lw=1.2)
    axes.plot(*hyperbola(w * v, high), color=BAND, lw=6, alpha=0.6)
    if plane.time > 0:
        _paths(axes, w, v)
    axes.plot(w, v, "o", color=ACCENT, label="the start")
    frame(axes, 0, high)
    axes.legend(frameon=True, framealpha=1, loc="upper right", fontsize=8)


def _paths(axes: Axes, w: float, v: float) -> None:
    half = np.linspace(0.5 * math.log(w / v), 0.0, 101)
    side = math.sqrt(w * v)
    along = side * np.exp(half), side * np.exp(-half)
    axes.plot(*along, color=ACCENT, lw=2.2, label="penalty on w² − v²")
    angle = np.linspace(math.atan2(v, w), math.pi / 4, 101)
    around = math.hypot(w, v) * np.cos(angle), math.hypot(w, v) * np.sin(angle)
    axes.plot(*around, "--", color=NEGATIVE, lw=2.2, label="penalty on u")
    for path in (along, around):
        axes.plot(path[0][-1], path[1][-1], "D", color=INK, ms=5, markerfacecolor="white")
