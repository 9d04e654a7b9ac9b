"""Fresh random numbers and networks for the checkers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gaugelib.group import GaugeGroup
from gaugelib.mlp import mlp_group


def draw() -> torch.Generator:
    """A generator with a seed of its own: no stored answer passes, and the global seed stays."""
    source = torch.Generator()
    source.seed()
    return source


def normal(*shape: int) -> Tensor:
    """Fresh normal numbers."""
    return torch.randn(*shape, generator=draw(), dtype=torch.float64)


def above(low: float) -> float:
    """A fresh number above another."""
    return low + float(normal(1).abs())


def between(low: float, high: float) -> float:
    """A fresh number strictly between two others."""
    return low + (high - low) * float(torch.sigmoid(normal(1)))


def whole(low: int, high: int) -> int:
    """A fresh whole number from the first to the second, both included."""
    return int(torch.randint(low, high + 1, (1,), generator=draw()))


def permutation(size: int) -> list[int]:
    """A fresh permutation of 0, 1, …: entry i is where it sends i."""
    return torch.randperm(size, generator=draw()).tolist()


def dense(widths: Sequence[int]) -> list[Tensor]:
    """Fresh weights `[(n1, n0), (n2, n1), ...]` of a layered network."""
    return [normal(n, m) for m, n in pairwise(widths)]


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
