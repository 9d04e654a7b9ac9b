"""The mode "flow": what it opens with, and its still picture, two families, a flow and steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.phase_plane.still import hyperbola
from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, LINE, NEGATIVE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.phase_plane import PhasePlane

OPENS = {"w": 2.0, "v": 0.1, "target": 6.0, "p": 2}
RESTORED = ("w", "v", "p", "lr", "method", "revealed")
ABOVE_0 = ("w",)


def draw(figure: Figure, widget: PhasePlane) -> None:
    """Draw the plane on the left, the charge against the number of steps on the right."""
    left, right = figure.subplots(1, 2)
    w, v = _descent(widget, steps=12)
    _plane(left, widget, w, v)
    charge = _charge(w, v, widget.p)
    if not widget.revealed:
        right.set(xlim=(0, 12), xlabel="steps k", ylabel="charge", yticks=[])
        return
    right.axhline(charge[0], color=ACCENT, lw=2.2, label="the flow")
    right.plot(charge, "o-", color=NEGATIVE, ms=4, lw=1.0, label=_steps(widget.p))
    right.set_ylim(*sorted((0.0, 1.2 * (charge[0] or 1.0))))
    right.set(xlabel="steps k", ylabel=f"charge {_name(widget.p)}")
    right.legend(frameon=False, loc="lower left", fontsize=8)


def in_words(widget: PhasePlane) -> str:
    """The picture as three sentences."""
    if not widget.revealed:
        return (
            "The plane of the weights w and v with the orbits, a network at "
            f"({widget.w:.3g}, {widget.v:.3g}) and, dashed, the solutions w v = "
            f"{widget.target:.3g}: on which of them will the flow end?"
        )
    w, v = _descent(widget, steps=12)
    charge, end = _charge(w, v, widget.p), _product_at_the_end(widget)
    return (
        "The plane of the weights w and v with two families of curves: the orbits, and the curves "
        f"of equal charge {_name(widget.p)}. From ({widget.w:.3g}, {widget.v:.3g}) the flow "
        f"follows its curve, of charge {charge[0]:.3g}, to w v = {end:.3g}. "
        f"{_steps(widget.p).capitalize()} with step size {widget.lr:g} leaves it: after 12 steps "
        f"its charge is {charge[-1]:.3g}."
    )


def _plane(axes: Axes, widget: PhasePlane, w: np.ndarray, v: np.ndarray) -> None:
    high = max(4.2, 1.25 * widget.w, 1.25 * abs(widget.v), 1.25 * math.sqrt(abs(widget.target)))
    low = -high if widget.v < 0 else -0.24 * high
    p, charge = widget.p, _charge(widget.w, widget.v, widget.p)
    grid = np.linspace(low, high, 241)
    field = _charge(np.maximum(grid, 0.0)[None, :], grid[:, None], p)
    for k in range(6):
        for sign in (1, -1):
            axes.plot(*hyperbola(sign * (high * (k + 0.5) / 6) ** 2, high), color=LINE, lw=0.8)
    right = grid >= 0
    shown = grid[right], grid, field[:, right]
    levels = [(high * (k + 0.5) / 6) ** p for k in range(6)]
    levels = [-level for level in reversed(levels)] + levels
    axes.plot(*hyperbola(widget.target, high), color=POSITIVE, lw=1.4, ls="dashed")
    axes.plot(
        widget.w, widget.v, "o", color=ACCENT, markeredgecolor=INK, label="the start", zorder=3
    )
    if widget.revealed:
        axes.contour(*shown, levels=levels, colors=SOFT, linewidths=0.7, linestyles="dotted")
        axes.contour(*shown, levels=[charge], colors=BAND, linewidths=7, linestyles="solid")
        axes.plot(*_along(widget, charge), color=ACCENT, lw=2.2, label="the flow")
        axes.plot(w, v, "o-", color=NEGATIVE, ms=4, lw=1.0, label=_steps(widget.p))
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set(xlabel="incoming weight w", ylabel="outgoing weight v")
    axes.legend(frameon=True, framealpha=1, loc="upper right", fontsize=8)


def _product_at_the_end(widget: PhasePlane) -> float:
    """Where the flow's w v leads: to the target, or to 0 if a sign cannot change on the way."""
    frozen = widget.p == 1 or _charge(widget.w, widget.v, widget.p) <= 0
    return 0.0 if frozen and widget.v * widget.target < 0 else widget.target


def _along(widget: PhasePlane, charge: float) -> tuple[np.ndarray, np.ndarray]:
    """The flow's line: w > 0 and v on the curve of the charge, from the start on."""
    p, product = widget.p, np.linspace(widget.w * widget.v, _product_at_the_end(widget), 201)
    # Of the larger weight x and the smaller one, x^p - (|product| / x)^p = |charge|.
    spread = np.hypot(charge, 2 * np.abs(product) ** (p / 2))
    larger = ((abs(charge) + spread) / 2) ** (1 / p)
    with np.errstate(divide="ignore", invalid="ignore"):
        smaller = np.where(larger > 0, np.abs(product) / larger, 0.0)
    w, v = (larger, smaller) if charge >= 0 else (smaller, larger)
    return w, np.copysign(v, np.where(product == 0, widget.v, product))


def _descent(widget: PhasePlane, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent (for p = 1 exponentiated) from the start, whatever `method` is."""
    w, v = [widget.w], [widget.v]
    for _ in range(steps):
        error = v[-1] * w[-1] - widget.target if w[-1] > 0 else 0.0
        gradient = error * v[-1], error * w[-1]
        for path, g in zip((w, v), gradient):
            x = path[-1]
            x = x - widget.lr * g if widget.p == 2 else x * math.exp(-widget.lr * np.sign(x) * g)
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
