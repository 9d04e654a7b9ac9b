"""Small networks of several architectures, as trace_group sees them: for proofs that run them."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from gaugelib import GaugeGroup, params_of, trace_group
from tests.tracing.convolutional import DenseNet, ResNet, cnn
from tests.tracing.sequential import Recurrent, Residual

SHAPES = {
    "residual stream": (3,),
    "residual convolutions": (3, 6, 6),
    "dense convolutions": (3, 6, 6),
    "convolutions": (1, 8, 8),
    "recurrent": (3, 3),
}
MODELS = {
    "residual stream": Residual,
    "residual convolutions": lambda: ResNet(norm=False),
    "dense convolutions": DenseNet,
    "convolutions": cnn,
    "recurrent": Recurrent,
}


@cache
def traced(name: str) -> tuple[dict[str, Tensor], GaugeGroup]:
    """Parameters and traced group of a model, drawn from one seed."""
    draw = torch.Generator().manual_seed(3)
    model: nn.Module = MODELS[name]().double()
    with torch.no_grad():
        for value in model.parameters():
            size = value[0].numel() if value.dim() > 1 else 4
            value.copy_(torch.randn(value.shape, generator=draw, dtype=value.dtype) / size**0.5)
    example = torch.randn(2, *SHAPES[name], generator=draw, dtype=torch.float64)
    return params_of(model), trace_group(model, example)
