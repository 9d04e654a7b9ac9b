r"""The solver's state: log-scales, the flows that they give, and totals between blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import Where
from gaugelib.balance.solver.colours import Bonds, Colour, Layout
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.read import Conductances

_ROOM = 1e12
"""Factor that sums keep from the ends of their dtype's range."""


class Unworkable(ArithmeticError):
    """A sum over- or underflowed, or a unit is dead: the start needs more care."""


class State:
    r"""Log-scales $u = p\log a$ and everything that follows from them.

    Attributes:
        logs: $u$ by position, in float64; position 0 is what stays fixed.
        factors: $e^{u}$ and $e^{-u}$ as `Layout` has them, in the dtype of the conductances.
        totals: $\sum|\theta_e|^p$ over each bond at the present scales.
        bonds: the bonds.
        unknown: links whose totals are out of date.
        colours: what is balanced together.
        passes: how often the links have been read: one product and one with the transpose, each
            of them with every link, make one pass.
    """

    def __init__(self, plan: Plan, network: Conductances, logs: Tensor | None = None) -> None:
        self.network = network
        self.bonds = Bonds(network)
        self.logs = network.fixed.new_zeros(1 + len(plan.units))
        self.factors = network.fixed.new_ones(2 * len(self.logs), dtype=network.dtype)
        layout = Layout(plan)
        self.colours = [
            Colour(plan, network, layout, self.bonds, k) for k in range(len(plan.colours))
        ]
        limits = torch.finfo(network.dtype)
        self._low, self._high = limits.tiny * _ROOM, limits.max / _ROOM
        self.passes = 0.0
        if logs is not None:
            self.move_all(logs)
        self._fixed = float(network.fixed)
        lengths = [r.stop - r.start for r in plan.ranges]
        order = [0, *(b for blocks in plan.colours for b in blocks)]
        lengths = torch.tensor([1, *(lengths[b] for b in order[1:])], device=self.logs.device)
        self._block_at = torch.tensor(order, device=self.logs.device).repeat_interleave(lengths)
        self._ground = self._ground_flows(plan, layout)
        self._start_totals(layout)

    @property
    def objective(self) -> float:
        r"""$\sum|\theta_e|^p$ over all counted entries; wrong while links are unknown."""
        return math.fsum(self.totals) + self._fixed

    def read(self, colour: Colour) -> None:
        """Renew what flows into and out of a colour's units."""
        for reading in colour.readings:
            reading.run(self.factors)
        self.passes += colour.share

    def reread(self, colour: Colour) -> None:
        """Renew the flows, and so the totals, that a step of their own colour left behind."""
        for reading in colour.inner:
            reading.run(self.factors)
        self.passes += colour.inner_share

    def wanted(self, colour: Colour) -> Tensor:
        r"""$\frac12\log(\text{out}/\text{in})$ of each unit: the step in $u$ that balances it.

        Raises:
            Unworkable: if a sum is so small that parts of it may have been lost, or so large.
        """
        flows = colour.flows.double()
        if colour.units is None:
            into, out = flows[: colour.incoming], flows[colour.incoming :]
        else:
            count = colour.where.stop - colour.where.start
            sides = (slice(colour.incoming), slice(colour.incoming, None))
            into, out = flows = flows.new_zeros(2, count)
            for side, total in zip(sides, flows):
                total.index_add_(0, colour.units[side], colour.flows[side].double())
        low, high = flows.aminmax()
        if not (bool(low > self._low) and bool(high < self._high)):
            raise Unworkable
        return (out.log() - into.log()).mul_(0.5).sub_(self.logs[colour.where])

    def move(self, colour: Colour, step: Tensor) -> None:
        """Change a colour's log-scales; totals are not renewed."""
        logs = self.logs[colour.where]
        logs += step
        self._refactor(colour.where)

    def move_all(self, logs: Tensor) -> None:
        """Put all log-scales somewhere; totals are not renewed."""
        self.logs.copy_(logs)
        for colour in self.colours:
            self._refactor(colour.where)

    def shift_blocks(self, shift: Sequence[float]) -> None:
        """Change the log-scales of all units of each block alike; totals stay known."""
        by_block = torch.tensor(shift, dtype=torch.float64, device=self.logs.device)
        self.logs += by_block[self._block_at]
        for colour in self.colours:
            self._refactor(colour.where)
        for bond, (to, source) in enumerate(self.bonds.ends):
            self.totals[bond] *= math.exp(shift[to] - shift[source])

    def renew_totals(self, colour: Colour) -> None:
        """Totals of the bonds that a colour's flows give, at its present scales."""
        flows = (self.factors[colour.factors] * colour.flows).double()
        sums = flows.new_zeros(len(colour.bonds)).index_add_(0, colour.currents, flows).tolist()
        for bond, total in zip(colour.bonds, sums):
            if bond is not None:
                self.totals[bond] = total
        self.unknown -= colour.links

    def forget_links(self) -> None:
        """Say that scales moved in a way that leaves the totals of links unknown."""
        self.unknown = set(range(len(self.network.links)))
        places, values, bonds = self._ground
        first = len(self.network.links)
        sums = values.new_zeros(len(self.totals) - first)
        sums.index_add_(0, bonds, self.factors[places].double() * values)
        self.totals[first:] = sums.tolist()

    def _refactor(self, where: slice) -> None:
        middle = where.start + where.stop
        grown = self.logs[where].exp()
        self.factors[2 * where.start : middle] = grown
        self.factors[middle : 2 * where.stop] = grown.reciprocal_()

    def _ground_flows(self, plan: Plan, layout: Layout) -> tuple[Tensor, Tensor, Tensor]:
        places, values, bonds = [], [], []
        for forward, flows in ((True, self.network.inflow), (False, self.network.outflow)):
            for block, flow in flows.items():
                own = _span(layout.places(block, plan.ranges[block], inverse=not forward))
                places.append(torch.arange(own.start, own.stop, device=flow.device))
                values.append(flow.double())
                number = self.bonds.ground[block, forward] - len(self.network.links)
                bonds.append(torch.full_like(places[-1], number))
        return torch.cat(places), torch.cat(values), torch.cat(bonds)

    def _start_totals(self, layout: Layout) -> None:
        self.totals = [0.0] * len(self.bonds.ends)
        self.forget_links()
        self.unknown = set()
        first = self.colours[0].links
        for bond, link in enumerate(self.network.links):
            if bond not in first:  # the first reading gives the others
                columns = layout.places(link.source, link.columns, inverse=True)
                rows = layout.places(link.target, link.rows, inverse=False)
                self.totals[bond] = link.total(self.factors[columns], self.factors[rows])


def _span(where: Where) -> slice:
    assert isinstance(where, slice)
    return where
