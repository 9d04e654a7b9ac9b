"""All weights between the same two units in one entry of a matrix, for dense linear algebra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.soft.ratios import log_square_sums, refuse_dead, refuse_longer

LARGEST = 4096


def log_adjacency(params: Mapping[str, Tensor], group: GaugeGroup, names: Sequence[str]) -> Tensor:
    r"""$\log\sum\theta_e^2$ over the weights into each unit from each, `(units + 1, units + 1)`.

    In float64, rows are targets, and the ground is number 0. Minus infinity where there is none.

    Raises:
        GaugeError: for more than 4096 units.
    """
    refuse_longer(group)
    if group.units > LARGEST:
        raise GaugeError(
            f"dense linear algebra on {group.units} units was asked for; the largest is {LARGEST}"
        )
    size = group.units + 1
    doubles = {name: value.detach().double() for name, value in params.items()}
    flat = log_square_sums(doubles, group, names, lambda e: e.target * size + e.source, size**2)
    return flat.view(size, size)


def laplacian_of(adjacency: Tensor) -> Tensor:
    r"""$B\,\mathrm{diag}(\theta^2)\,B^\top$ of a `log_adjacency`, shape `(units, units)`."""
    flow = adjacency.exp()
    return (torch.diag(flow.sum(0) + flow.sum(1)) - flow - flow.t())[1:, 1:]


def log_totals_of(adjacency: Tensor, log_scales: Tensor) -> tuple[Tensor, Tensor]:
    r"""$\log r^2$ and $\log s^2$ of the rescaled network, each of shape `(units,)`."""
    moved = _moved(adjacency, log_scales)
    return moved.logsumexp(1)[1:], moved.logsumexp(0)[1:]


def ratios_of(adjacency: Tensor, log_scales: Tensor) -> tuple[Tensor, Tensor]:
    r"""$u$ of the rescaled network, shape `(units,)`, and its Jacobian $2(I-\tilde P)$.

    Args:
        adjacency: as `log_adjacency` gives it.
        log_scales: $\alpha$, shape `(units,)`.
    """
    moved = _moved(adjacency, log_scales)
    into, out = moved.logsumexp(1), moved.logsumexp(0)
    walk = ((moved - into[:, None]).exp() + (moved - out[None, :]).exp().t()) / 2
    identity = torch.eye(len(log_scales), dtype=walk.dtype, device=walk.device)
    return ((into - out) / 2)[1:], 2 * (identity - walk[1:, 1:])


def require_connected(adjacency: Tensor, group: GaugeGroup) -> None:
    """Refuse units on no path of weights from the ground back to the ground.

    Raises:
        GaugeError: naming them.
    """
    there = adjacency > -torch.inf
    refuse_dead(~(_reached(there) & _reached(there.t()))[1:], group)


def _moved(adjacency: Tensor, log_scales: Tensor) -> Tensor:
    full = torch.cat([log_scales.new_zeros(1), log_scales])
    return adjacency + 2 * (full[:, None] - full[None, :])


def _reached(there: Tensor) -> Tensor:
    reached = torch.zeros(len(there), dtype=torch.bool, device=there.device)
    reached[0] = True
    count = 0
    while count < (count := int(reached.sum())):
        reached = reached | there[:, reached].any(1)
    return reached
