r"""The minimum-norm gauge: the point of smallest $\ell_p$ norm on the orbit of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.action import rescale
from gaugelib.balance.result import History, MinimumNorm
from gaugelib.balance.solver.found import Found, begin, judged, rounded, tells_error
from gaugelib.balance.solver.methods import METHODS, MethodName
from gaugelib.balance.solver.newton import newton, unordered
from gaugelib.balance.solver.plan import Start, planned
from gaugelib.balance.solver.read import read
from gaugelib.balance.solver.sweeps import sweep
from gaugelib.balance.solver.task import Options, Task, check
from gaugelib.balance.solver.write import write
from gaugelib.group import GaugeError, GaugeGroup

_AHEAD, _FINEST = 0.01, 1e-13
"""Share of the imbalance down to which an error is measured, but not below the second number."""
_FARTHEST = 200
"""Passes that this may take."""


@torch.no_grad()
def minimum_norm(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    p: float = 2.0,
    tol: float = 1e-6,
    include_bias: bool = False,
    method: MethodName = "two-level",
    max_passes: int = 1000,
    exact: bool = False,
    out: Mapping[str, Tensor] | None = None,
) -> MinimumNorm:
    r"""The point of smallest norm $\|\theta\|_p$ on the orbit of a network, and the way there.

    At it what flows into each hidden unit equals what flows out,
    $\sum_{\mathrm{in}(h)}|\theta_e|^p = \sum_{\mathrm{out}(h)}|\theta_e|^p$. It exists and is
    unique if every unit lies on a path of non-zero weights from an input to an output; units that
    do not are dead, stay at scale 1 and are named. The norm counts weights; biases are rescaled
    with their units but counted only if `include_bias`.

    Where activations are multiplied, so that columns $q_e$ of $Q$ are longer than edges, in and out
    are weighted by $|Q|$, and a minimum exists if $\sum_et_eq_e=0$ for some $t_e>0$ at every entry
    that is not 0; if not, the units whose scales run away are the dead ones.

    All methods lower the norm with every step. They read the weights, a piece at a time, and write
    the new ones once, at the end:

    - `"algorithm-1"`: the published update of all units at once,
      $a_h = (\mathrm{out}/\mathrm{in})^{1/(4p)}$, with the published stop: `tol` is its $\delta$,
      and it ends when $\max_h|a_h-1| < \delta$;
    - `"doubled"`: the same with twice the exponent, which is still monotone;
    - `"alternating"`: exact balancing of every other layer in turn;
    - `"two-level"`: that, and after each step one exact scale for each whole layer; with Anderson
      acceleration, which is undone wherever it would raise the norm. Where it is slow because
      little flows between parts of the layers, each part gets a scale of its own. With longer
      columns it is Newton's method instead, by conjugate gradients.

    With longer columns, of norm $\|q_e\|_1\le m$, the first two have the exponents $1/(2mp)$ and
    $1/(mp)$: those for edges, where $m=2$, could raise the norm. The third needs edges.

    Args:
        params: the network's parameters by name; they are not changed.
        group: the network's gauge group.
        p: exponent of the norm, any number > 0.
        tol: largest imbalance of the returned parameters,
            $\gamma = \max_h|\mathrm{in}-\mathrm{out}|/(\mathrm{in}+\mathrm{out})$; for
            `"algorithm-1"` its $\delta$.
        include_bias: whether biases count, as edges from the ground.
        method: one of the four above.
        max_passes: bound on the passes over the weights.
        exact: whether to round the scales to powers of two: then no weight loses a digit, outputs
            stay bitwise the same while activations keep to their dtype's normal range, and the norm
            ends a little above the smallest.
        out: where to write the returned parameters, to save memory in repeated calls: tensors of
            the same names, shapes and dtypes, in memory of their own; after an error it holds
            anything.

    Returns:
        The rescaled parameters, the scales, and whether the tolerance was reached: in the
        parameters' own precision it may be out of reach.

    Raises:
        GaugeError: if an argument is out of range, the method needs edges, names or shapes do not
            fit, the group was restricted, a parameter is NaN or infinite, a scale leaves the range
            of float64, or a parameter's dtype cannot hold the result: an entry would overflow, or
            become 0, or lose digits where `exact` forbids it.

    Source: Saul (2023), Theorem 2.1 and Algorithm 1; the book, "The minimum-norm gauge".

    Book: thm-unique, lem-compact, thm-convergence, prop-doubled, thm-rate, thm-turns,
    prop-largest, prop-limit, prop-average, thm-torus-lightest, prop-torus-step.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> found = minimum_norm(params_of(hat()), mlp_group(hat()), tol=1e-12)
        >>> found.scales.square()  # the middle neuron is fed 1 and gives 2: a² = 2
        tensor([1.0000, 2.0000, 1.0000], dtype=torch.float64)
        >>> found.converged, found.passes
        (True, 1.0)
    """
    task = check(
        params,
        group,
        p=p,
        tol=tol,
        include_bias=include_bias,
        method=method,
        max_passes=max_passes,
        out=out,
    )
    return solution(task, exact=exact)


def solution(task: Task, *, exact: bool) -> MinimumNorm:
    """What was asked for; without room for it the parameters are those given, as they were."""
    edges, group = task.group.combined is None, task.group
    found = _solved(task, begin(task)) if edges else newton(task)
    told = not edges or tells_error(task.options, found)
    correction = found.last_correction if told else _to_go(task, found)
    if exact:
        task = replace(task, options=replace(task.options, wide=True))
        found = replace(found, scales=rounded(found.scales), known=False)
        found = write(task, (planned if edges else unordered)(task, found.start), found)
        rescale(task.params, found.scales, group, exact=True)  # for what it refuses
    log, like = found.log, found.scales
    return MinimumNorm(
        params=dict(task.room or task.params),
        scales=found.scales,
        passes=found.passes,
        history=History(*(like.new_tensor(x) for x in (log.passes, log.objective, log.imbalance))),
        imbalance=found.imbalance,
        last_correction=correction,
        dead=found.dead,
        dead_names=tuple(group.name_of(unit) for unit in found.dead.tolist()),
        converged=found.converged,
    )


def _solved(task: Task, found: Found) -> Found:
    """The way to the balanced point: mostly once through; again where more care is needed."""
    while found.open:
        plan = planned(task, found.start)
        network = read(task, plan)
        found = sweep(task.options, plan, network, found)
        if not found.open:
            written = write(task, plan, found, network.powers)
            found = judged(task.options, plan, written)
    return found


def _to_go(task: Task, found: Found) -> float:
    """How far the two-level method moves the log-scales from what was found.

    Down to a hundredth of its imbalance, so that little of the error is missed.
    """
    tol = max(_AHEAD * found.imbalance, _FINEST)
    dtypes = frozenset(torch.float64 for _ in task.options.dtypes)
    options = Options(task.options.p, METHODS["two-level"], tol, _FARTHEST, dtypes)
    ahead = replace(task, room=None, options=options)
    start = replace(begin(ahead), start=Start(torch.float64, shift=found.scales.log()))
    try:
        scales = _solved(ahead, start).scales
    except GaugeError:  # the scales of the minimum are out of range
        return math.inf
    return float((scales / found.scales).log().abs().max()) if len(scales) else 0.0
