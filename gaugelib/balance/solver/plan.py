"""Which blocks of units each weight joins, and in which order the blocks are balanced.

A block is a layer's units, or those of them that belong to one part of a network that falls into
parts. Blocks that no weight joins share a colour: they can be balanced at the
same time. The layers of a chain get two colours, even and odd. Nothing here reads a weight.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gaugelib.balance.solver.order import colours_of, cyclic
from gaugelib.group import Entry, GaugeGroup

FIXED = 0
"""Block of what stays at scale 1: the ground, and units that are dead."""

Where = slice | Tensor


@dataclass(frozen=True, eq=False)
class End:
    """Rows (or columns) of a matrix of weights that belong to one block.

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
class Strip:
    """How the entries of one parameter join units.

    Attributes:
        name: of the parameter.
        shape: what it is summed down to, because entries along the other dimensions are alike.
        order: dimensions that make rows, then those that make columns, if each entry's target
            depends on the row alone and its source on the column alone; else `None`, and rows are
            single entries, without columns.
        rows: number of rows.
        pairs: ends of its rows and of its columns; for single entries, both along the rows.
    """

    name: str
    shape: tuple[int, ...]
    order: tuple[int, ...] | None
    rows: int
    pairs: tuple[tuple[End, End], ...]


class Blocks:
    """The layers of a group as blocks of units, without the units that are dead."""

    def __init__(
        self,
        group: GaugeGroup,
        dead: Tensor | None,
        device: torch.device,
        parts: Tensor | None = None,
    ) -> None:
        spans = sorted((s.start, s.stop) for s in group.layers.values() if s.start < s.stop)
        ends = [0, *(b for _, b in spans)]
        tidy = dead is None and parts is None and ends == [*(a for a, _ in spans), group.units]
        self.numbers = torch.arange(group.units + 1, device=device)
        self.starts = [1 + start for start, _ in spans] if tidy else []
        self.tidy = tidy
        if tidy:
            self.members = [self.numbers[1 + start : 1 + stop] for start, stop in spans]
        else:
            self.block_of, self.place = self._ragged(spans, dead, parts)
            ids = range(1, 1 + max(len(spans) + 1, int(self.block_of.max())))
            self.members = [(self.block_of == b).nonzero().squeeze(1) for b in ids]
        self.sizes = [0, *(len(m) for m in self.members)]

    def _ragged(
        self, spans: Iterable[tuple[int, int]], dead: Tensor | None, parts: Tensor | None
    ) -> tuple[Tensor, ...]:
        block_of = torch.full_like(self.numbers, FIXED)
        block_of[1:] = 1 + sum(1 for _ in spans)  # units that no layer names
        for block, (start, stop) in enumerate(spans, start=1):
            block_of[1 + start : 1 + stop] = block
        if parts is not None:
            kinds = torch.stack([block_of[1:], parts])
            block_of[1:] = 1 + kinds.unique(dim=1, return_inverse=True)[1]
        if dead is not None:
            block_of[1 + dead] = FIXED
        order = block_of.argsort(stable=True)
        sizes = torch.bincount(block_of)
        place = torch.empty_like(order)
        place[order] = self.numbers - (sizes.cumsum(0) - sizes)[block_of[order]]
        return block_of, place

    def ends(self, units: Tensor) -> list[End]:
        """Split the rows of a matrix, whose units are given, by block."""
        first, count = int(units[0]), len(units)
        if first == 0 and not bool(units.any()):
            return [End(slice(None), FIXED, slice(0, 1))]
        if self.tidy and first > 0 and torch.equal(units, self.numbers[first : first + count]):
            block = bisect_right(self.starts, first)
            place = first - self.starts[block - 1]
            if place + count <= self.sizes[block]:
                return [End(slice(None), block, slice(place, place + count))]
        return self._ragged_ends(units)

    def _ragged_ends(self, units: Tensor) -> list[End]:
        blocks, places = self.locate(units)
        ends = []
        for block in blocks.unique().tolist():
            lines = (blocks == block).nonzero().squeeze(1)
            inside, repeats = places[lines].unique(return_inverse=True)
            alike = block == FIXED or len(inside) < len(lines)
            ends.append(
                End(
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


def fitted(index: Tensor, dims: int, device: torch.device) -> Tensor:
    """An index tensor with as many dimensions as its parameter, where that parameter is."""
    index = index.to(device)
    return (
        index if index.dim() == dims else index.reshape((1,) * (dims - index.dim()) + index.shape)
    )


def as_run(index: Tensor) -> Where:
    """The same places as a slice, where they follow one another."""
    if len(index) and bool((index.diff() == 1).all()):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def strip_of(name: str, entry: Entry, size: torch.Size, blocks: Blocks) -> Strip:
    """How one parameter's entries join blocks."""
    dims, device = max(1, len(size)), blocks.numbers.device
    target, source = (fitted(index, dims, device) for index in (entry.target, entry.source))
    rows, columns = tuple(target.shape), tuple(source.shape)
    shape = tuple(max(a, b) for a, b in zip(rows, columns))
    across = tuple(d for d, n in enumerate(rows) if n > 1)
    along = tuple(d for d, n in enumerate(columns) if n > 1)
    if not any(d in along for d in across):
        pairs = [
            (row, column)
            for row in blocks.ends(target.reshape(-1))
            for column in blocks.ends(source.reshape(-1))
        ]
        return Strip(name, shape, across + along, target.numel(), tuple(pairs))
    target, source = (index.expand(shape).reshape(-1) for index in (target, source))
    return Strip(name, shape, None, len(target), tuple(_entry_pairs(target, source, blocks)))


def _entry_pairs(target: Tensor, source: Tensor, blocks: Blocks) -> list[tuple[End, End]]:
    moved = target != source  # no gauge moves an entry from a unit to itself
    fixed = (~moved).nonzero().squeeze(1)
    ground = End(fixed, FIXED, slice(0, 1))
    pairs = [(ground, ground)] if len(fixed) else []
    lines = moved.nonzero().squeeze(1)
    (into, to), (out_of, at) = blocks.locate(target[lines]), blocks.locate(source[lines])
    kinds, kind = torch.stack([into, out_of]).unique(dim=1, return_inverse=True)
    for number, (row, column) in enumerate(kinds.T.tolist()):
        chosen = kind == number
        ends = []
        for block, places in ((row, to[chosen]), (column, at[chosen])):
            units, repeats = places.unique(return_inverse=True)
            ends.append(End(lines[chosen], block, as_run(units), repeats))
        pairs.append((ends[0], ends[1]))
    return pairs


@dataclass(frozen=True, eq=False)
class Plan:
    """The order of balancing.

    Attributes:
        strips: how each counted parameter joins blocks.
        ranges: positions of each block in the solver's vectors; position 0 is what stays fixed.
        colours: blocks of each colour, in order of position.
        units: number of the unit at each position but the first, shape `(live,)`.
        looped: parameters with entries from a block to itself.
        cyclic: whether weights lead from some block back to it, so that a unit may have weights
            in and out and yet lie on no path from an input to an output.
    """

    strips: tuple[Strip, ...]
    ranges: tuple[slice, ...]
    colours: tuple[tuple[int, ...], ...]
    units: Tensor
    looped: frozenset[str]
    cyclic: bool


_PLANS: WeakKeyDictionary[GaugeGroup, dict[Hashable, Plan]] = WeakKeyDictionary()


def plan_of(
    group: GaugeGroup,
    names: Sequence[str],
    dead: Tensor | None,
    device: torch.device,
    *,
    coloured: bool,
    parts: Tensor | None = None,
) -> Plan:
    """Blocks, their colours and their order; as long as the group lives, worked out once.

    Args:
        group: the network's gauge group.
        names: the parameters that count.
        dead: units that stay at scale 1, as places in a vector of shape `(units,)`.
        device: of the parameters.
        coloured: whether to give blocks that a weight joins different colours; if not, all units
            are balanced at once.
        parts: the part of the network that each unit belongs to, shape `(units,)`: units of
            different parts are not put into one block.
    """
    if dead is not None or parts is not None:
        return _planned(group, names, dead, device, coloured, parts)
    plans, key = _PLANS.setdefault(group, {}), (tuple(names), device, coloured)
    if key not in plans:
        plans[key] = _planned(group, names, None, device, coloured)
    return plans[key]


def _planned(
    group: GaugeGroup,
    names: Sequence[str],
    dead: Tensor | None,
    device: torch.device,
    coloured: bool,
    parts: Tensor | None = None,
) -> Plan:
    blocks = Blocks(group, dead, device, parts)
    strips = []
    for name in names:
        strips.append(strip_of(name, group.entries[name], group.shapes[name], blocks))
    joined = {(row.block, column.block) for strip in strips for row, column in strip.pairs}
    occupied = [b for b, size in enumerate(blocks.sizes) if size]
    colours = colours_of(occupied, joined) if coloured or not occupied else (tuple(occupied),)
    ranges = [slice(0, 1)] * len(blocks.sizes)
    position = 1
    for block in (b for colour in colours for b in colour):
        ranges[block] = slice(position, position + blocks.sizes[block])
        position += blocks.sizes[block]
    order = [blocks.members[b - 1] for colour in colours for b in colour]
    units = torch.cat(order) if order else blocks.numbers[:0]
    looped = frozenset(
        s.name for s in strips if any(a.block == b.block != FIXED for a, b in s.pairs)
    )
    return Plan(tuple(strips), tuple(ranges), colours, units, looped, cyclic(occupied, joined))
