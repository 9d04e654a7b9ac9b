r"""Gauge-adapted coordinates: what no gauge changes, and where on the orbit a network is.

Every unit's $u_h=\log(r_h/s_h)$ together are coordinates of the whole orbit: $\alpha\mapsto u$ is
a bijection of $\mathbb R^{\mathcal U}$, smooth both ways, whose Jacobian $2(I-\tilde P)$ is a
nonsingular M-matrix everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.action import rescale
from gaugelib.group import GaugeError, GaugeGroup, widest
from gaugelib.soft.adjacency import log_adjacency, ratios_of, require_connected
from gaugelib.soft.ratios import counted, log_ratio

_ROUNDS = 200
_HALVINGS = 40
_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True, eq=False)
class GaugeCoordinates:
    r"""A network in gauge-adapted coordinates.

    Attributes:
        imbalance: the imbalance coordinates $u$, shape `(units,)`: where on the orbit.
        representative: parameters of the orbit's point at $u = 0$, its point of smallest Euclidean
            norm: the invariants, which name the orbit.
        include_bias: whether biases count in $u$.
    """

    imbalance: Tensor
    representative: dict[str, Tensor]
    include_bias: bool = False


def gauge_coordinates(
    params: Mapping[str, Tensor], group: GaugeGroup, *, include_bias: bool = False
) -> GaugeCoordinates:
    r"""Where a network is on its orbit, $u_h = \log(r_h/s_h)$, and which orbit it is.

    Two networks with the same path products and signs have the same representative. It can be
    differentiated once.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group, of at most 4096 units.
        include_bias: whether biases count, as weights from the ground.

    Raises:
        GaugeError: if a unit is dead: it is named; for more than 4096 units; if a parameter is NaN
            or infinite, or if names or shapes do not fit.

    Source: the book, "Soft gauge fixing".

    Book: prop-coordinates.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> found = gauge_coordinates(params_of(hat()), mlp_group(hat()))
        >>> found.imbalance.exp().tolist()
        [1.0, 0.5, 1.0]
        >>> found.representative["2.weight"].square()  # the middle: 1·2 = √2·√2
        tensor([[1.0000, 2.0000, 1.0000]], dtype=torch.float64)
    """
    dtype, device = widest(params), next(iter(params.values())).device
    balanced = torch.zeros(group.units, dtype=dtype, device=device)
    representative = _moved(params, group, balanced, include_bias)
    imbalance = log_ratio(params, group, include_bias=include_bias)
    return GaugeCoordinates(imbalance, representative, include_bias)


def from_gauge_coordinates(coords: GaugeCoordinates, group: GaugeGroup) -> dict[str, Tensor]:
    r"""The network at given gauge-adapted coordinates: the inverse of `gauge_coordinates`.

    Every $u\in\mathbb R^{\mathcal U}$ is taken exactly once on every orbit; the point is found by
    Newton's method, whose steps are halved until they come closer. It can be differentiated once,
    in $u$ and in the representative.

    Args:
        coords: the coordinates; any finite $u$.
        group: the network's gauge group, of at most 4096 units.

    Raises:
        GaugeError: if $u$ has the wrong shape, is NaN or infinite, or lies so far out that rounding
            hides it; or as `gauge_coordinates` does.

    Source: the book, "Soft gauge fixing".

    Book: prop-coordinates.

    Example:
        >>> from dataclasses import replace
        >>> from gaugelib import hat, mlp_group, params_of
        >>> group = mlp_group(hat())
        >>> here = gauge_coordinates(params_of(hat()), group)
        >>> there = replace(here, imbalance=torch.tensor([1.0, 1.0, 4.0]).double().log())
        >>> from_gauge_coordinates(there, group)["0.weight"].flatten().square()  # r²/s², r·s kept
        tensor([1.0000, 2.0000, 4.0000], dtype=torch.float64)
    """
    target = coords.imbalance
    group.with_ground(target, ground=0.0)  # its shape
    bad = ~torch.isfinite(target)
    if bool(bad.any()):
        unit = int(bad.nonzero()[0])
        raise GaugeError(f"u must be finite; u of unit {group.name_of(unit)} is {target[unit]}")
    return _moved(coords.representative, group, target, coords.include_bias)


def _moved(
    params: Mapping[str, Tensor], group: GaugeGroup, target: Tensor, include_bias: bool
) -> dict[str, Tensor]:
    """The orbit's point at which `log_ratio` is `target`."""
    names = counted(params, group, include_bias)
    adjacency = log_adjacency(params, group, names)
    require_connected(adjacency, group)
    if not group.units:
        return dict(params)
    wanted = target.detach().to(adjacency)
    alpha, jacobian = _newton(adjacency, wanted)
    if torch.is_grad_enabled():
        # One more Newton step moves nothing, and carries the solution's derivative (the first).
        there = rescale(params, alpha.exp(), group)
        miss = log_ratio(there, group, include_bias=include_bias).to(wanted) - target.to(wanted)
        alpha = alpha - torch.linalg.solve(jacobian, miss)
    return rescale(params, alpha.exp(), group)


def _newton(adjacency: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    r"""Solve $u(\alpha) = u^*$; returns $\alpha$ and the Jacobian there.

    Newton's direction lowers $\max|u-u^*|$ wherever the Jacobian is nonsingular, and the map is
    proper, so halving steps until it falls leads to the one solution from anywhere.
    """
    # rounding of u: of each logarithm of a sum, and of the largest entry's own
    floor = 8 * _EPS * (1 + float(target.abs().max()))
    alpha = torch.zeros_like(target)
    ratios, jacobian = ratios_of(adjacency, alpha)
    miss = float((ratios - target).abs().max())
    for _ in range(_ROUNDS):
        if miss == 0.0:
            break
        step = torch.linalg.solve(jacobian, target - ratios)
        for halved in range(_HALVINGS):
            tried = alpha + step * 0.5**halved
            there, slope = ratios_of(adjacency, tried)
            left = float((there - target).abs().max())
            if left < miss:
                break
        else:
            break  # nothing comes closer: rounding
        alpha, ratios, jacobian, miss = tried, there, slope, left
    if not miss <= max(floor, 1e-13 * (1 + float(alpha.abs().max()))):
        raise GaugeError(
            f"no point of the orbit was found at these coordinates: u is still {miss:.1e} away, "
            f"where |u| is up to {float(target.abs().max()):.3g}"
        )
    return alpha, jacobian
