"""The first of five stages: what is asked for, once it was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from gaugelib.action import refuse_not_finite
from gaugelib.balance.solver.methods import METHODS, Method, MethodName
from gaugelib.bounds import require_exponent, require_positive
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.memory import Footprint, refuse_unwritable

LOOSE = 1e-4
"""Tolerance for which numbers in float32, whose sums err by some 1e-6, are good enough."""


@dataclass(frozen=True)
class Options:
    """How to balance."""

    p: float
    method: Method
    tol: float  # its tolerance
    max_passes: float  # over the weights
    dtypes: frozenset[torch.dtype]  # of the parameters that count
    wide: bool = True  # whether float64 is called for, where float32 would do for a loose tolerance


@dataclass(frozen=True, eq=False)
class Task:
    """What to balance."""

    params: Mapping[str, Tensor]  # the network's, detached
    group: GaugeGroup
    names: Sequence[str]  # of the parameters that count
    room: Mapping[str, Tensor] | None  # where to write the result; None if that is put off
    device: torch.device  # where they all are
    options: Options


def check(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    p: float = 2.0,
    tol: float = 1e-6,
    include_bias: bool = False,
    method: MethodName = "two-level",
    max_passes: float = 1000,
    out: Mapping[str, Tensor] | None = None,
    in_place: bool = False,
) -> Task:
    """Refuse what cannot be done, before anything is read; arguments are those of `minimum_norm`.

    With `in_place` there is no room for a result: it is to be written over the parameters later.

    Raises:
        GaugeError: if an argument is out of range, names or shapes do not fit, the group was
            restricted, `out` is no room for the result, or a parameter that does not count is NaN
            or infinite.
    """
    require_exponent(p)
    require_positive("tol", tol)
    if method not in METHODS:
        raise GaugeError(f"method must be one of {get_args(MethodName)}, found {method!r}")
    if not max_passes >= 1:
        raise GaugeError(f"max_passes must be at least 1, found {max_passes}")
    group.require_whole()
    group.check_shapes(params)
    devices = {value.device for value in params.values()}
    if len(devices) > 1:
        raise GaugeError(f"all parameters must be on one device, found {sorted(map(str, devices))}")
    for name, value in params.items():
        if not value.is_floating_point():
            raise GaugeError(f"'{name}' must be real floating point, found {value.dtype}")
        if value.is_meta:
            raise GaugeError(
                f"'{name}' is on the meta device and has no values; load the model first"
            )
    params = {name: params[name].detach() for name in group.shapes}
    names = group.counted(include_bias)
    if in_place:
        refuse_unwritable(params)
    room = None if in_place else _fresh(params) if out is None else _lent(out, params)
    refuse_not_finite({name: value for name, value in params.items() if name not in names})
    device = next(iter(devices), torch.device("cpu"))
    dtypes = frozenset(params[name].dtype for name in names)
    wide = tol < LOOSE or not METHODS[method].correct
    options = Options(p, METHODS[method], tol, max_passes, dtypes, wide)
    return Task(params, group, names, room, device, options)


def _fresh(params: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """New memory for parameters of these shapes and dtypes."""
    return {name: _new(value) for name, value in params.items()}


def _new(value: Tensor) -> Tensor:
    if value.device.type != "cpu" or value.dtype not in {torch.float32, torch.float64}:
        return value.new_empty(value.shape)
    # numpy asks the system for huge pages: to touch new memory costs more than all else.
    dtype = np.float32 if value.dtype == torch.float32 else np.float64
    return torch.from_numpy(np.empty(value.shape, dtype))


def _lent(out: Mapping[str, Tensor], params: Mapping[str, Tensor]) -> dict[str, Tensor]:
    for name, value in params.items():
        room = out.get(name)
        kind = value.shape, value.dtype, value.device
        if room is None or (room.shape, room.dtype, room.device) != kind:
            raise GaugeError(
                f"out['{name}'] must be a tensor of shape {tuple(value.shape)}, {value.dtype}, "
                f"on {value.device}"
            )
        if not room.is_contiguous():
            raise GaugeError(f"out['{name}'] must be contiguous")
    room = {name: out[name].detach() for name in params}
    refuse_unwritable(room, "out['{}']")
    memory = Footprint(params)
    for name, value in room.items():
        owner = memory.owner(value)
        if owner is not None:
            raise GaugeError(
                f"out['{name}'] lies in the memory of '{owner}'; it must be memory of its own, not "
                "a parameter's"
            )
    return room
