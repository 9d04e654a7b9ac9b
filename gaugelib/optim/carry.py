r"""What an optimizer remembers, in a new gauge.

Where a gauge transformation multiplies a parameter by a factor, it divides the gradient by it:
weights are vectors and gradients are covectors. What an optimizer has averaged from gradients must
follow, or it belongs to another point of the orbit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, optim
from torch.optim import Optimizer

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.memory import Footprint, refuse_unwritable
from gaugelib.optim.egd import EGD
from gaugelib.optim.scale import Write, scalings

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


@dataclass(frozen=True)
class Buffer:
    """What an optimizer keeps under one key.

    Attributes:
        what: what to call it, with room for the name of a parameter.
        degree: the power of the weight's factor that it is divided by.
        tensors: by the names of the parameters.
    """

    what: str
    degree: int
    tensors: dict[str, Tensor] = field(default_factory=dict)


def buffers_of(
    optimizer: Optimizer, params: Mapping[str, Tensor], degrees: Mapping[str, int]
) -> list[Buffer]:
    """The optimizer's tensors that must be carried, with degrees, named as the parameters are.

    Args:
        optimizer: whose state is looked at.
        params: the model's parameters by name.
        degrees: name of an entry of the state -> its degree, where `DEGREES` does not say it.

    Raises:
        GaugeError: naming an entry whose degree is not known, that is not of its parameter's
            shape and device.
    """
    kinds = (DEGREES[kind] for kind in type(optimizer).__mro__ if kind in DEGREES)
    degrees = {**next(kinds, {}), **degrees}
    found: dict[str, Buffer] = {}
    for name, value in params.items():
        for key, entry in optimizer.state.get(value, {}).items():
            if entry is None or isinstance(entry, bool | int | float | str):
                continue
            degree = _degree(key, entry, name, value, optimizer, degrees)
            if degree:
                what = f"{type(optimizer).__name__}'s '{key}' of '{{}}'"
                found.setdefault(key, Buffer(what, degree)).tensors[name] = entry
    return list(found.values())


def carryings(buffers: Sequence[Buffer], scales: Tensor, group: GaugeGroup) -> Iterator[Write]:
    """What to call to rescale an optimizer's tensors as a gauge transformation of weights asks.

    An entry may become 0: had the gradients been taken in this gauge, it would be.

    Args:
        buffers: as `buffers_of` gives them.
        scales: the gauge transformation that the weights undergo, shape `(units,)` in float64.
        group: the network's gauge group.

    Raises:
        GaugeError: naming an entry that would overflow.
    """
    for buffer in buffers:
        factors = scales**-buffer.degree
        if not bool((factors.isfinite() & (factors > 0)).all()):
            raise GaugeError(
                f"{buffer.what.format('...')} is to be divided by powers {buffer.degree} of scales "
                "that leave the range of float64; nothing was rescaled. The weights are that far "
                "from balance: call minimum_norm_(model) before the optimizer's first step"
            )
        yield from scalings(buffer.tensors, factors, group, buffer.what, zeros=False)


def refuse_odd_memory(buffers: Sequence[Buffer], params: Mapping[str, Tensor]) -> None:
    """Refuse to carry what cannot be written in place, or lies in the memory of a parameter.

    Raises:
        GaugeError: naming the entry, and what to do.
    """
    entries = {b.what.format(name): entry for b in buffers for name, entry in b.tensors.items()}
    refuse_unwritable(entries, "{}")
    memory = Footprint(params)
    for what, entry in entries.items():
        owner = memory.owner(entry)
        if owner is not None:
            raise GaugeError(
                f"{what} lies in the memory of parameter '{owner}', so that it moves with it; if "
                "that is meant, give its degree as 0, else let the optimizer keep a clone()"
            )


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
    if degrees[key] and (entry.device != value.device or not entry.is_floating_point()):
        raise GaugeError(
            f"{whose}, of {entry.dtype} on {entry.device}, while the parameter is on "
            f"{value.device}: only real numbers on the parameter's own device can be carried along"
        )
    return degrees[key]
