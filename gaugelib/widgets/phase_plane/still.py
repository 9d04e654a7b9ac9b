"""What the still pictures of all modes share: the numbers that they show, and the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Plane:
    """The traits of PhasePlane that its still pictures show."""

    w: float
    v: float
    target: float
    p: int
    lr: float
    decay: float
    decay_p: int
    balanced: bool
    time: float
    steps: int
    revealed: bool
    smallest: bool


def hyperbola(value: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of w v = value, w up to `reach`."""
    w = reach * np.geomspace(1e-3, 1.0, 301)
    return w, value / w


def frame(axes: Axes, low: float, high: float, weights: str = "weight") -> None:
    """The square of the plane from `low` to `high`."""
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set(xlabel=f"incoming {weights} w", ylabel="outgoing weight v")
