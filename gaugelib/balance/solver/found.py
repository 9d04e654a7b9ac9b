"""What was found so far, and whether and from where to go on.

The search begins again with more care where numbers over- or underflowed, where units turned out to
be dead, or where precision ran out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gaugelib.balance.solver.plan import Plan, Start
from gaugelib.balance.solver.task import Options, Task

_REPEATS = 1
"""How often to go on in float64 where the sweeps' last reading was not borne out."""
_MARGIN = 0.9
_FINE = 3e-6
"""Tolerance below which sums in float32, which err by nearly 1e-6, would only be a detour."""
_CLEARLY = 20.0
"""How many times what is left a last correction must be to tell that little is left."""


@dataclass
class Log:
    """What was seen on the way: passes before each state, its objective and its imbalance."""

    passes: list[float] = field(default_factory=list)
    objective: list[float] = field(default_factory=list)
    imbalance: list[float] = field(default_factory=list)

    def note(self, passes: float, objective: float, bound: float) -> None:
        """Add a state whose units have |log(out/in)| at most twice the bound."""
        self.passes.append(passes)
        self.objective.append(objective)
        self.imbalance.append(math.tanh(bound) if math.isfinite(bound) else math.nan)

    def extend(self, other: Log, passes: float, unit: float) -> None:
        """Add what another run saw after some passes, its objective counted in a unit."""
        self.passes += [passes + k for k in other.passes]
        self.objective += [value * unit for value in other.objective]
        self.imbalance += other.imbalance

    def close(self, passes: float, objective: float, imbalance: float) -> None:
        """Add what was measured at the end, in the place of anything noted then or later."""
        while self.passes and self.passes[-1] >= passes:
            for column in (self.passes, self.objective, self.imbalance):
                column.pop()
        self.passes.append(passes)
        self.objective.append(objective)
        self.imbalance.append(imbalance)


@dataclass(frozen=True, eq=False)
class Found:
    """What was found so far.

    Attributes:
        start: where the last sweeps began; or, if the search is open, where the next will.
        goal: for the imbalance that sweeps see.
        scales: the best scales so far, shape `(units,)`.
        dead: units that stay at scale 1, as places in a vector of shape `(units,)`.
        log: states on the way.
        open: whether to begin sweeps at `start`.
        passes: over the weights.
        imbalance: of what was written, over live units.
        last_correction: largest change of a log-scale in the last sweep.
        first_correction: the same in the first sweep.
        sweeps: number of sweeps.
        reached: whether the last sweeps saw their goal reached.
        known: whether the imbalance that they saw is that of the result, to rounding.
        repeats: how often it was not, and the search went on.
        converged: whether the tolerance was reached.
    """

    start: Start
    goal: float
    scales: Tensor
    dead: Tensor
    log: Log
    open: bool = True
    passes: float = 0.0
    imbalance: float = math.nan
    last_correction: float = 0.0
    first_correction: float = 0.0
    sweeps: int = 0
    reached: bool = False
    known: bool = False
    repeats: int = 0
    converged: bool = False


def begin(task: Task) -> Found:
    """Nothing yet: sums in float32, unless the weights or the tolerance ask for more."""
    options, units, device = task.options, task.group.units, task.device
    wide = options.wide and (torch.float64 in options.dtypes or options.tol < _FINE)
    return Found(
        start=Start(torch.float64 if wide else torch.float32),
        goal=options.tol if wide else _MARGIN * options.tol,
        scales=torch.ones(units, dtype=torch.float64, device=device),
        dead=torch.zeros(0, dtype=torch.int64, device=device),
        log=Log(),
    )


def judged(options: Options, plan: Plan, found: Found) -> Found:
    """What was written, and whether it will do; else the search is open again, in float64."""
    published = found.reached and options.method.own_stop and not math.isnan(found.imbalance)
    converged = found.imbalance < options.tol or published
    found = replace(found, converged=converged)
    if converged or not len(plan.units) or found.passes >= options.max_passes:
        return found
    if not found.reached and plan.start.dtype == torch.float64:
        return found
    # Either float32 gives no more, or the sweeps' estimate was a little too good: go on from here
    # in float64.
    if found.repeats + found.reached > _REPEATS:
        return found
    if found.reached:  # and one more pass is the reading that found out
        goal, passes, repeats = found.goal / 2, found.passes + 1.0, found.repeats + 1
        found = replace(found, goal=goal, passes=passes, repeats=repeats)
    start = replace(plan.start, dtype=torch.float64, shift=found.scales.log())
    return replace(found, start=start, open=True)


def tells_error(options: Options, found: Found) -> bool:
    """Whether the last correction is as large as the error of the log-scales, or larger.

    So it is where corrections fell by half with each sweep, and are large beside what is left: the
    two-level method does that, unless little flows between parts of the network, or there was
    little to do from the start.
    """
    return (
        options.method.correct
        and found.converged
        and options.p * found.last_correction > _CLEARLY * found.imbalance
        and found.last_correction <= found.first_correction * 1.5 * 0.5 ** max(0, found.sweeps - 2)
    )


def rounded(scales: Tensor) -> Tensor:
    """The nearest power of two of each scale."""
    mantissa, exponent = torch.frexp(scales)
    exponent = torch.where(mantissa < math.sqrt(0.5), exponent - 1, exponent)
    return torch.ldexp(torch.ones_like(scales), exponent)
