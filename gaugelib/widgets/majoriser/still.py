"""The still picture of Majoriser: F and G along the step, and the map of F over the log-scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.shared.colours import ACCENT, EDGE, INK, LINE, NEGATIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.majoriser import Majoriser

NAMES = {1: "1/4p", 2: "1/2p", 3: "3/4p"}


def flows(widget: Majoriser, logs: np.ndarray) -> np.ndarray:
    """|w|^p of the three weights at log-scales of shape (2, ...): shape (3, ...)."""
    first, second = logs
    sizes = np.abs(np.array(widget.weights)).reshape(3, *[1] * first.ndim) ** widget.p
    return sizes * np.exp(widget.p * np.stack([first, second - first, -second]))


def majoriser(widget: Majoriser, change: np.ndarray) -> np.ndarray:
    """The auxiliary function p G after a change of the log-scales, of shape (2, ...)."""
    here = flows(widget, np.array(widget.log_scales)).reshape(3, *[1] * change[0].ndim)
    still = np.zeros_like(change[0])
    ends = np.stack([still, *change, still])
    return 0.5 * (here * (np.exp(2 * widget.p * ends[1:]) + np.exp(-2 * widget.p * ends[:-1]))).sum(
        0
    )


def move(widget: Majoriser, exponent: int | None = None) -> list[float]:
    """The change of the two log-scales by a step with exponent k / 4p."""
    into = flows(widget, np.array(widget.log_scales))
    k = widget.exponent if exponent is None else exponent
    return (k / (4 * widget.p) * np.log(into[1:] / into[:-1])).tolist()


def draw(figure: Figure, widget: Majoriser) -> None:
    """Draw the cut on the left and the map on the right."""
    left, right = figure.subplots(1, 2)
    _cut(left, widget)
    _map(right, widget)


def in_words(widget: Majoriser) -> str:
    """The picture as three sentences."""
    here, bound, after = _numbers(widget)
    return (
        f"The norm F and the auxiliary function G, which touches it from above, along a step of "
        f"exponent {NAMES[widget.exponent]} for p = {widget.p:g}: pF here is {here:.4g}, after the "
        f"step pG is {bound:.4g} and pF is {after:.4g}. Beside it the level lines of F over the "
        "two log-scales with this step and the balanced point."
    )


def _numbers(widget: Majoriser) -> tuple[float, float, float]:
    logs, change = np.array(widget.log_scales), np.array(move(widget))
    here, after = (float(flows(widget, at).sum(0)) for at in (logs, logs + change))
    return here, float(majoriser(widget, change)), after


def _cut(axes: Axes, widget: Majoriser) -> None:
    here, bound, after = _numbers(widget)
    unit = np.array(move(widget, 1))
    k = np.linspace(-0.6, 3.2, 241)
    f = flows(widget, np.array(widget.log_scales)[:, None] + unit[:, None] * k).sum(0)
    g = majoriser(widget, unit[:, None] * k)
    span = max(here - f.min(), 1e-6 * here)
    axes.axhline(here, color=EDGE, linestyle="dotted", linewidth=1)
    axes.plot(k, f, color=ACCENT, label="pF = ‖W‖ᵖ")
    axes.plot(k, g, color=NEGATIVE, linestyle="dashed", label="pG")
    axes.plot([widget.exponent] * 2, [bound, after], color=INK, linestyle="dashed", linewidth=1)
    axes.plot(0, here, "o", color=INK, label="here")
    axes.plot(widget.exponent, after, "o", color=INK, mfc="white", label="after the step")
    axes.set(xticks=[0, 1, 2, 3], xticklabels=["here", *NAMES.values()], xlim=(-0.6, 3.2))
    axes.set(ylim=(f.min() - 0.12 * span, here + 0.7 * span), xlabel="exponent of the step")
    axes.legend(frameon=False, loc="lower left", fontsize=8)


def _map(axes: Axes, widget: Majoriser) -> None:
    sizes = np.log(np.abs(widget.weights))
    best = np.array([sizes.mean() - sizes[0], sizes[2] - sizes.mean()])
    points = np.array([*widget.path, widget.log_scales])
    half = 0.62 * np.abs(best - points[0]).max() + 0.6
    middle = (best + points[0]) / 2
    x, y = (np.linspace(m - half, m + half, 121) for m in middle)
    values = flows(widget, np.stack(np.meshgrid(x, y))).sum(0)
    least = flows(widget, best).sum()
    steps = least * np.array([1.1, 2, 5, 20, 80])
    axes.contour(x, y, values, levels=steps, colors=LINE, linewidths=0.8)
    here = _numbers(widget)[0]
    if values.min() < here < values.max():
        axes.contour(x, y, values, levels=[here], colors=ACCENT, linewidths=1.6)
    after = points[-1] + np.array(move(widget))
    axes.plot(*points.T, "o-", color=INK, linewidth=1, markersize=4)
    axes.plot(*np.stack([points[-1], after]).T, color=INK, linestyle="dashed", linewidth=1)
    axes.plot(*after, "o", color=INK, mfc="white")
    axes.plot(*best, "D", color=ACCENT, mfc="white", label="balanced")
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="log a₁", ylabel="log a₂")
    axes.legend(frameon=False, loc="upper left", fontsize=8)
