"""Random programs: networks that no one would write, out of every kind of operation."""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 4

# Each step reads registers a and b, tensors of shape (batch, 4), and gives a new one. `p` holds
# parameters, `k` is a number from 0 to 3. Steps in place also change what other registers show.
STEPS = {
    "linear": lambda p, a, b, k: F.linear(a, p.weight[k], p.row[k]),
    "linear module": lambda p, a, b, k: p.layers[k](a),
    "transposed": lambda p, a, b, k: F.linear(a, p.weight[k].t()),
    "matmul": lambda p, a, b, k: a @ p.weight[k],
    "left": lambda p, a, b, k: (p.weight[k] @ a.t()).t(),
    "rows of two": lambda p, a, b, k: torch.cat(
        [F.linear(a, p.weight[k][:2]), F.linear(b, p.weight[k - 1][2:])], 1
    ),
    "row repeated": lambda p, a, b, k: F.linear(a, p.weight[k][[0, 0, 1, 2]]),
    "reshaped weight": lambda p, a, b, k: F.linear(a, p.weight[k].view(2, 2, 4).flip(0).view(4, 4)),
    "bias": lambda p, a, b, k: a + p.row[k],
    "bias of the batch": lambda p, a, b, k: a - p.row[k][:1],
    "gamma": lambda p, a, b, k: a * p.row[k],
    "factor": lambda p, a, b, k: p.row[k][k] * a,
    "gamma on halves": lambda p, a, b, k: (a.view(-1, 2, 2) * p.row[k][:2]).flatten(1),
    "convolution": lambda p, a, b, k: p.convolutions[k](a.view(-1, 2, 2)).flatten(1),
    "depthwise": lambda p, a, b, k: p.depthwise(a[:, :, None]).squeeze(2),
    "layer norm": lambda p, a, b, k: p.norm(a),
    "group norm": lambda p, a, b, k: F.group_norm(a, 2, p.row[k], p.row[k - 1]),
    "slopes": lambda p, a, b, k: p.slopes(a),
    "relu": lambda p, a, b, k: a.relu(),
    "leaky": lambda p, a, b, k: F.leaky_relu(a, -0.3),
    "relu of a part": lambda p, a, b, k: torch.cat([a[:, :k], a[:, k:].relu()], 1),
    "in place relu": lambda p, a, b, k: F.relu(a, inplace=True),
    "in place relu of a part": lambda p, a, b, k: (a[:, :k].relu_() if k else a, a)[1],
    "in place sum": lambda p, a, b, k: a.add_(b),
    "in place sum of a part": lambda p, a, b, k: (a[:, :2].sub_(b[:, 2:]), a)[1],
    "in place bias": lambda p, a, b, k: a.add_(p.row[k]),
    "in place gamma": lambda p, a, b, k: a.mul_(p.row[k]),
    "in place product": lambda p, a, b, k: a.mul_(torch.sigmoid(b)),
    "in place shift of a part": lambda p, a, b, k: (a[:, k : k + 1].add_(1), a)[1],
    "in place tanh of a view": lambda p, a, b, k: (a.view(-1, 2, 2)[:, 0].tanh_(), a)[1],
    "in place through detach": lambda p, a, b, k: (a.detach().clamp_(min=0), a)[1],
    "view": lambda p, a, b, k: a.view(-1, 2, 2).view(-1, 4),
    "copy": lambda p, a, b, k: a.clone(),
    "shuffle": lambda p, a, b, k: a.view(-1, 2, 2).transpose(1, 2).reshape(-1, 4),
    "roll": lambda p, a, b, k: a.roll(k, 1),
    "pad and crop": lambda p, a, b, k: F.pad(a, (k, 0))[:, :4],
    "mix": lambda p, a, b, k: torch.cat([a[:, k:], b[:, :k]], 1),
    "sum": lambda p, a, b, k: a + 2 * b,
    "difference with shift": lambda p, a, b, k: a - b.roll(k, 1),
    "maximum": lambda p, a, b, k: torch.maximum(a, b),
    "maxout": lambda p, a, b, k: torch.stack([a, b], 2).amax(2),
    "choice": lambda p, a, b, k: torch.where(a > 0, a, b),
    "choice by another": lambda p, a, b, k: torch.where(b > b.roll(1, 1), a, 0.0),
    "own sign": lambda p, a, b, k: a * (a >= 0),
    "threshold": lambda p, a, b, k: a * (a > 0.1 * k),
    "mean": lambda p, a, b, k: a - a.mean(1, keepdim=True),
    "pool": lambda p, a, b, k: F.max_pool1d(a[:, None], 2, 2).repeat(1, 2, 1)[:, :, :2].flatten(1),
    "gate": lambda p, a, b, k: a * torch.sigmoid(b),
    "free gate": lambda p, a, b, k: a * b,
    "quotient": lambda p, a, b, k: a / (1 + b.abs()),
    "mask": lambda p, a, b, k: a * p.mask,
    "shift": lambda p, a, b, k: a + p.mask,
    "tanh": lambda p, a, b, k: a.tanh(),
    "softmax of a part": lambda p, a, b, k: torch.cat([a[:, :2].softmax(1), b[:, 2:]], 1),
    "zeros": lambda p, a, b, k: torch.zeros_like(a) + (a if k else 0),
    "zeros filled in place": lambda p, a, b, k: torch.zeros_like(a).add_(b),
    "attention": lambda p, a, b, k: F.scaled_dot_product_attention(
        a.view(-1, 2, 2), b.view(-1, 2, 2), (a + b).view(-1, 2, 2)
    ).flatten(1),
    "product of both": lambda p, a, b, k: torch.bmm(a.view(-1, 2, 2), b.view(-1, 2, 2)).flatten(1),
    "cast": lambda p, a, b, k: a.to(torch.float64),
    "square": lambda p, a, b, k: a.relu().square(),
    "root of a square": lambda p, a, b, k: (a**2 + b**2).sqrt(),
    "scalar gain": lambda p, a, b, k: a + p.row[k][0] * b,
    "linear attention": lambda p, a, b, k: torch.einsum(
        "bij,bkj,bkl->bil", a.view(-1, 2, 2), b.view(-1, 2, 2), (a + b).view(-1, 2, 2)
    ).flatten(1),
    "divided by its size": lambda p, a, b, k: a / a.abs().amax(1, keepdim=True).clamp(min=1e-30),
    "masked weight": lambda p, a, b, k: a @ (p.weight[k] * p.mask),
    "product of weights": lambda p, a, b, k: a @ (p.weight[k] @ p.weight[k - 1]),
    "weight of fixed scale": lambda p, a, b, k: F.linear(a, p.weight[k].softmax(1)),
    "computed map": lambda p, a, b, k: torch.bmm(
        a.view(-1, 2, 2) * p.row[k][:2], b.view(-1, 2, 2).relu()
    ).flatten(1),
    "column assigned": lambda p, a, b, k: (a.__setitem__((slice(None), k), b[:, 0]), a)[1],
    "zeros written": lambda p, a, b, k: _written(a, b, k),
    "added at places": lambda p, a, b, k: torch.zeros_like(a).index_add(
        1, torch.tensor([k, 0, 1, k]), b
    ),
}


def _written(a: Tensor, b: Tensor, k: int) -> Tensor:
    """Zeros, of which a part is written to through a view."""
    whole = torch.zeros(len(a), 4, dtype=a.dtype)
    part = whole[:, k:]
    part.copy_(a[:, k:])
    part[:, :1].mul_(b[:, :1])
    return whole


class Program(nn.Module):
    """A random sequence of steps on four registers, written from a seed."""

    def __init__(self, seed: int, length: int):
        super().__init__()
        draw = random.Random(seed)
        self.steps = [
            (draw.choice(list(STEPS)), *(draw.randrange(4) for _ in range(4)))
            for _ in range(length)
        ]
        self.first, self.last = nn.Linear(3, 4 * WIDTH), nn.Linear(4 * WIDTH, 2)
        self.weight = nn.ParameterList(torch.randn(4, 4) for _ in range(4))
        self.row = nn.ParameterList(torch.randn(4) for _ in range(4))
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))
        self.layers[3].weight = self.weight[3]
        self.convolutions = nn.ModuleList(nn.Conv1d(2, 2, 3, padding=1) for _ in range(4))
        self.depthwise = nn.Conv1d(4, 4, 1, groups=4)
        self.norm, self.slopes = nn.LayerNorm(4), nn.PReLU(4)
        self.register_buffer("mask", torch.tensor([1.0, 0.0, -2.0, 0.5]))

    def forward(self, x: Tensor) -> Tensor:
        registers = [self.first(x).split(WIDTH, dim=1)[k] for k in range(4)]
        for name, a, b, k, to in self.steps:
            registers[to] = STEPS[name](self, registers[a], registers[b], k)
        return self.last(torch.cat(registers, 1))
