"""GaugeRace: what fixing the gauge gains in training, and of what the gain is made."""

from __future__ import annotations

import torch
import traitlets
from torch import Tensor

from gaugelib.widgets.base import BookWidget, one_of, within
from gaugelib.widgets.gauge_race import still
from gaugelib.widgets.gauge_race.curves import DEPTHS, OPTIMISERS, SIZES, kept

LAST = 30  # epochs
PLOTTED = ("regularised", "loss", "train_error", "test_error", "norm")
GUESSES = ("", "never", "middle", "every")


class GaugeRace(BookWidget):
    r"""The stored training runs, epoch by epoch, with the gauge fixed never, once, or every step.

    The curves are means over five seeds of the suites "digits" and "digits-small" of
    `gaugelib.experiments`. The penalised loss $L + \lambda R_p$ of each arm is drawn as a bar of
    two parts, so that one sees of what the difference between two arms is made.

    Args:
        size: `"full"`, 3750 hidden units as in the paper, or `"small"`, a tenth of them.
        depth: number of weight layers, 3, 5 or 7.
        optimiser: `"sgd"`, gradient descent with $R_2$, or `"egd"`, the exponentiated update with
            $R_1$.
        plotted: which curve is drawn: `"regularised"` (the penalised loss), `"loss"` without the
            penalty, `"train_error"`, `"test_error"`, or `"norm"`.
        guess: near which arm the reader expects "once": `""` (not said), `"never"`, `"middle"` or
            `"every"`.
        epoch: how far the runs have come, 0 to 30.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is none of these.

    Source: Saul (2023), Figures 3 and 4; the book, "Learning in a fixed gauge".

    Example:
        >>> widget = GaugeRace(epoch=0)
        >>> {arm: round(value, 2) for arm, value in widget.at("regularised").items()}
        {'never': 2.9, 'once': 2.61, 'every': 2.61}
        >>> widget.loss_share()  # of the gain nothing is loss: nothing has been learnt
        0.0
    """

    size = traitlets.Unicode("full").tag(sync=True)
    depth = traitlets.Int(3).tag(sync=True)
    optimiser = traitlets.Unicode("sgd").tag(sync=True)
    plotted = traitlets.Unicode("regularised").tag(sync=True)
    guess = traitlets.Unicode("").tag(sync=True)
    epoch = traitlets.Int(LAST).tag(sync=True)
    _kept = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        *,
        size: str = "full",
        depth: int = 3,
        optimiser: str = "sgd",
        plotted: str = "regularised",
        guess: str = "",
        epoch: int = LAST,
    ) -> None:
        self._begin(locals(), _kept=kept())
        self._remember(
            "guess",  # it is the reader's
            tells=["epoch"],
            size=[*SIZES],
            depth=[*DEPTHS],
            optimiser=[*OPTIMISERS],
            plotted=[*PLOTTED],
            epoch=range(LAST + 1),
        )

    def curves(self, quantity: str) -> dict[str, Tensor]:
        """The mean curve of each arm, shape (31,): one of `plotted`, or `"penalty"`, λR."""
        arms = kept()["curves"][self.size][self.optimiser][str(self.depth)]
        rule = kept()["rules"][self.optimiser]
        found = {}
        for arm, measured in arms.items():
            of = {name: torch.tensor(x, dtype=torch.float64) for name, x in measured.items()}
            of["regularised"] = of["loss"] + of["penalty"]
            of["norm"] = (rule["p"] * of["penalty"] / rule["decay"]) ** (1 / rule["p"])
            found[arm] = of[quantity]
        return found

    def at(self, quantity: str) -> dict[str, float]:
        """The same at the epoch that is shown."""
        return {arm: float(curve[self.epoch]) for arm, curve in self.curves(quantity).items()}

    def loss_share(self) -> float:
        """Which share of what "once" gains over "never" in penalised loss is loss, at the epoch."""
        whole, loss = self.at("regularised"), self.at("loss")
        return (loss["never"] - loss["once"]) / (whole["never"] - whole["once"])

    def _picture(self) -> still.Picture:
        quantities = (self.plotted, "regularised", "loss", "penalty")
        curves = {quantity: self.curves(quantity) for quantity in quantities}
        return self._filled(still.Picture, curves=curves, loss_share=self.loss_share())

    @traitlets.validate("size", "optimiser", "plotted", "guess", "depth")
    def _known_choice(self, proposal: traitlets.Bunch) -> str | int:
        known = {
            "size": tuple(SIZES),
            "optimiser": OPTIMISERS,
            "plotted": PLOTTED,
            "guess": GUESSES,
            "depth": DEPTHS,
        }
        return one_of(known[proposal.trait.name], proposal)

    @traitlets.validate("epoch")
    def _an_epoch(self, proposal: traitlets.Bunch) -> int:
        return within(0, LAST, proposal)
