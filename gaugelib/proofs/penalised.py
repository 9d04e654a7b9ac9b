"""Gradient flow of a loss and a penalty on imbalance, and its rates, for the proof about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, jacrev

from gaugelib.balance import minimum_norm
from gaugelib.group import GaugeGroup
from gaugelib.proofs.loss import Network, rate

STRENGTH = 0.1
_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Penalised:
    r"""The flow $\dot\theta = -|\theta|^{2-p}\odot\nabla(L + S)$; for $p=2$ it is gradient flow.

    Attributes:
        network: the network and its loss $L$.
        p: exponent of the flow and of the imbalance.
        counts: edges that the imbalance counts, shape `(edges,)`.
        on_ratios: whether $S$ is on log-ratios, not on the imbalance.
    """

    network: Network
    p: float
    counts: Tensor
    on_ratios: bool = False

    @property
    def as_assumed(self) -> bool:
        """Whether the penalty is the one that the theorem is about."""
        return not self.on_ratios and bool(self.counts.all())

    def powers(self, theta: Tensor) -> Tensor:
        r"""$|\theta_e|^p$ where the imbalance counts it, else 0, shape `(edges,)`."""
        return torch.where(self.counts, theta.abs() ** self.p, 0.0)

    def imbalance(self, theta: Tensor) -> Tensor:
        r"""$\Delta_h$, shape `(units,)`."""
        return self.network.collect(self.powers(theta))

    def penalty(self, theta: Tensor) -> Tensor:
        r"""$\frac\kappa{2p}\sum_h\Delta_h^2$, or $\frac\kappa2\sum_hu_h^2$ over units that live."""
        if not self.on_ratios:
            return STRENGTH / (2 * self.p) * self.imbalance(theta).square().sum()
        entering, leaving = self.network.totals(self.powers(theta))
        alive = (entering > 0) & (leaving > 0)
        # No logarithm of 0, not even in a branch that is not taken: it has no derivative.
        one, other = (torch.where(alive, sums, 1.0) for sums in (entering, leaving))
        return STRENGTH / 2 * ((one.log() - other.log()) / self.p).square().sum()

    def total(self, theta: Tensor) -> Tensor:
        r"""$L + S$, a scalar."""
        return self.network.loss(theta) + self.penalty(theta)

    def push(self, theta: Tensor) -> Tensor:
        r"""$|\theta|^{2-p}\odot\nabla S$, shape `(edges,)`."""
        return theta.abs() ** (2 - self.p) * grad(self.penalty)(theta)

    def descent(self, theta: Tensor) -> Tensor:
        r"""$|\theta|^{2-p}\odot\nabla L$, shape `(edges,)`."""
        return theta.abs() ** (2 - self.p) * self.network.slopes(theta)

    def velocity(self, theta: Tensor) -> Tensor:
        r"""$\dot\theta$, shape `(edges,)`."""
        return -self.descent(theta) - self.push(theta)

    def length(self, vector: Tensor) -> Tensor:
        r"""$\sum_e|\theta_e|^{p-2}v_e^2$ at the network's own parameters, a scalar."""
        return (self.network.theta.abs() ** (self.p - 2) * vector.square()).sum()

    def along(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """The rate of a function of the parameters along the flow."""
        theta = self.network.theta
        return rate(function, theta, self.velocity(theta))

    def outputs(self) -> tuple[Tensor, Tensor]:
        """Rates of the outputs along -S alone, and what rounding in them is, shape `(data,)`."""
        network, theta = self.network, self.network.theta
        slopes = jacrev(network.run)(theta)
        return rate(network.run, theta, -self.push(theta)), slopes.abs() @ self.reach()

    def tangent(self) -> Tensor:
        r"""The tangent $\kappa(\Delta_i-\Delta_j)\theta_e$ of the orbit, shape `(edges,)`."""
        theta = self.network.theta
        return STRENGTH * self.network.spread(self.imbalance(theta)) * theta

    def nearest_tangent(self, conductances: Tensor) -> Tensor:
        r"""Of all tangents of the orbit the one nearest to the push, shape `(edges,)`.

        Args:
            conductances: the Laplacian that counts all parameters, shape `(units, units)`.
        """
        network, theta = self.network, self.network.theta
        work = network.collect(theta * grad(self.penalty)(theta))
        return network.spread(torch.linalg.pinv(conductances, hermitian=True) @ work) * theta

    def reach(self) -> Tensor:
        """What rounding in the push is measured against: no Δ cancels, shape `(edges,)`."""
        network, theta = self.network, self.network.theta
        sizes = network.touching(self.powers(theta))
        full = torch.cat([sizes.new_zeros(1), sizes])
        return STRENGTH * (full[network.target] + full[network.source]) * theta.abs()

    def turnover(self) -> Tensor:
        """What rounding in the rate of an imbalance is measured against, shape `(units,)`."""
        network, theta = self.network, self.network.theta
        speed = self.descent(theta).abs() + self.reach()
        return network.touching(self.p * theta.abs() ** (self.p - 1) * speed)


def modes(conductances: Tensor) -> Tensor:
    """Eigenvalues of a Laplacian, smallest first; a unit without edges gives 0, and not rounding.

    Args:
        conductances: the Laplacian, shape `(units, units)`.
    """
    joined = conductances.diagonal() > 0
    found = torch.linalg.eigvalsh(conductances[joined][:, joined])
    return torch.cat([found.new_zeros(int((~joined).sum())), found])


def relaxed(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float, include_bias: bool
) -> tuple[dict[str, Tensor], list[int]]:
    """Where the penalty alone leads: the network of least norm, and the units that die on the way.

    Those lie on no path from an input to an output, and their parameters shrink to 0.
    """
    group.require_edges("this proof", "it is for networks without products of activations")
    best = minimum_norm(params, group, p=p, include_bias=include_bias, tol=_TOLERANCE)
    dead = best.dead.cpu() + 1
    end: dict[str, Tensor] = {}
    for name, value in best.params.items():
        entry = group.entries[name]
        gone = torch.isin(entry.target.cpu(), dead) | torch.isin(entry.source.cpu(), dead)
        end[name] = value.masked_fill(gone.to(value.device), 0.0)
    return end, dead.tolist()
