"""RescaleNeuron: a small ReLU network whose arrows change while its function stays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

import torch
import traitlets
from torch import Tensor, nn

from gaugelib.group import GaugeError
from gaugelib.widgets.base import BookWidget, WidgetError, finite, several
from gaugelib.widgets.rescale_neuron import still

MOST_UNITS = 8
MOST_LOG2 = 64.0
POWERS = [1, 2]
_BREAKERS = ("forget_outgoing", "forget_bias", "tanh")
_LISTS = ("w_in", "b_in", "w_out", "log2_scales")
_VISIBLE_GAUGE = (2.0, -1.5, -1.0)


def _numbers() -> traitlets.List:
    return traitlets.List(traitlets.Float()).tag(sync=True)


class RescaleNeuron(BookWidget):
    r"""A network with one input, at most 8 hidden neurons and one output, to be rescaled by hand.

    Hidden neuron $i$ computes $\mathrm{relu}(w_i x + b_i)$ and the output is
    $f(x) = c + \sum_i v_i\,\mathrm{relu}(w_i x + b_i)$. A slider for each neuron sets
    $\log_2 a_i$, and the picture is that of $(a_i w_i, a_i b_i, v_i/a_i)$. The traits are synced:
    what is dragged in a notebook can be read back.

    Args:
        w_in: weights $w$ from the input, one for each hidden neuron.
        b_in: hidden biases $b$.
        w_out: weights $v$ to the output.
        b_out: output bias $c$.
        log2_scales: $\log_2 a$ to begin with; by default a gauge that is easy to see.
        p: exponent of the norm, 1 or 2. Norms count weights only, not biases.
        forget_outgoing: break the symmetry by leaving the outgoing weights as they are.
        forget_bias: break it by leaving the hidden biases as they are; a bias of 0 hides that.
        tanh: break the symmetry by tanh in place of ReLU.
        x_range: ends of the plotted interval.
        random_state: state of the generator behind the button "Random gauge".
        plain: only the scales, the network and its function, for a first meeting.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is not finite, lengths differ, there
            are more than 8 hidden neurons, p is neither 1 nor 2, or the interval is empty. To put
            another number of neurons into an existing widget, assign its lists inside
            `with widget.hold_trait_notifications():`.

    Source: Saul (2023), eqs. (5)-(6); the book, "The symmetry".

    Example:
        >>> widget = RescaleNeuron(w_in=[1.0], b_in=[0.5], w_out=[3.0], log2_scales=[1.0])
        >>> {name: value.flatten().tolist() for name, value in widget.to_params().items()}
        {'0.weight': [2.0], '0.bias': [1.0], '2.weight': [1.5], '2.bias': [0.0]}
    """

    w_in = _numbers()
    b_in = _numbers()
    w_out = _numbers()
    b_out = traitlets.Float().tag(sync=True)
    log2_scales = _numbers()
    p = traitlets.Int(2).tag(sync=True)
    forget_outgoing = traitlets.Bool().tag(sync=True)
    forget_bias = traitlets.Bool().tag(sync=True)
    tanh = traitlets.Bool().tag(sync=True)
    x_range = _numbers()
    random_state = traitlets.Int(1).tag(sync=True)
    plain = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        *,
        w_in: Sequence[float] = (1.0, 1.0, 1.0),
        b_in: Sequence[float] = (0.0, -1.0, -2.0),
        w_out: Sequence[float] = (1.0, -2.0, 1.0),
        b_out: float = 0.0,
        log2_scales: Sequence[float] | None = None,
        p: int = 2,
        forget_outgoing: bool = False,
        forget_bias: bool = False,
        tanh: bool = False,
        x_range: Sequence[float] = (-1.0, 3.0),
        random_state: int = 1,
        plain: bool = False,
    ) -> None:
        if log2_scales is None:
            log2_scales = list(islice(cycle(_VISIBLE_GAUGE), len(w_in)))
        self._begin(locals())
        dials = several((-MOST_LOG2, MOST_LOG2), len(self.log2_scales))
        others = {
            "p": POWERS,
            **{name: [False, True] for name in _BREAKERS},
            "random_state": range(2**32),
        }
        if plain:  # its controls are the dials alone
            self._remember(*others, log2_scales=dials)
        else:
            self._remember(tells=["forget_bias"], log2_scales=dials, **others)

    @classmethod
    def from_model(
        cls, model: nn.Module, *, log2_scales: Sequence[float] | None = None, **traits
    ) -> RescaleNeuron:
        """The widget of `nn.Sequential(nn.Linear(1, h), nn.ReLU(), nn.Linear(h, 1))`, h at most 8.

        Args:
            model: the network; its numbers are copied in float64, and it is not changed.
            log2_scales: as in the constructor.
            traits: any other argument of the constructor that is not the network itself.

        Raises:
            GaugeError: if the model has another shape; the message names the layer at fault.

        Example:
            >>> from gaugelib import hat
            >>> RescaleNeuron.from_model(hat(), log2_scales=[0.0, 0.0, 1.0]).log2_scales
            [0.0, 0.0, 1.0]
        """
        first, last = _layers(model)
        return cls(
            w_in=_column(first.weight),
            b_in=[0.0] * first.out_features if first.bias is None else _column(first.bias),
            w_out=_column(last.weight),
            b_out=0.0 if last.bias is None else _column(last.bias)[0],
            log2_scales=log2_scales,
            **traits,
        )

    @property
    def scales(self) -> Tensor:
        """The scales $a$ as they stand, float64, shape (units,): ready for `gaugelib.rescale`."""
        return torch.exp2(torch.tensor(self.log2_scales, dtype=torch.float64))

    def to_params(self) -> dict[str, Tensor]:
        """The parameters of the network as drawn, float64, named as in an `nn.Sequential`."""
        return self._params(self.scales)

    def _params(self, a: Tensor) -> dict[str, Tensor]:
        w, b, v = (torch.tensor(x, dtype=torch.float64) for x in (self.w_in, self.b_in, self.w_out))
        return {
            "0.weight": (a * w)[:, None],
            "0.bias": b if self.forget_bias else a * b,
            "2.weight": (v if self.forget_outgoing else v / a)[None, :],
            "2.bias": torch.tensor([self.b_out], dtype=torch.float64),
        }

    def _picture(self) -> still.Picture:
        before = self._params(torch.ones_like(self.scales))
        rescaled = any(self.log2_scales)
        return self._filled(still.Picture, before=before, after=self.to_params(), rescaled=rescaled)

    @traitlets.validate(*_LISTS)
    def _one_number_for_each_neuron(self, proposal: traitlets.Bunch) -> list[float]:
        name = proposal.trait.name
        values = finite(proposal.value, trait=name)
        if not 1 <= len(values) <= MOST_UNITS:
            raise WidgetError(f"{name} must hold 1 to {MOST_UNITS} numbers, found {len(values)}")
        lengths = {each: len(getattr(self, each)) for each in _LISTS} | {name: len(values)}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{length} in {each}" for each, length in lengths.items())
            raise WidgetError(f"one number for each hidden neuron is needed, found {found}")
        if name == "log2_scales" and max(map(abs, values)) > MOST_LOG2:
            raise WidgetError(f"log2_scales must lie within ±{MOST_LOG2:g}, found {values}")
        return values

    @traitlets.validate("b_out")
    def _finite_bias(self, proposal: traitlets.Bunch) -> float:
        return finite([proposal.value], trait="b_out")[0]

    @traitlets.validate("p")
    def _known_power(self, proposal: traitlets.Bunch) -> int:
        if proposal.value not in POWERS:
            raise WidgetError(f"p must be 1 or 2, found {proposal.value}")
        return proposal.value

    @traitlets.validate("x_range")
    def _an_interval(self, proposal: traitlets.Bunch) -> list[float]:
        ends = finite(proposal.value, trait="x_range")
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise WidgetError(f"x_range must be two numbers, the smaller first, found {ends}")
        return ends

    @traitlets.validate("random_state")
    def _a_state(self, proposal: traitlets.Bunch) -> int:
        if not 0 <= proposal.value < 2**32:
            raise WidgetError(f"random_state must lie in 0..2^32 - 1, found {proposal.value}")
        return proposal.value


def _layers(model: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    wanted = "nn.Sequential(nn.Linear(1, h), nn.ReLU(), nn.Linear(h, 1))"
    if not isinstance(model, nn.Sequential) or len(model) != 3:
        raise GaugeError(f"RescaleNeuron shows {wanted}, found {type(model).__name__}")
    first, middle, last = model
    for place, layer, kind in ((0, first, nn.Linear), (1, middle, nn.ReLU), (2, last, nn.Linear)):
        if not isinstance(layer, kind):
            raise GaugeError(
                f"layer {place} must be nn.{kind.__name__} as in {wanted}, "
                f"found {type(layer).__name__}"
            )
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    ends = (first.in_features, last.out_features)
    if ends != (1, 1) or first.out_features > MOST_UNITS:
        raise GaugeError(
            f"RescaleNeuron shows one input, at most {MOST_UNITS} hidden neurons and one output, "
            f"found {ends[0]}, {first.out_features} and {ends[1]}"
        )
    return first, last


def _column(parameter: Tensor) -> list[float]:
    return parameter.detach().double().flatten().tolist()
