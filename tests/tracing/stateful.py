"""A small model whose middle may keep what it computes."""

from __future__ import annotations

import torch
from torch import nn

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """first (3 -> 4), `middle`, last (4 -> 2); one parameter and an index to take it by."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)
        self.row = nn.Parameter(torch.randn(4))
        self.register_buffer("order", torch.tensor([2, 0, 1, 3]))

    def forward(self, x):
        return self.last(self.middle(self.first(x)))

    def middle(self, x):
        raise NotImplementedError
