"""Figures of the chapter "The pairing theorem"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib import pyplot as plt
from torch import Tensor

from gaugelib.group import GaugeError
from gaugelib.plot.colours import colour, ink, pale
from gaugelib.plot.layout import frames, key, name_axes, size, wrapped
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def decays(times: Tensor, runs: Mapping[str, Tensor], ylabel: str = "size of a charge") -> Figure:
    r"""Sizes of charges against time on a logarithmic axis, where a fixed rate is a straight line.

    Args:
        times: times $t$, shape `(T,)`.
        runs: title of a panel -> charges, shape `(T, units)`; their signs are not drawn.
        ylabel: what the axis shows.
    """
    figure, row = frames(1, len(runs), 3.0, sharex=True, sharey=True)
    for axes, (title, values) in zip(row[0], runs.items(), strict=True):
        axes.semilogy(times, values.abs(), color=colour(0), linestyle="-", linewidth=1.4)
        axes.set_title(title)
    name_axes(row, "time t", ylabel)
    return figure


@in_style
def curvatures(strengths: Sequence[float], spectra: Sequence[Tensor], units: int) -> Figure:
    r"""Eigenvalues of a Hessian against the strength of a weight decay, and the line $2\lambda$.

    The eigenvalues nearest to $2\lambda$, as many as there are hidden units, are drawn as rings.

    Args:
        strengths: values of $\lambda > 0$.
        spectra: for each of them the eigenvalues, shape `(m,)`.
        units: number of hidden units.

    Raises:
        GaugeError: if an eigenvalue is not positive, which no logarithmic axis can show.
    """
    figure, axes = plt.subplots(figsize=size(6.0, 3.6))
    line = [2 * strength for strength in strengths]
    axes.loglog(strengths, line, color=ink(), linestyle="--", label="2λ")
    for strength, values in zip(strengths, spectra, strict=True):
        if not bool((values > 0).all()):
            raise GaugeError(f"an eigenvalue at λ = {strength:g} is not positive")
        nearest = (values / (2 * strength)).log().abs().argsort()
        rest, ringed = values[nearest[units:]], values[nearest[:units]]
        axes.plot([strength] * len(rest), rest, ".", color=pale())
        axes.plot([strength] * units, ringed, "o", color=colour(1), markerfacecolor="none")
    axes.set(xlabel="weight decay λ", ylabel=wrapped("eigenvalues of the Hessian"))
    axes.set_xticks(strengths, [f"{strength:g}" for strength in strengths])
    axes.minorticks_off()
    key(figure, axes)
    return figure
