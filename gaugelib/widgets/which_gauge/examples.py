"""The two networks with which WhichGauge opens: the hat, and one trained on the digits."""

from __future__ import annotations

import functools
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from gaugelib.data import digits
from gaugelib.networks import hat
from gaugelib.widgets.shared.matrices import linear_layers
from gaugelib.widgets.which_gauge.parts import plain

HIDDEN, SHOWN = 16, 100
EPOCHS, BATCH = 30, 48
RATE, MOMENTUM = 0.01, 0.9
DECIMALS = 4  # of the trained weights that are kept
INPUTS = 20  # of the hat's data


@functools.cache
def hat_and_data() -> dict[str, list]:
    """The hat, and data on a bump that it does not reach: its gradient is not 0."""
    x = torch.from_numpy(np.linspace(-0.9, 2.9, INPUTS).round(3))[:, None]
    return plain(linear_layers(hat(), "the hat is"), x, (-((x - 1) ** 2)).exp().round(decimals=4))


@functools.cache
def digits_and_data() -> dict[str, list]:
    """A network 64-16-10, trained in a second, and the first 100 of the images it has not seen.

    Its outputs are to be 1 for the digit and 0 for the others; the loss is the squared one.
    """
    data = digits()
    x, y = data.train_inputs, nn.functional.one_hot(data.train_labels, 10).double()
    layers = _trained(x, y)
    with torch.no_grad():
        for value in (value for layer in layers for value in layer.parameters()):
            value.copy_(value.round(decimals=DECIMALS))
    targets = nn.functional.one_hot(data.test_labels[:SHOWN], 10)
    return plain(layers, data.test_inputs[:SHOWN], targets)


def _trained(x: Tensor, y: Tensor) -> list[nn.Linear]:
    """Minibatch descent with momentum, from a start at which each unit is on for half of x."""
    draw = torch.Generator().manual_seed(2)
    first, last = _layer(x.shape[1], HIDDEN, 1 / 8, draw), _layer(HIDDEN, y.shape[1], 1 / 10, draw)
    with torch.no_grad():
        first.bias.copy_(-(first.weight @ x.mean(0)))
        last.bias.fill_(1 / y.shape[1])
    model = nn.Sequential(first, nn.ReLU(), last)
    descent = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    with torch.enable_grad():
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(x), generator=draw).split(BATCH):
                descent.zero_grad()
                ((model(x[rows]) - y[rows]).square().sum(1).mean() / 2).backward()
                descent.step()
    return [first, last]


def _layer(inputs: int, outputs: int, deviation: float, draw: torch.Generator) -> nn.Linear:
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, dtype=torch.float64)
    layer = cast(nn.Linear, layer)
    with torch.no_grad():
        layer.weight.normal_(std=deviation, generator=draw)
    return layer
