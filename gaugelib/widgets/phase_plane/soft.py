"""The mode "soft": what it opens with, and its still picture, hyperbola and circle, f against u."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.phase_plane.still import hyperbola
from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, LINE, NEGATIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.phase_plane import PhasePlane

OPENS = {"w": 3.0, "v": 0.5, "target": 2.0, "p": 2}
RESTORED = ("w", "v", "penalty", "strength", "time")
ABOVE_0 = ("w", "v")
UNTIL = 10.0  # the last time, as in soft.js


def draw(figure: Figure, widget: PhasePlane) -> None:
    """Draw the plane on the left, f / f₀ against u on the right."""
    left, right = figure.subplots(1, 2)
    _plane(left, widget)
    u0 = math.log(widget.w / widget.v)
    if widget.time == 0:  # nothing has moved yet
        right.plot(u0, 1.0, "o", color=ACCENT)
        right.set(xlim=sorted((1.1 * u0, -0.1 * u0)) if u0 else (-1.0, 1.0), ylim=(0.0, 4.0))
        right.set(xlabel="log-ratio u = log(w / v)", ylabel="f / f₀")
        return
    u = np.linspace(u0, 0.0, 101)
    right.plot(u, np.ones_like(u), color=ACCENT, lw=2.2, label="penalty on w² − v²")
    right.plot(u, math.cosh(u0) / np.cosh(u), "--", color=NEGATIVE, lw=2.2, label="penalty on u")
    right.plot(u0, 1.0, "o", color=ACCENT)
    right.set_xlim(*sorted((1.1 * u0, -0.1 * u0)) if u0 else (-1.0, 1.0))
    right.set_ylim(0.0, 1.25 * math.cosh(u0))
    right.set(xlabel="log-ratio u = log(w / v)", ylabel="f / f₀")
    right.legend(frameon=False, loc="best", fontsize=8)


def in_words(widget: PhasePlane) -> str:
    """The picture as three sentences."""
    u0 = math.log(widget.w / widget.v)
    if widget.time == 0:
        return (
            f"The plane of the weights w and v with a start at ({widget.w:.3g}, {widget.v:.3g}), "
            f"where the log-ratio u is {u0:.3g}, and the hyperbola w v = "
            f"{widget.w * widget.v:.3g} of its function. Beside it an empty plot of f / f₀."
        )
    return (
        f"The plane of the weights w and v with a start at ({widget.w:.3g}, {widget.v:.3g}), where "
        f"u = log(w / v) = {u0:.3g}. A penalty on w² − v² leads along the hyperbola "
        f"w v = {widget.w * widget.v:.3g} to the diagonal and leaves the function alone; a penalty "
        "on u leads along the circle w² + v² = const and multiplies the function by "
        f"cosh u = {math.cosh(u0):.3g}."
    )


def _plane(axes: Axes, widget: PhasePlane) -> None:
    w, v = widget.w, widget.v
    high = max(4.2, 1.25 * w, 1.25 * v)
    for k in range(6):
        axes.plot(*hyperbola((high * (k + 0.5) / 6) ** 2, high), color=LINE, lw=0.8)
    axes.plot([0, high], [0, high], ":", color=SOFT, lw=1.2)
    axes.plot(*hyperbola(w * v, high), color=BAND, lw=6, alpha=0.6)
    if widget.time > 0:
        _paths(axes, w, v)
    axes.plot(w, v, "o", color=ACCENT, label="the start")
    axes.set(xlim=(0, high), ylim=(0, high), aspect="equal")
    axes.set(xlabel="incoming weight w", ylabel="outgoing weight v")
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
