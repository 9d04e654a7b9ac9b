r"""With care: units that are dead, and starts whose sums would over- or underflow.

Everything here works with logarithms or with the weights themselves, never with $|\theta|^p$.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.runaway import runaway_units
from gaugelib.group import Combined, GaugeGroup

_ROUNDS = 500
_RANGE = 500.0
"""Spread of logarithms that float64 holds with room to spare."""


def dead_units(params: Mapping[str, Tensor], group: GaugeGroup, names: Sequence[str]) -> Tensor:
    """Units on no path of non-zero weights from an input to an output, as places in `(units,)`.

    Where columns are longer than edges, what `runaway` says.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        names: the parameters that count.
    """
    if group.combined is not None:
        return runaway_units(params, group, names)
    edges = [
        (params[name] != 0, target, source) for name, target, source in _ends(params, group, names)
    ]
    forward = _reached(edges, group.units)
    backward = _reached([(there, s, t) for there, t, s in reversed(edges)], group.units)
    return (~(forward & backward))[1:].nonzero().squeeze(1)


def log_totals(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    names: Sequence[str],
    p: float,
    log_scales: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Logarithms of $\sum|\theta_e|^p$ into and out of each unit, shape `(units,)` in float64.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        names: the parameters that count.
        p: the exponent.
        log_scales: where on the orbit, shape `(units,)`; by default at `params`.
    """
    first = next(iter(params.values()))
    zeros = first.new_zeros(group.units, dtype=torch.float64)
    scales = group.with_ground(zeros if log_scales is None else log_scales, ground=0.0)
    sums: list[Tensor] = []
    for side in (0, 1):
        top = torch.full_like(scales, -torch.inf)
        for x, *ends in _logs(params, group, names, p, scales):
            shared = [d for d, n in enumerate(ends[side].shape) if n == 1]
            lead = x.amax(shared, keepdim=True) if shared else x  # amax([]) is over everything
            top.scatter_reduce_(0, ends[side].reshape(-1), lead.reshape(-1), "amax")
        safe = torch.where(top.isfinite(), top, 0.0)
        total = torch.zeros_like(top)
        for x, *ends in _logs(params, group, names, p, scales):
            part = (x - safe[ends[side]]).exp().sum_to_size(ends[side].shape)
            total.index_add_(0, ends[side].reshape(-1), part.reshape(-1))
        sums.append(total.log() + top)
    into, out = sums
    if group.combined is not None:
        into, out = _log_shared_out(into, out, group.combined)
    return into[1:], out[1:]


def longest(group: GaugeGroup, names: Sequence[str]) -> float:
    r"""The largest $\|q_e\|_1$ that entries of these parameters may have; 2 for edges."""
    if group.combined is None:
        return 2.0
    ones = torch.ones(1 + group.units, dtype=torch.float64)
    length = torch.cat([ones, group.combined.powers.cpu().abs().sum(1)])
    length[0] = 0.0
    ends = [ends_of(group.entries[n], len(group.shapes[n]), length.device) for n in names]
    return max([float((length[to] + length[source]).max()) for to, source in ends], default=1.0)


def start_within_range(
    params: Mapping[str, Tensor], group: GaugeGroup, names: Sequence[str], p: float, dead: Tensor
) -> tuple[Tensor, float]:
    r"""Log-scales from which all sums fit into float64, and the logarithm of the unit to count in.

    The doubled step in logarithms, until what flows through all live units is comparable: where the
    longest column has norm m it is $\log(\mathrm{out}/\mathrm{in})/(mp)$, which raises no norm.

    Returns:
        Log-scales of shape `(units,)`, and the logarithm of the largest sum.
    """
    shift = next(iter(params.values())).new_zeros(group.units, dtype=torch.float64)
    live = torch.ones_like(shift, dtype=torch.bool)
    live[dead] = False
    top, length = 0.0, longest(group, names)
    for _ in range(_ROUNDS):
        into, out = log_totals(params, group, names, p, shift)
        both = torch.cat([into[live], out[live]])
        top = float(both.max())
        if not top - float(both.min()) > _RANGE:
            break
        shift[live] += (out - into)[live] / (length * p)
    return shift, top


def _log_shared_out(
    incoming: Tensor, outgoing: Tensor, combined: Combined
) -> tuple[Tensor, Tensor]:
    """`Combined.shared_out` of logarithms."""
    units, powers = combined.units.to(incoming.device), combined.powers.to(incoming.device)
    index, sign, by = units.reshape(-1), powers > 0, powers.abs().log()
    first, found = incoming.numel() - combined.count, []
    for with_it, against in ((incoming, outgoing), (outgoing, incoming)):
        more = by + torch.where(sign, with_it[first:, None], against[first:, None])
        logs, places = torch.cat([with_it[:first], more.reshape(-1)]), torch.arange(first)
        places = torch.cat([places.to(index), index])
        top = logs.new_full((first,), -torch.inf).scatter_reduce(0, places, logs, "amax")
        safe = torch.where(top.isfinite(), top, 0.0)
        parts = (logs - safe[places]).exp()
        found.append(torch.zeros_like(top).index_add(0, places, parts).log() + top)
    return found[0], found[1]


def _ends(
    params: Mapping[str, Tensor], group: GaugeGroup, names: Sequence[str]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Target and source units of each parameter, with as many dimensions as it has."""
    for name in names:
        value = params[name]
        target, source = ends_of(group.entries[name], value.dim(), value.device)
        yield name, target, source


def _logs(
    params: Mapping[str, Tensor], group: GaugeGroup, names: Sequence[str], p: float, scales: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    for name, target, source in _ends(params, group, names):
        x = params[name].abs().double().log() + (scales[target] - scales[source])
        yield (p * x).masked_fill(target == source, -torch.inf), target, source


def _reached(edges: Sequence[tuple[Tensor, Tensor, Tensor]], units: int) -> Tensor:
    """Which units a path of edges leads to from the ground, which is number 0."""
    device = edges[0][0].device if edges else None
    reached = torch.zeros(units + 1, dtype=torch.bool, device=device)
    reached[0] = True
    count = 0
    while count < (count := int(reached.sum())):
        for there, target, source in edges:
            hits = (there & reached[source]).long().sum_to_size(target.shape)
            reached[target[hits > 0]] = True
    return reached
