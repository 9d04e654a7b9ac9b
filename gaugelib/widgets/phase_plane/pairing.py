"""The mode "pairing": what it opens with, and its still picture, four flows and their charges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.phase_plane.still import Plane, frame, hyperbola
from gaugelib.widgets.shared.colours import ACCENT, INK, LINE, POSITIVE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPENS = {"w": 0.5, "v": 1.0, "target": 4.0, "p": 2, "lr": 0.1}
RESTORED = ("w", "v", "p", "decay", "decay_p", "balanced", "revealed")
LOWEST = (0.15, 0.15)
ABOVE_0 = ("w", "v")
FAN, UNTIL, STEPS = 2, 20.0, 1000  # as in pairing.js; steps of a Runge-Kutta scheme
PAIRS = ((1, 1), (1, 2), (2, 1), (2, 2))
RAISED = {1: "Δ⁽¹⁾", 2: "Δ⁽²⁾"}


class Picture(Plane):
    """The plane beside the charge of each pair of exponents."""

    def draw(self, figure: Figure) -> None:
        """Draw the plane on the left and, for each pair of exponents, the charge on the right."""
        halves = figure.add_gridspec(1, 2)
        left, right = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
        paths = {pair: _flow(self, *pair) for pair in PAIRS}
        _plane(left.subplots(), self, paths)
        times = np.linspace(0.0, UNTIL, STEPS + 1)
        for axes, (p, q) in zip(right.subplots(2, 2, sharex=True, sharey="row").flat, PAIRS):
            charge = _charge(*paths[p, q], p)
            axes.set_title(f"metric {p}, regulariser {q}", fontsize=8)
            if q == 1:
                axes.set_ylabel(RAISED[p])
            if not self.revealed:
                axes.set(xlim=(0, UNTIL), yticks=[])
                continue
            axes.plot(times, charge, color=ACCENT, lw=2.0)
            axes.plot(times, charge[0] * np.exp(-self.decay * p * times), "--", color=INK, lw=1.0)
            axes.margins(y=0.2)
        right.supxlabel("time", fontsize=9)

    def in_words(self) -> str:
        """The picture as a few sentences, with how far each charge leaves its law."""
        if not self.revealed:
            return (
                "The plane of the weights w and v of a neuron with two equal inputs, with the "
                "rays on which 2|w| − |v| and 2w² − v² are zero and with a start on either. "
                "Beside it four empty plots, for two metrics p and weight decays of two exponents "
                "q."
            )
        times = np.linspace(0.0, UNTIL, STEPS + 1)
        off = {}
        for p, q in PAIRS:
            charge = _charge(*_flow(self, p, q), p)
            off[p, q] = np.abs(charge - charge[0] * np.exp(-self.decay * p * times)).max()
        missed = " and ".join(f"{off[p, q]:.2g} for p = {p}, q = {q}" for p, q in PAIRS if p != q)
        return (
            "The plane of the weights w and v of a neuron with two equal inputs, with the flows of "
            f"two metrics p under weight decay {self.decay:g} of two exponents q, and the charge "
            "2|w|^p − |v|^p of each against time. Where p = q it stays on its law, "
            f"Δ(0) e^(−λpt); elsewhere it leaves it by up to {missed}."
        )


def _plane(axes: Axes, plane: Plane, paths: dict) -> None:
    high = max(4.2, *(1.25 * abs(x) for x in (plane.w, plane.v, abs(plane.target) ** 0.5)))
    for k in range(6):
        axes.plot(*hyperbola((high * (k + 0.5) / 6) ** 2, high), color=LINE, lw=0.8)
    for p in (1, 2):
        w = high / FAN ** (1 / p)
        axes.plot([0, w], [0, high], ":", color=SOFT, lw=1.2)
        # The name stands to the left of the steeper ray, to the right of the other one.
        place = {"ha": "right", "xytext": (-4, 0)} if p == 1 else {"ha": "left", "xytext": (5, -4)}
        axes.annotate(
            f"{RAISED[p]} = 0",
            (0.88 * w, 0.88 * high),
            textcoords="offset points",
            fontsize=8,
            **place,
        )
    axes.plot(*hyperbola(plane.target, high), color=POSITIVE, lw=1.4, ls="dashed")
    for pair, (w, v) in paths.items():
        chosen = pair == (plane.p, plane.decay_p)
        color = ACCENT if chosen else SOFT
        if plane.revealed:
            axes.plot(w, v, color=color, lw=2.4 if chosen else 1.2)
            axes.plot(w[-1], v[-1], "o", color=color, ms=5, markerfacecolor="white")
        axes.plot(w[0], v[0], "o", color=ACCENT, ms=5)
    frame(axes, 0, high, "weights")


def _flow(plane: Plane, p: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    """The regularised flow of p under the regulariser of q, by the classical Runge-Kutta scheme."""
    start = np.array([plane.w, plane.v])
    if plane.balanced:
        ratio = FAN ** (1 / p)
        start = np.sqrt(np.prod(start) * np.array([1 / ratio, ratio]))

    def velocity(theta: np.ndarray) -> np.ndarray:
        slope = (theta.prod() - plane.target) * theta[::-1] / np.array([FAN, 1.0])
        size = np.abs(theta)
        return -(size ** (2 - p)) * (slope + plane.decay * np.sign(theta) * size ** (q - 1))

    step, path = UNTIL / STEPS, [start]
    for _ in range(STEPS):
        theta = path[-1]
        one = velocity(theta)
        two = velocity(theta + step / 2 * one)
        three = velocity(theta + step / 2 * two)
        four = velocity(theta + step * three)
        path.append(theta + step / 6 * (one + 2 * two + 2 * three + four))
    w, v = np.array(path).T
    return w, v


def _charge(w: np.ndarray, v: np.ndarray, p: int) -> np.ndarray:
    return FAN * np.abs(w) ** p - np.abs(v) ** p
