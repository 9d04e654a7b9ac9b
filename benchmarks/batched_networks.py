"""Many small networks at once: ReLU layers without biases, all of one shape.

Weights are a list of layers, each `(networks, units out, units in)`; quantities of the hidden units
are in one row per network, the first hidden layer first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

Weights = list[Tensor]


def he(sizes: Sequence[int], seeds: Sequence[int]) -> Weights:
    """Starts with variance 2 / fan-in, each from a generator of its own."""
    drawn = []
    for seed in seeds:
        draw = torch.Generator().manual_seed(seed)
        shapes = zip(sizes[1:], sizes, strict=False)
        drawn.append(
            [torch.randn(o, i, generator=draw).double() * math.sqrt(2 / i) for o, i in shapes]
        )
    return [torch.stack(layer) for layer in zip(*drawn)]


def forward(weights: Weights, inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    """What enters each layer, each `(networks, examples, units)`, and the outputs."""
    entering = []
    for k, w in enumerate(weights):
        entering.append(inputs)
        inputs = inputs @ w.mT
        if k < len(weights) - 1:
            inputs = inputs.relu()
    return entering, inputs


def backward(weights: Weights, entering: list[Tensor], slope: Tensor) -> list[Tensor]:
    """What is sent back to each layer, given the slope by the outputs, in the layers' order."""
    sent = [slope]
    for w, h in zip(weights[:0:-1], entering[:0:-1]):
        sent.append((sent[-1] @ w) * (h > 0))
    return sent[::-1]


def slope_of(loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
    """The derivative of each example's loss by its outputs; `targets` are one-hot."""
    return (outputs.softmax(-1) if loss == "cross-entropy" else outputs) - targets


def value_of(loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
    """Each example's loss, `(networks, examples)`."""
    if loss == "cross-entropy":
        return -(outputs.log_softmax(-1) * targets).sum(-1)
    return (outputs - targets).square().sum(-1) / 2


def gradient(weights: Weights, inputs: Tensor, targets: Tensor, loss: str) -> Weights:
    """The gradient of the mean loss."""
    entering, outputs = forward(weights, inputs)
    slope = slope_of(loss, outputs, targets) / inputs.shape[-2]
    sent = backward(weights, entering, slope)
    return [b.mT @ h for b, h in zip(sent, entering)]


def gauss_newton(weights: Weights, inputs: Tensor, loss: str) -> Weights:
    """The diagonal of Gauss-Newton's matrix, a mean over the examples.

    It is the mean squared gradient of one example whose label is drawn from the softmax; for the
    squared loss each output is sent back by itself.
    """
    entering, outputs = forward(weights, inputs)
    examples, classes = outputs.shape[-2:]
    total = [torch.zeros_like(w) for w in weights]
    odds = outputs.softmax(-1)
    for k in range(classes):
        one = torch.zeros_like(outputs)
        one[..., k] = 1.0
        if loss == "cross-entropy":
            one = (one - odds) * odds[..., k : k + 1].sqrt()
        sent = backward(weights, entering, one)
        for t, b, h in zip(total, sent, entering):
            t += b.square().mT @ h.square() / examples
    return total


def flows(values: Weights) -> tuple[list[Tensor], list[Tensor]]:
    """Sums over the edges into and out of each hidden unit, a list over the hidden layers."""
    into = [v.sum(2) for v in values[:-1]]
    out = [v.sum(1) for v in values[1:]]
    return into, out


def incidence(values: Weights) -> Tensor:
    """B applied to values of the edges: what flows in minus what flows out, (networks, units)."""
    into, out = flows(values)
    return torch.cat(into, 1) - torch.cat(out, 1)


def relative(values: Weights) -> list[Tensor]:
    """The relative imbalance of non-negative values by layer; of units that have none, NaN."""
    return [(i - o).abs() / (i + o) for i, o in zip(*flows(values))]


def squares(values: Weights) -> Weights:
    """Entry by entry."""
    return [v.square() for v in values]


def batches(count: int, size: int, draws: Sequence[torch.Generator]) -> Iterator[Tensor]:
    """Indices of whole batches of one epoch, `(networks, size)`, each network in its own order."""
    order = torch.stack([torch.randperm(count, generator=draw) for draw in draws])
    for k in range(0, count - size + 1, size):
        yield order[:, k : k + size]


def network(weights: list[Tensor]) -> torch.nn.Sequential:
    """One of the networks as a module, for what takes one."""
    layers: list[torch.nn.Module] = []
    for w in weights:
        layer = torch.nn.Linear(w.shape[1], w.shape[0], bias=False, dtype=torch.float64)
        layer.weight.data.copy_(w)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])
