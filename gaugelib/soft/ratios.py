r"""The logarithm of a unit's incoming over its outgoing norm, and sums of squares as logarithms.

Sums are taken in units of their own largest term, so that no square over- or underflows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from gaugelib.group import Entry, GaugeError, GaugeGroup, widest


def log_ratio(
    params: Mapping[str, Tensor], group: GaugeGroup, *, include_bias: bool = False
) -> Tensor:
    r"""How far each unit is from balance: $u_h = \log(r_h/s_h)$, shape `(units,)`.

    $r_h$ and $s_h$ are the Euclidean norms of the weights into and out of unit $h$. A gauge
    transformation $a = e^\alpha$ changes $u$ alone, with Jacobian $2(I-\tilde P)$ where
    $\tilde P$ is a random walk on the units that goes to an incoming or an outgoing weight with
    equal odds; with one hidden layer $u_h \mapsto u_h + 2\alpha_h$. The relative imbalance is
    $|\tanh u_h|$. It can be differentiated.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        include_bias: whether biases count, as weights from the ground.

    Raises:
        GaugeError: if a unit has no counted non-zero weight in, or none out: it is named; if a
            weight is NaN or infinite, or if names or shapes do not fit.

    Source: the book, "Soft gauge fixing".

    Book: prop-coordinates, prop-decay-alone.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> log_ratio(params_of(hat()), mlp_group(hat())).exp().tolist()  # the middle one gives 2
        [1.0, 0.5, 1.0]
    """
    refuse_longer(group)
    names = counted(params, group, include_bias)
    size = group.units + 1
    into = log_square_sums(params, group, names, lambda e: e.target, size)[1:]
    out = log_square_sums(params, group, names, lambda e: e.source, size)[1:]
    refuse_dead((into == -torch.inf) | (out == -torch.inf), group)
    return (into - out) / 2


def log_square_sums(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    names: Sequence[str],
    place: Callable[[Entry], Tensor],
    size: int,
) -> Tensor:
    r"""$\log\sum\theta_e^2$ over the entries that share a place, shape `(size,)`.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        names: the parameters that count; entries from a unit to itself never do.
        place: where each entry of a parameter is summed, below `size`.
        size: number of places; one that nothing falls on holds minus infinity.
    """
    dtype = widest(params)
    parts = []
    for name in names:
        value, entry = params[name].to(dtype), group.entries[name]
        target, source = entry.target.to(value.device), entry.source.to(value.device)
        index = place(Entry(target, source))
        parts.append((value.masked_fill(target == source, 0.0), index))
    device = next(iter(params.values())).device
    top = torch.zeros(size, dtype=dtype, device=device)
    for value, index in parts:
        largest = _over_shared(value.detach().abs(), index)
        top = top.scatter_reduce(0, index.reshape(-1), largest.reshape(-1), "amax")
    unit = torch.where(top > 0, top, 1.0)
    total = torch.zeros_like(top)
    for value, index in parts:
        squares = (value / unit[index]).square().sum_to_size(index.shape)
        total = total.index_add(0, index.reshape(-1), squares.reshape(-1))
    return total.log() + 2 * unit.log()


def counted(params: Mapping[str, Tensor], group: GaugeGroup, include_bias: bool) -> list[str]:
    """Names of the parameters that count, once all of them were looked at.

    Raises:
        GaugeError: if the group was restricted, names or shapes do not fit, or a parameter is NaN,
            infinite or not real floating point.
    """
    group.require_whole()
    group.check_shapes(params)
    for name in group.shapes:
        value = params[name]
        if not value.is_floating_point():
            raise GaugeError(f"'{name}' must be real floating point, found {value.dtype}")
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(f"parameter '{name}' holds NaN or infinity")
    return group.counted(include_bias)


def refuse_longer(group: GaugeGroup) -> None:
    """Refuse a group whose orbits have no log-ratios as coordinates.

    Raises:
        GaugeError: if it has combined nodes.
    """
    group.require_edges(
        "the log-ratio u of incoming to outgoing norms as a coordinate",
        "measure with relative_imbalance, move with soft_step of kind 'imbalance'",
    )


def refuse_dead(dead: Tensor, group: GaugeGroup) -> None:
    """Refuse units that are marked as dead, shape `(units,)`, by name.

    Raises:
        GaugeError: naming them.
    """
    if not bool(dead.any()):
        return
    names = [group.name_of(unit) for unit in dead.nonzero().flatten().tolist()]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    raise GaugeError(
        "every unit must lie on a path of counted non-zero weights from an input to an output; "
        f"dead units: {', '.join(names[:6])}{more}"
    )


def _over_shared(value: Tensor, index: Tensor) -> Tensor:
    """The largest of the entries that share one place of a broadcast index."""
    lead = value.dim() - index.dim()
    shape = (1,) * lead + tuple(index.shape)
    shared = [d for d, n in enumerate(shape) if n == 1]
    if not value.numel():
        return value.new_zeros(index.shape)
    # amax over no dimension would be over all of them
    return (value.amax(shared, keepdim=True) if shared else value).reshape(index.shape)
