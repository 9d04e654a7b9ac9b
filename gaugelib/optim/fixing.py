r"""Gauge fixing while training, beside any optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gaugelib.bounds import require_positive
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.memory import refuse_unwritable, uninterrupted
from gaugelib.mlp import mlp_group
from gaugelib.optim.carry import Buffer, buffers_of, carryings, refuse_odd_memory
from gaugelib.optim.followed import follow, worth
from gaugelib.optim.held import places_of, refuse_replaced, refuse_unheld
from gaugelib.optim.kept import Coefficients, Kept
from gaugelib.optim.looks import Looks, Seen
from gaugelib.optim.mean_field import mean_field_step
from gaugelib.optim.scale import Write, scalings
from gaugelib.optim.watch import Passed, Watch, plain, watchable
from gaugelib.tracing import trace_group

_FLOAT32_FROM = 1e-4
"""Tolerance from which sums in float32, whose error is a few 1e-5, are exact enough."""
_SHARE = 0.1
"""Share of the tolerance down to which a rescaling goes, so that it lasts for many steps."""
_NEAR = 0.1
"""Imbalance up to which one step from what was just read is tried before the solver."""
_FROM, _FEW = 0.95, 60
"""Share of the tolerance from which single units are rescaled, if no more than one in so many."""
_NUDGES = 3
_LOOSE = 0.02
"""Share of the tolerance up to which a step may be bounded and not followed exactly."""
_COUNTS = ("steps", "checks", "rescalings", "imbalance")


class GaugeFixing:
    r"""Keeps a model in its minimum-norm gauge, or in another, while an optimizer trains it.

    Call `step` after the optimizer's own, as one calls a learning-rate scheduler:

        loss.backward()
        optimizer.step()
        fixing.step()

    It looks at what flows into and out of each hidden unit, and only if the imbalance $\gamma$
    exceeds `tol` does it rescale, in place, and if few units are out only these. So after each
    `step` that looks, which is every `every`-th,
    $\gamma \le$ `tol`; in between the gauge drifts. The function does not change, the `Parameter`
    objects stay, and weights that are frozen or belong to no optimizer are rescaled with their
    units, for the function needs it. Units without live connections are left as they are.

    It does not read what it knows. Beside torch's plain `SGD`, without momentum, what flows after a
    step is known from the batch, for each `nn.Linear` whose weight got its gradient from one use of
    the layer alone and moved by the optimizer's step alone. Hooks on these layers, which change
    nothing and are not in copies of the model, and autograd's own counts say whether that is so;
    where it is not, and for the other parameters, the weights are read. What is written past these
    counts, by `.data` or through numpy, may be seen late: call `fix_`, which reads all.

    What the optimizer remembers is carried along. Gradients are covectors: where a weight is
    multiplied by a factor, averages of gradients are divided by it and averages of their squares by
    its square. Afterwards the optimizer's memory is what it would be, had all its gradients been
    taken in this gauge. That does not make its next step the same: the step of SGD depends on the
    gauge, which is why fixing it matters, and Adam's, nearly the sign of a gradient, stays the same
    entry by entry while the weights it is added to do not. Neither Adam's steps nor its $\epsilon$
    know the symmetry, and no charge is conserved between two calls. Where an optimizer's own
    `weight_decay` is coupled, as in torch's SGD, its momentum averages $\lambda\theta$ too; this is
    no covector, but it is carried along as one. Decoupled decay, or no momentum, is exact.

    With `coefficients` it is another gauge that is kept: the one in which what they give at the
    model's present parameters balances, as by `balance_coefficients`. Then $\gamma$ is that of the
    coefficients; they are asked for once each time that it looks, and no more after a rescaling,
    for they are known to follow with the exponent. Let them be computed from the same examples
    each time, or what is kept is the gauge of the last batch.

    Copies of the weights are not carried along. An average of weights, such as torch's
    `AveragedModel`, must be one in a single gauge: of two gauges of one network it is another
    function. So call `fix_` once before the first copy, and take later ones just after a `step`
    that looks; or bring copies that are older to one gauge, each by `minimum_norm_`, before they
    are averaged. A checkpoint goes back with the optimizer's memory, or the memory belongs to
    another gauge. What is averaged elsewhere cannot be seen from here; but if the model has other
    parameters than it had, after `load_state_dict(assign=True)` say, `step` refuses.

    Args:
        model: the model that is trained; on its device.
        optimizer: any optimizer that holds some of its parameters.
        group: its gauge group; by default what `trace_group` finds on the example, or, without an
            example, what `mlp_group` finds.
        p: exponent of the norm, by default 2: that goes with gradient descent, 1 with `EGD`.
        every: look at every so many steps.
        tol: largest imbalance $\gamma$ that is left alone.
        include_bias: whether biases count; by default not in the norm, but with coefficients. They
            are rescaled in any case.
        example: the tensor, or the tuple of tensors, to call the model with.
        state: name of an entry of the optimizer's state -> its degree, for optimizers that torch
            does not have: 1 for averages of gradients, 2 for their squares, -1 for what is like a
            weight, 0 for what is to be left alone.
        coefficients: a function without arguments that returns non-negative coefficients at the
            model's present parameters, by their names and in their shapes; instead of `p`.
        exponent: how coefficients follow their weights, by default -2, as squared gradients and
            the diagonals of Hessian and Gauss-Newton do.

    Attributes:
        steps: how often `step` was called.
        checks: how often it looked.
        rescalings: how often they were rescaled.
        imbalance: $\gamma$ at the last check, after any rescaling, to some 1e-5, or where weights
            were not read a bound on it; NaN before.

    Raises:
        GaugeError: if an argument is out of range or contradicts another, the optimizer holds none
            of the model's parameters, or as the builders do.

    Source: Saul (2023), section 4.1; the book, "The pairing" and "Which gauge?".

    Book: thm-unique, thm-coefficients, prop-average, prop-from-the-batch.

    Example:
        >>> from gaugelib import hat
        >>> model = hat()
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> fixing = GaugeFixing(model, optimizer)
        >>> model(torch.ones(1, 1).double()).square().sum().backward()
        >>> optimizer.step()
        >>> fixing.step(), fixing.imbalance <= 1e-3
        (True, True)
        >>> fixing.step(), fixing.checks, fixing.rescalings  # nothing to do any more
        (False, 2, 1)
        >>> average = torch.optim.swa_utils.AveragedModel(model)  # after the first jump
        >>> average.update_parameters(model)
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        group: GaugeGroup | None = None,
        *,
        p: float | None = None,
        every: int = 1,
        tol: float = 1e-3,
        include_bias: bool | None = None,
        example: Tensor | tuple[Tensor, ...] | None = None,
        state: Mapping[str, int] | None = None,
        coefficients: Coefficients | None = None,
        exponent: float | None = None,
    ) -> None:
        self._kept = Kept(p, coefficients, exponent, include_bias)
        require_positive("tol", tol)
        if not (isinstance(every, int) and every >= 1):
            raise GaugeError(f"every must be a whole number of steps >= 1, found {every}")
        if group is None:
            group = mlp_group(model) if example is None else trace_group(model, example)
        self.model, self.optimizer, self.every, self.tol = model, optimizer, every, tol
        self.p, self.include_bias = self._kept.p, self._kept.include_bias
        self.steps = self.checks = self.rescalings = 0
        self.imbalance = math.nan
        self._params = dict(model.named_parameters())
        group.require_whole()
        group.check_shapes(self._params)
        refuse_unwritable(self._params)
        refuse_unheld(optimizer, self._params)
        self._places = places_of(self._params)
        self._group = group.to(next(iter(self._params.values())).device)
        self._names = group.counted(self.include_bias)
        self._degrees = dict(state or {})
        precise = tol < _FLOAT32_FROM or not self._kept.norm
        self._looks = Looks(self._params, self._group, self._names, self.p, precise=precise)
        self._watch = None
        squares = self._kept.norm and self.p == 2.0 and group.combined is None
        if squares and every == 1 and plain(optimizer):
            names = [name for name, part in self._looks.totals.parts.items() if part.matrix]
            self._watch = Watch(watchable(model, names), optimizer)

    def step(self) -> bool:
        """Count one step of the optimizer, and fix the gauge if it is the turn.

        Returns:
            Whether the weights were rescaled.

        Raises:
            GaugeError: as `fix_` does.
        """
        self.steps += 1
        return self.steps % self.every == 0 and self._fix_(self._followed())

    def fix_(self) -> bool:
        r"""Read the weights now, and rescale if the imbalance exceeds the tolerance.

        Returns:
            Whether the weights were rescaled.

        Raises:
            GaugeError: if a parameter is NaN or infinite, a coefficient is or is negative, the
                tolerance is out of reach in the parameters' precision, a dtype cannot hold what it
                would become, the optimizer keeps something of which it is not known how it
                transforms, or the model has other parameters than before. Then nothing is changed.
        """
        return self._fix_({})

    @torch.no_grad()
    def _fix_(self, passed: Mapping[str, Passed]) -> bool:
        refuse_replaced(self.model, self._params, self._places)
        refuse_unheld(self.optimizer, self._params)
        buffers = buffers_of(self.optimizer, self._params, self._degrees)
        self.checks += 1
        values = self._kept.values(self._params, self._group)
        follow(self._looks.totals, passed, _LOOSE * self.tol)
        rescaled = self._fixed_(values, passed, buffers)
        if self._watch is not None:
            self._watch.known()
        return rescaled

    def _fixed_(
        self, values: Mapping[str, Tensor], known: Mapping[str, Passed], buffers: list[Buffer]
    ) -> bool:
        """Look at what is not known, and rescale until nothing exceeds the tolerance."""
        seen = self._looks.look(values, known, self.tol)
        self.imbalance = seen.imbalance
        if self.imbalance <= self.tol:
            return False
        for _ in range(_NUDGES):
            if self.imbalance <= self.tol or seen.flows is None:
                break
            if not self.imbalance <= _NEAR or self._group.combined or not self._kept.norm:
                break
            seen = self._nudge_(seen, buffers)
            self.imbalance = seen.imbalance
        if not self.imbalance <= self.tol:
            self._solve_(values, buffers)
        self.rescalings += 1
        return True

    def _followed(self) -> dict[str, Passed]:
        """What passed through the layers of which the batch tells all, and cheaply."""
        passed = {} if self._watch is None else self._watch.passed()
        parts = self._looks.totals.parts
        return {name: one for name, one in passed.items() if worth(parts[name], one)}

    def _nudge_(self, seen: Seen, buffers: list[Buffer]) -> Seen:
        """One step from what is known: of the units that are out, or if they are many, of all."""
        assert seen.flows is not None
        into, out = seen.flows
        far, totals = seen.each > _FROM * self.tol, self._looks.totals
        if int(far.sum()) * _FEW <= len(far):
            step = torch.where(far, (out / into).log() / (2 * self.p), 0.0)
        else:
            step = mean_field_step(into, out, *totals.shares(), self.p)
        if not bool((step.abs() < 1.0).all()):
            return replace(seen, flows=None)
        parts = totals.parts if self.p >= 1.0 else {}
        writes = list(scalings(self._params, step.exp(), self._group, parts=parts))
        self._commit_(writes, buffers, step.exp())
        return self._looks.look(self._params, parts, self.tol)

    def _solve_(self, values: Mapping[str, Tensor], buffers: list[Buffer]) -> None:
        """The gauge that is kept, a little better than it needs to be."""
        found, writes = self._kept.solved(self._params, values, self._group, _SHARE * self.tol)
        if not found.imbalance <= self.tol:
            raise GaugeError(
                f"the imbalance can be brought to {found.imbalance:.1e}, not to {self.tol:.1e}: "
                "that is out of reach in the precision of the parameters"
            )
        self._commit_(writes, buffers, found.scales)
        self.imbalance = found.imbalance
        if self._watch is not None:
            self._looks.totals.read(self._params)

    def _commit_(self, weights: Sequence[Write], buffers: list[Buffer], scales: Tensor) -> None:
        """Write the weights, and carry what the optimizer remembers: all, or on an error none."""
        refuse_unwritable(self._params)
        refuse_odd_memory(buffers, self._params)
        writes = [*weights, *carryings(buffers, scales, self._group)]
        with uninterrupted():
            for write in writes:
                write()

    def state_dict(self) -> dict[str, Any]:
        """The counts, as plain numbers: with the model's and the optimizer's, all that resumes."""
        return {name: getattr(self, name) for name in _COUNTS}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up the counts that `state_dict` gave; the settings stay those given here.

        Raises:
            GaugeError: if it is not what `state_dict` gave.
        """
        if set(state_dict) != set(_COUNTS):
            raise GaugeError(f"a state has {list(_COUNTS)}, found {sorted(state_dict)}")
        for name in _COUNTS:
            setattr(self, name, state_dict[name])
