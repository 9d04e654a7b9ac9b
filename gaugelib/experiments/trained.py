"""A small network that reads digits, trained while one reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from gaugelib.data import digits
from gaugelib.group import GaugeError


def trained_digits(
    hidden: Sequence[int] = (64, 32), *, epochs: int = 20, lr: float = 0.1, seed: int = 0
) -> nn.Sequential:
    """A ReLU network with biases, trained on the digits by stochastic gradient descent.

    It begins at He's initialisation with biases 0, and descends the cross-entropy of batches of 32
    images, with no momentum and no decay. With the defaults that takes some two seconds.

    Args:
        hidden: widths of the hidden layers.
        epochs: passes over the 1437 training images.
        lr: learning rate.
        seed: of the first weights and the order of the images.

    Returns:
        The model in float64, with 64 inputs and 10 outputs.

    Raises:
        GaugeError: if a width is not positive, or as `digits` does.

    Example:
        >>> model = trained_digits((8,), epochs=1)
        >>> model
        Sequential(
          (0): Linear(in_features=64, out_features=8, bias=True)
          (1): ReLU()
          (2): Linear(in_features=8, out_features=10, bias=True)
        )
    """
    if any(width < 1 for width in hidden):
        raise GaugeError(f"hidden layers need at least one unit each, found {tuple(hidden)}")
    data, draw = digits(), torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise((data.features, *hidden, data.classes)):
        layer = nn.utils.skip_init(nn.Linear, fan_in, fan_out, dtype=torch.float64)
        assert isinstance(layer, nn.Linear)
        first = torch.randn(fan_out, fan_in, generator=draw, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(first * (2 / fan_in) ** 0.5)
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimiser = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        for batch in torch.randperm(len(data.train_labels), generator=draw).split(32):
            optimiser.zero_grad()
            outputs = model(data.train_inputs[batch])
            nn.functional.cross_entropy(outputs, data.train_labels[batch]).backward()
            optimiser.step()
    return model.requires_grad_(requires_grad=False)
