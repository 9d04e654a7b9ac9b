"""Six small networks on which a proof can be replayed, with weights that allow sums by hand."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from gaugelib.group import GaugeGroup
from gaugelib.mlp import mlp_group
from gaugelib.modules import params_of
from gaugelib.networks import hat

_WIDTHS = (2, 3, 2, 1)


def examples() -> dict[str, tuple[dict[str, Tensor], GaugeGroup]]:
    """Name -> parameters and group: three random networks, the hat, and two chains.

    Example:
        >>> params, group = examples()["chain 1, 2, 1"]
        >>> [weight.tolist() for name, weight in params.items() if name.endswith("weight")]
        [[[1.0]], [[2.0]], [[1.0]]]
    """
    models = {f"random, number {seed}": _random(seed) for seed in (1, 2, 3)}
    models["the hat"] = hat()
    for weights in ((8.0, 1.0, 1.0), (1.0, 2.0, 1.0)):
        models[f"chain {weights[0]:g}, {weights[1]:g}, {weights[2]:g}"] = _chain(*weights)
    return {name: (params_of(model), mlp_group(model)) for name, model in models.items()}


def _random(seed: int) -> nn.Sequential:
    """A network whose weights are multiples of 1/2 between -3 and 3, none of them 0."""
    draw = torch.Generator().manual_seed(seed)
    model = _mlp(*_WIDTHS)
    with torch.no_grad():
        for parameter in model.parameters():
            sizes = torch.randint(1, 7, parameter.shape, generator=draw)
            signs = 1 - 2 * torch.randint(0, 2, parameter.shape, generator=draw)
            parameter.copy_(sizes * signs / 2)
    return model


def _chain(*weights: float) -> nn.Sequential:
    model, values = _mlp(*[1] * (len(weights) + 1)), iter(weights)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if name.endswith("bias") else next(values))
    return model


def _mlp(*widths: int) -> nn.Sequential:
    linear = [nn.Linear(i, o, dtype=torch.float64) for i, o in pairwise(widths)]
    return nn.Sequential(*[part for layer in linear for part in (layer, nn.ReLU())][:-1])
