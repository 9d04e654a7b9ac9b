r"""What flows into and out of each unit, read again and again while the parameters change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.powers import pieces, power_into, scratch
from gaugelib.balance.solver.unit_sums import UnitSums
from gaugelib.group import GaugeGroup

_ROOM = 1e12
"""Factor that sums must keep from the ends of their dtype's range, lest parts of them be lost."""
_ADDITIONS = 200
"""More than the rounded additions behind any sum over one piece: torch sums in a tree."""


class Totals:
    r"""Reads $\sum|\theta_e|^p$ into and out of each unit, in memory kept between readings.

    Attributes:
        dtype: the floating dtype in which powers are summed.
        rounding: bound on the relative error of a sum that is within range.
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
        self._counted = [
            _Parameter(name, _lined(params[name]), group, dtype)
            for name in names
            if params[name].numel()
        ]
        self._like = next(iter(params.values())).detach()
        count = max((len(part.pieces) for part in self._counted), default=0)
        self.rounding = (_ADDITIONS + count) * torch.finfo(dtype).eps

    def read(self, params: Mapping[str, Tensor]) -> Tensor:
        """What flows in and what flows out, shape `(2, units)` in float64.

        Args:
            params: the parameters by name, shaped as those that were given first.
        """
        like = next(iter(params.values()))
        totals = like.new_zeros(2, self._nodes, dtype=torch.float64)
        for part in self._counted:
            part.add_to(totals, _lined(params[part.name]), self.p)
        if self._combined is not None:
            totals = torch.stack(self._combined.shared_out(*totals))
        return totals[:, 1:]

    def shares(self) -> tuple[Tensor, Tensor]:
        r"""What each parameter brought into and took out of the units at the last reading.

        Only parameters between hidden units are listed; their sums are divided by the square root
        of the parameter's total $T_k$. For groups of edges alone.

        Returns:
            $r_k/\sqrt{T_k}$ and $c_k/\sqrt{T_k}$, each of shape `(parameters, units)` in float64.
        """
        inner = [part for part in self._counted if part.inner]
        both = self._like.new_zeros(2, len(inner), self._nodes, dtype=torch.float64)
        for row, part in enumerate(inner):
            part.share_into(both[:, row])
        return both[0, :, 1:], both[1, :, 1:]

    def within_range(self, totals: Tensor) -> bool:
        """Whether no sum is zero, NaN or so near the ends of the range that parts may be lost."""
        if not totals.numel():
            return True
        low, high = totals.aminmax()
        limits = torch.finfo(self.dtype)
        return bool((low > limits.tiny * _ROOM) & (high < limits.max / _ROOM))


class _Parameter:
    """One parameter: where its pieces go; `inner` if it joins hidden units."""

    def __init__(self, name: str, value: Tensor, group: GaugeGroup, dtype: torch.dtype) -> None:
        target, source = ends_of(group.entries[name], value.dim(), value.device)
        self.name = name
        self.pieces = pieces(value)
        self._room = scratch(value, dtype)
        self._sums = [
            (side, UnitSums(end, self._room))
            for side, end in enumerate((target, source))
            if bool(end.any())
        ]
        same = (target == source) & (target != 0)
        self.inner = len(self._sums) == 2
        self._same = same.expand(value.shape) if bool(same.any()) else None

    def add_to(self, totals: Tensor, value: Tensor, p: float) -> None:
        """Add to what flows in, `totals[0]`, and out, `totals[1]`."""
        for _, ends in self._sums:
            ends.sums.zero_()
        for where in self.pieces:
            piece = value[where]
            if torch.finfo(piece.dtype).bits < torch.finfo(self._room.dtype).bits:
                piece = piece.to(self._room.dtype)
            powers = power_into(piece, p, self._room[: len(piece)])
            if self._same is not None:
                powers.masked_fill_(self._same[where], 0.0)
            for _, ends in self._sums:
                ends.add(powers, where)
        for side, ends in self._sums:
            ends.into(totals[side])

    def share_into(self, both: Tensor) -> None:
        """Add the sums of the last reading, divided by the square root of their total."""
        for side, ends in self._sums:
            ends.into(both[side])
            both[side] /= ends.sums.sum(dtype=both.dtype).sqrt()


def _lined(value: Tensor) -> Tensor:
    """A tensor of at least one dimension."""
    value = value.detach()
    return value if value.dim() else value.reshape(1)
