r"""What an optimizer remembers, in a new gauge.

Where a gauge transformation multiplies a parameter by a factor, it divides the gradient by it:
weights are vectors and gradients are covectors. What an optimizer has averaged from gradients must
follow, or it belongs to another point of the orbit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, optim
from torch.optim import Optimizer

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.optim.egd import EGD
from gaugelib.optim.scale import scale_

_ADAM = {"step": 0, "exp_avg": 1, "exp_avg_sq": 2, "max_exp_avg_sq": 2}
DEGREES: Mapping[type[Optimizer], Mapping[str, int]] = {
    optim.SGD: {"momentum_buffer": 1},
    optim.ASGD: {"step": 0, "eta": 0, "mu": 0, "ax": -1},  # ax: an average of the weights
    optim.Adam: _ADAM,
    optim.AdamW: _ADAM,
    optim.NAdam: {**_ADAM, "mu_product": 0},
    optim.RAdam: _ADAM,
    optim.Adamax: {"step": 0, "exp_avg": 1, "exp_inf": 1},
    optim.Adagrad: {"step": 0, "sum": 2},
    # its momentum averages gradients that were divided by their size
    optim.RMSprop: {"step": 0, "square_avg": 2, "grad_avg": 1, "momentum_buffer": 0},
    optim.Adadelta: {"step": 0, "square_avg": 2, "acc_delta": -2},  # the squares of steps
    optim.Rprop: {"step": 0, "prev": 1, "step_size": -1},
    EGD: {},
}
r"""How what an optimizer keeps transforms: it is divided by this power of the weight's factor."""

Buffers = list[tuple[int, dict[str, Tensor]]]


def buffers_of(
    optimizer: Optimizer, params: Mapping[str, Tensor], degrees: Mapping[str, int]
) -> Buffers:
    """The optimizer's tensors that must be carried, with degrees, named as the parameters are.

    Args:
        optimizer: whose state is looked at.
        params: the model's parameters by name.
        degrees: name of an entry of the state -> its degree, where `DEGREES` does not say it.

    Raises:
        GaugeError: naming an entry whose degree is not known, or that is not of its parameter's
            shape.
    """
    kinds = (DEGREES[kind] for kind in type(optimizer).__mro__ if kind in DEGREES)
    degrees = {**next(kinds, {}), **degrees}
    found: dict[str, tuple[int, dict[str, Tensor]]] = {}
    for name, value in params.items():
        for key, entry in optimizer.state.get(value, {}).items():
            if entry is None or isinstance(entry, bool | int | float | str):
                continue
            degree = _degree(key, entry, name, value, optimizer, degrees)
            if degree:
                found.setdefault(key, (degree, {}))[1][name] = entry
    return list(found.values())


def carry_(buffers: Buffers, scales: Tensor, group: GaugeGroup) -> None:
    """Rescale an optimizer's tensors in place, as a gauge transformation of the weights asks.

    Args:
        buffers: as `buffers_of` gives them.
        scales: the gauge transformation that the weights underwent, shape `(units,)` in float64.
        group: the network's gauge group.
    """
    for degree, tensors in buffers:
        scale_(tensors, scales**-degree, group)


def _degree(
    key: str,
    entry: Any,
    name: str,
    value: Tensor,
    optimizer: Optimizer,
    degrees: Mapping[str, int],
) -> int:
    whose = f"{type(optimizer).__name__} keeps '{key}' for '{name}'"
    if key not in degrees:
        raise GaugeError(
            f"{whose}, and how that transforms is not known; if it has the shape of the parameter, "
            f"say so by state={{'{key}': degree}}: 1 for averages of gradients, 2 for squares of "
            "them, -1 for what is like a weight, 0 for what is to be left alone"
        )
    if degrees[key] and not (isinstance(entry, Tensor) and entry.shape == value.shape):
        shape = tuple(entry.shape) if isinstance(entry, Tensor) else type(entry).__name__
        raise GaugeError(f"{whose}, found {shape}: it is not of the shape {tuple(value.shape)}")
    return degrees[key]
