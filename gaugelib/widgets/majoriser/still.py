"""The still picture of Majoriser: F and G along the step, and the map of F over the log-scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.majoriser.chain import Chain
from gaugelib.widgets.shared.colours import ACCENT, EDGE, INK, LINE, NEGATIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = {1: "1/4p", 2: "1/2p", 3: "3/4p"}


@dataclass(frozen=True, eq=False)
class Picture:
    """A step of the chain."""

    chain: Chain
    exponent: int
    path: Sequence[Sequence[float]]  # where the reader stood before each step

    def draw(self, figure: Figure) -> None:
        """Draw the cut on the left and the map, with the steps so far, on the right."""
        left, right = figure.subplots(1, 2)
        _cut(left, self.chain, self.exponent)
        _map(right, self.chain, self.exponent, self.path)

    def in_words(self) -> str:
        """The picture as three sentences."""
        here, bound, after = _numbers(self.chain, self.exponent)
        return (
            "The norm F and the auxiliary function G, which touches it from above, along a step "
            f"of exponent {NAMES[self.exponent]} for p = {self.chain.p:g}: pF here is {here:.4g}, "
            f"after the step pG is {bound:.4g} and pF is {after:.4g}. Beside it the level lines of "
            "F over the two log-scales with this step and the balanced point."
        )


def _numbers(chain: Chain, exponent: int) -> tuple[float, float, float]:
    change = chain.move(exponent)
    here, after = (float(chain.norm_power(at)) for at in (chain.logs, chain.logs + change))
    return here, float(chain.majoriser(change)), after


def _cut(axes: Axes, chain: Chain, exponent: int) -> None:
    here, bound, after = _numbers(chain, exponent)
    k = np.linspace(-0.6, 3.2, 241)
    along = chain.move(1)[:, None] * k
    f, g = chain.norm_power(chain.logs[:, None] + along), chain.majoriser(along)
    span = max(here - f.min(), 1e-6 * here)
    axes.axhline(here, color=EDGE, linestyle="dotted", linewidth=1)
    axes.plot(k, f, color=ACCENT, label="pF = ‖W‖ᵖ")
    axes.plot(k, g, color=NEGATIVE, linestyle="dashed", label="pG")
    axes.plot([exponent] * 2, [bound, after], color=INK, linestyle="dashed", linewidth=1)
    axes.plot(0, here, "o", color=INK, label="here")
    axes.plot(exponent, after, "o", color=INK, mfc="white", label="after the step")
    axes.set(xticks=[0, 1, 2, 3], xticklabels=["here", *NAMES.values()], xlim=(-0.6, 3.2))
    axes.set(ylim=(f.min() - 0.12 * span, here + 0.7 * span), xlabel="exponent of the step")
    axes.legend(frameon=False, loc="lower left", fontsize=8)


def _map(axes: Axes, chain: Chain, exponent: int, path: Sequence[Sequence[float]]) -> None:
    sizes = np.log(np.abs(chain.weights))
    best = np.array([sizes.mean() - sizes[0], sizes[2] - sizes.mean()])
    points = np.array([*path, chain.logs])
    half = 0.62 * np.abs(best - points[0]).max() + 0.6
    middle = (best + points[0]) / 2
    x, y = (np.linspace(m - half, m + half, 121) for m in middle)
    values = chain.norm_power(np.stack(np.meshgrid(x, y)))
    steps = chain.norm_power(best) * np.array([1.1, 2, 5, 20, 80])
    axes.contour(x, y, values, levels=steps, colors=LINE, linewidths=0.8)
    here = float(chain.norm_power(chain.logs))
    if values.min() < here < values.max():
        axes.contour(x, y, values, levels=[here], colors=ACCENT, linewidths=1.6)
    after = points[-1] + chain.move(exponent)
    axes.plot(*points.T, "o-", color=INK, linewidth=1, markersize=4)
    axes.plot(*np.stack([points[-1], after]).T, color=INK, linestyle="dashed", linewidth=1)
    axes.plot(*after, "o", color=INK, mfc="white")
    axes.plot(*best, "D", color=ACCENT, mfc="white", label="balanced")
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="log a₁", ylabel="log a₂")
    axes.legend(frameon=False, loc="upper left", fontsize=8)
