r"""The minimum-norm gauge: the point of smallest $\ell_p$ norm on the orbit of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from gaugelib.action import rescale
from gaugelib.balance.result import History, MinimumNorm
from gaugelib.balance.solver.search import Search
from gaugelib.group import GaugeError, GaugeGroup, require_exponent
from gaugelib.memory import Footprint, refuse_unwritable

_AHEAD, _FINEST = 0.01, 1e-13
"""Share of the imbalance down to which an error is measured, but not below the second number."""
_FARTHEST = 200
"""Passes that this may take."""

MethodName = Literal["two-level", "alternating", "doubled", "algorithm-1"]


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

    All methods lower the norm with every step. They work on $|\theta|^p$, read once, and touch the
    weights once, at the end:

    - `"algorithm-1"`: the published update of all units at once,
      $a_h = (\mathrm{out}/\mathrm{in})^{1/(4p)}$, with the published stop: `tol` is its $\delta$,
      and it ends when $\max_h|a_h-1| < \delta$;
    - `"doubled"`: the same with twice the exponent, which is still monotone;
    - `"alternating"`: exact balancing of every other layer in turn;
    - `"two-level"`: that, and after each step one exact scale for each whole layer; with Anderson
      acceleration, which is undone wherever it would raise the norm. Where it is slow because the
      hidden units fall into separate parts, each part gets layers of its own.

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
        GaugeError: if an argument is out of range, names or shapes do not fit, the group was
            restricted, a parameter is NaN or infinite, a scale leaves the range of float64, or a
            parameter's dtype cannot hold the result: an entry would overflow, or become 0, or
            lose digits where `exact` forbids it.

    Source: Saul (2023), Theorem 2.1 and Algorithm 1; the book, "The minimum-norm gauge".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> found = minimum_norm(params_of(hat()), mlp_group(hat()), tol=1e-12)
        >>> found.scales.square()  # the middle neuron is fed 1 and gives 2: a² = 2
        tensor([1.0000, 2.0000, 1.0000], dtype=torch.float64)
        >>> found.converged, found.passes
        (True, 1.0)
    """
    require_exponent(p)
    _require_options(tol, method, max_passes)
    _require_params(params, group)
    params = {name: params[name].detach() for name in group.shapes}
    kinds = {"weight", "bias"} if include_bias else {"weight"}
    names = [name for name, entry in group.entries.items() if entry.kind in kinds]
    room = _room(params, out)
    search = Search(params, group, names, p, method, tol, room)
    search.run(max_passes)
    if not search.tells_error():
        search.last_correction = _to_go(search, group, names, p)
    if exact:
        search.round_scales()
        rescale(params, search.scales, group, exact=True)  # for what it refuses
    return MinimumNorm(
        params={name: room[name] for name in params},
        scales=search.scales,
        passes=search.passes,
        history=_history(search),
        imbalance=search.imbalance,
        last_correction=search.last_correction,
        dead=search.dead,
        dead_names=_names_of(search.dead, group),
        converged=search.converged,
    )


def _to_go(search: Search, group: GaugeGroup, names: list[str], p: float) -> float:
    """How far the two-level method moves the log-scales from what a search has written.

    Down to a hundredth of its imbalance, so that little of the error is missed.
    """
    wide = {name: value.double() for name, value in search.room.items()}
    goal = max(_AHEAD * search.imbalance, _FINEST)
    ahead = Search(wide, group, names, p, "two-level", goal, _room(wide, None))
    try:
        ahead.run(_FARTHEST)
    except GaugeError:  # the scales of the minimum are out of range
        return math.inf
    return float(ahead.scales.log().abs().max()) if len(ahead.scales) else 0.0


def _require_options(tol: float, method: str, max_passes: int) -> None:
    if not 0.0 < tol < math.inf:
        raise GaugeError(f"tol must be a finite number > 0, found {tol}")
    if method not in get_args(MethodName):
        raise GaugeError(f"method must be one of {get_args(MethodName)}, found {method!r}")
    if not max_passes >= 1:
        raise GaugeError(f"max_passes must be at least 1, found {max_passes}")


def _require_params(params: Mapping[str, Tensor], group: GaugeGroup) -> None:
    if group.restricted is not None:
        raise GaugeError(
            f"this group counts only parameters of kind '{group.restricted}'; use the whole group"
        )
    group.check_shapes(params)
    devices = {value.device for value in params.values()}
    if len(devices) > 1:
        raise GaugeError(f"all parameters must be on one device, found {sorted(map(str, devices))}")
    for name, value in params.items():
        if not value.is_floating_point():
            raise GaugeError(f"'{name}' must be real floating point, found {value.dtype}")


def _room(params: Mapping[str, Tensor], out: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    if out is None:
        return {name: value.new_empty(value.shape) for name, value in params.items()}
    for name, value in params.items():
        room = out.get(name)
        if room is None or (room.shape, room.dtype, room.device) != (
            value.shape,
            value.dtype,
            value.device,
        ):
            raise GaugeError(
                f"out['{name}'] must be a tensor of shape {tuple(value.shape)}, {value.dtype}, "
                f"on {value.device}"
            )
        if not room.is_contiguous():
            raise GaugeError(f"out['{name}'] must be contiguous")
    room = {name: out[name].detach() for name in params}
    refuse_unwritable(room, "out['{}']")
    memory = Footprint(params)
    for name, value in room.items():
        owner = memory.owner(value)
        if owner is not None:
            raise GaugeError(
                f"out['{name}'] lies in the memory of '{owner}'; it must be memory of its own, not "
                "a parameter's"
            )
    return room


def _history(search: Search) -> History:
    log, like = search.log, search.scales
    return History(*(like.new_tensor(x) for x in (log.passes, log.objective, log.imbalance)))


def _names_of(units: Tensor, group: GaugeGroup) -> tuple[str, ...]:
    names = []
    for unit in units.tolist():
        spans = [(layer, s.start) for layer, s in group.layers.items() if s.start <= unit < s.stop]
        layer, start = spans[0] if spans else ("(unnamed)", 0)
        names.append(f"{layer}[{unit - start}]")
    return tuple(names)
