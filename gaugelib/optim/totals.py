r"""What flows into and out of each unit: read from the weights, again and again, or followed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import Where, as_run, ends_of
from gaugelib.balance.solver.powers import lined, pieces, power_into, scratch
from gaugelib.balance.solver.unit_sums import UnitSums
from gaugelib.group import Entry, GaugeGroup

_ROOM = 1e12
"""Factor that sums must keep from the ends of their dtype's range, lest parts of them be lost."""
_ADDITIONS = 200
"""More than the rounded additions behind any sum over one piece: torch sums in a tree."""


@dataclass(eq=False)
class Side:
    """The sums of one parameter at one of its ends.

    Attributes:
        outgoing: 0 for what flows in, 1 for what flows out.
        units: whose sums they are, as numbers with 0 for the ground, shape `(lines,)`.
        sums: of each row, or of each column, shape `(lines,)` in float64.
        loose: how far each may be from that, beside rounding, shape `(lines,)`.
        entries: how many entries each is a sum of.
        start: where they begin among those of all sides.
    """

    outgoing: int
    units: Tensor
    sums: Tensor
    loose: Tensor
    entries: int
    start: int = 0


class Totals:
    r"""Knows $\sum|\theta_e|^p$ into and out of each unit, in memory kept between readings.

    Attributes:
        dtype: the floating dtype in which powers are summed.
        parts: what is known of each parameter that counts, by name.
        sums: those of all sides, one after the other; so are `loose` and `entries`.
    """

    def __init__(
        self,
        params: Mapping[str, Tensor],
        group: GaugeGroup,
        names: Sequence[str],
        p: float,
        dtype: torch.dtype,
    ) -> None:
        self.p, self.dtype, self._combined = p, dtype, group.combined
        self._nodes = 1 + group.units + (0 if self._combined is None else self._combined.count)
        self._like = next(iter(params.values())).detach()
        self.parts = {
            name: Part(lined(params[name].detach()), group.entries[name], p, dtype)
            for name in names
            if params[name].numel()
        }
        each = [side for part in self.parts.values() for side in part.sides]
        sides = sorted(each, key=lambda side: side.outgoing)
        sizes = [len(side.units) for side in sides]
        self._both = self._like.new_zeros(2, sum(sizes), dtype=torch.float64)
        self.sums, self.loose = self._both
        counts = [self.sums.new_full((n,), side.entries) for n, side in zip(sizes, sides)]
        self.entries = torch.cat([self.sums.new_zeros(0), *counts])
        self._listed: dict[tuple[int, ...], Where] = {}
        start = 0
        for side, sums, loose in zip(sides, *(row.split(sizes) for row in self._both)):
            side.sums, side.loose, side.start = sums, loose, start
            start += len(sums)
        ends = [side.units + side.outgoing * self._nodes for side in sides]
        self._places = torch.cat([self._like.new_zeros(0, dtype=torch.long), *ends])
        units = torch.arange(1, self._nodes, device=self._places.device)
        # In a plain chain of layers the sums lie as the units do, and need not be gathered.
        self._tidy = torch.equal(self._places, torch.cat([units, units + self._nodes]))

    @property
    def rounding(self) -> float:
        """Bound on the relative error of a sum that is within range."""
        return max((part.rounding for part in self.parts.values()), default=0.0)

    def read(self, params: Mapping[str, Tensor]) -> Tensor:
        """What flows in and what flows out, shape `(2, units)` in float64.

        Args:
            params: the parameters by name, shaped as those that were given first.
        """
        self.read_others(params, ())
        return self.flows()

    def read_others(self, params: Mapping[str, Tensor], known: Collection[str]) -> None:
        """Read the parameters, but those whose sums are known."""
        for name, part in self.parts.items():
            if name not in known:
                part.read(lined(params[name].detach()))

    def flows(self) -> Tensor:
        """What flows in and what flows out as far as known, shape `(2, units)` in float64."""
        totals = self._gathered(self._both[:1])[0]
        if self._combined is not None:
            ground = totals.new_zeros(2, 1)
            totals = torch.stack(self._combined.shared_out(*torch.cat([ground, totals], 1)))[:, 1:]
        return totals.clone() if self._tidy else totals

    def bounded(self) -> tuple[Tensor, Tensor]:
        """The same, and how far the two of a unit may together be from it, shape `(units,)`."""
        if self._combined is not None:
            return self.flows(), self.loose.new_zeros(())
        totals, spread = self._gathered(self._both)
        return totals, spread.sum(0)

    def places(self, sides: Sequence[Side]) -> Where:
        """Where among those of all sides the sums of these are."""
        key = tuple(side.start for side in sides)
        if key not in self._listed:
            where = [torch.arange(s.start, s.start + len(s.units)) for s in sides]
            self._listed[key] = as_run(torch.cat(where).to(self.sums.device))
        return self._listed[key]

    def shares(self) -> tuple[Tensor, Tensor]:
        r"""What each parameter brings into and takes out of the units.

        Only parameters between hidden units are listed; their sums are divided by the square root
        of the parameter's total $T_k$. For groups of edges alone.

        Returns:
            $r_k/\sqrt{T_k}$ and $c_k/\sqrt{T_k}$, each of shape `(parameters, units)` in float64.
        """
        inner = [part for part in self.parts.values() if len(part.sides) == 2]
        both = self._both.new_zeros(2, len(inner), self._nodes)
        for row, part in enumerate(inner):
            for side in part.sides:
                into = both[side.outgoing, row]
                into.index_add_(0, side.units, side.sums / side.sums.sum().sqrt())
        return both[0, :, 1:], both[1, :, 1:]

    def within_range(self, totals: Tensor) -> bool:
        """Whether no sum is zero, NaN or so near the ends of the range that parts may be lost."""
        if not totals.numel():
            return True
        low, high = map(float, totals.aminmax())
        limits = torch.finfo(self.dtype)
        return low > limits.tiny * _ROOM and high < limits.max / _ROOM

    def _gathered(self, rows: Tensor) -> Tensor:
        if self._tidy:
            return rows.view(len(rows), 2, self._nodes - 1)
        totals = rows.new_zeros(len(rows), 2 * self._nodes)
        totals.index_add_(1, self._places, rows)
        return totals.view(len(rows), 2, self._nodes)[:, :, 1:]


class Part:
    """One parameter: its sums, and where its pieces go.

    Attributes:
        sides: its sums at the ends that are hidden units; both, if it joins such.
        rounding: bound on their relative error.
        pieces: slices of its rows that stay in a processor's cache.
        matrix: whether its sums are those of the rows and columns of a matrix.
    """

    def __init__(self, value: Tensor, entry: Entry, p: float, dtype: torch.dtype) -> None:
        target, source = ends_of(entry, value.dim(), value.device)
        self.pieces, self._p = pieces(value), p
        self._room = scratch(value, dtype)
        self._ends = [UnitSums(end, self._room) for end in (target, source) if bool(end.any())]
        outgoing = [number for number, end in enumerate((target, source)) if bool(end.any())]
        none = self._room.new_zeros(0)
        self.sides = [
            Side(number, ends.end.reshape(-1), none, none, value.numel() // ends.end.numel())
            for number, ends in zip(outgoing, self._ends)
        ]
        same = (target == source) & (target != 0)
        self._same = same.expand(value.shape) if bool(same.any()) else None
        lines = ((len(value), 1), (1, value.shape[-1]))
        self.matrix = self._same is None and all(
            ends.end.shape == lines[side.outgoing] for side, ends in zip(self.sides, self._ends)
        )
        self._read = (_ADDITIONS + len(self.pieces)) * torch.finfo(dtype).eps
        self.rounding = self._read

    def read(self, value: Tensor) -> None:
        """Sum the parameter anew."""
        self.begin()
        for where in self.pieces:
            self.count(value[where], where)
        self.end()

    def begin(self) -> None:
        """Forget what was counted."""
        for ends in self._ends:
            ends.sums.zero_()

    def count(self, piece: Tensor, where: slice) -> None:
        """Count a piece."""
        if torch.finfo(piece.dtype).bits < torch.finfo(self._room.dtype).bits:
            piece = piece.to(self._room.dtype)
        powers = power_into(piece, self._p, self._room[: len(piece)])
        if self._same is not None:
            powers.masked_fill_(self._same[where], 0.0)
        for ends in self._ends:
            ends.add(powers, where)

    def end(self) -> None:
        """What was counted is what the parameter is."""
        for side, ends in zip(self.sides, self._ends):
            side.sums.copy_(ends.sums.reshape(-1))
            side.loose.zero_()
        self.rounding = self._read

    def change(self, old: Tensor, new: Tensor, dim: int, lines: Tensor) -> None:
        """Some rows (`dim` 0) or columns (1) of a matrix are others now.

        Args:
            old: as they were, with as many dimensions as the matrix.
            new: as they are.
            dim: along which they are listed.
            lines: which they are.
        """
        wide = self._room.dtype
        before, after = (
            power_into(t.to(wide), self._p, t.new_empty(t.shape, dtype=wide)) for t in (old, new)
        )
        for side in self.sides:
            if side.outgoing == dim:
                side.sums[lines] = after.sum(1 - dim).double()
                side.loose[lines] = 0.0
            else:
                side.sums += (after - before).sum(dim)
        self.rounding += 8 * torch.finfo(wide).eps
