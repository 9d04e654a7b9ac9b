r"""Conductances $|\theta_e|^p$ as matrices between units, formed piece by piece at each product."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import Where
from gaugelib.balance.solver.powers import pieces, power_into, scratch


class Powers:
    r"""The powers $|\theta|^p$ of a parameter: a row for each place along its first dimension.

    They are formed in a piece of memory that stays in the cache, and formed again at the next
    reading: to read weights costs less than to read what was kept of them.

    Attributes:
        value: the parameter, or the powers themselves.
        least: the smallest power of an entry that is not 0, once a reading has seen it; NaN before.
    """

    def __init__(self, value: Tensor, p: float | None, dtype: torch.dtype) -> None:
        self.value, self.least = value, math.nan
        self._p, self._dtype = p, dtype

    def __iter__(self) -> Iterator[tuple[slice, Tensor]]:
        """All rows in order, as matrices that are each valid until the next one is asked for."""
        value = self.value
        if self._p is None:
            yield slice(0, len(value)), value
            return
        room = scratch(value, self._dtype)
        unseen = math.isnan(self.least) and value.numel() > 0
        lowest: list[float] = []
        for where in pieces(value):
            piece = value[where]
            matrix = power_into(piece, self._p, room[: len(piece)]).view(len(piece), -1)
            if unseen:
                lowest.append(_least(piece, matrix))
            yield where, matrix
        if unseen:
            self.least = min(lowest)


def _least(piece: Tensor, powers: Tensor) -> float:
    """The smallest power of an entry that is not 0."""
    # Along one dimension it takes a quarter of the time that it takes along both.
    least = float(powers.amin(1).amin())
    if least == 0.0:
        nothing = powers == 0.0
        if not bool((piece.reshape(powers.shape)[nothing] != 0.0).any()):
            least = float(powers.masked_fill(nothing, torch.inf).amin())
    return least


@dataclass(frozen=True, eq=False)
class Index:
    """Which unit of a link each row (or column) belongs to.

    Attributes:
        units: number of units.
        places: the unit of each row, `units` for those that are left out; `None` if row after row
            belongs to unit after unit.
    """

    units: int
    places: Tensor | None = None

    def at(self, x: Tensor) -> Tensor:
        """For each row what belongs to its unit, 0 for those that are left out."""
        return x if self.places is None else torch.cat([x, torch.zeros_like(x[:1])])[self.places]

    def room(self, rows: int, out: Tensor) -> Tensor:
        """Where to put a number for each row."""
        return out if self.places is None else out.new_zeros(rows, *out.shape[1:])

    def sum_into(self, sums: Tensor, out: Tensor) -> None:
        """Add up the rows of each unit, unless they already are where they belong."""
        if self.places is not None:
            total = sums.new_zeros(self.units + 1, *sums.shape[1:], dtype=torch.float64)
            out.copy_(total.index_add_(0, self.places, sums.double())[:-1])


@dataclass(frozen=True, eq=False)
class Matrix:
    """Powers whose rows and columns belong to units.

    Attributes:
        powers: the powers.
        rows: to which units the rows belong.
        columns: to which units the columns belong.
        flipped: whether rows belong to the units that weights come from, not to those they lead to.
    """

    powers: Powers
    rows: Index
    columns: Index
    flipped: bool = False

    @property
    def entries(self) -> int:
        """Pairs of units."""
        return self.rows.units * self.columns.units

    def into(self, x: Tensor, out: Tensor) -> None:
        """Product with one number for each unit that weights come from, written to `out`.

        Or with several, of shape `(units, several)`: that is still one reading.
        """
        (self._columns if self.flipped else self._rows)(x, out)

    def out_of(self, x: Tensor, out: Tensor) -> None:
        """Product of the transpose with numbers for each unit that weights lead to."""
        (self._rows if self.flipped else self._columns)(x, out)

    def _rows(self, x: Tensor, out: Tensor) -> None:
        sums, x = self.rows.room(len(self.powers.value), out), self.columns.at(x)
        for where, matrix in self.powers:
            torch.matmul(matrix, x, out=sums[where])
        self.rows.sum_into(sums, out)

    def _columns(self, x: Tensor, out: Tensor) -> None:
        value, x = self.powers.value, self.rows.at(x)
        sums = self.columns.room(math.prod(value.shape[1:]), out).zero_()
        add = sums.addmv_ if x.dim() == 1 else sums.addmm_
        for where, matrix in self.powers:
            add(matrix.t(), x[where])
        self.columns.sum_into(sums, out)


@dataclass(frozen=True, eq=False)
class Edges:
    """Single edges.

    Attributes:
        values: their conductances, shape `(edges,)`.
        to: which of a link's units each leads to, shape `(edges,)`.
        source: which of its units each comes from, shape `(edges,)`.
    """

    values: Tensor
    to: Tensor
    source: Tensor

    @property
    def entries(self) -> int:
        """Pairs of units."""
        return len(self.values)

    def into(self, x: Tensor, out: Tensor) -> None:
        """As of `Matrix`."""
        out.zero_().index_add_(0, self.to, (self.values * x[self.source].t()).t())

    def out_of(self, x: Tensor, out: Tensor) -> None:
        """As of `Matrix`."""
        out.zero_().index_add_(0, self.source, (self.values * x[self.to].t()).t())


@dataclass(frozen=True, eq=False)
class Link:
    """Conductances from the units of one block to those of another.

    Attributes:
        target: block that it leads to.
        source: block that it comes from.
        rows: positions of the units that it leads to, each once.
        columns: positions of the units that it comes from, each once.
        matrix: the conductances.
    """

    target: int
    source: int
    rows: Where
    columns: Where
    matrix: Matrix | Edges

    def total(self, x: Tensor, y: Tensor) -> float:
        """The sum of all conductances, times a factor for each column and one for each row."""
        sums = torch.empty_like(y)
        self.matrix.into(x, sums)
        return float(sums.double() @ y.double())
