"""Figures of the chapter "Beyond neurons"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gaugelib.group import GaugeError
from gaugelib.plot.colours import colour, ink
from gaugelib.plot.layout import frames, wrapped
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = 200  # places at which a sorted curve is drawn
DASHES = ("-", "--", ":")


@in_style
def sorted_ratios(ratios: Mapping[str, Tensor], ylabel: str) -> Figure:
    """Positive ratios of each kind, sorted, against the share of those that are not larger.

    Args:
        ratios: kind -> ratios, shape `(N,)`, drawn at 200 places on a logarithmic axis, the
            largest among them.
        ylabel: what is drawn.

    Raises:
        GaugeError: if a ratio is not positive.
    """
    figure, ((axes,),) = frames(1, 1, 3.4)
    shares = torch.linspace(0.0, 1.0, SHARES, dtype=torch.float64)
    axes.axhline(1.0, color=ink(), linewidth=0.8)
    for k, (kind, values) in enumerate(ratios.items()):
        if not bool((values > 0).all()):
            raise GaugeError(f"a ratio of '{kind}' is not positive")
        places = torch.quantile(values.double(), shares)
        axes.semilogy(shares, places, DASHES[k % 3], color=colour(k), label=kind)
    axes.set(xlabel="share of the draws", ylabel=wrapped(ylabel))
    axes.legend()
    return figure


@in_style
def by_strength(
    strengths: Sequence[float], curves: Mapping[str, Sequence[float]], name: str, level: float
) -> Figure:
    """Errors against the strength of a smoothing, and a dashed level without any.

    Args:
        strengths: from 0 to 1.
        curves: what was rounded -> relative error at each strength.
        name: of the level.
        level: the error as it was.

    Raises:
        GaugeError: if a curve has not one error for each strength.
    """
    figure, ((axes,),) = frames(1, 1, 3.4)
    for k, (kind, errors) in enumerate(curves.items()):
        if len(errors) != len(strengths):
            raise GaugeError(f"'{kind}' has {len(errors)} errors for {len(strengths)} strengths")
        axes.plot(strengths, errors, DASHES[k % 3], color=colour(k), marker="o", label=kind)
    axes.axhline(level, color=ink(), linestyle="--", linewidth=1.0, label=name)
    axes.set(xlabel="strength of the smoothing", ylabel="relative error")
    axes.set_ylim(bottom=0.0)
    axes.legend()
    return figure
