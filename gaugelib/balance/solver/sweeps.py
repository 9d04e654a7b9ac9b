r"""The fourth stage: sweeps over the units that balance what flows in and out of them.

The published update, the doubled step, and exact alternating balancing are the same loop: they
differ in what is balanced at once, and in the length of the step. The two-level method adds the
layer correction after each step and Anderson acceleration after each sweep.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gaugelib.balance.solver.anderson import Anderson
from gaugelib.balance.solver.correction import Quotient
from gaugelib.balance.solver.found import Found, Log
from gaugelib.balance.solver.methods import Method
from gaugelib.balance.solver.parts import divided
from gaugelib.balance.solver.plan import Plan, Start
from gaugelib.balance.solver.read import Conductances
from gaugelib.balance.solver.state import State, Unworkable
from gaugelib.balance.solver.task import Options
from gaugelib.group import GaugeError

_STILL = 10.0
"""Passes without any progress, near the numbers' precision, after which nothing more comes."""
_NEAR = 1e4
"""How near that is, in rounding units."""
_FARTHEST = 10.0
"""Longest extrapolation of a log-scale that is worth a try."""
_SLOW = 0.3
"""Share of the last sweep's changes that the next makes again, from which on it is slow."""


def sweep(options: Options, plan: Plan, network: Conductances, found: Found) -> Found:
    """Balance the units of a network, and say whether the sweeps must begin anew elsewhere.

    Raises:
        GaugeError: if a scale leaves the range of float64.
    """
    start = plan.start
    dead = found.dead if start.dead is None else start.dead
    found = replace(found, start=start, dead=dead, open=False, reached=False, known=False)
    if not len(plan.units):
        return found
    if not network.feeds_all(plan) or not bool(network.fixed.isfinite()):
        return _doubted(found)
    state, before = State(plan, network, _logs_at(start, plan, options.p)), found.passes
    sweeps = Sweeps(state, options.method, options.p)
    try:
        reached = sweeps.run(found.goal, options.max_passes - before)
    except Unworkable:
        return _doubted(replace(found, passes=before + state.passes))
    scales = _scales_at(start, plan, state.logs / options.p, found.scales)
    found.log.extend(sweeps.log, before, math.exp(min(start.log_unit, 709.0)))
    # Rescaling changes no norm by more than a few rounding units, which a loose tolerance forgives.
    exact = options.dtypes <= ({torch.float64} if options.wide else {torch.float64, torch.float32})
    return replace(
        found,
        scales=scales,
        passes=before + state.passes,
        last_correction=sweeps.last_correction,
        first_correction=found.first_correction or sweeps.first_correction,
        sweeps=found.sweeps + sweeps.count,
        reached=reached,
        known=reached and sweeps.sees_all and exact and not start.careful,
    )


def _doubted(found: Found) -> Found:
    """Begin again with more care, if that was not done yet."""
    if found.start.careful:
        return found
    return replace(found, start=replace(found.start, doubted=True), open=True)


def _logs_at(start: Start, plan: Plan, p: float) -> Tensor | None:
    """Where to begin; with care that is what conductances are counted from."""
    if start.shift is None or start.careful:
        return None
    return torch.cat([start.shift.new_zeros(1), p * start.shift[plan.units - 1]])


def _scales_at(start: Start, plan: Plan, moved: Tensor, like: Tensor) -> Tensor:
    log_scales = torch.zeros_like(like)
    if start.shift is not None and start.careful:
        log_scales += start.shift
    log_scales[plan.units - 1] += moved[1:]
    scales = log_scales.exp()
    if not bool((scales.isfinite() & (scales > 0)).all()):
        worst = float(log_scales.abs().max())
        raise GaugeError(
            "the minimum-norm gauge of this network needs a scale outside the range of "
            f"float64, |log a| = {worst:.4g}; nothing was rescaled"
        )
    return scales


@dataclass
class _Trial:
    """Where to go back to if an extrapolation turns out to raise the objective."""

    logs: Tensor
    totals: np.ndarray
    objective: float


class Sweeps:
    """One run of a method on a network's conductances.

    Attributes:
        count: sweeps that were begun.

    Args:
        state: where to start, and what is changed.
        method: the method.
        p: exponent of the norm; scales are $e^{u/p}$.
        depth: of Anderson acceleration.
    """

    def __init__(self, state: State, method: Method, p: float, *, depth: int = 5) -> None:
        self.state, self.method, self.p = state, method, p
        self.log = Log()
        self.quotient = self._quotient() if method.correct else None
        self._memory = Anderson(depth)
        self._trial: _Trial | None = None
        self._entered: Tensor | None = None
        self._change = math.inf
        # Bound on |log(out/in)|/2 at each colour's units; infinite until they are read.
        self._left = [math.inf] * len(state.colours)
        self._marks = [state.logs.clone()] * 2
        self.count, self._first = 0, 0.0
        self._best, self._best_at = math.inf, 0.0
        self.bound = math.inf
        rounding = torch.finfo(state.network.dtype).eps
        self._near, self._slack = _NEAR * rounding, 1.0 + 64 * rounding

    @property
    def sees_all(self) -> bool:
        """Whether what was read last is exactly the imbalance of all units, not just a bound.

        With two colours a reading of one tells all, if the other was balanced just before.
        """
        return len(self.state.colours) == 2 and not any(c.inner for c in self.state.colours)

    @property
    def last_correction(self) -> float:
        r"""Largest change of $\log a$ over the last whole sweep."""
        return float((self.state.logs - self._marks[0]).abs().max()) / self.p

    @property
    def first_correction(self) -> float:
        """The same over the first sweep."""
        return self._first or self.last_correction

    def run(self, goal: float, limit: float) -> bool:
        """Sweep until the imbalance is below the goal, or until nothing more is to be gained.

        Args:
            goal: for the imbalance, or for the largest |a - 1| if the method stops as published.
            limit: on passes.

        Returns:
            Whether the goal was reached, as far as the sweeps can see.

        Raises:
            Unworkable: if a number is not finite.
        """
        number, colours = 0, self.state.colours
        while self.state.passes < limit:
            reached = self._balance(number, goal)
            if self._trial is not None and not self.state.unknown and not self._accepted():
                number = 1 % len(colours)
                continue
            if reached:
                return True
            if self._stalled():
                return False
            if self.quotient is not None:
                if not self.state.unknown:
                    self._correct_layers(self.quotient)
                if number == 0:
                    self._look_back()
            number = (number + 1) % len(colours)
        return False

    def _balance(self, number: int, goal: float) -> bool:
        """Read a colour, note what is seen, and balance its units."""
        state, colour = self.state, self.state.colours[number]
        if number == 0:
            self._marks = [self._marks[1], state.logs.clone()]
            self.count += 1
            self._first = self._first or self.last_correction
        before = state.passes
        state.read(colour)
        wanted = state.wanted(colour)
        worst = float(wanted.abs().max())
        together = bool(colour.inner)
        fresh = self._trial is None and bool(state.unknown)
        if fresh or (together and not self.method.correct):
            state.renew_totals(colour)
        others = self._left[:number] + self._left[number + 1 :]
        bound = max([worst, *others])
        if not state.unknown:
            self.log.note(before, state.objective, bound)
        self._note_progress(bound)
        self.bound = bound
        if not self.method.own_stop and math.tanh(bound) < goal:
            return True  # as it stands: what was read is what will be returned
        step = wanted if self.method.step == 1.0 else wanted * self.method.step
        state.move(colour, step)
        if not together:
            state.renew_totals(colour)
        elif self.method.correct:
            state.reread(colour)
            state.renew_totals(colour)
        # Neighbours that move by x change a unit's log-ratio of out to in by at most 2x.
        self._left = [left + self.method.step * worst for left in self._left]
        self._left[number] = math.inf if together or self.method.step != 1.0 else 0.0
        if self.method.own_stop:
            return float(torch.expm1(step / self.p).abs().max()) < goal
        self.bound = max(self._left)
        return math.tanh(self.bound) < goal

    def _correct_layers(self, quotient: Quotient) -> None:
        state = self.state
        try:
            shift = quotient.shift(state.totals)
        except ValueError:  # nothing flows
            raise Unworkable from None
        if not np.isfinite(shift).all():
            raise Unworkable
        state.shift(shift)
        reach = quotient.reach(shift)
        for number, colour in enumerate(state.colours):
            if self._left[number] == 0.0:  # what was read last is still true
                self._left[number] = float(state.wanted(colour, shift).abs().max())
            else:
                self._left[number] += reach

    def _look_back(self) -> None:
        """Extrapolate; or where sweeps are slow, divide the layers by what the last one changed."""
        state = self.state
        entered, self._entered = self._entered, state.logs.clone()
        if entered is None:
            return
        change, before = state.logs - entered, self._change
        self._change = float(change.norm())
        if self._change > _SLOW * before and self._trial is None:
            parts = divided(change, state.bonds.block, state.bonds.within)
            if parts is not None:
                state.divide(parts)
                self.quotient, self._entered = self._quotient(), None
                self._memory.restart()
                return
        self._extrapolate(change)
        self._entered = state.logs.clone()

    def _quotient(self) -> Quotient:
        return Quotient(self.state.bonds.ends, sum(self.state.bonds.counts))

    def _extrapolate(self, change: Tensor) -> None:
        """Try a point beyond the last few; the next step but one tells whether it was better."""
        state = self.state
        image = self._without_next(state.logs)
        point = self._memory.propose(image, self._without_next(change))
        if point is not None and bool((point - image).abs().max() < _FARTHEST):
            self._trial = _Trial(state.logs.clone(), state.totals.copy(), state.objective)
            state.move_all(point + (state.logs - image))
            state.forget_links()
            self._left = [math.inf] * len(self._left)

    def _without_next(self, logs: Tensor) -> Tensor:
        """All log-scales but those that the next step determines from the others."""
        kept = logs.clone()
        if len(self.state.colours) > 1:
            kept[self.state.colours[1].where] = 0.0
        return kept

    def _accepted(self) -> bool:
        """Keep the trial if the objective did not rise, else go back to where it began."""
        trial, self._trial = self._trial, None
        if trial is None or self.state.objective <= trial.objective * self._slack:
            return True
        self.state.move_all(trial.logs)
        self.state.totals = trial.totals
        self._memory.restart()
        self._entered = trial.logs
        self._left = [math.inf] * len(self._left)
        return False

    def _note_progress(self, bound: float) -> None:
        if bound < self._best:
            self._best, self._best_at = bound, self.state.passes

    def _stalled(self) -> bool:
        return self._best < self._near and self.state.passes - self._best_at > _STILL
