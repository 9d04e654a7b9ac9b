r"""The last touch: weights rescaled, and what flows through each unit measured on the result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.plan import fitted
from gaugelib.balance.powers import pieces, power_into, scratch
from gaugelib.balance.tally import Tally
from gaugelib.group import GaugeGroup

_FAR = 150.0


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
        room: tensors of the parameters' shapes and dtypes.
    """
    full = group.with_ground(scales, ground=1.0)
    # Far out a scale alone could overflow where the ratio of two does not.
    apart = bool(full.log().abs().max() > _FAR)
    totals = full.new_zeros(2, group.units + 1)
    objective = 0.0
    for name, value in params.items():
        value, out = (t if t.dim() else t.reshape(1) for t in (value, room[name]))
        entry = group.entries[name]
        ends = [fitted(end, value.dim(), value.device) for end in (entry.target, entry.source)]
        factors = _factors(full, ends, apart)
        if name not in counted:
            _rescale_into(value, factors, out)
            continue
        tallies = [Tally(end, full) for end in ends]
        powers = scratch(value, torch.float64)
        for where in pieces(value):
            piece = out[where]
            _rescale_into(value[where], [_part(f, where) for f in factors], piece)
            kept = power_into(piece, p, powers[: piece.shape[0]])
            if name in looped:
                same = _part(ends[0], where) == _part(ends[1], where)
                objective += float(kept[same.expand_as(kept)].sum())
                kept.masked_fill_(same, 0.0)
            for tally in tallies:
                tally.add(kept, where)
        objective += float(tallies[0].sums.sum())
        for tally, total in zip(tallies, totals):
            tally.into(total)
    return Measured(totals[0, 1:], totals[1, 1:], objective)


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
