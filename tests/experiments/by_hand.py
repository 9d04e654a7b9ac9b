"""The paper's training in numpy, written from its equations (10)-(12), (38)-(42)."""

from itertools import pairwise

import numpy as np
import torch

from gaugelib.data import Dataset
from gaugelib.experiments import Settings


def blobs(name: str = "blobs", examples: int = 40) -> Dataset:
    """Three clouds of points in five dimensions."""
    draw = torch.Generator().manual_seed(5)
    labels = torch.arange(examples) % 3
    centres = 2 * torch.randn(3, 5, generator=draw, dtype=torch.float64)
    inputs = centres[labels] + torch.randn(examples, 5, generator=draw, dtype=torch.float64)
    split = examples - 8
    return Dataset(name, 3, inputs[:split], labels[:split], inputs[split:], labels[split:])


def forward(weights, bias, x):
    hidden = [x]
    for w in weights[:-1]:
        hidden.append(np.maximum(hidden[-1] @ w.T, 0))
    return hidden, hidden[-1] @ weights[-1].T + bias


def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def gradients(weights, bias, x, y):
    hidden, z = forward(weights, bias, x)
    error = (np.exp(log_softmax(z)) - np.eye(z.shape[1])[y]) / len(y)
    grads, on_bias = [], error.sum(0)
    for w, h in zip(weights[::-1], hidden[::-1], strict=True):
        grads.insert(0, error.T @ h)
        error = (error @ w) * (h > 0)
    return grads, on_bias


def balanced(weights, p):
    """Algorithm 1 until nothing moves any more."""
    for _ in range(500):
        into = [(np.abs(w) ** p).sum(1) for w in weights[:-1]]
        out = [(np.abs(w) ** p).sum(0) for w in weights[1:]]
        scales = [(b / a) ** (1 / (4 * p)) for a, b in zip(into, out, strict=True)]
        ends = pairwise([np.ones(1), *scales, np.ones(1)])
        weights = [w * a[:, None] / b for w, (b, a) in zip(weights, ends, strict=True)]
    return weights


def train(s: Settings, data: Dataset, weights, bias, *, decay_sign: float = 1.0):
    """Loss, penalty, training error and test error before and after each epoch."""
    p = {"sgd": 2, "egd": 1}[s.optimiser]
    order, lr = torch.Generator().manual_seed(s.seed), s.lr
    x, y = data.train_inputs.numpy(), data.train_labels.numpy()
    if s.arm == "once":
        weights = balanced(weights, p)
    rows = []
    for epoch in range(s.epochs + 1):
        if epoch:
            shuffled = torch.randperm(len(y), generator=order).numpy()
            for start in range(0, len(y), s.batch):
                if s.arm == "every":
                    weights = balanced(weights, p)
                now = shuffled[start : start + s.batch]
                grads, on_bias = gradients(weights, bias, x[now], y[now])
                pull = decay_sign * s.weight_decay
                if s.optimiser == "sgd":
                    weights = [w - lr * g - lr * pull * w for w, g in zip(weights, grads)]
                    bias = bias - lr * on_bias
                else:
                    weights = [
                        w * np.exp(-lr * np.sign(w) * g - lr * pull) for w, g in zip(weights, grads)
                    ]
                    bias = bias * np.exp(-lr * np.sign(bias) * on_bias)
            lr *= s.lr_factor
        elif s.arm == "every":
            weights = balanced(weights, p)
        z = forward(weights, bias, x)[1]
        tested = forward(weights, bias, data.test_inputs.numpy())[1]
        rows.append(
            (
                -log_softmax(z)[np.arange(len(y)), y].mean(),
                sum((np.abs(w) ** p).sum() for w in weights) / p,
                (z.argmax(1) != y).mean(),
                (tested.argmax(1) != data.test_labels.numpy()).mean(),
            )
        )
    return np.array(rows)
