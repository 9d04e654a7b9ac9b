"""Figures of the chapter "The pairing theorem"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib import pyplot as plt
from torch import Tensor

from gaugelib.group import GaugeError
from gaugelib.plot.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def decays(times: Tensor, runs: Mapping[str, Tensor], ylabel: str = "size of a charge") -> Figure:
    r"""Sizes of charges against time on a logarithmic axis, where a fixed rate is a straight line.

    Args:
        times: times $t$, shape `(T,)`.
        runs: title of a panel -> charges, shape `(T, units)`; their signs are not drawn.
        ylabel: what the axis shows.
    """
    with style():
        figure, panels = plt.subplots(1, len(runs), figsize=(7.2, 3.0), sharey=True, squeeze=False)
        for axes, (title, values) in zip(panels[0], runs.items(), strict=True):
            axes.semilogy(times, values.abs(), color="#1b4f8a", linestyle="-", linewidth=1.4)
            axes.set(title=title, xlabel="time t")
        panels[0, 0].set_ylabel(ylabel)
    return figure


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
    with style():
        figure, axes = plt.subplots(figsize=(6.0, 3.6))
        line = [2 * strength for strength in strengths]
        axes.loglog(strengths, line, color="#444", linestyle="--", label="2λ")
        for strength, values in zip(strengths, spectra, strict=True):
            if not bool((values > 0).all()):
                raise GaugeError(f"an eigenvalue at λ = {strength:g} is not positive")
            nearest = (values / (2 * strength)).log().abs().argsort()
            rest, ringed = values[nearest[units:]], values[nearest[:units]]
            axes.plot([strength] * len(rest), rest, ".", color="#8a97a8")
            axes.plot([strength] * units, ringed, "o", color="#c8501e", markerfacecolor="none")
        axes.set(xlabel="weight decay λ", ylabel="eigenvalues of the Hessian")
        axes.set_xticks(strengths, [f"{strength:g}" for strength in strengths])
        axes.minorticks_off()
        axes.legend()
    return figure
