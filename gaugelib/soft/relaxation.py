r"""Relaxation along the orbit: how imbalance decays when nothing else moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.action import rescale
from gaugelib.bounds import require_not_negative
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.soft.adjacency import (
    laplacian_of,
    log_adjacency,
    log_totals_of,
    ratios_of,
    require_connected,
)
from gaugelib.soft.penalty import SoftKind, require_options
from gaugelib.soft.ratios import counted


@dataclass(frozen=True, eq=False)
class SoftFlow:
    r"""A relaxation along one orbit; numbers are in float64, parameters as they were given.

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
        group: the network's gauge group, of at most 4096 units.
        until: the last time.
        steps: steps of the classical Runge-Kutta method, of order 4.
        strength: $\kappa \ge 0$.
        kind: what drives the flow.
        include_bias: whether biases count, as weights from the ground.
        saved: states kept, evenly among the steps, first and last included.

    Raises:
        GaugeError: if an argument is out of range, for more than 4096 units, if a unit is
            dead, which is named, if a parameter is NaN or infinite, or if steps are so long that
            the flow blows up.

    Source: the book, "Soft gauge fixing".

    Book: prop-one-layer, prop-rates.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> flow = soft_flow(params_of(hat()), mlp_group(hat()), until=1.0, steps=50)
        >>> flow.log_ratio[-1, 1]  # from r = 1, s = 2: ρ = 2
        tensor(-0.0002, dtype=torch.float64)
        >>> -2 * (torch.tensor(-8.0).double().exp() / 3).atanh()
        tensor(-0.0002, dtype=torch.float64)
    """
    require_options(kind, strength)
    require_not_negative("until", until)
    if not (steps >= 1 and saved >= 2):
        raise GaugeError(f"steps must be >= 1 and saved >= 2, found {steps} and {saved}")
    names = counted(params, group, include_bias)
    start = {name: params[name].detach() for name in group.shapes}
    adjacency = log_adjacency(start, group, names)
    require_connected(adjacency, group)
    step = until / steps

    def speed(alpha: Tensor) -> Tensor:
        into, out = log_totals_of(adjacency, alpha)
        if kind == "log-ratio":
            return strength / 4 * (out - into)
        return strength * (out.exp() - into.exp())

    alpha = adjacency.new_zeros(group.units)
    keep = sorted({round(k * steps / (saved - 1)) for k in range(saved)})
    kept = [alpha]
    for k in range(1, steps + 1):
        first = speed(alpha)
        second = speed(alpha + step / 2 * first)
        third = speed(alpha + step / 2 * second)
        fourth = speed(alpha + step * third)
        alpha = alpha + step / 6 * (first + 2 * second + 2 * third + fourth)
        if k in keep[len(kept) : len(kept) + 1]:
            kept.append(alpha)
    if not bool(torch.isfinite(alpha).all()):
        raise GaugeError(f"the flow blew up: {steps} steps of {step:.3g} are too long; take more")
    totals = [log_totals_of(adjacency, a) for a in kept]
    return SoftFlow(
        times=step * adjacency.new_tensor(keep),
        log_scales=torch.stack(kept),
        imbalance=torch.stack([into.exp() - out.exp() for into, out in totals]),
        log_ratio=torch.stack([(into - out) / 2 for into, out in totals]),
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

    Book: prop-rates.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> rates(params_of(hat()), mlp_group(hat())).tolist()  # 2 (r² + s²)
        [4.0, 4.0, 10.0]
    """
    require_options(kind, strength)
    adjacency = log_adjacency(params, group, counted(params, group, include_bias))
    require_connected(adjacency, group)
    if kind == "imbalance":
        return 2 * strength * torch.linalg.eigvalsh(laplacian_of(adjacency))
    _, jacobian = ratios_of(adjacency, adjacency.new_zeros(group.units))
    return strength / 2 * torch.linalg.eigvals(jacobian).real.sort().values
