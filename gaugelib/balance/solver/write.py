r"""The last touch: weights rescaled, and what flows through each unit measured on the result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.solver.plan import fitted
from gaugelib.balance.solver.powers import pieces, power_into, scratch
from gaugelib.balance.solver.tally import Tally
from gaugelib.group import GaugeError, GaugeGroup

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
        room: tensors of the parameters' shapes and dtypes, whose memory is not the parameters'.

    Raises:
        GaugeError: naming the parameter, if its dtype cannot hold the result. Then `room` is in
            part written.
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
        tallies = [Tally(end, full) for end in ends] if name in counted else []
        powers = scratch(value, torch.float64) if tallies else None
        for where in pieces(value):
            given, piece = value[where], out[where]
            _rescale_into(given, [_part(f, where) for f in factors], piece)
            if powers is None:
                refuse_lost(f"parameter '{name}'", given, piece)
                continue
            kept = power_into(piece, p, powers[: piece.shape[0]])
            if not _inside(kept):
                refuse_lost(f"parameter '{name}'", given, piece)
            if name in looped:
                same = _part(ends[0], where) == _part(ends[1], where)
                objective += float(kept[same.expand_as(kept)].sum())
                kept.masked_fill_(same, 0.0)
            for tally in tallies:
                tally.add(kept, where)
        objective += float(tallies[0].sums.sum()) if tallies else 0.0
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


def refuse_lost(what: str, value: Tensor, out: Tensor, *, zeros: bool = True) -> None:
    """Refuse a rescaled tensor that its dtype cannot hold.

    Args:
        what: what to call it.
        value: the tensor.
        out: the same rescaled.
        zeros: whether to refuse entries that became 0, too.

    Raises:
        GaugeError: if a finite entry became infinite, or one that was not 0 became 0.

    Example:
        >>> weight = torch.tensor([1e-5, 3.0], dtype=torch.float16)
        >>> refuse_lost("parameter 'weight'", weight, weight / 1000)
        Traceback (most recent call last):
        gaugelib.group.GaugeError: parameter 'weight' in this gauge does not fit into torch...
    """
    if _inside(out.abs()):
        return
    lost = {"infinite": value.isfinite() & ~out.isfinite()}
    if zeros:
        lost["0, which they are not now"] = (out == 0) & (value != 0)
    for become, where in lost.items():
        if bool(where.any()):
            raise GaugeError(
                f"{what} in this gauge does not fit into {out.dtype}: {int(where.sum())} of "
                f"{out.numel()} entries would become {become}; nothing was rescaled. Convert the "
                "model to a wider dtype first"
            )


def _inside(sizes: Tensor) -> bool:
    """Whether none of these numbers >= 0 is 0, infinite or NaN."""
    if not sizes.numel():
        return True
    low, high = sizes.aminmax()
    return bool((low > 0) & (high < torch.inf))
