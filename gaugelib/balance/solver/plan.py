"""The second stage: where to begin, and in which order blocks of units are balanced.

Blocks that no weight joins share a colour: they can be balanced at the same time. The layers of a
chain get two colours, even and odd. Weights are looked at only where units may be dead, or where
sums over- or underflowed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gaugelib.action import refuse_not_finite
from gaugelib.balance.solver.blocks import FIXED, Blocks, Incidence, incidences_of
from gaugelib.balance.solver.prepare import dead_units, start_within_range
from gaugelib.balance.solver.task import Task
from gaugelib.group import GaugeGroup


@dataclass(frozen=True, eq=False)
class Start:
    """Where sweeps begin, and in which precision."""

    dtype: torch.dtype  # of the conductances
    shift: Tensor | None = None  # log-scales (units,), by default 0
    log_unit: float = 0.0  # logarithm of the unit in which conductances are counted
    dead: Tensor | None = None  # units that stay at scale 1 (units,); None if nobody looked for any
    careful: bool = False  # whether it was chosen so that no sum over- or underflows
    doubted: bool = False  # whether one did, or may have: then there is a better start


@dataclass(frozen=True, eq=False)
class Plan:
    """The order of balancing.

    Attributes:
        incidences: how each counted parameter joins blocks.
        ranges: positions of each block in the solver's vectors; position 0 is what stays fixed.
        colours: blocks of each colour, in order of position.
        units: number of the unit at each position but the first, shape `(live,)`.
        looped: parameters with entries from a block to itself.
        start: where to begin.
        cyclic: whether weights lead from some block back to it, so that a unit may have weights
            in and out and yet lie on no path from an input to an output.
    """

    incidences: tuple[Incidence, ...]
    ranges: tuple[slice, ...]
    colours: tuple[tuple[int, ...], ...]
    units: Tensor
    looped: frozenset[str]
    cyclic: bool
    start: Start = Start(torch.float64)


def planned(task: Task, start: Start) -> Plan:
    """A start with as much care as it needs, and the order of balancing from there."""
    if start.doubted:
        start = _with_more_care(task, start)
    plan = _order_from(start, task)
    if start.dead is None and plan.cyclic:
        start = replace(start, dead=dead_units(task.params, task.group, task.names))
        plan = _order_from(start, task)
    return replace(plan, start=start)


def _with_more_care(task: Task, start: Start) -> Start:
    """Without units that are dead; or if that is not it, where all sums are within range."""
    refuse_not_finite(task.params)
    dead = start.dead
    if dead is None:
        dead = dead_units(task.params, task.group, task.names)
        if len(dead):
            return replace(start, dead=dead, doubted=False)
    shift, unit = start_within_range(task.params, task.group, task.names, task.options.p, dead)
    return Start(torch.float64, shift, unit, dead, careful=True)


def _order_from(start: Start, task: Task) -> Plan:
    dead = start.dead if start.dead is not None and len(start.dead) else None
    coloured = task.options.method.coloured
    return plan_of(task.group, task.names, dead, task.device, coloured=coloured)


_PLANS: WeakKeyDictionary[GaugeGroup, dict[Hashable, Plan]] = WeakKeyDictionary()


def plan_of(
    group: GaugeGroup,
    names: Sequence[str],
    dead: Tensor | None,
    device: torch.device,
    *,
    coloured: bool,
) -> Plan:
    """Blocks, their colours and their order; as long as the group lives, worked out once.

    Args:
        group: the network's gauge group.
        names: the parameters that count.
        dead: units that stay at scale 1, as places in a vector of shape `(units,)`.
        device: of the parameters.
        coloured: whether to give blocks that a weight joins different colours; if not, all units
            are balanced at once.
    """
    if dead is not None:
        return _planned(group, names, dead, device, coloured)
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
) -> Plan:
    blocks = Blocks(group, dead, device)
    incidences = [
        incidence
        for name in names
        for incidence in incidences_of(name, group.entries[name], group.shapes[name], blocks)
    ]
    joined = {(row.block, column.block) for i in incidences for row, column in i.pairs}
    occupied = [b for b, size in enumerate(blocks.sizes) if size]
    colours = _colours_of(occupied, joined) if coloured or not occupied else (tuple(occupied),)
    ranges = [slice(0, 1)] * len(blocks.sizes)
    position = 1
    for block in (b for colour in colours for b in colour):
        ranges[block] = slice(position, position + blocks.sizes[block])
        position += blocks.sizes[block]
    order = [blocks.members[b - 1] for colour in colours for b in colour]
    units = torch.cat(order) if order else blocks.numbers[:0]
    looped = frozenset(
        i.name for i in incidences if any(a.block == b.block != FIXED for a, b in i.pairs)
    )
    return Plan(tuple(incidences), tuple(ranges), colours, units, looped, _cyclic(occupied, joined))


def _colours_of(blocks: list[int], joined: set[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """The blocks of each colour: blocks that are joined get different ones, a chain gets two."""
    near: dict[int, set[int]] = {b: set() for b in blocks}
    for a, b in joined:
        if a != b and a in near and b in near:
            near[a].add(b)
            near[b].add(a)
    colour: dict[int, int] = {}
    for root in blocks:
        queue = deque([root])
        while queue:
            block = queue.popleft()
            if block not in colour:
                taken = {colour[other] for other in near[block] if other in colour}
                colour[block] = next(c for c in range(len(blocks)) if c not in taken)
                queue.extend(sorted(near[block] - colour.keys()))
    count = 1 + max(colour.values(), default=-1)
    return tuple(tuple(b for b in blocks if colour[b] == c) for c in range(count))


def _cyclic(blocks: list[int], joined: set[tuple[int, int]]) -> bool:
    """Whether the blocks cannot be put in an order that all weights follow."""
    before: dict[int, set[int]] = {b: set() for b in blocks}
    for a, b in joined:
        if a in before and b in before:
            before[a].add(b)
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return True
    return False
