r"""How far from balance a network is, and what that was seen on."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance.solver.prepare import dead_units
from gaugelib.group import GaugeGroup
from gaugelib.optim.totals import Totals

_TRUSTED = 0.5
"""Share of the tolerance that what is known may be loose by where something is to be done."""


@dataclass(frozen=True, eq=False)
class Seen:
    r"""What was seen at one look.

    Attributes:
        imbalance: $\gamma$ over live units, not less than it is; NaN where only the solver knows.
        each: the same of each unit, shape `(units,)`.
        flows: what flows in and out, shape `(2, units)`; `None` where not all units are live.
    """

    imbalance: float
    each: Tensor
    flows: Tensor | None


class Looks:
    """Looks at parameters, again and again.

    Attributes:
        totals: what is known of what flows.
    """

    def __init__(
        self,
        params: Mapping[str, Tensor],
        group: GaugeGroup,
        names: Sequence[str],
        p: float,
        *,
        precise: bool,
    ) -> None:
        self._params, self._group, self._names, self._p = params, group, names, p
        widest = max((torch.finfo(params[name].dtype).bits for name in names), default=32)
        self.totals = self._reader(wide=precise or widest > 32)

    def look(
        self, values: Mapping[str, Tensor], known: Collection[str] = (), tol: float = 0.0
    ) -> Seen:
        """Look at what is not known; and at all, if what is known is too loose for the tolerance.

        Args:
            values: the parameters, or the coefficients, by name.
            known: names of those whose sums are known.
            tol: the imbalance up to which nothing is to be done.
        """
        totals = self.totals
        totals.read_others(values, known)
        flows, spread = totals.bounded()
        if not totals.within_range(flows):
            return self._look_hard(values)
        into, out = flows
        gap, both = (into - out).abs(), into + out
        each = (gap + spread).div_((both - spread).clamp_(min=0.0)).add_(totals.rounding)
        imbalance = float(each.max()) if len(each) else 0.0
        if known and not imbalance <= tol:
            loose = float((spread / both).max()) + totals.rounding
            if not loose <= _TRUSTED * tol:
                return self.look(values)
        return Seen(imbalance, each, flows)

    def _look_hard(self, values: Mapping[str, Tensor]) -> Seen:
        """The same where units are dead, or sums near the ends of their range."""
        flows = self.totals.read(values)
        live = torch.ones_like(flows[0], dtype=torch.bool)
        live[dead_units(values, self._group, self._names)] = False
        into, out = flows[:, live]
        if self.totals.within_range(flows[:, live]):
            each = ((into - out).abs() / (into + out)).add_(self.totals.rounding)
            return Seen(float(each.max()) if len(each) else 0.0, each, None)
        if self.totals.dtype == torch.float64:
            return Seen(math.nan, into, None)
        self.totals = self._reader(wide=True)
        return self.look(values)

    def _reader(self, *, wide: bool) -> Totals:
        dtype = torch.float64 if wide else torch.float32
        return Totals(self._params, self._group, self._names, self._p, dtype)
