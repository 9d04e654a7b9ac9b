"""Figures of the chapter "The symmetry"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.plot.colours import pale, two_sided
from gaugelib.plot.layout import frames, is_narrow, key, size
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def twins(
    x: Tensor, curves: Mapping[str, Tensor], target: Tensor, losses: Mapping[str, Tensor]
) -> Figure:
    """Functions that coincide on the left, the losses they train to on the right.

    Args:
        x: inputs, shape `(n,)`.
        curves: name of a network -> its outputs before training, shape `(n,)`.
        target: what they are asked to learn, shape `(n,)`.
        losses: name of a network -> its loss after each step, shape `(steps,)`.
    """
    figure, ((left, right),) = frames(1, 2, 3.0)
    left.plot(x, target, color=pale(), linestyle=":", label="to be learnt")
    for k, (name, curve) in enumerate(curves.items()):
        # The first curve is broad, so that the second one is seen to lie on it.
        left.plot(x, curve, linewidth=6.0 - 4.0 * k, alpha=0.45 + 0.55 * k, label=name)
    left.set(title="before training", xlabel="input x", ylabel="output f(x)")
    key(figure, left, above=True)
    for name, loss in losses.items():
        right.plot(loss, label=name)
    right.set(title="during training", xlabel="step", ylabel="loss", yscale="log")
    return figure


@in_style
def incidence(group: GaugeGroup) -> Figure:
    """The matrix B of a small network: a row for each unit, a column for each parameter entry.

    Raises:
        GaugeError: if the network has more than 40 parameter entries.
    """
    entries = sum(shape.numel() for shape in group.shapes.values())
    if entries > 40:
        raise GaugeError(f"a picture of B is for at most 40 parameter entries, found {entries}")
    rows = [group.spread(unit) for unit in torch.eye(group.units)]
    matrix = torch.stack([torch.cat([row[n].flatten() for n in group.shapes]) for row in rows])
    names = [
        f"{name}[{', '.join(map(str, where))}]"
        for name, shape in group.shapes.items()
        for where in torch.ones(shape).nonzero().tolist()
    ]
    figure, axes = plt.subplots(figsize=size(7.2, 0.55 * group.units + 1.3))
    axes.imshow(matrix.numpy(), cmap=two_sided("RdBu"), vmin=-2, vmax=2, aspect="auto")
    for (row, column), value in zip(
        torch.ones_like(matrix).nonzero().tolist(), matrix.flatten().tolist(), strict=True
    ):
        sign = {1.0: "+1", -1.0: "−1"}.get(value, "·")
        axes.text(column, row, sign, ha="center", va="center")
    axes.set_xticks(range(len(names)), names)
    steep = {"rotation": 90} if is_narrow() else {"rotation": 40, "ha": "right"}
    plt.setp(axes.get_xticklabels(), **steep)
    axes.set_yticks(range(group.units), [f"unit {k + 1}" for k in range(group.units)])
    axes.grid(visible=False)
    return figure


@in_style
def along_orbit(
    log_scales: Tensor,
    measured: Mapping[str, Sequence[float] | Tensor],
    xlabel: str = "log₂ of one neuron's scale a",
    ylabel: str = "relative to a = 1",
) -> Figure:
    """Quantities measured along an orbit, each relative to its value at log-scale 0.

    Args:
        log_scales: base-2 logarithms of one unit's scale, shape `(points,)`, holding 0; or another
            coordinate along the orbit, which `xlabel` then names.
        measured: name of a quantity -> its positive values, shape `(points,)`.
        xlabel: what is on the horizontal axis.
        ylabel: what the quantities are relative to.

    Raises:
        GaugeError: if 0 is not among the log-scales, or a value is not positive.
    """
    start = (log_scales == 0).nonzero()
    if not len(start):
        raise GaugeError("the log-scales must hold 0, where the quantities are compared")
    figure, axes = plt.subplots(figsize=size(6.4, 3.4))
    for name, values in measured.items():
        curve = torch.as_tensor(values, dtype=torch.float64)
        if not bool((curve > 0).all()):
            raise GaugeError(f"'{name}' must be positive to be drawn on a logarithmic axis")
        axes.plot(log_scales, curve / curve[int(start[0])], label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel, yscale="log")
    key(figure, axes)
    return figure
