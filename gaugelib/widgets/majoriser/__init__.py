"""Majoriser: a function that touches the norm from above, and the step to its minimum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, several
from gaugelib.widgets.majoriser import still
from gaugelib.widgets.majoriser.chain import Chain

POWERS = (0.5, 1.0, 2.0, 3.0)
EXPONENTS = (1, 2, 3)
CUTS = ("step", "neuron 1", "neuron 2")
MOST_LOG = 50.0


class Majoriser(BookWidget):
    r"""The proof that a step of Algorithm 1 cannot increase the norm, on a chain of three weights.

    The chain $x \to w_1 \to w_2 \to w_3 \to y$ has two hidden neurons, so its orbit is a plane of
    two log-scales. Over it stands the convex function
    $pF = \|W\|_p^p = \sum |W_{ij} a_i/a_j|^p$, and over that
    $pG = \tfrac12 \sum |W_{ij}|^p (a_i^{2p} + a_j^{-2p})$, which touches $pF$ where the reader
    stands. The step $a = (\mathrm{out}/\mathrm{in})^{k/4p}$ leads to the minimum of $G$ for
    $k = 1$; for $k = 2$ to where $G$ has the value it began with; for $k = 3$ beyond.

    Args:
        weights: the three weights, none of them 0.
        log_scales: $\log a_1, \log a_2$ to begin with.
        p: exponent of the norm: 0.5, 1, 2 or 3.
        exponent: $k$, which is 1, 2 or 3.
        cut: along which line $F$ and $G$ are drawn: `"step"`, `"neuron 1"` or `"neuron 2"`.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a number is not finite, a weight is 0 (its
            neurons are dead) or beyond $10^{\pm 6}$, a log-scale is beyond ±50, or a choice is not
            among those above.

    Source: Saul (2023), Lemma 2.3; the book, "The minimum-norm gauge".

    Example:
        >>> widget = Majoriser(weights=(8.0, 1.0, 1.0), exponent=2)
        >>> widget.step()
        >>> [round(value.item(), 3) for value in widget.to_params().values()]
        [2.828, 2.828, 1.0]
    """

    weights = traitlets.List(traitlets.Float()).tag(sync=True)
    log_scales = traitlets.List(traitlets.Float()).tag(sync=True)
    path = traitlets.List().tag(sync=True)  # where the reader stood before each step
    p = traitlets.Float(2.0).tag(sync=True)
    exponent = traitlets.Int(1).tag(sync=True)
    cut = traitlets.Unicode("step").tag(sync=True)

    def __init__(
        self,
        *,
        weights: Sequence[float] = (8.0, 1.0, 1.0),
        log_scales: Sequence[float] = (0.0, 0.0),
        p: float = 2.0,
        exponent: int = 1,
        cut: str = "step",
    ) -> None:
        self._begin(locals())
        self._remember(
            "path",  # too long for an address
            log_scales=several((-MOST_LOG, MOST_LOG), 2),
            p=[*POWERS],
            exponent=[*EXPONENTS],
            cut=[*CUTS],
        )

    @classmethod
    def from_model(cls, model: nn.Module, **traits) -> Majoriser:
        """The widget of a chain of three `nn.Linear(1, 1)` with `nn.ReLU()` between them.

        Args:
            model: an `nn.Sequential`; its weights are copied in float64, its biases left out.
            traits: any other argument of the constructor.

        Raises:
            GaugeError: if the model is another one.

        Example:
            >>> layers = [nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)]
            >>> for layer, weight in zip(layers[::2], (4.0, 2.0, 1.0)):
            ...     _ = nn.init.constant_(layer.weight, weight)
            >>> Majoriser.from_model(nn.Sequential(*layers))
            Majoriser(weights=[4.0, 2.0, 1.0])
        """
        wanted = [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
        layers = list(model) if isinstance(model, nn.Sequential) else []
        linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
        sizes = [tuple(layer.weight.shape) for layer in linear]
        if [type(layer) for layer in layers] != wanted or sizes != [(1, 1)] * 3:
            found = ", ".join(type(layer).__name__ for layer in layers) or type(model).__name__
            raise WidgetError(
                "Majoriser shows three nn.Linear(1, 1) with nn.ReLU between them, "
                f"found {found}" + (f" with weights of {sizes}" if sizes else "")
            )
        return cls(weights=[layer.weight.item() for layer in linear], **traits)

    def to_params(self) -> dict[str, Tensor]:
        """The weights as they stand, float64, each (1, 1), named as in an `nn.Sequential`."""
        first, second = self.log_scales
        logs = torch.tensor([first, second - first, -second], dtype=torch.float64)
        moved = torch.tensor(self.weights, dtype=torch.float64) * logs.exp()
        return {f"{2 * k}.weight": weight.reshape(1, 1) for k, weight in enumerate(moved)}

    def step(self) -> None:
        """One step from where the widget stands, as its button does it."""
        chain = self._chain()
        moved = (chain.logs + chain.move(self.exponent)).tolist()
        with self.hold_trait_notifications():
            self.path = [*self.path, self.log_scales]
            self.log_scales = moved

    def _picture(self) -> still.Picture:
        return self._filled(still.Picture, chain=self._chain())

    def _chain(self) -> Chain:
        return Chain(np.array(self.weights), np.array(self.log_scales), self.p)

    @traitlets.validate("weights")
    def _living_chain(self, proposal: traitlets.Bunch) -> list[float]:
        weights = finite(proposal.value, trait="weights")
        if len(weights) != 3 or not all(1e-6 <= abs(weight) <= 1e6 for weight in weights):
            raise WidgetError(
                "weights must be three numbers of size 1e-6 to 1e6 (a chain with a weight 0 is "
                f"dead), found {weights}"
            )
        return weights

    @traitlets.validate("log_scales")
    def _two_log_scales(self, proposal: traitlets.Bunch) -> list[float]:
        logs = finite(proposal.value, trait="log_scales")
        if len(logs) != 2 or not all(abs(log) <= MOST_LOG for log in logs):
            raise WidgetError(f"log_scales must be two numbers within ±{MOST_LOG:g}, found {logs}")
        return logs

    @traitlets.validate("p", "exponent", "cut")
    def _known_choice(self, proposal: traitlets.Bunch) -> float | int | str:
        known = {"p": POWERS, "exponent": EXPONENTS, "cut": CUTS}
        return one_of(known[proposal.trait.name], proposal)
