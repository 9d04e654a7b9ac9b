"""The part of a direction in parameter space that lies along the orbit."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.action import generator
from gaugelib.group import GaugeGroup, widest
from gaugelib.soft.adjacency import laplacian_of, log_adjacency, require_connected
from gaugelib.soft.ratios import counted


@torch.no_grad()
def vertical(
    params: Mapping[str, Tensor], direction: Mapping[str, Tensor], group: GaugeGroup
) -> dict[str, Tensor]:
    r"""The orthogonal projection of a direction onto the tangent space of the orbit.

    It is $(B^\top\xi)\odot\theta$ with $\mathcal L\xi = B(\theta\odot d)$, where
    $\mathcal L = B\,\mathrm{diag}(\theta^2)\,B^\top$ counts every parameter that a gauge moves,
    biases included. Of the gradient of an invariant loss nothing is left; of weight decay what is
    left pulls towards balance.

    Args:
        params: the network's parameters by name.
        direction: a direction $d$, shaped as the parameters: a gradient, say.
        group: the network's gauge group, of at most 4096 units.

    Returns:
        A direction for each parameter, shaped as the parameters.

    Raises:
        GaugeError: if a unit is dead: it is named; for more than 4096 units; if a parameter or a
            direction is NaN or infinite, or if names or shapes do not fit.

    Source: the book, "Soft gauge fixing".

    Book: thm-soft.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> params = params_of(hat())  # weights 1 in, 1, 2 and 1 out, biases 0, -1, -2
        >>> part = vertical(params, params, mlp_group(hat()))  # of weight decay
        >>> part["0.weight"].flatten()  # (in² − out²) / (in² + out²)
        tensor([ 0.0000, -0.3333,  0.6667], dtype=torch.float64)
    """
    counted(direction, group, True)
    adjacency = log_adjacency(params, group, counted(params, group, True))
    require_connected(adjacency, group)
    dtype = widest(params)
    pull = group.collect({name: params[name].to(dtype) * direction[name] for name in group.shapes})
    xi = torch.linalg.solve(laplacian_of(adjacency), pull.to(adjacency))
    return generator(params, xi, group)
