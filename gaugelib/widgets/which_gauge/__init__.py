"""WhichGauge: one dial, three bowls, and a function that stands still until it is quantised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets.base import BookWidget, WidgetError, allowed, finite, one_of, several, within
from gaugelib.widgets.shared.matrices import linear_layers
from gaugelib.widgets.which_gauge import still
from gaugelib.widgets.which_gauge.examples import digits_and_data, hat_and_data
from gaugelib.widgets.which_gauge.network import (
    KINDS,
    Network,
    relative_error,
    sharpest,
    sums,
)
from gaugelib.widgets.which_gauge.parts import arrays, plain, require

BITS = (3, 4, 8)
KNOWN = ("hat", "digits")
MOST_LOG2 = 20.0


class WhichGauge(BookWidget):
    r"""Norm, gradient and trace as bowls over one dial of a network with one hidden layer.

    The network is $f(x) = c + V\,\mathrm{relu}(Wx + b)$, the loss the mean over its data of
    $\ell = \frac12|f(x)-y|^2$. The dials lead along the orbit, unit $h$ to
    $(a_hW_h, a_hb_h, V_h/a_h)$. Three sums are followed, each relative to the least that it has on
    the whole orbit: the norm $|\theta|^2$, the mean squared gradient $\mathrm E|\nabla\ell|^2$ of
    one example, and the trace of Gauss-Newton's matrix. Beside them stand the longest stable step
    $2/\lambda_{\max}$ of that matrix, and $f$ after both layers were quantised.

    Args:
        network: `"hat"` or `"digits"`, a trained one 64-16-10; both travel with the widget, for
            which scikit-learn is needed.
        own: a network and data of one's own instead, as `from_model` writes them down; `network`
            is then `"own"`.
        log2_scales: $\log_2 a$ of each hidden unit, within ±20; by default 0, the network itself.
        unit: which dial is turned, counted from 1, or 0 for all units by the same factor; by
            default 3 for the hat and 0 for others.
        bits: of the quantiser: 3, 4 or 8.
        example: which one is shown where $f$ is no curve, counted from 1.
        random_state: state of the generator behind the button "Random".

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is out of its range, the network or
            its data are too large or do not fit, or one of the sums has no smallest value.

    Source: the book, "Which gauge?".

    Example:
        >>> widget = WhichGauge(log2_scales=[0.0, 0.25, 0.0], unit=2)
        >>> {kind: round(ratio, 3) for kind, ratio in widget.ratios().items()}
        {'norm': 1.126, 'gradient': 1.422, 'trace': 1.353}
    """

    network = traitlets.Unicode("hat").tag(sync=True)
    own = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    log2_scales = traitlets.List(traitlets.Float()).tag(sync=True)
    unit = traitlets.Int(1).tag(sync=True)
    bits = traitlets.Int(4).tag(sync=True)
    example = traitlets.Int(1).tag(sync=True)
    random_state = traitlets.Int(1).tag(sync=True)
    _networks = traitlets.Dict().tag(sync=True)  # those that can be chosen, by name

    def __init__(
        self,
        *,
        network: str = "hat",
        own: dict | None = None,
        log2_scales: Sequence[float] | None = None,
        unit: int | None = None,
        bits: int = 4,
        example: int = 1,
        random_state: int = 1,
    ) -> None:
        network = "own" if own is not None and network == "hat" else network
        unit = (3 if network == "hat" else 0) if unit is None else unit
        if log2_scales is None:
            log2_scales = [0.0] * len(_offered(own, network)["weights"][0])
        self._begin(locals(), _networks=_all_offered(own))
        units, examples = (
            {name: len(count(each)) for name, each in self._networks.items()}
            for count in (lambda each: each["weights"][0], lambda each: each["inputs"])
        )
        self._remember(
            network=[*units],
            log2_scales=_by_network(
                units, lambda n: several((-MOST_LOG2, MOST_LOG2), n) | {"opens": [0.0] * n}
            ),
            unit=_by_network(units, lambda n: allowed(range(n + 1)) | {"opens": 0}),
            bits=[*BITS],
            example=_by_network(examples, lambda n: allowed(range(1, n + 1)) | {"opens": 1}),
            random_state=range(2**32),
        )

    @classmethod
    def from_model(cls, model: nn.Module, inputs: Tensor, targets: Tensor, **traits) -> WhichGauge:
        """The widget of `nn.Sequential(nn.Linear, nn.ReLU, nn.Linear)` and its data.

        Args:
            model: the network, with at most 32 hidden units, 16 outputs and 2048 weights; its
                numbers are copied in float64, and it is not changed.
            inputs: shape (examples, inputs), at most 128 of them.
            targets: shape (examples, outputs).
            traits: any other argument of the constructor.

        Raises:
            GaugeError: if the model or the data have another shape, or as in the constructor.

        Example:
            >>> from gaugelib import hat
            >>> x = torch.linspace(-0.8, 2.9, 9, dtype=torch.float64)[:, None]
            >>> WhichGauge.from_model(hat(), x, (-(x - 1) ** 2).exp()).network
            'own'
        """
        linear = linear_layers(model, "WhichGauge shows")
        if len(linear) != 2:
            raise WidgetError(f"WhichGauge shows one hidden layer, found {len(linear) - 1}")
        for name, values in (("inputs", inputs), ("targets", targets)):
            if values.dim() != 2:
                raise WidgetError(
                    f"{name} must have the shape (examples, numbers), found {tuple(values.shape)}"
                )
        return cls(own=plain(linear, inputs, targets), **traits)

    @property
    def scales(self) -> Tensor:
        """The scales $a$ as they stand, float64, shape (units,): ready for `gaugelib.rescale`."""
        return torch.exp2(torch.tensor(self.log2_scales, dtype=torch.float64))

    def to_params(self) -> dict[str, Tensor]:
        """The parameters as the dials stand, float64, named as in an `nn.Sequential`."""
        here = self._here()
        values = {"0.weight": here.W, "0.bias": here.b, "2.weight": here.V, "2.bias": here.c}
        return {name: torch.from_numpy(value) for name, value in values.items() if len(value)}

    def ratios(self) -> dict[str, float]:
        """Norm², squared gradient and trace as the dials stand, each over its least value."""
        dials = np.array(self.log2_scales)
        return {kind: s.at(dials) / s.at(s.gauge()) for kind, s in sums(self._given()).items()}

    def gauge(self, kind: str) -> Tensor:
        r"""$\log_2 a$ at which `"norm"`, `"gradient"` or `"trace"` is smallest, shape (units,)."""
        if kind not in KINDS:
            raise WidgetError(f"kind must be one of {KINDS}, found {kind!r}")
        return torch.from_numpy(sums(self._given())[kind].gauge())

    def longest_step(self) -> float:
        r"""$2/\lambda_{\max}$ of Gauss-Newton's matrix as the dials stand."""
        return 2 / sharpest(self._here())

    def rounding_error(self) -> float:
        """How far quantising both layers moves f, relative to the size of f over the data."""
        here = self._here()
        coarse = here.quantised(self.bits)
        return relative_error(coarse.outputs(here.inputs), here.outputs(here.inputs))

    def _given(self) -> Network:
        return arrays(_offered(self.own, self.network))

    def _here(self) -> Network:
        return self._given().turned(np.array(self.log2_scales))

    def _picture(self) -> still.Picture:
        return still.Picture(
            self._given(), np.array(self.log2_scales), self.unit, self.bits, self.example
        )

    @traitlets.observe("own", "network")
    def _another_network(self, change: traitlets.Bunch) -> None:
        if change.name == "own":
            self._networks = _all_offered(self.own)
            if self.network not in self._networks:
                self.network = next(iter(self._networks))
        given = self._given()
        with self.hold_trait_notifications():
            if len(self.log2_scales) != len(given.W):
                self.log2_scales = [0.0] * len(given.W)
            self.unit = min(self.unit, len(given.W))
            self.example = min(self.example, len(given.inputs))

    @traitlets.validate("own")
    def _a_network(self, proposal: traitlets.Bunch) -> dict | None:
        if proposal.value is not None:
            require(proposal.value)
        return proposal.value

    @traitlets.validate("network")
    def _known_network(self, proposal: traitlets.Bunch) -> str:
        return one_of(KNOWN if self.own is None else ("own",), proposal)

    @traitlets.validate("log2_scales")
    def _one_dial_a_unit(self, proposal: traitlets.Bunch) -> list[float]:
        values = finite(proposal.value, trait="log2_scales")
        units = len(self._given().W)
        if len(values) != units:
            raise WidgetError(f"log2_scales must hold {units} numbers, found {len(values)}")
        if max(map(abs, values)) > MOST_LOG2:
            raise WidgetError(f"log2_scales must lie within ±{MOST_LOG2:g}, found {values}")
        return values

    @traitlets.validate("unit")
    def _a_unit(self, proposal: traitlets.Bunch) -> int:
        return within(0, len(self._given().W), proposal)

    @traitlets.validate("bits")
    def _known_bits(self, proposal: traitlets.Bunch) -> int:
        return one_of(BITS, proposal)

    @traitlets.validate("example")
    def _an_example(self, proposal: traitlets.Bunch) -> int:
        return within(1, len(self._given().inputs), proposal)

    @traitlets.validate("random_state")
    def _a_state(self, proposal: traitlets.Bunch) -> int:
        return within(0, 2**32 - 1, proposal)


def _by_network(counts: dict[str, int], values: Callable[[int], dict]) -> dict[str, Any]:
    """What a trait may be, and what it opens with where the page's own value does not fit."""
    return {"by": "network", "cases": {name: values(count) for name, count in counts.items()}}


def _all_offered(own: dict | None) -> dict[str, dict[str, list]]:
    """The networks that can be chosen: the book's two, or the reader's own."""
    names = KNOWN if own is None else ("own",)
    return {name: _offered(own, name) for name in names}


def _offered(own: dict | None, name: str) -> dict[str, list]:
    if name == "own" and own is not None:
        require(own)
        return own
    return digits_and_data() if name == "digits" else hat_and_data()
