r"""The norm along the orbit where columns are longer than edges: its value, slope and curvature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.powers import lined, reduced
from gaugelib.group import GaugeGroup


@dataclass(frozen=True, eq=False)
class Part:
    r"""One parameter's conductances $|\theta_e|^p$, those with the same ends added up.

    Attributes:
        target: nodes that entries flow into, with as many dimensions as the parameter.
        source: nodes that they flow out of, likewise.
        powers: of the shape to which both broadcast, in float64.
    """

    target: Tensor
    source: Tensor
    powers: Tensor

    def rows(self, x: Tensor, y: Tensor) -> Tensor:
        """Sums of `x * powers * y` over the entries of each target; x and y as the ends are."""
        if self._plain():
            return x * (self.powers @ y.T)
        return x * (self.powers * y).sum_to_size(x.shape)

    def columns(self, x: Tensor, y: Tensor) -> Tensor:
        """The same over the entries of each source."""
        if self._plain():
            return (x.T @ self.powers) * y
        return (self.powers * x).sum_to_size(y.shape) * y

    def _plain(self) -> bool:
        shape = tuple(self.powers.shape)
        ends = tuple(self.target.shape), tuple(self.source.shape)
        return len(shape) == 2 and ends == ((shape[0], 1), (1, shape[1]))


@dataclass(frozen=True, eq=False)
class Point:
    r"""What flows at one point of the orbit.

    Attributes:
        alpha: log-scales against those at which the weights were read, shape `(units,)`.
        factors: scales of each part's targets, and inverse ones of its sources.
        sums: each part's sums of rows and of columns.
        incoming: $\sum_e\max(q_{eh},0)|\theta_e|^p$ for each unit, shape `(units,)`.
        outgoing: the same with $\max(-q_{eh},0)$.
        diagonal: $\sum_eq_{eh}^2|\theta_e|^p$, shape `(units,)`.
        value: $\sum_e|\theta_e|^p$.
    """

    alpha: Tensor
    factors: list[tuple[Tensor, Tensor]]
    sums: list[tuple[Tensor, Tensor]]
    incoming: Tensor
    outgoing: Tensor
    diagonal: Tensor
    value: float


class Columns:
    r"""$pF(\alpha)=\sum_e|\theta_e|^pe^{p(Q^\top\alpha)_e}$, read at one point of the orbit.

    Args:
        params: the network's parameters by name.
        group: its gauge group, with combined nodes.
        names: the parameters that count.
        p: the exponent.
        shift: log-scales at which to read, shape `(units,)` in float64.
        log_unit: logarithm of the unit in which to count.
        dead: units that stay where they are, as places in `(units,)`.
    """

    def __init__(
        self,
        params: Mapping[str, Tensor],
        group: GaugeGroup,
        names: Sequence[str],
        p: float,
        shift: Tensor,
        log_unit: float,
        dead: Tensor,
    ) -> None:
        self.group, self.p, self.shift = group, p, shift
        self.live = torch.ones_like(shift, dtype=torch.bool)
        self.live[dead] = False
        self.fixed, self.parts = 0.0, list[Part]()
        full = group.with_ground(shift, ground=0.0)
        for name in names:
            value = lined(params[name])
            target, source = ends_of(group.entries[name], value.dim(), value.device)
            moved = p * (full[target] - full[source]) - log_unit
            shape = tuple(torch.broadcast_shapes(target.shape, source.shape))
            powers = reduced(value, p, torch.float64, moved, shape)
            loops = (target == source).expand(shape)
            self.fixed += float(powers[loops].sum())
            self.parts.append(Part(target, source, powers.masked_fill_(loops, 0.0)))

    def at(self, alpha: Tensor) -> Point:
        """What flows at a point: one pass over the weights."""
        up = (self.p * self.group.with_ground(alpha, ground=0.0)).exp()
        down = up.reciprocal()
        totals = up.new_zeros(2, len(up))
        factors, sums = [], []
        for part in self.parts:
            x, y = up[part.target], down[part.source]
            rows, columns = part.rows(x, y), part.columns(x, y)
            factors.append((x, y))
            sums.append((rows, columns))
            _add(totals, part, rows, columns)
        into, out = self._units(totals)
        value = float(totals[0].sum()) + self.fixed
        return Point(alpha, factors, sums, into, out, self._diagonal(totals.sum(0)), value)

    def curvature(self, point: Point, direction: Tensor) -> Tensor:
        r"""$Q\,\mathrm{diag}(|\theta|^p)\,Q^\top v$ for live units: one pass.

        Args:
            point: where.
            direction: $v$, which is 0 at dead units.
        """
        full = self.group.with_ground(direction, ground=0.0)
        totals = full.new_zeros(2, len(full))
        for part, (x, y), (rows, columns) in zip(self.parts, point.factors, point.sums):
            a, b = full[part.target], full[part.source]
            into = a * rows - part.rows(x, y * b)
            _add(totals, part, into, part.columns(x * a, y) - b * columns)
        into, out = self._units(totals)
        return (into - out).masked_fill(~self.live, 0.0)

    def _units(self, totals: Tensor) -> tuple[Tensor, Tensor]:
        into, out = totals
        if self.group.combined is not None:
            into, out = self.group.combined.shared_out(into, out)
        return into[1:], out[1:]

    def _diagonal(self, both: Tensor) -> Tensor:
        combined, first = self.group.combined, 1 + self.group.units
        found = both[:first]
        if combined is not None:  # the two ends of an entry share no unit
            units, squares = combined.units.to(both.device), combined.powers.to(both).square()
            more = squares * both[first:, None]
            found = found.index_add(0, units.reshape(-1), more.reshape(-1))
        return found[1:]


def _add(totals: Tensor, part: Part, rows: Tensor, columns: Tensor) -> None:
    totals[0].index_add_(0, part.target.reshape(-1), rows.reshape(-1))
    totals[1].index_add_(0, part.source.reshape(-1), columns.reshape(-1))
