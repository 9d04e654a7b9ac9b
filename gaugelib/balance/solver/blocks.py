"""Which blocks of units each weight joins; nothing here reads a weight.

A block is a layer's units.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from gaugelib.group import Entry, GaugeGroup

FIXED = 0
"""Block of what stays at scale 1: the ground, and units that are dead."""

_GROUPED = 4
"""Rows that a group must have on average to be taken by itself."""

Where = slice | Tensor
"""Places in a vector, which follow one another or are listed."""


@dataclass(frozen=True, eq=False)
class Endpoints:
    """Rows (or columns) of a matrix of weights whose targets (or sources) are in one block.

    Attributes:
        lines: which rows.
        block: the block.
        units: places within the block, each once.
        repeats: if several rows belong to one unit: for each row, which of `units` it is.
    """

    lines: Where
    block: int
    units: Where
    repeats: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Incidence:
    """How the entries of one parameter join units.

    Attributes:
        name: of the parameter.
        part: places along its first dimension, if these are only the entries there.
        shape: what it is summed down to, because entries along the other dimensions are alike.
        dims: dimensions that make rows, then those that make columns, if each entry's target
            depends on the row alone and its source on the column alone; else `None`, and rows are
            single entries, without columns.
        rows: number of rows.
        pairs: endpoints of its rows and of its columns; for single entries, both along the rows.
    """

    name: str
    part: slice
    shape: tuple[int, ...]
    dims: tuple[int, ...] | None
    rows: int
    pairs: tuple[tuple[Endpoints, Endpoints], ...]


class Blocks:
    """The layers of a group as blocks of units, without the units that are dead."""

    def __init__(self, group: GaugeGroup, dead: Tensor | None, device: torch.device) -> None:
        spans = sorted((s.start, s.stop) for s in group.layers.values() if s.start < s.stop)
        ends = [0, *(b for _, b in spans)]
        tidy = dead is None and ends == [*(a for a, _ in spans), group.units]
        self.numbers = torch.arange(group.units + 1, device=device)
        self.starts = [1 + start for start, _ in spans] if tidy else []
        self.tidy = tidy
        if tidy:
            self.members = [self.numbers[1 + start : 1 + stop] for start, stop in spans]
        else:
            self.block_of, self.place = self._ragged(spans, dead)
            ids = range(1, 1 + max(len(spans) + 1, int(self.block_of.max())))
            self.members = [(self.block_of == b).nonzero().squeeze(1) for b in ids]
        self.sizes = [0, *(len(m) for m in self.members)]

    def _ragged(self, spans: Iterable[tuple[int, int]], dead: Tensor | None) -> tuple[Tensor, ...]:
        block_of = torch.full_like(self.numbers, FIXED)
        block_of[1:] = 1 + sum(1 for _ in spans)  # units that no layer names
        for block, (start, stop) in enumerate(spans, start=1):
            block_of[1 + start : 1 + stop] = block
        if dead is not None:
            block_of[1 + dead] = FIXED
        order = block_of.argsort(stable=True)
        sizes = torch.bincount(block_of)
        place = torch.empty_like(order)
        place[order] = self.numbers - (sizes.cumsum(0) - sizes)[block_of[order]]
        return block_of, place

    def by_block(self, units: Tensor) -> list[Endpoints]:
        """Split the rows of a matrix, whose units are given, by block."""
        first, count = int(units[0]), len(units)
        if first == 0 and not bool(units.any()):
            return [Endpoints(slice(None), FIXED, slice(0, 1))]
        if self.tidy and first > 0 and torch.equal(units, self.numbers[first : first + count]):
            block = bisect_right(self.starts, first)
            place = first - self.starts[block - 1]
            if place + count <= self.sizes[block]:
                return [Endpoints(slice(None), block, slice(place, place + count))]
        return self._ragged_by_block(units)

    def _ragged_by_block(self, units: Tensor) -> list[Endpoints]:
        blocks, places = self.locate(units)
        ends = []
        for block in blocks.unique().tolist():
            lines = (blocks == block).nonzero().squeeze(1)
            inside, repeats = places[lines].unique(return_inverse=True)
            alike = block == FIXED or len(inside) < len(lines)
            ends.append(
                Endpoints(
                    as_run(lines),
                    block,
                    as_run(inside if alike else places[lines]),
                    repeats if alike and block != FIXED else None,
                )
            )
        return ends

    def locate(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Block of each unit, and its place there."""
        if not self.tidy:
            return self.block_of[units], self.place[units]
        starts = torch.tensor(self.starts, device=units.device)
        blocks = torch.searchsorted(starts, units, right=True)
        return blocks, torch.where(units > 0, units - starts[(blocks - 1).clamp(min=0)], 0)


def ends_of(entry: Entry, dims: int, device: torch.device) -> list[Tensor]:
    """Target and source units, with as many dimensions as the parameter, where it is."""
    ends = (entry.target.to(device), entry.source.to(device))
    return [end.reshape((1,) * (dims - end.dim()) + end.shape) for end in ends]


def as_run(index: Tensor) -> Where:
    """The same places as a slice, where they follow one another."""
    if len(index) and bool((index.diff() == 1).all()):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def listed(where: Where, device: torch.device) -> Tensor:
    """The same places one by one."""
    if isinstance(where, slice):
        return torch.arange(where.start, where.stop, device=device)
    return where


def size_of(where: Where) -> int:
    """How many places."""
    return where.stop - where.start if isinstance(where, slice) else len(where)


def incidences_of(name: str, entry: Entry, size: torch.Size, blocks: Blocks) -> list[Incidence]:
    """How one parameter's entries join blocks; each group of them by itself, if they are large."""
    target, source = ends_of(entry, max(1, len(size)), blocks.numbers.device)
    return [
        _incidence_of(name, part, _within(target, part), _within(source, part), blocks)
        for part in _groups(target, source) or _groups(source, target) or [slice(None)]
    ]


def _groups(alone: Tensor, other: Tensor) -> list[slice]:
    """Runs along the first dimension that decides about one end, and takes part in the other.

    Within a run it takes none. None are returned if they are short, or there is but one.
    """
    if not (1 < len(alone) == alone.numel() and 1 < len(other) < other.numel()):
        return []
    breaks = (other[1:] != other[:-1]).flatten(1).any(1).nonzero().squeeze(1) + 1
    bounds = [0, *breaks.tolist(), len(other)]
    if _GROUPED * (len(bounds) - 1) > len(other):
        return []
    return [slice(a, b) for a, b in pairwise(bounds)]


def _within(end: Tensor, part: slice) -> Tensor:
    """One end of the entries of a part."""
    if part == slice(None):
        return end
    alike = end.numel() > len(end)  # within a group it is the same in each row
    return end[part][:1] if alike else end[part]


def _incidence_of(
    name: str, part: slice, target: Tensor, source: Tensor, blocks: Blocks
) -> Incidence:
    rows, columns = tuple(target.shape), tuple(source.shape)
    shape = tuple(max(a, b) for a, b in zip(rows, columns))
    across = tuple(d for d, n in enumerate(rows) if n > 1)
    along = tuple(d for d, n in enumerate(columns) if n > 1)
    if not any(d in along for d in across):
        pairs = [
            (row, column)
            for row in blocks.by_block(target.reshape(-1))
            for column in blocks.by_block(source.reshape(-1))
        ]
        return Incidence(name, part, shape, across + along, target.numel(), tuple(pairs))
    target, source = (index.expand(shape).reshape(-1) for index in (target, source))
    return Incidence(
        name, part, shape, None, len(target), tuple(_entry_pairs(target, source, blocks))
    )


def _entry_pairs(
    target: Tensor, source: Tensor, blocks: Blocks
) -> list[tuple[Endpoints, Endpoints]]:
    moved = target != source  # no gauge moves an entry from a unit to itself
    fixed = (~moved).nonzero().squeeze(1)
    ground = Endpoints(fixed, FIXED, slice(0, 1))
    pairs = [(ground, ground)] if len(fixed) else []
    lines = moved.nonzero().squeeze(1)
    (into, to), (out_of, at) = blocks.locate(target[lines]), blocks.locate(source[lines])
    kinds, kind = torch.stack([into, out_of]).unique(dim=1, return_inverse=True)
    for number, (row, column) in enumerate(kinds.T.tolist()):
        chosen = kind == number
        ends = []
        for block, places in ((row, to[chosen]), (column, at[chosen])):
            units, repeats = places.unique(return_inverse=True)
            ends.append(Endpoints(lines[chosen], block, as_run(units), repeats))
        pairs.append((ends[0], ends[1]))
    return pairs
