r"""The solver's state: log-scales, the flows that they give, and totals between blocks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

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
        self.plan, self.network = plan, network
        self.logs = network.fixed.new_zeros(1 + len(plan.units))
        self.factors = network.fixed.new_ones(2 * len(self.logs), dtype=network.dtype)
        self._layout = Layout(plan)
        limits = torch.finfo(network.dtype)
        self._low, self._high = limits.tiny * _ROOM, limits.max / _ROOM
        self.passes = 0.0
        self._fixed = float(network.fixed)
        self.divide(None)
        if logs is not None:
            self.move_all(logs)
            self.forget_links()
        self._start_totals()

    def divide(self, within: Tensor | None) -> None:
        """Tell parts of blocks apart: by the part of the unit at each position in its block."""
        self.bonds = Bonds(self.plan, self.network, within)
        self.colours = [
            Colour(self.plan, self.network, self._layout, self.bonds, k)
            for k in range(len(self.plan.colours))
        ]
        self.forget_links()

    @property
    def objective(self) -> float:
        r"""$\sum|\theta_e|^p$ over all counted entries; wrong while links are unknown."""
        return float(self.totals.sum()) + self._fixed

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

    def wanted(self, colour: Colour, shift: np.ndarray | None = None) -> Tensor:
        r"""$\frac12\log(\text{out}/\text{in})$ of each unit: the step in $u$ that balances it.

        Args:
            colour: whose flows were renewed.
            shift: what has been added since then to the log-scales of each part.

        Raises:
            Unworkable: if a sum is so small that parts of it may have been lost, or so large.
        """
        flows = colour.flows.double()
        if shift is not None:
            factors = torch.from_numpy(shift).to(flows.device)[colour.far].exp()
            factors[: colour.incoming].reciprocal_()
            flows *= factors
        if colour.units is None:
            into, out = flows[: colour.incoming], flows[colour.incoming :]
        else:
            count = colour.where.stop - colour.where.start
            sides = (slice(colour.incoming), slice(colour.incoming, None))
            moved, flows = flows, flows.new_zeros(2, count)
            into, out = flows
            for side, total in zip(sides, flows):
                total.index_add_(0, colour.units[side], moved[side])
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

    def shift(self, shift: np.ndarray) -> None:
        """Change the log-scales of all units of each part alike; totals stay known."""
        self.logs += torch.from_numpy(shift).to(self.logs.device)[self.bonds.part]
        for colour in self.colours:
            self._refactor(colour.where)
        self.totals *= np.exp(shift[self.bonds.to] - shift[self.bonds.source])

    def renew_totals(self, colour: Colour) -> None:
        """Totals of the bonds that a colour's flows give, at its present scales."""
        flows = (self.factors[colour.factors] * colour.flows).double()
        sums = flows.new_zeros(1 + len(self.totals)).index_add_(0, colour.bonds, flows)
        self.totals[colour.counted] = np.asarray(sums.cpu())[colour.counted]
        self.unknown -= colour.links

    def forget_links(self) -> None:
        """Say that scales moved in a way that leaves the totals of links unknown."""
        self.unknown = set(range(len(self.network.links)))
        sums = self.logs.new_zeros(len(self.bonds.ends))
        for (block, inflow), bonds in self.bonds.ground.items():
            where = self.plan.ranges[block]
            flows = (self.network.inflow if inflow else self.network.outflow)[block].double()
            flows = flows * (self.logs[where] if inflow else -self.logs[where]).exp()
            sums.index_add_(0, bonds.reshape(-1)[self.bonds.within[where]], flows)
        self.totals = np.asarray(sums.cpu())

    def _refactor(self, where: slice) -> None:
        middle = where.start + where.stop
        grown = self.logs[where].exp()
        self.factors[2 * where.start : middle] = grown
        self.factors[middle : 2 * where.stop] = grown.reciprocal_()

    def _start_totals(self) -> None:
        self.unknown = set(self.colours[0].links)  # the first reading gives them
        for number, link in enumerate(self.network.links):
            if number not in self.unknown:
                columns = self._layout.places(link.source, link.columns, inverse=True)
                rows = self._layout.places(link.target, link.rows, inverse=False)
                self.totals[number] = link.total(self.factors[columns], self.factors[rows])
