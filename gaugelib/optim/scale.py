"""Tensors rescaled in place: first all is made ready, then it is written and cannot fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor

from gaugelib.action import refuse_lost
from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.powers import lined, pieces
from gaugelib.balance.solver.write import WIDER, inside, rescaled, rescaled_pieces
from gaugelib.group import GaugeGroup
from gaugelib.optim.totals import Part

_CLOSE = 0.2
"""Logarithms of scales up to which even the least number of a dtype stays more than half of it."""
_FAR = 10.0
"""Logarithms of scales from which a factor alone could leave the range of float32."""

_FEW = (10, 25)
"""Where no more than one row, or column, of so many is rescaled, the others are not touched."""

Write = Callable[[], object]
_Lines = tuple[int, Tensor, Tensor]
"""A dimension, which rows or columns along it, and by what to multiply them."""


def scalings(
    tensors: Mapping[str, Tensor],
    scales: Tensor,
    group: GaugeGroup,
    what: str = "parameter '{}'",
    *,
    zeros: bool = True,
    parts: Mapping[str, Part] | None = None,
) -> Iterator[Write]:
    """What to call to apply a gauge transformation in place, tensor by tensor.

    Nothing is written before a call. Where no entry comes near the end of its dtype's range the
    tensor itself is multiplied; elsewhere the result is made, and looked at, beforehand.

    Args:
        tensors: for some of the group's parameters, named and shaped as they are.
        scales: finite and positive, shape `(units,)` in float64.
        group: the network's gauge group.
        what: what to call a tensor, with room for its name.
        zeros: whether to refuse entries that would become 0, as weights may not.
        parts: for some of them, what sums them up while they are written.

    Raises:
        GaugeError: naming a tensor whose dtype cannot hold the result.
    """
    full = group.with_ground(scales, ground=1.0)
    farthest = float(full.log().abs().max())
    near = farthest <= _FAR
    for name, value in tensors.items():
        value = lined(value)
        ends = ends_of(group.entries[name], value.dim(), value.device)
        factors = [at[end] for at, end in zip((full, full.reciprocal()), ends) if bool(end.any())]
        if not factors:
            continue
        part = (parts or {}).get(name)
        lines = _few_lines(value, full, ends)
        if lines is not None:
            yield from _line_writes(value, lines, part, what.format(name), zeros)
            continue
        # Entries whose squares sum up within range cannot overflow, nor vanish by such factors.
        safe = part is not None and farthest < _CLOSE and torch.finfo(value.dtype).bits >= 32
        if near and (safe or _within_range(value, factors)):
            yield partial(_multiply_, value, full, ends, part)
            continue
        made = rescaled(value, full, ends)
        refuse_lost(f"{what.format(name)} in this gauge", value, made, WIDER, zeros=zeros)
        yield partial(_replace_, value, made, part)


def scale_(tensors: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> None:
    """Apply a gauge transformation in place, to all or, on an error, to none.

    Raises:
        GaugeError: as `scalings` does.
    """
    for write in list(scalings(tensors, scales, group)):
        write()


def _few_lines(value: Tensor, full: Tensor, ends: list[Tensor]) -> list[_Lines] | None:
    """Which rows and columns of a matrix a transformation reaches, if they are few."""
    shapes = [(1, 1), (len(value), 1), (1, value.shape[-1])]
    if any(tuple(end.shape) not in (shapes[0], shapes[1 + dim]) for dim, end in enumerate(ends)):
        return None
    found = []
    for dim, (end, scales) in enumerate(zip(ends, (full, full.reciprocal()))):
        factors = scales[end.reshape(-1)]
        lines = (factors != 1.0).nonzero().squeeze(1)
        if len(lines) * _FEW[dim] > value.shape[dim]:
            return None
        found.append((dim, lines, factors[lines]))
    return found


def _line_writes(
    value: Tensor, lines: list[_Lines], part: Part | None, what: str, zeros: bool
) -> Iterator[Write]:
    """What to call to multiply some rows and then some columns; all is made ready before."""
    (_, rows, _), (_, columns, _) = lines
    wide = torch.promote_types(value.dtype, torch.float32)
    crossing = None
    for dim, index, factors in lines:
        if not len(index):
            continue
        old = value.index_select(dim, index)
        if crossing is not None:  # as the rows will have left them
            old[rows] = crossing
        new = (old.to(wide) * factors.to(wide).unsqueeze(1 - dim)).to(value.dtype)
        if not inside(new.abs()):
            refuse_lost(f"{what} in this gauge", old, new, WIDER, zeros=zeros)
        crossing = new[:, columns] if dim == 0 else None
        yield partial(_put_, value, dim, index, old, new, part)


def _put_(
    value: Tensor, dim: int, index: Tensor, old: Tensor, new: Tensor, part: Part | None
) -> None:
    value.index_copy_(dim, index, new)
    if part is not None:
        part.change(old, new, dim, index)


def _within_range(value: Tensor, factors: list[Tensor]) -> bool:
    """Whether no product can overflow on the way, nor any lose digits, whichever entries meet."""
    if not value.numel():
        return True
    limits = torch.finfo(value.dtype)
    bounds = torch.stack([torch.stack(factor.aminmax()) for factor in factors]).log()
    low, high = bounds[:, 0].clamp(max=0.0).sum().exp(), bounds[:, 1].clamp(min=0.0).sum().exp()
    for where in pieces(value):
        sizes = value[where].abs()
        least, most = sizes.aminmax()
        if not bool(most.double() * high < limits.max):
            return False
        if bool(least.double() * low < limits.tiny):
            small = (sizes > 0) & (sizes < float(limits.tiny / low))
            if bool(small.any()):
                return False
    return True


def _replace_(value: Tensor, made: Tensor, part: Part | None) -> None:
    value.copy_(made)
    if part is not None:
        part.read(value)


def _multiply_(value: Tensor, full: Tensor, ends: list[Tensor], part: Part | None) -> None:
    if part is not None:
        part.begin()
    for where, _, piece in rescaled_pieces(value, full, ends, value, wide=False):
        if part is not None:
            part.count(piece, where)
    if part is not None:
        part.end()
