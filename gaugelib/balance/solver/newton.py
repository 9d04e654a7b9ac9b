r"""The solver for columns longer than edges, in the place of plan, reading and sweeps.

Its methods lower the norm with every step, as those for edges do. Of simultaneous steps,
$a_h = (\mathrm{out}/\mathrm{in})^{1/(2mp)}$ lowers it and $1/(mp)$ never raises it, where in and
out are weighted by $|Q|$ and $m=\max_e\|q_e\|_1$: with $\delta=\log a$, convexity gives
$e^{p\,q_e\cdot\delta}\le\frac1m\sum_h|q_{eh}|\,e^{\pm mp\delta_h}+1-\frac1m\|q_e\|_1$, so that
$\|\theta\|_p^p$ gains at most
$\frac1m\sum_h(\mathrm{in}_h(a_h^{mp}-1)+\mathrm{out}_h(a_h^{-mp}-1))$.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.action import refuse_not_finite
from gaugelib.balance.solver.columns import Columns, Point
from gaugelib.balance.solver.found import Found, Log, begin
from gaugelib.balance.solver.plan import Plan, Start
from gaugelib.balance.solver.prepare import dead_units, longest, start_within_range
from gaugelib.balance.solver.task import Task
from gaugelib.balance.solver.write import write
from gaugelib.group import GaugeError
from gaugelib.nodes import share_a_node

_WIDEST = 1e200
"""Ratio of sums that float64 holds with room to spare."""
_FAR, _LONG = 200.0, 4.0
r"""How far, in $p\log a$, what was read once may be moved, and a step of Newton's may go."""
_UNEVEN = 0.5
"""Imbalance from which a simultaneous step is worth its pass."""
_PRODUCTS, _HALVINGS, _STILL = 100, 40, 5
"""Products for a step of Newton's; halvings of it; steps without progress, after which it ends."""
_SLACK = 1.0 + 1e-14
_MARGIN = 0.9
"""Share of the tolerance that is aimed at, for parameters round."""


def newton(task: Task) -> Found:
    """The way to the balanced point, and what was written there.

    Raises:
        GaugeError: for the method "alternating", if a parameter is NaN or infinite, or if a scale
            leaves the range of float64.
    """
    method = task.options.method
    if method.coloured and not method.correct:
        raise GaugeError(
            "method 'alternating' needs entries that each join one unit to one other: to balance "
            "one unit alone has no closed form here; use 'two-level'"
        )
    refuse_not_finite(task.params)
    found = begin(task)
    descent = Descent(task)
    reached = descent.run(task.options.tol * (1.0 if method.own_stop else _MARGIN))
    found = replace(
        found,
        start=replace(found.start, careful=descent.careful),
        open=False,
        scales=descent.scales(),
        dead=descent.dead,
        log=descent.log,
        passes=float(descent.passes),
        last_correction=descent.error(),
        reached=reached,
    )
    found = write(task, unordered(task, found.start), found)
    published = reached and method.own_stop and not math.isnan(found.imbalance)
    return replace(found, converged=found.imbalance < task.options.tol or published)


def unordered(task: Task, start: Start) -> Plan:
    """What `write` asks of a plan, for there are no blocks."""
    entries = task.group.entries
    looped = frozenset(n for n in task.names if share_a_node(entries[n].target, entries[n].source))
    nothing = torch.zeros(0, dtype=torch.int64, device=task.device)
    return Plan((), (), (), nothing, looped, False, start)


class Descent:
    """A method on its way, from the parameters as they are.

    Attributes:
        dead: units that stay at scale 1, as places in `(units,)`.
        careful: whether sums over- or underflowed at the start.
        passes: over the weights.
        log: states on the way.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.p = task, task.options.p
        self.dead = dead_units(task.params, task.group, task.names)
        self.length = longest(task.group, task.names)
        self.passes, self.log = 0, Log()
        self.zero = torch.zeros(task.group.units, dtype=torch.float64, device=task.device)
        tops = [v.abs().max().double() for n in task.names if (v := task.params[n]).numel()]
        top = float(torch.stack(tops).max()) if tops else 0.0
        self._read(self.zero, self.p * math.log(top) if top > 0 else 0.0)
        self.careful = self._any_live() and not self._within_range()
        if self.careful:
            more = start_within_range(task.params, task.group, task.names, self.p, self.dead)
            self._read(*more)
        self._note()

    def run(self, goal: float) -> bool:
        """Go on until the imbalance is below the goal, or until nothing more is to be gained.

        Args:
            goal: for the imbalance, or for the largest |a - 1| if the method stops as published.

        Returns:
            Whether the goal was reached.
        """
        method, best, still = self.task.options.method, math.inf, 0
        while self._any_live() and self.passes < self.task.options.max_passes:
            gamma = self.imbalance()
            if gamma < goal and not method.own_stop:
                return True
            still = still + 1 if gamma >= best else 0
            if still > _STILL and method.correct:
                return False
            best = min(best, gamma)
            if not method.correct:
                step = self._simultaneous(method.step)
                if method.own_stop and float(torch.expm1(step).abs().max()) < goal:
                    return True
            elif gamma > _UNEVEN:
                self._simultaneous(1.0)
                self._newton(gamma)
            elif not self._newton(gamma):
                return False
        return not self._any_live() or (self.imbalance() < goal and not method.own_stop)

    def imbalance(self) -> float:
        """The largest relative imbalance of a live unit."""
        into, out = self._flows()
        gaps = (into - out).abs() / (into + out)
        return float(gaps.max()) if len(gaps) else 0.0

    def error(self) -> float:
        """How far Newton's next step would move the log-scales, in passes that do not count."""
        return float(self._direction(1e-3, _PRODUCTS).abs().max()) if self._any_live() else 0.0

    def scales(self) -> Tensor:
        """Where it is, as scales of shape `(units,)`.

        Raises:
            GaugeError: if one leaves the range of float64.
        """
        logs = self.columns.shift + self.point.alpha
        scales = logs.exp()
        if not bool((scales.isfinite() & (scales > 0)).all()):
            raise GaugeError(
                "the minimum-norm gauge of this network needs a scale outside the range of "
                f"float64, |log a| = {float(logs.abs().max()):.4g}; nothing was rescaled"
            )
        return scales

    def _simultaneous(self, share: float) -> Tensor:
        """All units at once, by the exponent 1/(mp) or a share of it."""
        into, out = self._flows()
        step = self.zero.clone()
        step[self.columns.live] = share * (out / into).log() / (self.length * self.p)
        step *= min(1.0, _FAR / max(self._size(step), _FAR))
        self._move(self.columns.at(self.point.alpha + step))
        return step

    def _newton(self, gamma: float) -> bool:
        """One of Newton's steps, halved until it goes down; whether it did."""
        most = self.task.options.max_passes
        products = min(_PRODUCTS, math.floor(most - self.passes - 1))
        if products < 1:  # no room for a step of Newton's
            if self.passes < most:
                self._simultaneous(1.0)
            return True
        step = self._direction(min(0.1, gamma), products, count=True)
        step *= min(1.0, _LONG / max(self._size(step), _LONG))
        here = self.point
        slope = self.p * float((here.incoming - here.outgoing) @ step)
        for _ in range(_HALVINGS):
            there = self.columns.at(here.alpha + step)
            if there.value <= here.value + 1e-4 * slope or there.value <= here.value * _SLACK:
                self._move(there)
                return True
            self.passes += 1
            if self.passes >= most:
                break
            step, slope = step / 2, slope / 2
        return False

    def _direction(self, tol: float, products: int, *, count: bool = False) -> Tensor:
        r"""Newton's step, $\delta$ with $p\,Q\,\mathrm{diag}(|\theta|^p)\,Q^\top\delta=-\Delta$.

        By conjugate gradients. The matrix may be singular; the imbalance lies in its range.
        """
        at, columns = self.point, self.columns
        left = ((at.outgoing - at.incoming) / self.p).masked_fill(~columns.live, 0.0)
        scale = torch.where(columns.live & (at.diagonal > 0), at.diagonal.reciprocal(), 0.0)
        found, way = torch.zeros_like(left), scale * left
        norm = first = float(left @ way)
        for _ in range(products):
            image = columns.curvature(at, way)
            self.passes += count
            bend = float(way @ image)
            if not bend > 0.0:
                break
            found, left = found + (norm / bend) * way, left - (norm / bend) * image
            new = scale * left
            before, norm = norm, float(left @ new)
            if not norm > tol**2 * first:
                break
            way = new + (norm / before) * way
        return found

    def _move(self, there: Point) -> None:
        self.point = there
        self.passes += 1
        if self._size(there.alpha) > _FAR:
            self._read(self.columns.shift + there.alpha, self.unit + math.log(there.value))
        self._note()

    def _read(self, shift: Tensor, unit: float) -> None:
        task, self.unit = self.task, unit
        self.columns = Columns(task.params, task.group, task.names, self.p, shift, unit, self.dead)
        self.point = self.columns.at(self.zero)
        self.passes += 1

    def _flows(self) -> tuple[Tensor, Tensor]:
        live = self.columns.live
        return self.point.incoming[live], self.point.outgoing[live]

    def _size(self, step: Tensor) -> float:
        r"""The largest change of $p\log a$ of any node."""
        return self.p * float(self.task.group.with_ground(step, ground=0.0).abs().max())

    def _any_live(self) -> bool:
        return bool(self.columns.live.any())

    def _within_range(self) -> bool:
        low, high = torch.cat(self._flows()).aminmax()
        return bool((low * _WIDEST > high) & (low > 0) & high.isfinite())

    def _note(self) -> None:
        self.log.passes.append(float(self.passes - 1))
        self.log.objective.append(self.point.value * math.exp(min(self.unit, 709.0)))
        self.log.imbalance.append(self.imbalance())
