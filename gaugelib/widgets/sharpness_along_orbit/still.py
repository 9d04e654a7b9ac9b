"""The still picture of SharpnessAlongOrbit: the function, its spectrum, the loss on the orbit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, NEGATIVE, POSITIVE, SOFT
from gaugelib.widgets.sharpness_along_orbit.network import (
    Array,
    Mask,
    derivatives,
    loss,
    outputs,
    rescaled,
    split,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL = 1e-3  # below it the axis of the spectrum is linear
SAME = 1e-9  # relative to the largest eigenvalue, what is no difference
REACH = 3.0


@dataclass(frozen=True, eq=False)
class Picture:
    """A point and where the dials have led from it."""

    origin: Array  # (m,), parameters at every a = 1
    log2_scales: Array  # (units,)
    inputs: Array  # (n,)
    targets: Array  # (n,)
    decay: float
    unit: int  # whose orbit is followed

    def _here(self) -> Array:
        return rescaled(self.origin, self.log2_scales)

    def _spectrum(self) -> tuple[Array, Mask]:
        """Eigenvalues, largest first, and which of them stand at 2λ because of the symmetry."""
        _, hessian = derivatives(self._here(), self.inputs, self.targets, self.decay)
        values: Array = np.linalg.eigvalsh(hessian)[::-1].astype(float)
        near = SAME * np.abs(values).max()
        held = any(
            np.linalg.norm(hessian @ v - 2 * self.decay * v) <= near * np.linalg.norm(v)
            for v in self._generators()
        )
        marked: Mask = np.abs(values - 2 * self.decay) <= near
        return values, marked if held else np.zeros_like(marked)

    def _generators(self) -> list[Array]:
        w, b, v, _ = split(self._here())
        parts = [np.diag(w), np.diag(b), -np.diag(v), np.zeros((1, len(w)))]
        return list(np.concatenate(parts).T)

    def _curvature(self) -> Array:
        """v_hᵀ H v_h of L for each unit."""
        _, hessian = derivatives(self._here(), self.inputs, self.targets)
        return np.array([v @ hessian @ v for v in self._generators()])

    def draw(self, figure: Figure) -> None:
        """Draw the function, the spectrum, and the loss along one orbit."""
        panels = figure.subplots(1, 3, width_ratios=(1, 1.15, 1))
        self._function(panels[0])
        _bars(panels[1], *self._spectrum(), self.decay)
        self._losses(panels[2])

    def in_words(self) -> str:
        """The picture as two or three sentences."""
        values, marked = self._spectrum()
        count, units = int(marked.sum()), len(self.log2_scales)
        where = "after dials were turned" if self.log2_scales.any() else "with every a = 1"
        at = "zero" if self.decay == 0 else f"2λ = {2 * self.decay:g}"
        set_by = f"{count} of them marked at {at}" if count else f"none of them at {at}"
        seen = _clean(values, values[0])
        curved = ", ".join(f"{value:.2g}" for value in _clean(self._curvature(), values[0]))
        return (
            f"A network of {units} hidden units over its data, {where}. Beside it the spectrum of "
            f"its Hessian, {len(values)} bars from {seen[-1]:.2g} to {seen[0]:.3g}, {set_by}. "
            f"The loss L is level along each orbit; its curvature there is {curved}."
        )

    def _function(self, axes: Axes) -> None:
        low, high = self.inputs.min(), self.inputs.max()
        x = np.linspace(low, high, 201)
        axes.plot(x, outputs(self.origin, x), color=BAND, lw=7, label="f₀, every a = 1")
        axes.plot(x, outputs(self._here(), x), color=INK, lw=1.5, label="f")
        axes.plot(self.inputs, self.targets, "o", ms=3.5, mfc="white", color=SOFT, label="data")
        axes.set(xlabel="x", ylabel="output")
        axes.legend(frameon=False, fontsize=7)

    def _losses(self, axes: Axes) -> None:
        data, here = (self.inputs, self.targets), self._here()
        steps = np.linspace(-REACH, REACH, 61)
        moves = [self.log2_scales.copy() for _ in steps]
        for move, step in zip(moves, steps):
            move[self.unit - 1] = step
        points = [rescaled(self.origin, move) for move in moves]
        level = loss(here, *data)
        axes.plot(steps, [loss(point, *data) for point in points], color=INK, lw=2, label="L")
        bowl = [loss(point, *data, self.decay) for point in points]
        if self.decay:
            axes.plot(steps, bowl, "--", color=ACCENT, lw=2, label="L$_λ$")
        t = np.linspace(-0.8, 0.8, 41)
        line = [loss(here + each * self._generators()[self.unit - 1], *data) for each in t]
        begun = self.log2_scales[self.unit - 1]
        axes.plot(begun + t / np.log(2), line, ":", color=NEGATIVE, lw=2, label="L, straight on")
        axes.plot([begun], [level], "o", color=INK, ms=5)
        ends = [*line, level, *((bowl[len(bowl) // 2], bowl[15]) if self.decay else ())]
        half = max(0.2 * level, max(ends) - min(ends))
        axes.set(xlim=(-REACH, REACH), ylim=(min(ends) - 0.3 * half, max(ends) + 0.3 * half))
        axes.set(xlabel=f"log₂ a of unit {self.unit}", ylabel="loss")
        axes.legend(frameon=False, fontsize=7)


def _clean(values: Array, top: float) -> Array:
    """Without what is rounding beside the largest eigenvalue."""
    return np.where(np.abs(values) <= SAME * top, 0.0, values)


def _bars(axes: Axes, values: Array, marked: Mask, decay: float) -> None:
    places = np.arange(len(values))
    solid, below = ~marked & (values > 0), ~marked & (values < 0)
    axes.bar(places[solid], values[solid], color=POSITIVE)
    axes.bar(places[below], values[below], fill=False, ec=NEGATIVE, hatch="//")
    if marked.any():
        at = "0" if decay == 0 else f"2λ = {2 * decay:g}"
        shown = _clean(values, values[0])[marked]
        axes.vlines(places[marked], 0, shown, color=ACCENT)
        label = f"{marked.sum()} at {at}"
        axes.plot(places[marked], shown, "D", ms=6, mfc="white", color=ACCENT, label=label)
        axes.legend(frameon=False, fontsize=7)
    axes.axhline(0, color=SOFT, lw=0.8)
    axes.set_yscale("symlog", linthresh=SMALL)
    lowest = 3 * min(values) if below.any() else -SMALL / 3
    axes.set(ylim=(lowest, 3 * max(values)))
    axes.set_xticks([])
    axes.set(xlabel="eigenvalues, largest first")
