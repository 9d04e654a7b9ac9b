"""Oracles for the statements of "Which gauge?": dense matrices, no solver of the library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from gaugelib import GaugeGroup, mlp_group
from tests.balance.networks import multilayer

Params = dict[str, Tensor]


def incidence(group: GaugeGroup) -> np.ndarray:
    """B over all entries of all parameters, edge by edge: (units, m)."""
    columns = []
    for name, entry in group.entries.items():
        shape = group.shapes[name]
        to = entry.target.expand(shape).reshape(-1).tolist()
        out_of = entry.source.expand(shape).reshape(-1).tolist()
        for i, j in zip(to, out_of, strict=True):
            column = np.zeros(group.units + 1)
            column[i] += 1
            column[j] -= 1
            columns.append(column[1:])
    return np.array(columns).T


def flat(values: Params, group: GaugeGroup) -> np.ndarray:
    """The entries in the order of `incidence`."""
    return np.concatenate([values[name].detach().double().reshape(-1) for name in group.entries])


def bowl(B, c, k, alpha) -> float:
    """Σ c e^{k Bᵀα}."""
    return float(np.sum(c * np.exp(k * (alpha @ B))))


def lowest(B, c, k, steps=200) -> np.ndarray:
    """Its minimiser by Newton's method, with steps halved until the bowl falls."""
    x = np.zeros(len(B))  # k α
    for _ in range(steps):
        flow = c * np.exp(x @ B)
        slope = B @ flow
        step = -np.linalg.solve((B * flow) @ B.T, slope)
        length = 1.0
        while np.sum(c * np.exp((x + length * step) @ B)) > flow.sum() + 0.25 * length * (
            slope @ step
        ) + 1e-13 * abs(flow.sum()):
            length /= 2
            assert length > 1e-12
        x = x + length * step
        if abs(step).max() < 1e-11:
            return x / k
    raise AssertionError("Newton's method did not arrive")


def moved(params: Params, alpha: np.ndarray, group: GaugeGroup) -> Params:
    """The network at the gauge e^α, entry by entry."""
    full = torch.cat([torch.zeros(1).double(), torch.as_tensor(alpha, dtype=torch.float64)])
    return {
        name: value * torch.exp(full[group.entries[name].target] - full[group.entries[name].source])
        for name, value in params.items()
    }


@dataclass(frozen=True)
class Case:
    """A network with its data: x (examples, inputs), y (examples, outputs)."""

    model: nn.Module
    params: Params
    group: GaugeGroup
    x: Tensor
    y: Tensor

    def outputs(self, params: Params) -> Tensor:
        return functional_call(self.model, params, (self.x,))

    def losses(self, params: Params) -> Tensor:
        """½|f - y|² of each example."""
        return (self.outputs(params) - self.y).square().sum(-1) / 2

    def loss(self, params: Params) -> Tensor:
        return self.losses(params).mean()

    def slopes(self, params: Params | None = None) -> np.ndarray:
        """The gradient of each example's loss: (examples, m)."""
        return self._stacked(jacrev(self.losses)(params or self.params))

    def derivatives(self, params: Params | None = None) -> np.ndarray:
        """Of each output of each example: (examples, outputs, m)."""
        found = self._stacked(jacrev(lambda p: self.outputs(p).reshape(-1))(params or self.params))
        return found.reshape(*self.y.shape, -1)

    def gauss_newton(self, params: Params | None = None) -> np.ndarray:
        """The whole matrix for the squared loss: (m, m)."""
        J = self.derivatives(params)
        return np.einsum("noi,noj->ij", J, J) / len(J)

    def _stacked(self, jacobian: Params) -> np.ndarray:
        rows = [jacobian[n].detach().reshape(jacobian[n].shape[0], -1) for n in self.group.entries]
        return torch.cat(rows, dim=1).numpy().copy()


def case(widths, seed: int, *, examples: int = 6, bias: bool = True, activation=nn.ReLU) -> Case:
    """A random network of these widths on random data."""
    draw = torch.Generator().manual_seed(seed)
    model = multilayer(widths, bias=bias)
    group = mlp_group(model)
    params = {
        name: torch.randn(value.shape, generator=draw, dtype=torch.float64)
        * (0.3 if value.dim() == 1 else 1.0)  # biases small enough that few units are silent
        for name, value in model.named_parameters()
    }
    if activation is not nn.ReLU:
        model = nn.Sequential(*(activation() if isinstance(m, nn.ReLU) else m for m in model))
    x = torch.randn(examples, widths[0], generator=draw, dtype=torch.float64)
    y = torch.randn(examples, widths[-1], generator=draw, dtype=torch.float64)
    return Case(model, params, group, x, y)
