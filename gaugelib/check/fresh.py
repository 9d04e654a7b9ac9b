"""Fresh random numbers and networks for the checkers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gaugelib.build import mlp_group
from gaugelib.group import GaugeGroup


def normal(*shape: int) -> Tensor:
    """Fresh numbers at every call, so that no stored answer passes; the global seed stays put."""
    draw = torch.Generator()
    draw.seed()
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def between(low: float, high: float) -> float:
    """A fresh number strictly between two others."""
    return low + (high - low) * float(torch.sigmoid(normal(1)))


def layered(
    widths: Sequence[int], *, bias: bool = False, scale: float = 1.0
) -> tuple[dict[str, Tensor], GaugeGroup]:
    """Fresh parameters of a ReLU network of these widths, and its group."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        # torch's own initialisation would draw from the global seed
        layers += [nn.utils.skip_init(nn.Linear, fan_in, fan_out, bias=bias), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    params = {name: scale * normal(*value.shape) for name, value in model.named_parameters()}
    return params, mlp_group(model)
