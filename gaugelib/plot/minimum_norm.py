"""Figures of the chapter "The minimum-norm gauge"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba
from torch import Tensor

from gaugelib.balance import History
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.plot.colours import colour, ink
from gaugelib.plot.layout import frames, key, name_axes, size
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@in_style
def convergence(rows: Mapping[str, Mapping[str, History]]) -> Figure:
    r"""Objective on the left and imbalance on the right against passes, one row for each exponent.

    Args:
        rows: title of a row, such as `"p = 2"` -> name of a network or method -> its history.
    """
    figure, axes = frames(len(rows), 2, 2.6, sharex="col")
    for (title, histories), (left, right) in zip(rows.items(), axes, strict=True):
        for name, history in histories.items():
            left.plot(history.passes, history.objective / history.objective[0], label=name)
            right.plot(history.passes, history.imbalance, label=name)
        left.set(title=title, ylabel="sum of |θ|ᵖ, relative")
        right.set(title=title, ylabel="imbalance γ", yscale="log")
    name_axes(axes, "passes over the weights")
    key(figure, axes[0, 0])
    return figure


@in_style
def flow(params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0) -> Figure:
    r"""A layered network as a flow: a ribbon of width $|\theta_e|^p$ for each weight.

    At each unit the ribbons that come in are stacked on the left and those that go out on the
    right; in a balanced network the two stacks are equally high.

    Raises:
        GaugeError: if a weight is not a matrix or there are more than 400 weights.
    """
    group.require_edges("a picture of the flow", "draw the norm along the orbit instead")
    names = [name for name, entry in group.entries.items() if entry.kind == "weight"]
    matrices = [params[name].detach().abs().pow(p).double().cpu() for name in names]
    if any(m.dim() != 2 for m in matrices) or sum(m.numel() for m in matrices) > 400:
        raise GaugeError("a picture of the flow is for layered networks of at most 400 weights")
    figure, axes = plt.subplots(figsize=size(7.2, 3.6))
    into = [matrices[0].sum(0), *(m.sum(1) for m in matrices)]
    out = [*(m.sum(0) for m in matrices), matrices[-1].sum(1)]
    gap = 0.06 * float(max(total.sum() for total in (*into, *out)))
    feet = [_feet(torch.maximum(a, b), gap) for a, b in zip(into, out, strict=True)]
    for column, matrix in enumerate(matrices):
        _ribbons(axes, column, matrix, feet[column], feet[column + 1])
    for column, (a, b, foot) in enumerate(zip(into, out, feet, strict=True)):
        for side, total in ((-0.035, a), (0.005, b)):
            axes.bar([column + side] * len(foot), total, 0.03, foot, align="edge", color=ink())
    axes.set_xticks(range(len(feet)), ["inputs", *_layer_names(len(feet) - 2), "outputs"])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    return figure


def _feet(heights: Tensor, gap: float) -> Tensor:
    """Where each of a column's bars begins, the column centred on 0."""
    below = torch.cumsum(heights + gap, 0) - heights - gap
    return below - (heights.sum() + gap * (len(heights) - 1)) / 2


def _ribbons(axes: Axes, column: int, matrix: Tensor, left: Tensor, right: Tensor) -> None:
    start, end = left.clone(), right.clone()
    t = torch.linspace(0, 1, 40)
    ease = t * t * (3 - 2 * t)
    for target, source in torch.ones_like(matrix).nonzero().tolist():
        width = matrix[target, source]
        foot = start[source] + (end[target] - start[source]) * ease
        shade = colour(source)
        paint = {"facecolor": to_rgba(shade, 0.35), "edgecolor": shade, "linewidth": 0.6}
        axes.fill_between(column + 0.04 + 0.92 * t, foot, foot + width, **paint)
        start[source] += width
        end[target] += width


def _layer_names(count: int) -> list[str]:
    return [f"hidden {k + 1}" for k in range(count)]
