"""Figures of training experiments: curves by depth and by when the gauge is fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from torch import Tensor

from gaugelib.plot.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Panels = Mapping[str, Mapping[str, Mapping[tuple[int, str], Tensor]]]

COLOURS = {3: "#1b4f8a", 5: "#c8501e", 7: "#2c7a4b"}
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


def learning_curves(panels: Panels) -> Figure:
    """Means over the seeds, with bands from the least to the greatest, against epochs.

    Colours are depths. Dotted: the gauge was never fixed; dashed: once; drawn through: before
    every step.

    Args:
        panels: title of a row -> quantity -> (depth, arm) -> curves, (seeds, epochs + 1); what
            `gaugelib.experiments.panels` gives.
    """
    columns = len(next(iter(panels.values())))
    with style():
        figure, axes = plt.subplots(
            len(panels), columns, figsize=(7.2, 2.6 * len(panels)), squeeze=False, sharex="col"
        )
        seen: set[tuple[int, str]] = set()
        for row, (title, quantities) in zip(axes, panels.items(), strict=True):
            for ax, (quantity, curves) in zip(row, quantities.items(), strict=True):
                for (depth, arm), table in curves.items():
                    seen.add((depth, arm))
                    epochs = range(table.shape[1])
                    colour = COLOURS.get(depth, "#444")
                    ax.plot(epochs, table.mean(0), DASHES[arm], color=colour)
                    ax.fill_between(epochs, table.amin(0), table.amax(0), color=colour, alpha=0.12)
                ax.set(title=title, ylabel=NAMES.get(quantity, quantity), yscale="log")
                if "error" in quantity:  # which may be zero
                    ax.set_yscale("symlog", linthresh=1e-3)
                    ax.set_ylim(bottom=0.0)
        for bottom in axes[-1]:
            bottom.set_xlabel("epochs")
        axes[0, 0].legend(handles=_key(seen))
    return figure


def _key(seen: set[tuple[int, str]]) -> list[Line2D]:
    depths = sorted({depth for depth, _ in seen})
    arms = [arm for arm in DASHES if arm in {arm for _, arm in seen}]
    return [
        *(Line2D([], [], color=COLOURS.get(d, "#444"), label=f"{d} layers") for d in depths),
        *(Line2D([], [], color="#444", ls=DASHES[a], label=LABELS[a]) for a in arms),
    ]


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
    with style():
        figure, row = plt.subplots(1, len(panels), figsize=(7.2, 3.0), sharey=True, squeeze=False)
        for axes, (title, arms) in zip(row[0], panels.items(), strict=True):
            for (arm, values), colour in zip(arms.items(), COLOURS.values()):
                axes.loglog(rates, values.mean(0), DASHES[arm], color=colour, label=LABELS[arm])
                axes.fill_between(rates, values.amin(0), values.amax(0), color=colour, alpha=0.12)
            axes.set(title=title, xlabel="learning rate η")
        row[0, 0].set_ylabel(ylabel)
        row[0, 0].legend()
    return figure
