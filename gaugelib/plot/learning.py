"""Figures of training experiments: curves by depth and by when the gauge is fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from torch import Tensor

from gaugelib.plot.colours import colour, ink
from gaugelib.plot.layout import frames, key, name_axes, spare_labels
from gaugelib.plot.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Panels = Mapping[str, Mapping[str, Mapping[tuple[int, str], Tensor]]]

COLOURS = {3: 0, 5: 1, 7: 2}  # of a depth, in the style's cycle
WIDTHS = {3: 2.6, 5: 1.8, 7: 1.1}  # of a depth, for who reads it in grey
DASHES = {"never": ":", "once": "--", "every": "-"}
LABELS = {"never": "never fixed", "once": "fixed once", "every": "fixed every step"}
NAMES = {
    "regularised": "regularised loss",
    "loss": "loss",
    "penalty": "norm",
    "train_error": "training error",
    "test_error": "test error",
    "imbalance": "imbalance γ",
}


@in_style
def learning_curves(panels: Panels) -> Figure:
    """Means over the seeds, with bands from the least to the greatest, against epochs.

    Colours are depths, and a line is the thinner the deeper. Dotted: the gauge was never fixed;
    dashed: once; drawn through: before every step.

    Args:
        panels: title of a row -> quantity -> (depth, arm) -> curves, (seeds, epochs + 1); what
            `gaugelib.experiments.panels` gives.
    """
    columns = len(next(iter(panels.values())))
    figure, axes = frames(len(panels), columns, 2.6, sharex="col")
    seen: set[tuple[int, str]] = set()
    for row, (title, quantities) in zip(axes, panels.items(), strict=True):
        for ax, (quantity, curves) in zip(row, quantities.items(), strict=True):
            for (depth, arm), table in curves.items():
                seen.add((depth, arm))
                epochs = range(table.shape[1])
                shade = _of_depth(depth)
                ax.plot(epochs, table.mean(0), DASHES[arm], color=shade, lw=WIDTHS.get(depth))
                ax.fill_between(epochs, table.amin(0), table.amax(0), color=shade, alpha=0.12)
            ax.set(title=title, ylabel=NAMES.get(quantity, quantity), yscale="log")
            spare_labels(ax.yaxis)
            if "error" in quantity:  # which may be zero
                ax.set_yscale("symlog", linthresh=1e-3)
                ax.set_ylim(bottom=0.0)
    name_axes(axes, "epochs")
    key(figure, axes[0, 0], _key(seen), above=True)
    return figure


def _of_depth(depth: int) -> str:
    return colour(COLOURS[depth]) if depth in COLOURS else ink()


def _key(seen: set[tuple[int, str]]) -> list[Line2D]:
    depths = sorted({depth for depth, _ in seen})
    arms = [arm for arm in DASHES if arm in {arm for _, arm in seen}]
    return [
        *(
            Line2D([], [], color=_of_depth(d), lw=WIDTHS.get(d), label=f"{d} layers")
            for d in depths
        ),
        *(Line2D([], [], color=ink(), ls=DASHES[a], label=LABELS[a]) for a in arms),
    ]


@in_style
def against_rates(
    rates: Sequence[float], panels: Mapping[str, Mapping[str, Tensor]], ylabel: str
) -> Figure:
    r"""Final values of each arm against the learning rate, on logarithmic axes.

    Args:
        rates: the learning rates $\eta$.
        panels: title of a panel -> arm -> values at each rate, shape `(seeds, rates)`; drawn are
            their mean and a band from the least to the greatest.
        ylabel: what the values are.
    """
    figure, row = frames(1, len(panels), 3.0, sharex=True, sharey=True)
    for axes, (title, arms) in zip(row[0], panels.items(), strict=True):
        for (arm, values), shade in zip(arms.items(), map(colour, COLOURS.values())):
            axes.loglog(rates, values.mean(0), DASHES[arm], color=shade, label=LABELS[arm])
            axes.fill_between(rates, values.amin(0), values.amax(0), color=shade, alpha=0.12)
        axes.set_title(title)
    name_axes(row, "learning rate η", ylabel)
    key(figure, row[0, 0])
    return figure
