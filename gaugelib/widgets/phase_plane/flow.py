"""The mode "flow": what it opens with, and its still picture, two families, a flow and steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.phase_plane.still import Plane, frame, hyperbola
from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, LINE, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPENS = {"w": 2.0, "v": 0.1, "target": 6.0, "p": 2, "lr": 0.1}
RESTORED = ("w", "v", "p", "lr", "method", "revealed")
LOWEST = (0.05, None)
ABOVE_0 = ("w",)


class Picture(Plane):
    """The plane beside the charge against the number of steps."""

    def draw(self, figure: Figure) -> None:
        """Draw the plane on the left, the charge against the number of steps on the right."""
        left, right = figure.subplots(1, 2)
        w, v = _descent(self, steps=12)
        _plane(left, self, w, v)
        charge = _charge(w, v, self.p)
        if not self.revealed:
            right.set(xlim=(0, 12), xlabel="steps k", ylabel="charge", yticks=[])
            return
        right.axhline(charge[0], color=ACCENT, lw=2.2, label="the flow")
        right.plot(charge, "o-", color=NEGATIVE, ms=4, lw=1.0, label=_steps(self.p))
        right.set_ylim(*sorted((0.0, 1.2 * (charge[0] or 1.0))))
        right.set(xlabel="steps k", ylabel=f"charge {_name(self.p)}")
        right.legend(frameon=False, loc="lower left", fontsize=8)

    def in_words(self) -> str:
        """The picture as three sentences."""
        if not self.revealed:
            return (
                "The plane of the weights w and v with the orbits, a network at "
                f"({self.w:.3g}, {self.v:.3g}) and, dashed, the solutions w v = "
                f"{self.target:.3g}: on which of them will the flow end?"
            )
        w, v = _descent(self, steps=12)
        charge, end = _charge(w, v, self.p), _product_at_the_end(self)
        return (
            "The plane of the weights w and v with two families of curves: the orbits, and the "
            f"curves of equal charge {_name(self.p)}. From ({self.w:.3g}, {self.v:.3g}) the flow "
            f"follows its curve, of charge {charge[0]:.3g}, to w v = {end:.3g}. "
            f"{_steps(self.p).capitalize()} with step size {self.lr:g} leaves it: after 12 steps "
            f"its charge is {charge[-1]:.3g}."
        )


def _plane(axes: Axes, plane: Plane, w: np.ndarray, v: np.ndarray) -> None:
    high = max(4.2, 1.25 * plane.w, 1.25 * abs(plane.v), 1.25 * math.sqrt(abs(plane.target)))
    low = -high if plane.v < 0 else -0.24 * high
    p, charge = plane.p, _charge(plane.w, plane.v, plane.p)
    grid = np.linspace(low, high, 241)
    field = _charge(np.maximum(grid, 0.0)[None, :], grid[:, None], p)
    for k in range(6):
        for sign in (1, -1):
            axes.plot(*hyperbola(sign * (high * (k + 0.5) / 6) ** 2, high), color=LINE, lw=0.8)
    right = grid >= 0
    area = grid[right], grid, field[:, right]
    levels = [(high * (k + 0.5) / 6) ** p for k in range(6)]
    levels = [-level for level in reversed(levels)] + levels
    axes.plot(*hyperbola(plane.target, high), color=POSITIVE, lw=1.4, ls="dashed")
    axes.plot(plane.w, plane.v, "o", color=ACCENT, markeredgecolor=INK, label="the start", zorder=3)
    if plane.revealed:
        axes.contour(*area, levels=levels, colors=SOFT, linewidths=0.7, linestyles="dotted")
        axes.contour(*area, levels=[charge], colors=BAND, linewidths=7, linestyles="solid")
        axes.plot(*_along(plane, charge), color=ACCENT, lw=2.2, label="the flow")
        axes.plot(w, v, "o-", color=NEGATIVE, ms=4, lw=1.0, label=_steps(plane.p))
    frame(axes, low, high)
    axes.legend(frameon=True, framealpha=1, loc="upper right", fontsize=8)


def _product_at_the_end(plane: Plane) -> float:
    """Where the flow's w v leads: to the target, or to 0 if a sign cannot change on the way."""
    frozen = plane.p == 1 or _charge(plane.w, plane.v, plane.p) <= 0
    return 0.0 if frozen and plane.v * plane.target < 0 else plane.target


def _along(plane: Plane, charge: float) -> tuple[np.ndarray, np.ndarray]:
    """The flow's line: w > 0 and v on the curve of the charge, from the start on."""
    p, product = plane.p, np.linspace(plane.w * plane.v, _product_at_the_end(plane), 201)
    # Of the larger weight x and the smaller one, x^p - (|product| / x)^p = |charge|.
    spread = np.hypot(charge, 2 * np.abs(product) ** (p / 2))
    larger = ((abs(charge) + spread) / 2) ** (1 / p)
    with np.errstate(divide="ignore", invalid="ignore"):
        smaller = np.where(larger > 0, np.abs(product) / larger, 0.0)
    w, v = (larger, smaller) if charge >= 0 else (smaller, larger)
    return w, np.copysign(v, np.where(product == 0, plane.v, product))


def _descent(plane: Plane, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent (for p = 1 exponentiated) from the start, whatever `method` is."""
    w, v = [plane.w], [plane.v]
    for _ in range(steps):
        error = v[-1] * w[-1] - plane.target if w[-1] > 0 else 0.0
        gradient = error * v[-1], error * w[-1]
        for path, g in zip((w, v), gradient):
            x = path[-1]
            x = x - plane.lr * g if plane.p == 2 else x * math.exp(-plane.lr * np.sign(x) * g)
            path.append(x)
        if abs(w[-1]) + abs(v[-1]) > 1e3:
            break
    return np.array(w), np.array(v)


def _charge(w, v, p: int):
    return abs(w) ** p - abs(v) ** p


def _name(p: int) -> str:
    return "w² − v²" if p == 2 else "|w| − |v|"


def _steps(p: int) -> str:
    return "gradient descent" if p == 2 else "exponentiated descent"
