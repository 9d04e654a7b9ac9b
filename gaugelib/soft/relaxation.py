r"""Relaxation along the orbit: how imbalance decays when nothing else moves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.action import rescale
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.soft.links import laplacian_of, log_links, ratios_of, require_connected
from gaugelib.soft.penalty import SoftKind, require_options, squares, velocity
from gaugelib.soft.ratios import counted, log_ratio


@dataclass(frozen=True, eq=False)
class SoftFlow:
    r"""A relaxation along one orbit.

    Attributes:
        times: shape `(T,)`.
        log_scales: $\alpha$ against the start, shape `(T, units)`.
        imbalance: $\Delta$, shape `(T, units)`.
        log_ratio: $u$, shape `(T, units)`.
        start: the parameters at time 0.
        group: the network's gauge group.
    """

    times: Tensor
    log_scales: Tensor
    imbalance: Tensor
    log_ratio: Tensor
    start: dict[str, Tensor]
    group: GaugeGroup

    def at(self, k: int) -> dict[str, Tensor]:
        """The parameters of one saved state."""
        return rescale(self.start, self.log_scales[k].exp(), self.group)

    def __len__(self) -> int:
        return len(self.times)


@torch.no_grad()
def soft_flow(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    until: float,
    steps: int,
    strength: float = 1.0,
    kind: SoftKind = "imbalance",
    include_bias: bool = False,
    saved: int = 101,
) -> SoftFlow:
    r"""Relax along the orbit, $\theta(t) = e^{B^\top\alpha(t)}\odot\theta(0)$; the function stays.

    - `"imbalance"`: $\dot\alpha = -\kappa\Delta$, the gradient flow of `soft_penalty`. Imbalance
      diffuses over the network and leaks out at its ends, $\dot\Delta = -2\kappa\mathcal L\Delta$.
      With one hidden layer
      $\tanh\frac{u_h(t)}2 = \tanh\frac{u_h(0)}2\,e^{-4\kappa\rho_ht}$, $\rho_h = r_hs_h$.
    - `"log-ratio"`: $\dot\alpha = -\frac\kappa2u$, so that $\dot u = -\kappa(I-\tilde P)u$. With
      one hidden layer $u_h(t) = u_h(0)\,e^{-\kappa t}$; near balance the slowest rate of a layered
      network with $K$ hidden layers is $\kappa(1-\cos\frac\pi{K+1})$, whatever its weights.

    Args:
        params: the network's parameters by name; they are not changed.
        group: the network's gauge group.
        until: the last time.
        steps: steps of the classical Runge-Kutta method, of order 4.
        strength: $\kappa \ge 0$.
        kind: what drives the flow.
        include_bias: whether biases count, as weights from the ground.
        saved: states kept, evenly among the steps, first and last included.

    Raises:
        GaugeError: if an argument is out of range, if a unit is dead, which is named, if a
            parameter is NaN or infinite, or if a step was too long and a scale left the range.

    Source: the book, "Soft gauge fixing".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> flow = soft_flow(params_of(hat()), mlp_group(hat()), until=1.0, steps=50)
        >>> flow.log_ratio[-1, 1]  # from r = 1, s = 2: ρ = 2
        tensor(-0.0002, dtype=torch.float64)
        >>> -2 * torch.tensor(1 / 3 * math.exp(-8)).double().atanh()
        tensor(-0.0002, dtype=torch.float64)
    """
    require_options(kind, strength)
    if not 0.0 <= until < math.inf:
        raise GaugeError(f"until must be a finite number >= 0, found {until}")
    if not (steps >= 1 and saved >= 2):
        raise GaugeError(f"steps must be >= 1 and saved >= 2, found {steps} and {saved}")
    counted(params, group, include_bias)
    start = {name: params[name].detach() for name in group.shapes}
    step = until / steps

    def speed(alpha: Tensor) -> Tensor:
        there = rescale(start, alpha.exp(), group)
        return velocity(there, group, kind, strength, include_bias)

    alpha = torch.zeros_like(log_ratio(start, group, include_bias=include_bias))
    keep = sorted({round(k * steps / (saved - 1)) for k in range(saved)})
    kept = [alpha]
    for k in range(1, keep[-1] + 1):
        first = speed(alpha)
        second = speed(alpha + step / 2 * first)
        third = speed(alpha + step / 2 * second)
        fourth = speed(alpha + step * third)
        alpha = alpha + step / 6 * (first + 2 * second + 2 * third + fourth)
        if k in keep:
            kept.append(alpha)
    states = [rescale(start, a.exp(), group) for a in kept]
    return SoftFlow(
        times=step * torch.tensor(keep).to(alpha),
        log_scales=torch.stack(kept),
        imbalance=torch.stack([squares(s, group, include_bias) for s in states]),
        log_ratio=torch.stack([log_ratio(s, group, include_bias=include_bias) for s in states]),
        start=start,
        group=group,
    )


@torch.no_grad()
def rates(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    strength: float = 1.0,
    kind: SoftKind = "imbalance",
    include_bias: bool = False,
) -> Tensor:
    r"""Rates at which the modes of imbalance decay here, smallest first, shape `(units,)`.

    Eigenvalues of $2\kappa\mathcal L$ (`"imbalance"`) with
    $\mathcal L = B\,\mathrm{diag}(\theta^2)\,B^\top$, or of $\kappa(I-\tilde P)$ (`"log-ratio"`;
    their real parts where the network is not balanced). At balance the former are the nonzero
    eigenvalues of the Hessian of `soft_penalty`.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group, of at most 4096 units.
        strength: $\kappa \ge 0$.
        kind: what drives the flow.
        include_bias: whether biases count, as weights from the ground.

    Raises:
        GaugeError: if a unit is dead, which is named, for more than 4096 units, if a parameter is
            NaN or infinite, or if names or shapes do not fit.

    Source: the book, "Soft gauge fixing".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> rates(params_of(hat()), mlp_group(hat())).tolist()  # 2 (r² + s²)
        [4.0, 4.0, 10.0]
    """
    require_options(kind, strength)
    links = log_links(params, group, counted(params, group, include_bias))
    require_connected(links, group)
    if kind == "imbalance":
        return 2 * strength * torch.linalg.eigvalsh(laplacian_of(links))
    _, jacobian = ratios_of(links, links.new_zeros(group.units))
    return strength / 2 * torch.linalg.eigvals(jacobian).real.sort().values
