"""A network with one hidden unit written twice, and the swap of the two."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.group import GROUND
from gaugelib.proofs.edges import Edges
from gaugelib.proofs.loss import Network


def twinned(network: Network, unit: int) -> tuple[Network, Tensor]:
    r"""The network with a twin of a unit (counted from 1), which is the last unit of the new one.

    Both have the weights in and the bias that the one had, and half of each weight out: no output
    moves.

    Returns:
        The network, and the swap $M$ of the two as an index of shape `(edges,)`: `theta[swap]` is
        $M\theta$.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> from gaugelib.proofs.loss import network_of
        >>> whole = network_of(params_of(hat()), mlp_group(hat()))
        >>> network, swap = twinned(whole, 3)
        >>> network.theta.tolist()
        [1.0, 1.0, 1.0, -1.0, -2.0, 1.0, -2.0, 0.5, 0.5, 1.0, -2.0]
        >>> swap.tolist()  # weight in, bias and weight out of h₃ change places with those of h₄
        [0, 1, 9, 3, 10, 5, 6, 8, 7, 2, 4]
        >>> torch.equal(network.run(network.theta), whole.run(whole.theta))
        True
    """
    twin = network.units + 1
    source, target, theta = network.source, network.target, network.theta
    origin = torch.arange(len(theta), device=theta.device)
    leaves = source == unit
    theta = torch.where(leaves, theta / 2, theta)
    origin, target, theta = (_again(part, leaves) for part in (origin, target, theta))
    source = torch.cat([source, torch.full_like(source[leaves], twin)])
    enters = target == unit
    origin, source, theta = (_again(part, enters) for part in (origin, source, theta))
    target = torch.cat([target, torch.full_like(target[enters], twin)])
    column = torch.cumsum(network.source == GROUND, 0) - 1
    grown = replace(
        network,
        theta=theta,
        source=source,
        target=target,
        bias=network.bias[origin],
        units=twin,
        inputs=network.inputs[:, column[origin[source == GROUND]]],
    )
    return grown, _swap(origin, source, target, unit, twin)


def edges_in(network: Network) -> Edges:
    """The weights of a network as edges, with p = 2."""
    moves = (network.source != network.target) & ~network.bias
    fixed = (network.source == network.target) & ~network.bias
    power = network.theta.square()
    return Edges(
        power[moves], network.source[moves], network.target[moves], power[fixed].sum(),
        network.units, 2.0,
    )  # fmt: skip


def _again(part: Tensor, chosen: Tensor) -> Tensor:
    return torch.cat([part, part[chosen]])


def _swap(origin: Tensor, source: Tensor, target: Tensor, unit: int, twin: int) -> Tensor:
    """For each edge the one between the swapped units that stems from the same parameter."""
    other = torch.arange(twin + 1, device=source.device)
    other[unit], other[twin] = twin, unit

    def key(source: Tensor, target: Tensor) -> Tensor:
        return (origin * (twin + 1) + source) * (twin + 1) + target

    keys, order = torch.sort(key(source, target))
    return order[torch.searchsorted(keys, key(other[source], other[target]))]
