"""SoftGauge: how strong a penalty on imbalance allows how long a step, and one run of them."""

from __future__ import annotations

import numpy as np
import torch
import traitlets
from torch import Tensor

from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, within
from gaugelib.widgets.soft_gauge import still
from gaugelib.widgets.soft_gauge.run import Run, train
from gaugelib.widgets.soft_gauge.stable import CRITERIA, Choice, nearest, stored

_NEAR = 0.01  # the relative distance at which a number of the map is meant


class SoftGauge(BookWidget):
    r"""A map of the stable learning rates under a soft penalty, and the run at one of its cells.

    A ReLU network of widths 2-4-4-1 without biases takes 200 steps of gradient descent on
    $L + \frac\kappa4\sum_h\Delta_h^2$, where $\Delta_h$ is the imbalance
    $\sum_{\mathrm{in}(h)}\theta_e^2 - \sum_{\mathrm{out}(h)}\theta_e^2$. For each strength
    $\kappa$ and learning rate $\eta$ the map shows which share of five seeds trained stably, as it
    is stored in `gaugelib.soft.stability()["tiny"]`; a dashed line is $\eta\kappa\mu_{\max}=1$
    at the start, the limit of the penalty's own explicit step near balance, where $\mu$ runs
    through the eigenvalues of the Laplacian $\mathcal L$. The run at the chosen cell is computed in
    the page: its loss, the imbalance of each unit, its verdict beside the stored one, and the rate
    of the slowest mode of imbalance beside $2\kappa\mu_{\min}$.

    Args:
        start: `"balanced"` (the minimum-norm gauge), `"he"`, or `"uneven 0.5"` and `"uneven 1"`:
            the balanced one in a random gauge whose logarithms have this standard deviation.
        seed: which of the five draws of that start is run, 0 to 4.
        criterion: a run is stable strictly if its loss never rises more than 1 % above its running
            minimum; tolerantly if it never exceeds twice the first, ends below the first, and the
            network has not died.
        strength: $\kappa$, one of the map's: 0, 0.001, 0.003, 0.01, ..., 3.
        lr: $\eta$, one of the map's: from 0.00195 to 2, three in each octave.
        revealed: whether the map is filled in. If not, the reader is asked first, tries cells one
            by one, and has a box to tick.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if the map has no such start, seed, criterion,
            strength or learning rate; the nearest one is named.

    Source: the book, "Soft gauge fixing".

    Example:
        >>> widget = SoftGauge()
        >>> widget.share()  # of five seeds
        1.0
        >>> SoftGauge(strength=3).share()  # too strong for so long a step
        0.2
        >>> losses, imbalances = widget.history()
        >>> imbalances.shape
        torch.Size([201, 8])
    """

    start = traitlets.Unicode("uneven 1").tag(sync=True)
    seed = traitlets.Int(3).tag(sync=True)
    criterion = traitlets.Unicode("strict").tag(sync=True)
    strength = traitlets.Float(0.03).tag(sync=True)
    lr = traitlets.Float(0.07875).tag(sync=True)
    revealed = traitlets.Bool(True).tag(sync=True)
    _map = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        *,
        start: str = "uneven 1",
        seed: int = 3,
        criterion: str = "strict",
        strength: float = 0.03,
        lr: float = 0.07875,
        revealed: bool = True,
    ) -> None:
        self._begin(locals(), _map=stored())
        kept = stored()
        self._remember(
            "revealed",
            start=[*kept["starts"]],
            seed=range(len(kept["starts"]["he"])),
            criterion=[*CRITERIA],
            strength={"of": kept["strengths"], "near": _NEAR},
            lr={"of": kept["etas"], "near": _NEAR},
        )

    def to_params(self) -> dict[str, Tensor]:
        """The network before training, float64, named as in an `nn.Sequential`."""
        return {
            f"{2 * layer}.weight": torch.tensor(rows, dtype=torch.float64)
            for layer, rows in enumerate(stored()["starts"][self.start][self.seed])
        }

    def history(self) -> tuple[Tensor, Tensor]:
        """Losses, shape (K + 1,), and imbalances, shape (K + 1, 8), of the run that is shown.

        K is 200, or less where the loss exceeded twice the first: the run ends there.
        """
        run = self._run(self.strength)
        return torch.from_numpy(run.losses), torch.from_numpy(run.imbalances)

    def share(self) -> float:
        """The stored share of seeds that trained stably at this cell."""
        chosen = self._filled(Choice)
        return float(chosen.stable()[chosen.cell].mean())

    def _run(self, strength: float) -> Run:
        kept = stored()
        return train(
            [np.array(rows) for rows in kept["starts"][self.start][self.seed]],
            np.array(kept["inputs"]),
            np.array(kept["targets"])[:, None],
            strength=kept["strengths"][nearest(kept["strengths"], strength)],
            lr=kept["etas"][nearest(kept["etas"], self.lr)],
            steps=kept["steps"],
        )

    def _picture(self) -> still.Picture:
        runs = self._run(self.strength), self._run(0.0)
        return still.Picture(self._filled(Choice), *runs)

    @traitlets.validate("start", "criterion")
    def _known_choice(self, proposal: traitlets.Bunch) -> str:
        known = {"start": tuple(stored()["starts"]), "criterion": CRITERIA}
        return one_of(known[proposal.trait.name], proposal)

    @traitlets.validate("seed")
    def _a_seed(self, proposal: traitlets.Bunch) -> int:
        return within(0, len(stored()["starts"]["he"]) - 1, proposal)

    @traitlets.validate("strength", "lr")
    def _on_the_map(self, proposal: traitlets.Bunch) -> float:
        name = proposal.trait.name
        (value,) = finite([proposal.value], trait=name)
        known = stored()["strengths" if name == "strength" else "etas"]
        near = known[nearest(known, value)]
        if abs(value - near) > _NEAR * near:
            raise WidgetError(
                f"{name} must be one of the map's, the nearest is {near:.4g}; found {value:g}"
            )
        return value
