"""Blocks that are balanced at the same time, and the products that tell what flows through them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import FIXED, Where, listed, size_of
from gaugelib.balance.solver.matrices import Link
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.read import Conductances


class Bonds:
    """The pairs of parts of blocks that something flows between, numbered.

    Attributes:
        block: of the unit at each position.
        part: of the same, numbered through all blocks; 0 is the ground.
        within: the same within its block, from 0 on.
        counts: number of parts of each block.
        ends: the two parts of each bond, (to, from): links first, then the ground.
        to, source: the same, apart.
        links: numbers of a link's bonds, shape `(parts of its target, parts of its source)`.
        ground: the same from the ground (True) or to it (False), by block.
        touching: links into (True) or out of (False) each block.
    """

    def __init__(self, plan: Plan, network: Conductances, within: Tensor | None = None) -> None:
        device, ranges = plan.units.device, plan.ranges
        if within is None:
            within = torch.zeros(1 + len(plan.units), dtype=torch.int64, device=device)
            self.counts = [1] * len(ranges)
        else:
            self.counts = [1 + int(within[where].max()) for where in ranges]
        self.within = within
        starts = list(itertools.accumulate(self.counts, initial=0))
        self.block = torch.zeros_like(within)
        for block in itertools.chain(*plan.colours):
            self.block[ranges[block]] = block
        self.part = within + torch.tensor(starts, device=device)[self.block]
        self.ends: list[tuple[int, int]] = []

        def add(to: int, source: int) -> Tensor:
            sizes, first = (self.counts[to], self.counts[source]), len(self.ends)
            into, out_of = (range(starts[b], starts[b + 1]) for b in (to, source))
            self.ends += itertools.product(into, out_of)
            return torch.arange(first, len(self.ends), device=device).view(sizes)

        self.touching: dict[tuple[int, bool], list[int]] = {}
        for number, link in enumerate(network.links):
            self.touching.setdefault((link.target, True), []).append(number)
            self.touching.setdefault((link.source, False), []).append(number)
        self.links = [add(link.target, link.source) for link in network.links]
        self.ground = {(block, True): add(block, FIXED) for block in network.inflow}
        self.ground |= {(block, False): add(FIXED, block) for block in network.outflow}
        self.to, self.source = np.array(self.ends, dtype=np.int64).reshape(-1, 2).T


class Layout:
    r"""Where the factors $e^u$ and $e^{-u}$ of each unit lie in one vector.

    Colour by colour, and within each colour first all $e^u$, then all $e^{-u}$: so both flows of a
    colour are multiplied by their units' own factors at once. What stays fixed comes first.
    """

    def __init__(self, plan: Plan) -> None:
        self.spans = [
            slice(plan.ranges[blocks[0]].start, plan.ranges[blocks[-1]].stop)
            for blocks in plan.colours
        ]
        self._span = {b: span for span, blocks in zip(self.spans, plan.colours) for b in blocks}

    def places(self, block: int, where: Where, *, inverse: bool) -> Where:
        """Places of the factors of some of a block's units, given by position."""
        offset = self._span[block].stop if inverse else self._span[block].start
        if isinstance(where, slice):
            return slice(offset + where.start, offset + where.stop)
        return offset + where


@dataclass(frozen=True, eq=False)
class _Current:
    """What flows between a block and another, into or out of the units of the first."""

    where: Where  # positions of the units
    bonds: Tensor  # that it comes through, one of each unit from each part of the other block
    forward: bool  # whether it flows in
    inner: bool  # whether the other end has the same colour
    flow: Link | Tensor  # what it comes through, or the current itself if that never changes


@dataclass(frozen=True, eq=False)
class Reading:
    """A product with a link, written to where a colour keeps its flows."""

    link: Link
    forward: bool
    factors: Where
    out: Tensor  # (parts at the other end, units)
    parts: Tensor  # of the units at the other end

    def run(self, factors: Tensor) -> None:
        """Read the link, once for all parts."""
        x, out = factors[self.factors], self.out.t()
        if len(self.out) == 1:
            out = self.out[0]
        else:
            x = x.new_zeros(len(x), len(self.out)).scatter_(1, self.parts[:, None], x[:, None])
        matrix = self.link.matrix
        (matrix.into if self.forward else matrix.out_of)(x, out)


class Colour:
    """Blocks without weights between them, or all blocks at once.

    Attributes:
        where: positions of the units, which follow one another.
        flows: what flows in, then what flows out, before the units' own factors.
        incoming: number of the flows that are incoming.
        units: for each flow, the place of its unit; `None` if each unit has one of each.
        factors: places of the units' own factors, for each flow.
        bonds: the bond that each flow is counted in; one more than there are if elsewhere.
        far: the part that it comes from, or goes to.
        counted: the bonds that are counted here.
        links: those of which they are.
        readings: products that renew the flows.
        inner: those of them, incoming, that the colour's own scales enter.
        share: part of a pass that the readings make.
        inner_share: part of a pass that the inner ones make.
    """

    def __init__(
        self, plan: Plan, network: Conductances, layout: Layout, bonds: Bonds, number: int
    ) -> None:
        blocks, self.where = plan.colours[number], layout.spans[number]
        device = plan.units.device
        flows = [list(_currents(plan, network, bonds, blocks, side)) for side in (True, False)]
        currents = flows[0] + flows[1]
        sizes = [current.bonds.numel() for current in currents]
        self.flows = network.fixed.new_zeros(sum(sizes), dtype=network.dtype)
        self.incoming = sum(sizes[: len(flows[0])])
        self.readings: list[Reading] = []
        self.inner: list[Reading] = []
        for current, out in zip(currents, self.flows.split(sizes)):
            if isinstance(current.flow, Tensor):
                out.copy_(current.flow)
                continue
            link, forward = current.flow, current.forward
            block, far = (link.source, link.columns) if forward else (link.target, link.rows)
            places = layout.places(block, far, inverse=forward)
            out = out.view(current.bonds.shape)
            reading = Reading(link, forward, places, out, bonds.within[far])
            self.readings.append(reading)
            if current.inner and forward:
                self.inner.append(reading)
        # With one hidden layer there are no links, and its marginals are all there is to read.
        whole = 2 * sum(link.matrix.entries for link in network.links)
        self.share = sum(r.link.matrix.entries for r in self.readings) / whole if whole else 1.0
        self.inner_share = sum(r.link.matrix.entries for r in self.inner) / whole if whole else 0.0
        through = torch.cat([current.bonds.reshape(-1) for current in currents])
        sides = (through[: self.incoming], bonds.source), (through[self.incoming :], bonds.to)
        self.far = torch.cat([torch.from_numpy(end).to(device)[of] for of, end in sides])
        # What flows between units of the same colour is counted where it arrives.
        inner = torch.tensor([c.inner and not c.forward for c in currents], device=device)
        elsewhere = inner.repeat_interleave(torch.tensor(sizes, device=device))
        self.bonds = through.masked_fill(elsewhere, len(bonds.ends))
        self.counted = np.unique(np.asarray(through[~elsewhere].cpu()))
        touching = (bonds.touching.get((b, side), []) for b in blocks for side in (True, False))
        self.links = set(itertools.chain(*touching))
        self.units: Tensor | None = None
        self.factors: Where = slice(2 * self.where.start, 2 * self.where.stop)
        own = [plan.ranges[b] for b in blocks]
        if not all(_are(side, own) for side in flows):
            places = [listed(c.where, device).repeat(len(c.bonds)) for c in currents]
            units = torch.cat(places) - self.where.start
            outgoing = torch.arange(len(units), device=device) >= self.incoming
            self.factors = 2 * self.where.start + units + size_of(self.where) * outgoing
            self.units = units


def _are(side: list[_Current], blocks: list[slice]) -> bool:
    """Whether each block's flow on this side comes in one piece."""
    return len(side) == len(blocks) and all(
        isinstance(current.where, slice) and current.where == block and len(current.bonds) == 1
        for current, block in zip(side, blocks)
    )


def _currents(
    plan: Plan, network: Conductances, bonds: Bonds, blocks: tuple[int, ...], forward: bool
) -> Iterator[_Current]:
    flows = network.inflow if forward else network.outflow

    def current(numbers: Tensor, where: Where, inner: bool, flow: Link | Tensor) -> _Current:
        numbers = (numbers.t() if forward else numbers)[:, bonds.within[where]]
        return _Current(where, numbers, forward, inner, flow)

    for block in blocks:
        if block in flows:
            ground = bonds.ground[block, forward]
            yield current(ground, plan.ranges[block], False, flows[block])
        for number in bonds.touching.get((block, forward), []):
            link = network.links[number]
            inner = link.target in blocks and link.source in blocks
            where = link.rows if forward else link.columns
            yield current(bonds.links[number], where, inner, link)
