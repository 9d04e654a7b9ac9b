"""The small networks that the book follows from chapter to chapter."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn


def hat() -> nn.Sequential:
    r"""The hat: $f(x) = \mathrm{relu}(x) - 2\,\mathrm{relu}(x-1) + \mathrm{relu}(x-2)$, in float64.

    One input, three hidden ReLU neurons, one output. Its graph is a tent: 0 outside $[0, 2]$, with
    its top at $f(1) = 1$.

    Example:
        >>> hat()(torch.tensor([[-1.0], [0.5], [1.0], [3.0]]).double()).flatten().tolist()
        [0.0, 0.5, 1.0, 0.0]
    """
    hidden, output = _unset_linear(1, 3), _unset_linear(3, 1)
    with torch.no_grad():
        hidden.weight.fill_(1.0)
        hidden.bias.copy_(torch.tensor([0.0, -1.0, -2.0]))
        output.weight.copy_(torch.tensor([[1.0, -2.0, 1.0]]))
        output.bias.zero_()
    return nn.Sequential(hidden, nn.ReLU(), output)


def _unset_linear(inputs: int, outputs: int) -> nn.Linear:
    # Without the usual initialisation, so that making a network draws no random numbers.
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, dtype=torch.float64)
    return cast(nn.Linear, layer)
