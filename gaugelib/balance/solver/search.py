"""The search for the balanced point: sweep, write, and measure what was written.

It starts again with more care where numbers over- or underflowed, where units turned out to be
dead, or where precision ran out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gaugelib.balance.solver.links import read
from gaugelib.balance.solver.plan import Plan, plan_of
from gaugelib.balance.solver.prepare import dead_units, log_totals, start_within_range
from gaugelib.balance.solver.state import State, Unworkable
from gaugelib.balance.solver.sweeps import METHODS, Log, Sweeps
from gaugelib.balance.solver.write import write
from gaugelib.group import GaugeError, GaugeGroup

_REPEATS = 1
"""How often to go on in float64 where the sweeps' last reading was not borne out."""
_LOOSE = 1e-4
"""Tolerance for which conductances in float32, whose sums err by some 1e-6, are good enough."""
_MARGIN = 0.9
_CLEARLY = 20.0
"""How many times what is left a last correction must be to tell that little is left."""


@dataclass(frozen=True, eq=False)
class _Start:
    """Where sweeps begin, and in which precision."""

    dtype: torch.dtype
    shift: Tensor | None = None  # log-scales, (units,)
    log_unit: float = 0.0
    dead: Tensor | None = None  # None: nobody looked
    parts: Tensor | None = None  # of the network, (units,), if it falls into some
    careful: bool = False


class Search:
    """A search, and what it found.

    Attributes:
        scales: the scales that were written, shape `(units,)`.
        passes: passes over the weights.
        log: states on the way.
        imbalance: of what was written, over live units.
        last_correction: largest change of a log-scale in the last sweep.
        dead: units that stay at scale 1.
        converged: whether the tolerance was reached.
    """

    def __init__(
        self,
        params: Mapping[str, Tensor],
        group: GaugeGroup,
        names: Sequence[str],
        p: float,
        method: str,
        tol: float,
        room: Mapping[str, Tensor],
    ) -> None:
        self.params, self.group, self.names = params, group, names
        self.p, self.tol = p, tol
        self.method, self.room = METHODS[method], room
        self.device = next((v.device for v in params.values()), torch.device("cpu"))
        self.scales = torch.ones(group.units, dtype=torch.float64, device=self.device)
        self.dead = torch.zeros(0, dtype=torch.int64, device=self.device)
        self.log, self.passes = Log(), 0.0
        self.imbalance, self.last_correction = math.nan, 0.0
        self._first_correction, self._sweeps = 0.0, 0
        self.converged = False
        wide = any(params[name].dtype == torch.float64 for name in names)
        wide = wide and not (self.method.correct and tol >= _LOOSE)
        self._start = _Start(torch.float64 if wide else torch.float32)
        self._refuse_not_finite(name for name in params if name not in set(names))

    def run(self, max_passes: float) -> None:
        """Sweep until what is written has the wanted imbalance, or nothing more can be done."""
        tol, repeats = self.tol, 0
        goal = tol if self._start.dtype == torch.float64 else _MARGIN * tol
        while True:
            plan = self._plan()
            reached = known = False
            try:
                if len(plan.units):
                    sweeps = self._begin(plan)
                    reached = self._sweep(sweeps, plan, goal, max_passes)
                    if sweeps.parts is not None:
                        self._divide(sweeps.parts, plan)
                        continue
                    known = reached and self._is_known(sweeps)
            except Unworkable:
                if self._with_more_care():
                    continue
            self._write(plan, measured=not known)
            self.converged = self.imbalance < tol or (reached and self._as_published())
            if self.converged or not len(plan.units) or self.passes >= max_passes:
                return
            if not reached and self._start.dtype == torch.float64:
                return
            # Either float32 gives no more, or the sweeps' estimate was a little too good: go on
            # from here in float64.
            repeats += reached
            if repeats > _REPEATS:
                return
            if reached:
                goal /= 2
                self.passes += 1.0  # the reading that found out
            self._start = replace(self._start, dtype=torch.float64, shift=self.scales.log())

    def tells_error(self) -> bool:
        """Whether the last correction is as large as the error of the log-scales, or larger.

        So it is where corrections fell by half with each sweep, and are large beside what is
        left: the two-level method does that, unless the network falls into weakly linked parts, or
        there was little to do from the start.
        """
        return (
            self.method.correct
            and self.converged
            and self.p * self.last_correction > _CLEARLY * self.imbalance
            and self.last_correction <= self._first_correction * 0.5 ** max(0, self._sweeps - 2)
        )

    def round_scales(self) -> None:
        """Replace each scale by the nearest power of two, and write again."""
        mantissa, exponent = torch.frexp(self.scales)
        exponent = torch.where(mantissa < math.sqrt(0.5), exponent - 1, exponent)
        self.scales = torch.ldexp(torch.ones_like(self.scales), exponent)
        self._write(self._plan())

    def _is_known(self, sweeps: Sweeps) -> bool:
        """Whether the imbalance that the sweeps saw is that of the result, to rounding.

        Rescaling in float64 changes no norm by more than a few rounding units.
        """
        narrow = any(self.params[name].dtype != torch.float64 for name in self.names)
        return sweeps.sees_all and not (narrow or self._start.careful)

    def _as_published(self) -> bool:
        return self.method.own_stop and not math.isnan(self.imbalance)

    def _plan(self) -> Plan:
        """Blocks and their order; who is dead is looked up where positive sums would not tell."""
        start = self._start
        plan = self._plan_without(start.dead)
        if start.dead is None and plan.cyclic:
            self._start = replace(start, dead=dead_units(self.params, self.group, self.names))
            plan = self._plan_without(self._start.dead)
        self.dead = self.dead if self._start.dead is None else self._start.dead
        return plan

    def _plan_without(self, dead: Tensor | None) -> Plan:
        some = dead if dead is not None and len(dead) else None
        coloured = self.method.coloured
        parts = self._start.parts
        return plan_of(self.group, self.names, some, self.device, coloured=coloured, parts=parts)

    def _divide(self, parts: Tensor, plan: Plan) -> None:
        """Go on from here with blocks of their own for each part of the network."""
        by_unit = torch.zeros(self.group.units, dtype=torch.int64, device=self.device)
        by_unit[plan.units - 1] = parts[1:]
        self._start = replace(self._start, shift=self.scales.log(), parts=by_unit)

    def _begin(self, plan: Plan) -> Sweeps:
        start = self._start
        network = read(
            self.params,
            self.group,
            plan,
            self.p,
            start.dtype,
            shift=start.shift,
            log_unit=start.log_unit,
            room=self.room,
        )
        if not network.feeds_all(plan) or not bool(network.fixed.isfinite()):
            raise Unworkable
        whole = self._start.parts is not None
        return Sweeps(State(plan, network), self.method, self.p, whole=whole)

    def _sweep(self, sweeps: Sweeps, plan: Plan, goal: float, max_passes: float) -> bool:
        state, before = sweeps.state, self.passes
        try:
            reached = sweeps.run(goal, max_passes - before)
        finally:
            self.passes = before + state.passes
        self.last_correction = sweeps.last_correction
        self._first_correction = self._first_correction or sweeps.first_correction
        self._sweeps += sweeps.count
        log_scales = torch.zeros_like(self.scales)
        if self._start.shift is not None:
            log_scales += self._start.shift
        log_scales[plan.units - 1] += state.logs[1:] / self.p
        self.scales = self._scales(log_scales)
        unit = math.exp(min(self._start.log_unit, 709.0))
        self.log.extend(sweeps.log, before, unit)
        return reached

    def _scales(self, log_scales: Tensor) -> Tensor:
        scales = log_scales.exp()
        if not bool((scales.isfinite() & (scales > 0)).all()):
            worst = float(log_scales.abs().max())
            raise GaugeError(
                "the minimum-norm gauge of this network needs a scale outside the range of "
                f"float64, |log a| = {worst:.4g}; nothing was rescaled"
            )
        return scales

    def _with_more_care(self) -> bool:
        """Prepare another start after numbers that were not finite; `False` if nothing is left."""
        self._refuse_not_finite(self.params)
        start = self._start
        if start.dead is None:
            dead = dead_units(self.params, self.group, self.names)
            self._start = start = replace(start, dead=dead)
            if len(dead):
                return True
        if start.careful or start.dead is None:
            return False
        shift, unit = start_within_range(self.params, self.group, self.names, self.p, start.dead)
        self._start = _Start(torch.float64, shift, unit, start.dead, start.parts, careful=True)
        return True

    def _refuse_not_finite(self, names: Iterable[str]) -> None:
        for name in names:
            if not bool(self.params[name].isfinite().all()):
                raise GaugeError(f"parameter '{name}' holds NaN or infinity; nothing was rescaled")

    def _write(self, plan: Plan, *, measured: bool = True) -> None:
        counted = self.names if measured else ()
        seen = write(self.params, self.group, self.scales, self.p, counted, plan.looped, self.room)
        if not measured:
            self.imbalance = self.log.imbalance[-1]
            return
        if not math.isfinite(seen.objective):
            self._refuse_not_finite(self.params)
        live = torch.ones_like(self.scales, dtype=torch.bool)
        live[self.dead] = False
        if self._start.careful:
            into, out = log_totals(self.room, self.group, self.names, self.p)
            gaps = ((into - out) / 2).tanh().abs()[live]
        else:
            into, out = seen.incoming, seen.outgoing
            gaps = ((into - out).abs() / (into + out))[live]
        self.imbalance = float(gaps.max()) if len(gaps) else 0.0
        self.log.close(self.passes, seen.objective, self.imbalance)
