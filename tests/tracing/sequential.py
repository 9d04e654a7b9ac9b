"""Architectures with tokens and streams for the tests of tracing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Residual(nn.Module):
    """A stream that every block reads and adds to: its units are tied throughout."""

    def __init__(self, width=4, hidden=5, blocks=2):
        super().__init__()
        self.embed = nn.Linear(3, width)
        self.into = nn.ModuleList(nn.Linear(width, hidden) for _ in range(blocks))
        self.out = nn.ModuleList(nn.Linear(hidden, width) for _ in range(blocks))
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        x = self.embed(x)
        for into, out in zip(self.into, self.out):
            x = x + out(F.relu(into(x)))
        return self.head(x)


class NormedResidual(nn.Module):
    """Transformer-like: layer norm, widen, ReLU, narrow, add to the stream; a position bias."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(3, 4)
        self.position = nn.Parameter(torch.randn(5, 4))
        self.norm1, self.norm2 = nn.LayerNorm(4), nn.LayerNorm(4)
        self.into, self.out = nn.Linear(4, 6), nn.Linear(6, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x) + self.position
        x = x + self.out(torch.relu(self.into(self.norm1(x))))
        return self.head(self.norm2(x).mean(dim=1))


class Mixing(nn.Module):
    """Chunks exchanged, one half reversed, tokens and channels permuted."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 6)
        self.tokens = nn.Linear(4, 4)
        self.second = nn.Linear(6, 5)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        left, right = F.relu(self.first(x)).chunk(2, dim=-1)
        x = torch.cat([right.flip(-1), left], dim=-1)
        x = x + F.relu(self.tokens(x.permute(0, 2, 1))).transpose(1, 2)
        return self.head(self.second(x).relu().mean(1))


class Recurrent(nn.Module):
    """One cell applied at every step: the units are the same at every time."""

    def __init__(self):
        super().__init__()
        self.read, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.cell = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        state = x.new_zeros(x.shape[0], 4)
        for step in range(3):
            state = F.relu(self.read(x[:, step]) + self.cell(state))
        return self.head(state)


class Attention(nn.Module):
    """Two heads: queries and keys answer each other, values and the last projection do."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.qkv, self.out, self.head = nn.Linear(4, 12), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, t, 3, 2, 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, c)
        return self.head(x + self.out(y))


class HandAttention(nn.Module):
    """The same with its products written out."""

    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(4, 4), nn.Linear(4, 4)
        self.value, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        logits = self.query(x) @ self.key(x).mT / x.shape[-1] ** 0.5
        return self.head(torch.softmax(logits, dim=-1) @ self.value(x))


class Positions(nn.Module):
    """Table of embeddings; the input holds integers."""

    def __init__(self):
        super().__init__()
        self.table, self.fc, self.head = nn.Embedding(7, 4), nn.Linear(4, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(self.fc(self.table(x).relu()).relu().mean(1))
