"""All architectures of the tests of tracing, each with an example and its units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gaugelib import params_of
from tests.tracing import convolutional, dense, sequential


@dataclass(frozen=True)
class Case:
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    units: int  # counted by hand
    train: bool = False


ZOO = {
    "mlp": Case(lambda: dense.mlp(3, 5, 4, 2), (6, 3), 9),
    "deep mlp": Case(lambda: dense.mlp(2, *[5] * 12, 1, act=lambda: nn.LeakyReLU(0.3)), (6, 2), 60),
    "cnn": Case(convolutional.cnn, (2, 1, 8, 8), 3 + 4 + 5),
    "conv1d": Case(convolutional.conv1d, (2, 2, 11), 4 + 3),
    "conv3d": Case(convolutional.conv3d, (2, 1, 5, 5, 5), 3 + 2),
    "channel shuffle": Case(convolutional.ChannelShuffle, (2, 2, 5, 5), 6 + 6 + 4),
    "autoencoder": Case(convolutional.autoencoder, (2, 1, 9, 9), 4 + 6 + 4),
    "resnet": Case(lambda: convolutional.ResNet(norm=False), (2, 3, 6, 6), 4 + 4 + 6 + 6),
    "resnet, batch norm": Case(
        lambda: convolutional.ResNet(norm=True), (2, 3, 6, 6), 4 + 4 + 6 + 6
    ),
    "densenet": Case(convolutional.DenseNet, (2, 3, 6, 6), 3 * 2 + 4),
    "u-net": Case(convolutional.UNet, (2, 1, 8, 8), 3 + 5 + 3 + 4),
    "maxout": Case(dense.Maxout, (6, 3), 4 + 3),
    "slopes": Case(dense.slopes, (6, 3), 4 + 5 + 3 + 4),
    "layer-normed residual": Case(sequential.NormedResidual, (2, 5, 3), 4 + 6 + 4),
    "mixing": Case(sequential.Mixing, (2, 4, 3), 1 + 5),
    "tied autoencoder": Case(dense.TiedAutoencoder, (6, 3), 4 + 5),
    "recurrent": Case(sequential.Recurrent, (6, 3, 3), 4),
    "residual": Case(sequential.Residual, (6, 3), 4 + 2 * 5),
    "dropout, training": Case(dense.dropout, (6, 3), 6 + 4, train=True),
    "batch norm, training": Case(dense.batch_normed, (6, 2, 4), 4 + 3, train=True),
    "norms": Case(dense.norms, (2, 2, 5, 5), 4 + 4 + 3),
    "attention": Case(sequential.Attention, (2, 3, 4), 4 + 4 + 4),
    "attention by hand": Case(sequential.HandAttention, (2, 3, 4), 4 + 4),
    "gated": Case(dense.Gated, (6, 3), 5),
    "layer scale": Case(dense.LayerScale, (6, 3), 4 + 5 + 4 + 1),
    "matmuls": Case(dense.Matmuls, (3, 2, 3), 1 + 5 + 3),
    "parts": Case(dense.Parts, (2, 3, 4), 4 + 7),
    "scaled linear": Case(
        lambda: nn.Sequential(dense.ScaledLinear(3, 5), nn.ReLU(), dense.ScaledLinear(5, 2)),
        (6, 3),
        5,
    ),
    "embedding": Case(sequential.Positions, (6, 3), 4 + 5),
}


def build(name: str, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[nn.Module, Tensor]:
    """The model with random parameters and statistics, and its example."""
    draw = torch.Generator().manual_seed(seed)
    case = ZOO[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = case.make().to(dtype).train(case.train)
    with torch.no_grad():
        for norm in model.modules():
            if getattr(norm, "running_var", None) is not None:
                norm.running_mean.normal_(generator=draw)
                norm.running_var.uniform_(0.5, 2.0, generator=draw)
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw).to(dtype))
    if name == "embedding":
        return model, torch.randint(0, 7, case.shape, generator=draw)
    return model, torch.randn(case.shape, generator=draw, dtype=torch.float64).to(dtype)


def loss_of(model, example, seed=0):
    """A loss that sees the outputs only, with random targets; buffers stay as they are."""
    buffers = {name: value.clone() for name, value in model.named_buffers()}

    def outputs(theta):
        copies = {name: value.clone() for name, value in buffers.items()}
        return functional_call(model, {**theta, **copies}, (example,))

    with torch.no_grad():
        shape = outputs(params_of(model)).shape
    targets = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()
    return lambda theta: (outputs(theta) - targets).square().mean()
