"""The mode "orbit": what it opens with, and its still picture, the plane beside the function."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.phase_plane.still import Plane, frame, hyperbola
from gaugelib.widgets.shared.colours import ACCENT, INK, LINE, NEGATIVE, POSITIVE, RAISED, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPENS = {"w": 3.0, "v": 0.4, "target": 2.0, "p": 2, "lr": 0.1}
RESTORED = ("w", "v", "p", "revealed", "smallest")
LOWEST = (None, None)  # that w and v can be moved to, as in orbit.js: the edge of the plane
ABOVE_0 = ()


class Picture(Plane):
    """The plane beside the function."""

    def draw(self, figure: Figure) -> None:
        """Draw the plane on the left and the function on the right."""
        left, right = figure.subplots(1, 2)
        _plane(left, self)
        _function(right, self)

    def in_words(self) -> str:
        """The picture as three sentences."""
        if not self.revealed:
            return (
                "The plane of the weights w and v with one network in it, at "
                f"({self.w:.3g}, {self.v:.3g}). Beside it the function v relu(w x) that this "
                "network computes and the one datum."
            )
        side = math.sqrt(abs(self.w * self.v))
        norm = "w² + v²" if self.p == 2 else "|w| + |v|"
        return (
            f"The plane of the weights w and v with the orbit w v = {self.w * self.v:.3g}. "
            f"The network at ({self.w:.3g}, {self.v:.3g}) has "
            f"{norm} = {_size(self.w, self.v, self.p):.3g}; the same function has the smallest, "
            f"{_size(side, side, self.p):.3g}, at |w| = |v| = {side:.3g}. "
            "Beside it the function v relu(w x) and the one datum."
        )


def _plane(axes: Axes, plane: Plane) -> None:
    w, v, p = plane.w, plane.v, plane.p
    high = max(4.2, 1.25 * abs(w), 1.25 * abs(v), 1.25 * math.sqrt(abs(plane.target)))
    low = -high if min(w, v) < 0 else -0.24 * high
    best = math.sqrt(abs(w * v))
    side = math.copysign(best, w), math.copysign(best, v)
    axes.axvspan(low, 0, color=RAISED)
    values = [sign * (high * (k + 0.5) / 6) ** 2 for k in range(6) for sign in (1, -1)]
    if plane.revealed:
        for value, reach in product(values, (high, low)):
            axes.plot(*hyperbola(value, reach), color=LINE, lw=0.8)
        axes.plot(*hyperbola(plane.target, high), color=POSITIVE, lw=1.4, ls="dashed")
        axes.plot(*hyperbola(w * v, high if w > 0 else low), color=ACCENT, lw=2.2)
    axes.plot(w, v, "o", color=ACCENT, label="the network")
    if plane.smallest:
        axes.plot(*_ball(_size(w, v, p), p), color=SOFT, lw=1.0)
        axes.plot(*_ball(_size(*side, p), p), color=SOFT, lw=1.0, ls="dashed")
        axes.plot(*side, "D", color=INK, markerfacecolor="white", label="smallest norm")
    frame(axes, low, high)
    axes.legend(frameon=True, framealpha=1, loc="upper right", fontsize=8)


def _ball(size: float, p: int) -> tuple[np.ndarray, np.ndarray]:
    angle = np.linspace(0.0, 2.0 * np.pi, 201)
    w, v = np.cos(angle), np.sin(angle)
    radius = (size / _size(w, v, p)) ** (1.0 / p)
    return radius * w, radius * v


def _function(axes: Axes, plane: Plane) -> None:
    x = np.linspace(-1.0, 1.5, 101)
    axes.plot(x, plane.v * np.maximum(plane.w * x, 0.0), color=INK, label="f(x) = v relu(w x)")
    axes.plot(1.0, plane.target, "P", color=NEGATIVE, label="the datum")
    axes.set_xlabel("x")
    axes.set_ylabel("f(x)")
    axes.set_ymargin(0.2)
    axes.legend(frameon=False, loc="upper left", fontsize=8)


def _size(w, v, p: int):
    return abs(w) ** p + abs(v) ** p
