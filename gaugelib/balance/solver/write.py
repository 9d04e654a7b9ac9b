r"""The last stage: weights rescaled, and what flows through each unit measured on the result."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gaugelib.action import refuse_lost, refuse_not_finite
from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.found import Found
from gaugelib.balance.solver.matrices import Powers
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.powers import lined, pieces, power_into, scratch
from gaugelib.balance.solver.prepare import log_totals
from gaugelib.balance.solver.task import Task
from gaugelib.balance.solver.unit_sums import UnitSums
from gaugelib.group import GaugeGroup

WIDER = "nothing was rescaled. Convert the model to a wider dtype first"
_FAR = 30.0
"""Logarithm of scales up to which one factor after the other cannot lose what their ratio keeps."""
_NEAR = 10.0
"""Logarithm of scales up to which nothing leaves its range whose powers are sums well within it."""


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


def write(
    task: Task, plan: Plan, found: Found, powers: Mapping[str, Sequence[Powers]] = {}
) -> Found:
    """Write what was found, and measure its imbalance where the sweeps could not know it.

    Without room what would be written is measured, and forgotten; its logarithms need a copy of it.

    Args:
        task: what was asked for.
        plan: the order in which it was done.
        found: what was found.
        powers: of parameters that were read to the end, by name.
    """
    scales, options, room = found.scales, task.options, task.room
    if room is None and plan.start.careful:
        room = {name: torch.empty_like(value) for name, value in task.params.items()}
    counted = () if found.known else task.names
    sure = {name for name, of in powers.items() if found.known and _sure(scales, of, options.p)}
    seen = write_rescaled(
        task.params,
        task.group,
        scales,
        options.p,
        counted,
        plan.looped,
        room,
        sure=sure,
        wide=options.wide,
    )
    if found.known:
        return replace(found, imbalance=found.log.imbalance[-1])
    if not math.isfinite(seen.objective):
        refuse_not_finite(task.params)
    live = torch.ones_like(scales, dtype=torch.bool)
    live[found.dead] = False
    if room is not None and plan.start.careful:
        into, out = log_totals(room, task.group, task.names, options.p)
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
    room: Mapping[str, Tensor] | None,
    *,
    sure: Collection[str] = (),
    wide: bool = True,
) -> Measured:
    r"""Write the rescaled parameters into `room`, and measure them in the same reading.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        scales: positive, shape `(units,)`, in float64.
        p: the exponent.
        counted: names of the parameters that count.
        looped: names of those with entries from a unit to itself, which do not flow.
        room: tensors of the parameters' shapes and dtypes: memory of their own, or `params`. Else
            the result is only measured, and looked at.
        sure: names of parameters whose dtype is known to hold the result.
        wide: whether each entry is multiplied in float64 and rounded once, so that the error of a
            unit's norm is a mean over its weights and not that of one rounded scale.

    Raises:
        GaugeError: naming the parameter, if its dtype cannot hold the result. Then `room` is in
            part written.
    """
    full = group.with_ground(scales, ground=1.0)
    totals = full.new_zeros(2, len(full))
    objective = 0.0
    for name, value in params.items():
        counts, check = name in counted, name not in sure
        if room is None and not counts and not check:
            continue
        value, out = lined(value), None if room is None else lined(room[name])
        ends = ends_of(group.entries[name], value.dim(), value.device)
        sides = [UnitSums(end, full) for end in ends] if counts else []
        powers = scratch(value, torch.float64) if counts else None
        for where, given, piece in rescaled_pieces(value, full, ends, out, wide=wide):
            if not counts and not check:
                continue
            sizes = piece.abs() if powers is None else power_into(piece, p, powers[: len(piece)])
            if check and not inside(sizes):
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


def overwrite(task: Task, scales: Tensor, *, exact: bool) -> None:
    """Rescale the parameters themselves, as `write` has found that it can be done."""
    everything, wide = task.params.keys(), exact or task.options.wide
    write_rescaled(
        task.params, task.group, scales, 1.0, (), (), task.params, sure=everything, wide=wide
    )


def _sure(scales: Tensor, powers: Sequence[Powers], p: float) -> bool:
    """Whether the dtype of a parameter holds it at these scales, whatever its entries are.

    Its powers were added up with room to spare; so none of its entries is near the upper end.
    """
    near = bool((scales.log().abs() <= _NEAR).all())
    least = torch.finfo(powers[0].value.dtype).tiny * math.exp(2 * _NEAR)
    return near and all(part.least ** (1.0 / p) > least for part in powers)


def rescaled(value: Tensor, full: Tensor, ends: list[Tensor]) -> Tensor:
    """One tensor rescaled, each entry multiplied in float64 and rounded once.

    Args:
        value: of at least one dimension.
        full: scales with the ground's in front, shape `(units + 1,)` in float64.
        ends: target and source units, with as many dimensions as the tensor.
    """
    out = value.new_empty(value.shape)
    for _ in rescaled_pieces(value, full, ends, out, wide=True):
        pass
    return out


def rescaled_pieces(
    value: Tensor, full: Tensor, ends: list[Tensor], out: Tensor | None, *, wide: bool
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Piece by piece what is given, and the same rescaled, in the dtype of the tensor.

    The result is written to `out`, which may be the tensor itself; or each piece to the same room.
    """
    target, source = ends
    # Far out a scale alone could overflow where the ratio of two does not.
    apart = bool(full.log().abs().max() > _FAR)
    dtype = torch.promote_types(value.dtype, torch.float64 if wide or apart else torch.float32)
    up, down = full[target].to(dtype), full[source].reciprocal().to(dtype)
    factors = [up] * bool(target.any()) + [down] * bool(source.any())
    room = scratch(value, dtype)
    made = scratch(value, value.dtype)
    for where in pieces(value):
        given = value[where]
        piece = made[: len(given)] if out is None else out[where]
        if apart:
            ratio = full[_part(target, where)] / full[_part(source, where)]
            piece.copy_(torch.mul(given, ratio))
        elif not factors:
            piece.copy_(given)
        else:
            product = piece if piece.dtype == dtype else room[: len(given)]
            first = given if given.dtype == dtype else product.copy_(given)
            torch.mul(first, _part(factors[0], where), out=product)
            for factor in factors[1:]:
                product.mul_(_part(factor, where))
            if product is not piece:
                piece.copy_(product)
        yield where, given, piece


def _part(tensor: Tensor, where: slice) -> Tensor:
    return tensor[where] if tensor.shape[0] > 1 else tensor


def inside(sizes: Tensor) -> bool:
    """Whether none of these numbers >= 0 is 0, infinite or NaN."""
    if not sizes.numel():
        return True
    low, high = sizes.aminmax()
    return bool((low > 0) & (high < torch.inf))
