"""Figures of the chapter "Second-order structure" and of the page "Sharpness"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gaugelib.plot.colours import colour, ink, pale, shades
from gaugelib.plot.layout import frames, key
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS = ("o", "s", "^", "D")


@in_style
def level_and_curved(
    loss: Callable[[Tensor, Tensor], Tensor], w: float, v: float, reach: float = 1.2
) -> Figure:
    r"""The orbit of a neuron with two weights and the straight line that touches it.

    One panel shows both over contours of the loss, the other the loss along each of them, against
    the distance $t$ that the line has covered when the dial stands at $e^t$.

    Args:
        loss: of the weights $w$ in front and $v$ behind, entry by entry.
        w: the weight in front at the point where the line touches the orbit.
        v: the weight behind.
        reach: largest $|t|$; less than 1 turns no weight's sign along the line.
    """
    figure, ((left, right),) = frames(1, 2, 3.2)
    t = torch.linspace(-reach, reach, 121, dtype=torch.float64)
    paths = {
        "along the orbit": (w * t.exp(), v * (-t).exp()),
        "along the straight line": (w * (1 + t), v * (1 - t)),
    }
    for k, (title, (x, y)) in enumerate(paths.items()):
        left.plot(x, y, color=colour(k), label=title)
        right.plot(t, loss(x, y), color=colour(k))
    edges = left.get_xlim(), left.get_ylim()
    x, y = (torch.linspace(low, high, 101, dtype=torch.float64) for low, high in edges)
    heights = loss(x[None, :], y[:, None])
    left.contour(x, y, heights, 12, colors=pale(), linewidths=0.6, linestyles="solid", zorder=0)
    left.plot([w], [v], "o", color=ink())
    right.plot([0.0], [float(loss(torch.tensor(w), torch.tensor(v)))], "o", color=ink())
    left.set(xlabel="weight in front w", ylabel="weight behind v")
    right.set(xlabel="t", ylabel="loss")
    left.grid(visible=False)
    key(figure, left, above=True)
    return figure


@in_style
def spectra(rows: Mapping[str, Tensor], predicted: Mapping[str, Tensor]) -> Figure:
    r"""Eigenvalues of Hessians: one row of dots for each, and rings where some are predicted.

    The axis is logarithmic on both sides and linear in between, so that it has room for zero.

    Args:
        rows: title -> eigenvalues, shape `(m,)`, of either sign.
        predicted: title -> eigenvalues that theory predicts, shape `(k,)`, for some of the rows.
    """
    figure, ((axes,),) = frames(1, 1, 1.1 + 0.42 * len(rows))
    sizes = torch.cat([values.abs() for values in rows.values()])
    seen = sizes[sizes > 1e-10 * sizes.max()]
    small = float(seen.min()) if len(seen) else 1.0
    for y, (title, values) in enumerate(rows.items()):
        axes.plot(values, [y] * len(values), "|", color=colour(0), markersize=13)
        if title in predicted:
            rings = predicted[title]
            style = {"mfc": "none", "color": colour(1), "markersize": 9, "linestyle": "none"}
            axes.plot(rings, [y] * len(rings), "o", **style)
            if float(rings.max() - rings.min()) < small / 10:
                spot = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center"}
                axes.annotate(f"{len(rings)} ×", (float(rings[0]), y), **spot)
    axes.set_xscale("symlog", linthresh=10 ** floor(log10(small)), linscale=0.8)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("eigenvalues of the Hessian")
    axes.lines[0].set_label("measured")
    for ringed in [line for line in axes.lines if line.get_marker() == "o"][:1]:
        ringed.set_label("predicted by the symmetry")
    key(figure, axes, above=True)
    return figure


@in_style
def marks(rows: Mapping[str, Mapping[str, Sequence[float]]], xlabel: str) -> Figure:
    """Positive numbers on a logarithmic axis: rows by title, in each one mark for each value.

    Args:
        rows: title -> kind -> values; all rows have the same kinds, at most four.
        xlabel: what the axis shows.
    """
    figure, ((axes,),) = frames(1, 1, 1.0 + 0.5 * len(rows))
    for y, kinds in enumerate(rows.values()):
        for k, (kind, values) in enumerate(kinds.items()):
            place = y + 0.22 * (k - (len(kinds) - 1) / 2)
            options = {"color": colour(k), "label": kind if y == 0 else None}
            axes.plot(values, [place] * len(values), MARKS[k], linestyle="none", **options)
    axes.set(xscale="log", xlabel=xlabel)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    key(figure, axes, above=True)
    return figure


@in_style
def sharpening(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]], limits: Mapping[str, float]
) -> Figure:
    r"""Sharpness and imbalance against the number of steps, one shade for each run.

    Args:
        runs: title -> sharpness and size of the imbalance at each step.
        limits: title -> the line $2/\\eta$ of a run, for some of them.
    """
    figure, ((left, right),) = frames(1, 2, 3.0)
    for shade, (title, (sharpness, imbalance)) in zip(shades(len(runs)), runs.items(), strict=True):
        left.plot(sharpness, "-", color=shade, label=title)
        right.plot(imbalance, "-", color=shade)
        if title in limits:
            left.axhline(limits[title], color=shade, linestyle=":")
    left.set(xlabel="step", ylabel="sharpness")
    right.set(xlabel="step", ylabel="size of the imbalance |Δ|")
    key(figure, left, above=True)
    return figure
