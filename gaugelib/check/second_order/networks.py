"""Fresh networks of several kinds, each with its group and a loss that sees the outputs only."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.check.fresh import normal
from gaugelib.group import GaugeGroup
from gaugelib.mlp import mlp_group
from gaugelib.modules import functional_call, params_of
from gaugelib.tracing import trace_group

Loss = Callable[[Mapping[str, Tensor]], Tensor]


@dataclass(frozen=True)
class Network:
    """A network at fresh parameters.

    Attributes:
        params: by name, in float64, no weight near 0.
        group: its gauge group.
        loss: mean square of what the outputs lack of fresh numbers, at a fresh batch.
    """

    params: dict[str, Tensor]
    group: GaugeGroup
    loss: Loss


def layered(*widths: int, bias: bool = False) -> Network:
    """A ReLU network of these widths."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [_fresh(nn.Linear, fan_in, fan_out, bias=bias), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    return Network(params_of(model), mlp_group(model), regression(model, normal(9, widths[0])))


def convolutional(bias: bool = True) -> Network:
    """Two convolutions and a read-out, for pictures of four by four pixels."""
    return _traced(convolutional_model(bias), 1, 4, 4)


def convolutional_model(bias: bool) -> nn.Module:
    """The model of `convolutional`."""
    return nn.Sequential(
        _fresh(nn.Conv2d, 1, 3, 2, bias=bias),
        nn.ReLU(),
        _fresh(nn.Conv2d, 3, 2, 2, bias=bias),
        nn.ReLU(),
        nn.Flatten(),
        _fresh(nn.Linear, 8, 2, bias=bias),
    )


def residual(bias: bool = True) -> Network:
    """A stream of four units and one block that adds to it."""
    return _traced(residual_model(bias), 3)


def residual_model(bias: bool) -> nn.Module:
    """The model of `residual`."""
    return _Residual(bias)


class _Residual(nn.Module):
    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.embed, self.into = (_fresh(nn.Linear, n, m, bias=bias) for n, m in ((3, 4), (4, 3)))
        self.back, self.read = (_fresh(nn.Linear, n, m, bias=False) for n, m in ((3, 4), (4, 2)))

    def forward(self, x: Tensor) -> Tensor:
        stream = torch.relu(self.embed(x))
        return self.read(stream + self.back(torch.relu(self.into(stream))))


def regression(model: nn.Module, example: Tensor) -> Loss:
    """A fit to fresh numbers, computed in float64 whatever the parameters are."""
    model, example = copy.deepcopy(model).double(), example.double()
    targets = normal(*functional_call(model, params_of(model), (example,)).shape)

    def loss(params: Mapping[str, Tensor]) -> Tensor:
        theta = {name: value.double() for name, value in params.items()}
        return (functional_call(model, theta, (example,)) - targets).square().mean()

    return loss


def _traced(model: nn.Module, *shape: int) -> Network:
    example = normal(9, *shape)
    group = trace_group(model, example, verify=False)
    return Network(params_of(model), group, regression(model, example))


def off_zero(like: Tensor) -> Tensor:
    """Fresh weights of this shape, none of them near 0."""
    numbers = normal(*like.shape)
    return (numbers + 0.5 * numbers.sign()) / like[0].numel() ** 0.5


def _fresh(kind: type[nn.Module], *sizes: int, **options: Any) -> nn.Module:
    """A layer whose making draws nothing from the global seed, with no weight near 0."""
    layer = nn.utils.skip_init(kind, *sizes, dtype=torch.float64, **options)
    for value in layer.parameters():
        value.data.copy_(off_zero(value))
    return layer
