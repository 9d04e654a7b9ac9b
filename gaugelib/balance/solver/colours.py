"""Blocks that are balanced at the same time, and the products that tell what flows through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import FIXED, Where, listed, size_of
from gaugelib.balance.solver.matrices import Link
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.read import Conductances


class Bonds:
    """The pairs of blocks that something flows between, numbered: links first, then the ground.

    Attributes:
        ends: the two blocks of each bond, (to, from).
        ground: number of the bond from the ground (True) or to it (False), by block.
        links: numbers of the links into (True) or out of (False) each block.
    """

    def __init__(self, network: Conductances) -> None:
        self.ends = [(link.target, link.source) for link in network.links]
        self.links: dict[tuple[int, bool], list[int]] = {}
        for bond, (target, source) in enumerate(self.ends):
            self.links.setdefault((target, True), []).append(bond)
            self.links.setdefault((source, False), []).append(bond)
        self.ground: dict[tuple[int, bool], int] = {}
        for block in network.inflow:
            self.ground[block, True] = len(self.ends)
            self.ends.append((block, FIXED))
        for block in network.outflow:
            self.ground[block, False] = len(self.ends)
            self.ends.append((FIXED, block))


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
    """What flows through one bond into, or out of, the units of a block."""

    where: Where  # positions of the units
    bond: int  # that it comes through
    forward: bool  # whether it flows in
    inner: bool  # whether the other end has the same colour
    flow: Link | Tensor  # what it comes through, or the current itself if that never changes


@dataclass(frozen=True, eq=False)
class Reading:
    """A product with a link, written to where a colour keeps its flows."""

    link: Link
    forward: bool
    factors: Where
    out: Tensor

    def run(self, factors: Tensor) -> None:
        """Read the link."""
        x = factors[self.factors]
        matrix = self.link.matrix
        (matrix.into if self.forward else matrix.out_of)(x, self.out)


class Colour:
    """Blocks without weights between them, or all blocks at once.

    Attributes:
        where: positions of the units, which follow one another.
        flows: what flows in, then what flows out, before the units' own factors.
        incoming: number of the flows that are incoming.
        units: for each flow, the place of its unit; `None` if each unit has one of each.
        factors: places of the units' own factors, for each flow.
        currents: for each flow, the number of the current that it is of.
        bonds: the bond that each current comes through; `None` for what is counted elsewhere.
        links: those of them that are links.
        readings: products that renew the flows.
        inner: those of them, incoming, that the colour's own scales enter.
        share: part of a pass that the readings make.
        inner_share: part of a pass that the inner ones make.
        blocks: the blocks.
    """

    def __init__(
        self, plan: Plan, network: Conductances, layout: Layout, bonds: Bonds, number: int
    ) -> None:
        blocks, self.where = plan.colours[number], layout.spans[number]
        device = plan.units.device
        self.blocks = blocks
        sides = [list(_currents(plan, network, bonds, blocks, side)) for side in (True, False)]
        currents = sides[0] + sides[1]
        sizes = [size_of(current.where) for current in currents]
        self.flows = network.fixed.new_zeros(sum(sizes), dtype=network.dtype)
        self.incoming = sum(sizes[: len(sides[0])])
        self.readings: list[Reading] = []
        self.inner: list[Reading] = []
        for current, out in zip(currents, self.flows.split(sizes)):
            if isinstance(current.flow, Tensor):
                out.copy_(current.flow)
                continue
            link, forward = current.flow, current.forward
            block, far = (link.source, link.columns) if forward else (link.target, link.rows)
            reading = Reading(link, forward, layout.places(block, far, inverse=forward), out)
            self.readings.append(reading)
            if current.inner and forward:
                self.inner.append(reading)
        # With one hidden layer there are no links, and its marginals are all there is to read.
        whole = 2 * sum(link.matrix.entries for link in network.links)
        self.share = sum(r.link.matrix.entries for r in self.readings) / whole if whole else 1.0
        self.inner_share = sum(r.link.matrix.entries for r in self.inner) / whole if whole else 0.0
        self.links = {current.bond for current in currents if isinstance(current.flow, Link)}
        # What flows between units of the same colour is counted where it arrives.
        self.bonds = [None if p.inner and not p.forward else p.bond for p in currents]
        lengths = torch.tensor(sizes, device=device)
        self.currents = torch.arange(len(currents), device=device).repeat_interleave(lengths)
        self.units: Tensor | None = None
        self.factors: Where = slice(2 * self.where.start, 2 * self.where.stop)
        own = [plan.ranges[b] for b in blocks]
        if not all(_are(side, own) for side in sides):
            places = [listed(current.where, device) for current in currents]
            units = torch.cat(places) - self.where.start
            outgoing = torch.arange(len(units), device=device) >= self.incoming
            self.factors = 2 * self.where.start + units + size_of(self.where) * outgoing
            self.units = units


def _are(side: list[_Current], blocks: list[slice]) -> bool:
    """Whether each block's flow on this side comes in one piece."""
    return len(side) == len(blocks) and all(
        isinstance(current.where, slice) and current.where == block
        for current, block in zip(side, blocks)
    )


def _currents(
    plan: Plan, network: Conductances, bonds: Bonds, blocks: tuple[int, ...], forward: bool
) -> Iterator[_Current]:
    flows = network.inflow if forward else network.outflow
    for block in blocks:
        if block in flows:
            bond = bonds.ground[block, forward]
            yield _Current(plan.ranges[block], bond, forward, False, flows[block])
        for bond in bonds.links.get((block, forward), []):
            link = network.links[bond]
            where = link.rows if forward else link.columns
            inner = link.target in blocks and link.source in blocks
            yield _Current(where, bond, forward, inner, link)
