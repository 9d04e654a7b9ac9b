"""SharpnessAlongOrbit: the function stands still along an orbit, and its Hessian does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, several, within
from gaugelib.widgets.shared.matrices import linear_layers
from gaugelib.widgets.sharpness_along_orbit import still
from gaugelib.widgets.sharpness_along_orbit.minima import DECAYS, minima
from gaugelib.widgets.sharpness_along_orbit.network import (
    B_IN,
    B_OUT,
    INPUTS,
    TARGETS,
    W_IN,
    W_OUT,
    Array,
    defect,
    derivatives,
    rescaled,
    split,
)

MOST_UNITS, MOST_DATA = 4, 64
MOST_LOG2 = 12.0  # the dials reach to ±3, the minimum-norm gauge may lie beyond
POINTS = ("minimum", "away")
_UNITS = ("w_in", "b_in", "w_out", "log2_scales")
_DATA = ("inputs", "targets")
_NETWORK = ("w_in", "b_in", "w_out", "b_out", *_DATA)


def _numbers() -> traitlets.List:
    return traitlets.List(traitlets.Float()).tag(sync=True)


class SharpnessAlongOrbit(BookWidget):
    r"""The spectrum of the Hessian along the orbit of a small ReLU network, one dial per unit.

    The network is $f(x) = c + \sum_h v_h\,\mathrm{relu}(w_h x + b_h)$ and the loss
    $L = \frac1{2n}\sum(f(x)-y)^2$. Two points can be looked at: the network that is given, and the
    minimum of $L_\lambda = L + \lambda R_2$ that is found from it, biases counted in $R_2$. From
    there the dials lead along the orbit, unit $h$ to $(a_hw_h, a_hb_h, v_h/a_h)$.

    Args:
        w_in: weights $w$ from the input, one for each hidden unit.
        b_in: hidden biases $b$.
        w_out: weights $v$ to the output.
        b_out: output bias $c$.
        inputs: data, at most 64 numbers; none may lie on a kink of the network.
        targets: what the network should answer to each.
        log2_scales: $\log_2 a$ to begin with, within ±12; by default 0, the point itself.
        point: `"minimum"`, or `"away"` for the network that is given.
        decay: $\lambda$, one of `decays`.
        unit: whose orbit the plot of the loss follows, counted from 1.
        random_state: state of the generator behind the button "Random gauge".

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is out of its range, lengths differ,
            there are more than 4 hidden units, a unit is dead, a datum lies on a kink, or the
            descent from the network does not end at a minimum. To put another network into an
            existing widget, assign its lists inside `with widget.hold_trait_notifications():`.

    Source: the book, "Second-order structure".

    Example:
        >>> widget = SharpnessAlongOrbit()
        >>> values = widget.spectrum()  # at a minimum one zero for each of the three hidden units
        >>> int((values.abs() < 1e-9 * values.max()).sum()), len(values)
        (3, 10)
    """

    w_in = _numbers()
    b_in = _numbers()
    w_out = _numbers()
    b_out = traitlets.Float().tag(sync=True)
    inputs = _numbers()
    targets = _numbers()
    log2_scales = _numbers()
    point = traitlets.Unicode("minimum").tag(sync=True)
    decay = traitlets.Float(0.0).tag(sync=True)
    unit = traitlets.Int(1).tag(sync=True)
    random_state = traitlets.Int(1).tag(sync=True)
    _minima = traitlets.Dict().tag(sync=True)  # of each decay the parameters w, b, v, c as one list

    def __init__(
        self,
        *,
        w_in: Sequence[float] = W_IN,
        b_in: Sequence[float] = B_IN,
        w_out: Sequence[float] = W_OUT,
        b_out: float = B_OUT,
        inputs: Sequence[float] = INPUTS,
        targets: Sequence[float] = TARGETS,
        log2_scales: Sequence[float] | None = None,
        point: str = "minimum",
        decay: float = 0.0,
        unit: int = 1,
        random_state: int = 1,
    ) -> None:
        if log2_scales is None:
            log2_scales = [0.0] * len(w_in)
        self._begin(locals())
        self._remember(
            log2_scales=several((-MOST_LOG2, MOST_LOG2), len(self.w_in)),
            point=[*POINTS],
            decay=self.decays,
            unit=range(1, len(self.w_in) + 1),
            random_state=range(2**32),
        )

    @classmethod
    def from_model(
        cls, model: nn.Module, inputs: Tensor, targets: Tensor, **traits
    ) -> SharpnessAlongOrbit:
        """The widget of `nn.Sequential(nn.Linear(1, h), nn.ReLU(), nn.Linear(h, 1))` and its data.

        Args:
            model: the network, with biases and at most 4 hidden units; its numbers are copied in
                float64, and it is not changed.
            inputs: shape (n, 1).
            targets: shape (n, 1).
            traits: any other argument of the constructor.

        Raises:
            GaugeError: if the model or the data have another shape, or as in the constructor.

        Example:
            >>> from gaugelib import hat
            >>> x = torch.linspace(-0.8, 2.9, 9, dtype=torch.float64)[:, None]
            >>> widget = SharpnessAlongOrbit.from_model(hat(), x, (-(x - 1) ** 2).exp())
            >>> widget.w_out, widget.decays
            ([1.0, -2.0, 1.0], [0.0, 0.0005, 0.001, 0.002, 0.004, 0.008])
        """
        linear = linear_layers(model, "SharpnessAlongOrbit shows")
        ends = [linear[0].in_features, *(layer.out_features for layer in linear)]
        if len(linear) != 2 or ends[0] != 1 or ends[-1] != 1:
            raise WidgetError(
                "SharpnessAlongOrbit shows one input, one hidden layer and one output, "
                f"found widths {ends}"
            )
        first, last = linear
        if first.bias is None or last.bias is None:
            raise WidgetError("SharpnessAlongOrbit shows a network whose layers both have biases")
        data = {}
        for name, values in (("inputs", inputs), ("targets", targets)):
            if values.dim() != 2 or values.shape[1] != 1:
                raise WidgetError(f"{name} must have the shape (n, 1), found {tuple(values.shape)}")
            data[name] = _column(values)
        return cls(
            w_in=_column(first.weight),
            b_in=_column(first.bias),
            w_out=_column(last.weight),
            b_out=_column(last.bias)[0],
            **data,
            **traits,
        )

    @property
    def decays(self) -> list[float]:
        """The values of λ that can be chosen: up to the last at which no unit has died."""
        return list(DECAYS[: len(self._found())])

    @property
    def scales(self) -> Tensor:
        """The scales $a$ as they stand, float64, shape (units,): ready for `gaugelib.rescale`."""
        return torch.exp2(torch.tensor(self.log2_scales, dtype=torch.float64))

    def to_params(self) -> dict[str, Tensor]:
        """The parameters as the dials stand, float64, named as in an `nn.Sequential`."""
        w, b, v, c = split(rescaled(self._origin(), np.array(self.log2_scales)))
        values = {"0.weight": w[:, None], "0.bias": b, "2.weight": v[None, :], "2.bias": [c]}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}

    def spectrum(self) -> Tensor:
        r"""Eigenvalues of the Hessian of $L_\lambda$ as the dials stand, largest first."""
        theta = rescaled(self._origin(), np.array(self.log2_scales))
        _, hessian = derivatives(theta, *self._data(), self.decay)
        return torch.from_numpy(np.linalg.eigvalsh(hessian)[::-1].copy())

    def _given(self) -> tuple[float, ...]:
        return (*self.w_in, *self.b_in, *self.w_out, self.b_out)

    def _data(self) -> tuple[Array, Array]:
        return np.array(self.inputs), np.array(self.targets)

    def _found(self) -> tuple[tuple[float, ...], ...]:
        return minima(self._given(), tuple(self.inputs), tuple(self.targets))

    def _origin(self) -> Array:
        """The parameters of the point at which every a = 1."""
        if self.point == "away":
            return np.array(self._given())
        return np.array(self._found()[DECAYS.index(self.decay)])

    def _picture(self) -> still.Picture:
        return still.Picture(
            self._origin(), np.array(self.log2_scales), *self._data(), self.decay, self.unit
        )

    @traitlets.observe(*_NETWORK)
    def _another_network(self, _: traitlets.Bunch) -> None:
        decays = self.decays
        self._minima = {"decays": decays, "points": [list(each) for each in self._found()]}
        if self.decay not in decays:
            self.decay = 0.0
        self.unit = min(self.unit, len(self.w_in))

    @traitlets.validate(*_UNITS, "b_out", *_DATA)
    def _one_network_and_its_data(self, proposal: traitlets.Bunch) -> list[float] | float:
        name = proposal.trait.name
        value = self._require({name: proposal.value})[name]
        return value[0] if name == "b_out" else value

    def _require(self, proposed: dict) -> dict[str, list[float]]:
        """Refuse what does not fit together, is too large, or has no minimum; plain numbers."""
        all_ = {name: getattr(self, name) for name in (*_UNITS, "b_out", *_DATA)} | proposed
        all_["b_out"] = [all_["b_out"]]
        all_ = {name: finite(values, trait=name) for name, values in all_.items()}
        for names, least, most in ((_UNITS, 1, MOST_UNITS), (_DATA, 2, MOST_DATA)):
            lengths = {name: len(all_[name]) for name in names}
            if len(set(lengths.values())) > 1:
                found = ", ".join(f"{length} in {name}" for name, length in lengths.items())
                raise WidgetError(f"{' and '.join(names)} must be of one length, found {found}")
            if not least <= lengths[names[0]] <= most:
                raise WidgetError(
                    f"{names[0]} must hold {least} to {most} numbers, found {lengths[names[0]]}"
                )
        if max(map(abs, all_["log2_scales"])) > MOST_LOG2:
            raise WidgetError(
                f"log2_scales must lie within ±{MOST_LOG2:g}, found {all_['log2_scales']}"
            )
        if len(set(all_["inputs"])) < 2:
            raise WidgetError("inputs must hold two different numbers at least")
        given = tuple(all_["w_in"] + all_["b_in"] + all_["w_out"] + all_["b_out"])
        if reason := defect(np.array(given), np.array(all_["inputs"])):
            raise WidgetError(f"the given network cannot be shown: {reason}")
        minima(given, tuple(all_["inputs"]), tuple(all_["targets"]))
        return all_

    @traitlets.validate("point")
    def _known_point(self, proposal: traitlets.Bunch) -> str:
        return one_of(POINTS, proposal)

    @traitlets.validate("decay")
    def _known_decay(self, proposal: traitlets.Bunch) -> float:
        self._require({})  # whichever of it and the network is looked at first
        return one_of(self.decays, proposal)

    @traitlets.validate("unit")
    def _a_unit(self, proposal: traitlets.Bunch) -> int:
        return within(1, len(self.w_in), proposal)

    @traitlets.validate("random_state")
    def _a_state(self, proposal: traitlets.Bunch) -> int:
        return within(0, 2**32 - 1, proposal)


def _column(parameter: Tensor) -> list[float]:
    return parameter.detach().double().flatten().tolist()
