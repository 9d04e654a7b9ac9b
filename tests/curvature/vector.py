"""A network with all its parameters in one vector, for what is linear algebra on them.

Products with the Hessian are two backward passes: an oracle for what forms it or goes forward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev
from torch.nn.attention import SDPBackend, sdpa_kernel

from gaugelib import GaugeGroup, params_of, trace_group
from tests.flow.problems import Problem
from tests.flow.wirings import charges_by_hand, problem_of

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Network:
    model: nn.Module
    x: Tensor
    group: GaugeGroup
    theta: Tensor  # (m,)

    def outputs(self, theta: Tensor) -> Tensor:
        """All outputs for all inputs, shape (n,)."""
        buffers = {name: value.clone() for name, value in self.model.named_buffers()}
        with sdpa_kernel(SDPBackend.MATH):  # the other kinds have no second derivative
            found = functional_call(self.model, {**self.params(theta), **buffers}, (self.x,))
        return found.reshape(-1)

    def params(self, theta: Tensor) -> dict[str, Tensor]:
        return unflat(theta, params_of(self.model))

    def squares(self, targets: Tensor) -> Loss:
        """The mean squared error as a function of the vector."""
        return lambda theta: (self.outputs(theta) - targets).square().mean()

    def incidence(self) -> Tensor:
        """B, a dense (units, m) matrix."""
        zero = {name: torch.zeros_like(value) for name, value in params_of(self.model).items()}
        rows = [self.group.spread(unit) for unit in torch.eye(self.group.units).double()]
        return torch.stack([flat({k: zero[k] + row.get(k, 0.0) for k in zero}) for row in rows])

    def jacobian(self, theta: Tensor) -> Tensor:
        """Derivatives of the outputs, shape (n, m): those of θ·J'u with respect to u."""
        dual = torch.zeros_like(self.outputs(theta)).requires_grad_()
        return slope_and_products(
            lambda leaf: self.outputs(leaf) @ dual, theta, torch.eye(len(theta)).double(), dual
        )[1].detach()


def flat(params: dict[str, Tensor]) -> Tensor:
    return torch.cat([value.reshape(-1) for value in params.values()])


def unflat(theta: Tensor, like: dict[str, Tensor]) -> dict[str, Tensor]:
    parts = theta.split([value.numel() for value in like.values()])
    return {name: part.view(value.shape) for (name, value), part in zip(like.items(), parts)}


def network(model: nn.Module, x: Tensor) -> Network:
    return Network(model, x, trace_group(model, x), flat(params_of(model)))


def of_dict(loss: Callable[[dict[str, Tensor]], Tensor], params: dict[str, Tensor]) -> Loss:
    return lambda theta: loss(unflat(theta, params))


def layered(made: Problem) -> tuple[Loss, Tensor, Tensor]:
    """Loss, θ, and the tangents v_h, one column for each unit."""
    units = torch.eye(made.group.units).double()
    rows = torch.stack([flat(made.group.spread(unit)) for unit in units])
    theta = flat(made.params)
    return of_dict(made.loss, made.params), theta, (rows * theta).T


def by_hand(name: str, *, tied: bool = True) -> tuple[Loss, Tensor, Tensor]:
    """The same for `tests.flow.wirings`: v_h is half the gradient of the charge written there."""
    params, loss, *_ = problem_of(name)
    halves = jacrev(lambda theta: charges_by_hand(name, theta, 2.0, tied=tied) / 2)(params)
    tangents = torch.cat([value.flatten(1) for value in halves.values()], dim=1).T
    return of_dict(loss, params), flat(params), tangents


def slope(loss: Loss, theta: Tensor) -> Tensor:
    """∇L, shape (m,)."""
    return torch.func.grad(loss)(theta)


def second(loss: Loss, theta: Tensor) -> Tensor:
    """H, shape (m, m)."""
    return slope_and_products(loss, theta, torch.eye(len(theta), dtype=theta.dtype))[1]


def slope_and_products(
    loss: Loss, theta: Tensor, ways: Tensor, by: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """∇L, and the derivatives of ∇L·way by θ (or else) for each column: H times the columns."""
    leaf = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    at = leaf if by is None else by
    products = [torch.autograd.grad(gradient @ way, at, retain_graph=True)[0] for way in ways.T]
    return gradient.detach(), torch.stack(products, dim=1)
