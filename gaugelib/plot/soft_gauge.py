"""Figures of the chapter "Soft gauge fixing"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from gaugelib.plot.colours import colour, shades, two_sided
from gaugelib.plot.layout import frames, key, name_axes
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def diffusion(times: Tensor, values: Tensor, chosen: Sequence[int]) -> Figure:
    r"""A number of each unit of a chain: over all units at a few times, and at all times over them.

    Args:
        times: times $t$, shape `(T,)`.
        values: shape `(T, units)`.
        chosen: indices of the times that the left panel shows, from the faintest to the strongest.
    """
    figure, ((left, right),) = frames(1, 2, 3.0)
    units = range(1, values.shape[1] + 1)
    for k, shade in zip(chosen, shades(len(chosen)), strict=True):
        left.plot(units, values[k], "o-", color=shade, label=f"t = {times[k]:.3g}")
    left.set(xlabel="hidden unit", ylabel="imbalance Δ")
    key(figure, left)
    top = float(values.abs().max())
    edges = (float(times[0]), float(times[-1]), 0.5, values.shape[1] + 0.5)
    options = {"cmap": two_sided("RdBu_r"), "vmin": -top, "vmax": top, "interpolation": "nearest"}
    image = right.imshow(values.T, aspect="auto", origin="lower", extent=edges, **options)
    right.set(xlabel="time t", ylabel="hidden unit")
    left.xaxis.get_major_locator().set_params(integer=True)
    right.yaxis.get_major_locator().set_params(integer=True)
    right.grid(visible=False)
    figure.colorbar(image, ax=right, label="imbalance Δ")
    return figure


@in_style
def stable_rates(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
) -> Figure:
    r"""Largest stable learning rates: one row for each method, one mark for each seed.

    Args:
        panels: title -> method -> largest $\eta$ of each seed that is stable strictly, and
            tolerantly. A 0, where none of those tried is stable, is not drawn.
    """
    methods = list(next(iter(panels.values())))
    height = 0.9 + 0.26 * len(methods)
    figure, axes = frames(2, 2, height, sharex=True, sharey=True)
    for ax, (title, rows) in zip(axes.flat, panels.items(), strict=False):
        for y, (strict, tolerant) in enumerate(rows.values()):
            ax.plot(tolerant, [y + 0.15] * len(tolerant), "o", mfc="none", color=colour(1))
            ax.plot(strict, [y - 0.15] * len(strict), "o", color=colour(0))
        ax.set(title=title, xscale="log")
        ax.set_yticks(range(len(methods)), methods)
    axes[0, 0].invert_yaxis()
    axes[0, 0].lines[0].set_label("tolerantly stable")
    axes[0, 0].lines[1].set_label("strictly stable")
    key(figure, axes[0, 0], above=True)
    name_axes(axes, "largest stable learning rate η")
    return figure
