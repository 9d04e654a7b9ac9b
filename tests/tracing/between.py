"""One operation between two linear layers."""

from __future__ import annotations

import torch
from torch import nn

from gaugelib import trace_group
from gaugelib.testing import assert_gauge_invariant

WIDTH = 8


class Between(nn.Module):
    """Linear layers around a function that sees 8 units and may use parameters and buffers."""

    def __init__(self, function, part=None):
        super().__init__()
        self.first, self.function, self.part = nn.Linear(3, WIDTH), function, part
        self.row, self.scalar = nn.Parameter(torch.randn(WIDTH)), nn.Parameter(torch.randn(1))
        self.square = nn.Parameter(torch.randn(WIDTH, WIDTH))
        self.register_buffer("mask", torch.tensor([1.0, 0, 2, 0, 1, 1, 0, -1]))
        self.register_buffer("order", torch.tensor([3, 1, 0, 2, 7, 6, 5, 4]))
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.double()
        with torch.no_grad():
            result = self.function(self, self.first(torch.randn(4, 3).double()))
            self.last = nn.Linear(result.flatten(1).shape[1], 2).double()

    def forward(self, x):
        return self.last(self.function(self, self.first(x)).flatten(1))


def survivors(function, part=None, verify=False):
    """Units of the first layer that keep a scale of their own; the function must stay in place."""
    torch.manual_seed(0)
    model = Between(function, part)
    x = torch.randn(4, 3, dtype=torch.float64)
    group = trace_group(model, x, verify=verify)
    if group.units:
        for seed in range(2):
            draw = torch.Generator().manual_seed(seed)
            assert_gauge_invariant(model, x, group=group, tol=1e-12, generator=draw)
    first = group.layers.get("first", slice(0, 0))
    return first.stop - first.start
