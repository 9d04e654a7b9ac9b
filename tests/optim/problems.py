"""Networks to train, and how far from balance they are, edge by edge."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gaugelib import GaugeGroup, minimum_norm_
from tests.balance.networks import multilayer
from tests.balance.newton import imbalance_of

WIDTHS = (12, 30, 20, 16, 5)


def network(widths=WIDTHS, *, dtype=torch.float64, bias=False, seed=0) -> nn.Sequential:
    """He-initialised; with small biases if asked for."""
    model = multilayer(widths, bias=bias, dtype=dtype)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            noise = torch.randn(value.shape, generator=draw, dtype=torch.float64)
            value.copy_(noise * ((2 / value.shape[-1]) ** 0.5 if value.dim() > 1 else 0.1))
    return model


def balanced(*args, p: float = 2.0, **options) -> nn.Sequential:
    """The same in its minimum-norm gauge."""
    model = network(*args, **options)
    minimum_norm_(model, p=p, tol=1e-5)
    return model


def uneven(model: nn.Sequential, seed: int = 0, log_std: float = 0.3) -> nn.Sequential:
    """The same function in another gauge, in place."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for first, last in itertools.pairwise(m for m in model if isinstance(m, nn.Linear)):
            noise = torch.randn(len(first.weight), generator=draw, dtype=torch.float64)
            a = (log_std * noise).exp().to(first.weight.dtype)
            first.weight.mul_(a[:, None])
            last.weight.div_(a)
            if first.bias is not None:
                first.bias.mul_(a)
    return model


def batches(model: nn.Sequential, count: int, seed: int = 1) -> list[tuple[Tensor, Tensor]]:
    """Inputs and classes, drawn from a teacher that reads the signs of a few inputs."""
    weight = model[0].weight
    draw = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        x = torch.randn(16, weight.shape[1], generator=draw, dtype=torch.float64)
        found.append((x.to(weight.dtype), (x[:, 0] > 0).long() + 2 * (x[:, 1] * x[:, 2] > 0)))
    return found


def train(
    model: nn.Module,
    optimizer: Optimizer,
    data: list[tuple[Tensor, Tensor]],
    after: Callable[[], object] = lambda: None,
) -> list[float]:
    """One step a batch, and what is to be done after each; the losses."""
    losses = []
    for x, y in data:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        after()
        losses.append(float(loss.detach()))
    return losses


def gamma(model: nn.Module, group: GaugeGroup, p: float = 2.0, include_bias: bool = False) -> float:
    """The largest relative imbalance of a unit, edge by edge in float64; dead units aside."""
    params = {name: value.detach() for name, value in model.named_parameters()}
    each = imbalance_of(params, group, p, include_bias)
    return float(each[~each.isnan()].max())
