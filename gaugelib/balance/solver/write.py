r"""The last stage: weights rescaled, and what flows through each unit measured on the result."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gaugelib.action import refuse_lost, refuse_not_finite
from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.found import Found
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.powers import pieces, power_into, scratch
from gaugelib.balance.solver.prepare import log_totals
from gaugelib.balance.solver.task import Task
from gaugelib.balance.solver.unit_sums import UnitSums
from gaugelib.group import GaugeGroup

WIDER = "nothing was rescaled. Convert the model to a wider dtype first"
_FAR = 30.0
"""Logarithm of scales up to which one factor after the other cannot lose what their ratio keeps."""


@dataclass(frozen=True, eq=False)
class Measured:
    r"""What was seen on parameters as they are.

    Attributes:
        incoming: $\sum|\theta_e|^p$ into each unit, shape `(units,)` in float64.
        outgoing: the same out of each unit, shape `(units,)` in float64.
        objective: $\sum|\theta_e|^p$ over all counted entries.
    """

    incoming: Tensor
    outgoing: Tensor
    objective: float


def write(task: Task, plan: Plan, found: Found) -> Found:
    """Write what was found, and measure its imbalance where the sweeps could not know it."""
    counted = () if found.known else task.names
    seen = write_rescaled(
        task.params, task.group, found.scales, task.options.p, counted, plan.looped, task.room
    )
    if found.known:
        return replace(found, imbalance=found.log.imbalance[-1])
    if not math.isfinite(seen.objective):
        refuse_not_finite(task.params)
    live = torch.ones_like(found.scales, dtype=torch.bool)
    live[found.dead] = False
    if plan.start.careful:
        into, out = log_totals(task.room, task.group, task.names, task.options.p)
        gaps = ((into - out) / 2).tanh().abs()[live]
    else:
        into, out = seen.incoming, seen.outgoing
        gaps = ((into - out).abs() / (into + out))[live]
    imbalance = float(gaps.max()) if len(gaps) else 0.0
    found.log.close(found.passes, seen.objective, imbalance)
    return replace(found, imbalance=imbalance)


def write_rescaled(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    scales: Tensor,
    p: float,
    counted: Collection[str],
    looped: Collection[str],
    room: Mapping[str, Tensor],
) -> Measured:
    r"""Write the rescaled parameters into `room`, and measure them in the same reading.

    Each entry is multiplied in float64 and rounded once, so that the error of a unit's norm is a
    mean over its weights and not that of one rounded scale.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        scales: positive, shape `(units,)`, in float64.
        p: the exponent.
        counted: names of the parameters that count.
        looped: names of those with entries from a unit to itself, which do not flow.
        room: tensors of the parameters' shapes and dtypes, whose memory is not the parameters'.

    Raises:
        GaugeError: naming the parameter, if its dtype cannot hold the result. Then `room` is in
            part written.
    """
    full = group.with_ground(scales, ground=1.0)
    # Far out a scale alone could overflow where the ratio of two does not.
    apart = bool(full.log().abs().max() > _FAR)
    totals = full.new_zeros(2, len(full))
    objective = 0.0
    for name, value in params.items():
        value, out = (t if t.dim() else t.reshape(1) for t in (value, room[name]))
        ends = ends_of(group.entries[name], value.dim(), value.device)
        factors = _factors(full, ends, apart)
        sides = [UnitSums(end, full) for end in ends] if name in counted else []
        powers = scratch(value, torch.float64) if sides else None
        for where in pieces(value):
            given, piece = value[where], out[where]
            _rescale_into(given, [_part(f, where) for f in factors], piece)
            sizes = piece.abs() if powers is None else power_into(piece, p, powers[: len(piece)])
            if not _inside(sizes):
                refuse_lost(f"parameter '{name}' in this gauge", given, piece, WIDER)
            if powers is None:
                continue
            if name in looped:
                same = _part(ends[0], where) == _part(ends[1], where)
                objective += float(sizes[same.expand_as(sizes)].sum())
                sizes.masked_fill_(same, 0.0)
            for side in sides:
                side.add(sizes, where)
        objective += float(sides[0].sums.sum()) if sides else 0.0
        for side, total in zip(sides, totals):
            side.into(total)
    into, out = totals
    if group.combined is not None:
        into, out = group.combined.shared_out(into, out)
    return Measured(into[1:], out[1:], objective)


def _factors(full: Tensor, ends: list[Tensor], apart: bool) -> list[Tensor]:
    target, source = ends
    if apart:
        return [full[target] / full[source]]
    factors = []
    if bool(target.any()):
        factors.append(full[target])
    if bool(source.any()):
        factors.append(full[source].reciprocal())
    return factors


def _part(tensor: Tensor, where: slice) -> Tensor:
    return tensor[where] if tensor.shape[0] > 1 else tensor


def _rescale_into(value: Tensor, factors: list[Tensor], out: Tensor) -> None:
    if not factors:
        out.copy_(value)
        return
    if value.dtype == torch.float64:
        torch.mul(value, factors[0], out=out)
        for factor in factors[1:]:
            out.mul_(factor)
        return
    product = value.double()
    for factor in factors:
        product *= factor
    out.copy_(product)


def rescaled(value: Tensor, full: Tensor, ends: list[Tensor]) -> Tensor:
    """One tensor rescaled, each entry multiplied in float64 and rounded once.

    Args:
        value: of at least one dimension.
        full: scales with the ground's in front, shape `(units + 1,)` in float64.
        ends: target and source units, with as many dimensions as the tensor.
    """
    out = value.new_empty(value.shape)
    _rescale_into(value, _factors(full, ends, bool(full.log().abs().max() > _FAR)), out)
    return out


def _inside(sizes: Tensor) -> bool:
    """Whether none of these numbers >= 0 is 0, infinite or NaN."""
    if not sizes.numel():
        return True
    low, high = sizes.aminmax()
    return bool((low > 0) & (high < torch.inf))
