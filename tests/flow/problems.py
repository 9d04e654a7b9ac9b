"""Small regression problems for layered networks, and their charges written out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib import GaugeGroup, mlp_group
from tests.tracing.dense import mlp

Params = dict[str, Tensor]


@dataclass(frozen=True)
class Problem:
    params: Params  # "0.weight", "0.bias", "2.weight", ... in float64
    group: GaugeGroup
    loss: Callable[[Params], Tensor]

    @property
    def hidden_biases(self) -> list[str]:
        return [name for name in self.params if name.endswith("bias")][:-1]


def problem(
    *widths: int,
    activation: Callable[[Tensor], Tensor] = torch.relu,
    seed: int = 0,
    size: tuple[float, float] = (0.3, 0.6),
    examples: int = 16,
) -> Problem:
    """Mean squares on random data; parameters of random signs, their sizes between two bounds."""
    draw = torch.Generator().manual_seed(seed)
    group = mlp_group(mlp(*widths))
    params = {}
    for name, shape in group.shapes.items():
        values = torch.rand(shape, generator=draw, dtype=torch.float64)
        signs = torch.randint(0, 2, shape, generator=draw) * 2 - 1
        params[name] = (size[0] + (size[1] - size[0]) * values) * signs
    x = torch.randn(examples, widths[0], generator=draw, dtype=torch.float64)
    y = torch.randn(examples, widths[-1], generator=draw, dtype=torch.float64)
    return Problem(params, group, lambda theta: (forward(theta, x, activation) - y).square().mean())


def forward(params: Params, x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """x (batch, inputs) -> (batch, outputs), layer by layer."""
    layers = sorted(name.removesuffix(".weight") for name in params if name.endswith(".weight"))
    for layer in layers:
        x = x @ params[f"{layer}.weight"].T + params[f"{layer}.bias"]
        x = x if layer == layers[-1] else activation(x)
    return x


def linear(z: Tensor) -> Tensor:
    """The smooth homogeneous activation: no kink anywhere."""
    return z


def charges(params: Params, p: float, *, biases: bool = True) -> Tensor:
    """The charges of a layered network by rows and columns: an oracle without `collect`."""
    weights = [value for name, value in params.items() if name.endswith("weight")]
    offsets = [value for name, value in params.items() if name.endswith("bias")]
    found = []
    for into, offset, out in zip(weights, offsets, weights[1:]):
        incoming = into.abs().pow(p).sum(1) + (offset.abs().pow(p) if biases else 0.0)
        found.append(incoming - out.abs().pow(p).sum(0))
    return torch.cat(found)


def drift(path, p: float, *, biases: bool = True) -> float:
    """The largest change of any charge along a trajectory."""
    found = path.map(lambda theta: charges(theta, p, biases=biases))
    return float((found - found[0]).abs().max())


def slopes(steps: list[int], errors: list[float]) -> list[float]:
    """Measured orders: slopes of log error against log step."""
    sizes, logs = torch.tensor(steps).double().log(), torch.tensor(errors).double().log()
    return ((logs[:-1] - logs[1:]) / (sizes[1:] - sizes[:-1])).tolist()
