"""Architectures of linear layers and bare parameters for the tests of tracing."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


class Maxout(nn.Module):
    """The larger of two pieces, once by view and max, once by pooling over features."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(3, 8), nn.Linear(4, 6), nn.Linear(3, 2)

    def forward(self, x):
        x = self.first(x).view(-1, 4, 2).max(dim=2).values
        x = F.max_pool1d(self.second(x).unsqueeze(1), 2).squeeze(1)
        return self.head(x)


class TiedAutoencoder(nn.Module):
    """The decoder is the transposed encoder, so W is read in both directions."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))
        self.middle = nn.Linear(4, 5)
        self.back = nn.Linear(5, 4)
        self.bias = nn.Parameter(torch.randn(4))

    def forward(self, x):
        code = F.leaky_relu(F.linear(x, self.weight, self.bias), 0.2)
        back = self.back(F.leaky_relu(self.middle(code), 0.2))
        return F.linear(F.leaky_relu(back, 0.2), self.weight.t())


class Gated(nn.Module):
    """A gate of fixed scale lets the scale of what it gates pass."""

    def __init__(self):
        super().__init__()
        self.body, self.gate, self.head = nn.Linear(3, 5), nn.Linear(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)) * torch.sigmoid(self.gate(x)))


class LayerScale(nn.Module):
    """Branches scaled by a parameter: one factor for each unit, then one for all of them."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.into, self.out, self.more = nn.Linear(4, 5), nn.Linear(5, 4), nn.Linear(4, 4)
        self.gamma, self.alpha = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(1))

    def forward(self, x):
        x = F.relu(self.embed(x))
        x = x + self.gamma * self.out(F.relu(self.into(x)))
        return self.head(F.relu(x + self.alpha * self.more(x)))


class Matmuls(nn.Module):
    """Bare parameters on either side of a product, as vectors, and in batches."""

    def __init__(self):
        super().__init__()
        self.right, self.left = nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5, 2))
        self.bias = nn.Parameter(torch.randn(5, 1))
        self.experts = nn.Parameter(torch.randn(5, 4, 3))
        self.last = nn.Parameter(torch.randn(3))

    def forward(self, x):  # (b, 2, 3)
        x = torch.relu(x @ self.right)
        x = torch.relu(torch.matmul(self.left, x) + self.bias)  # (b, 5, 4)
        x = torch.bmm(x.transpose(0, 1), self.experts).relu_()  # (5, b, 3)
        return x.matmul(self.last).t()


class Parts(nn.Module):
    """One parameter used in slices, one token concatenated, one module used twice."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7, 4))
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.embed, self.twice, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(7, 2)

    def forward(self, x):  # (b, 3, 4)
        x = F.relu(self.embed(x))
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        x = F.relu(self.twice(F.relu(self.twice(x))))
        y = torch.cat([F.linear(x, self.weight[:3]), x @ self.weight[3:].t()], dim=-1)
        return self.head(F.relu(y)).sum(1)


class ScaledLinear(nn.Linear):
    """A subclass with a forward of its own: it is followed, not assumed."""

    def forward(self, input):
        return F.linear(input * 0.5, self.weight, self.bias) * -2.0


def mlp(*widths, act=nn.ReLU):
    layers = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), act()]
    return nn.Sequential(*layers[:-1])


def slopes():
    return nn.Sequential(
        nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 5), nn.LeakyReLU(-0.5), nn.Linear(5, 3),
        nn.RReLU(), nn.Linear(3, 4), nn.PReLU(), nn.Linear(4, 2),
    )  # fmt: skip


def norms():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Conv2d(4, 4, 1),
        nn.InstanceNorm2d(4, affine=True), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3), nn.RMSNorm(3), nn.ReLU(), nn.Linear(3, 2),
    )  # fmt: skip


def batch_normed():
    return nn.Sequential(
        nn.Conv1d(2, 4, 2), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5),
        nn.BatchNorm1d(5, affine=False), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2),
    )  # fmt: skip


def dropout():
    return nn.Sequential(
        nn.Dropout(0.1), nn.Linear(3, 6), nn.ReLU(inplace=True), nn.Dropout(0.4), nn.Linear(6, 4),
        nn.ReLU(), nn.Dropout1d(0.2), nn.Linear(4, 2),
    )  # fmt: skip
