"""Layered networks without biases for the tests of this folder."""

from __future__ import annotations

import torch
from torch import nn

from gaugelib import mlp_group


def layered(widths, seed=0, he=True):
    """Parameters and group; weights with variance 2/fan-in, or standard normal."""
    draw = torch.Generator().manual_seed(seed)
    layers = [nn.Linear(m, n, bias=False) for m, n in zip(widths, widths[1:], strict=False)]
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    params = {
        name: torch.randn(value.shape, generator=draw, dtype=torch.float64)
        * ((2 / value.shape[1]) ** 0.5 if he else 1.0)
        for name, value in model.named_parameters()
    }
    return params, mlp_group(model)


def chain(*weights):
    """A chain of neurons with the given weights."""
    params, group = layered([1] * (len(weights) + 1))
    return {n: torch.full((1, 1), float(w)).double() for n, w in zip(params, weights)}, group
