"""A small T5, and the transformer layers that PyTorch itself brings."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.tracing.lookalikes_language import GatedMLP, RMSNorm, dense


class T5Attention(nn.Module):
    """Without biases and without the root of the width; positions are a bias of the scores."""

    def __init__(self, d, heads, width, distances=0):
        super().__init__()
        inner = heads * width
        self.heads, self.width, self.distances = heads, width, distances
        self.q, self.k, self.v = dense(d, inner), dense(d, inner), dense(d, inner)
        self.o = dense(inner, d)
        self.bias = nn.Embedding(distances, heads) if distances else None

    def positions(self, tokens, causal):
        places = torch.arange(tokens)
        distance = places[None, :] - places[:, None]
        distance = -torch.min(distance, torch.zeros_like(distance)) if causal else distance.abs()
        bias = self.bias(distance.clamp(max=self.distances - 1)).permute([2, 0, 1]).unsqueeze(0)
        if causal:
            mask = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
            bias = bias.masked_fill(mask, torch.finfo(bias.dtype).min)
        return bias

    def forward(self, x, other=None, causal=False):
        batch = x.shape[0]
        other = x if other is None else other
        split = lambda z: z.view(batch, -1, self.heads, self.width).transpose(1, 2)  # noqa: E731
        scores = torch.matmul(split(self.q(x)), split(self.k(other)).transpose(3, 2))
        if self.bias is not None:
            scores += self.positions(x.shape[1], causal)
        weights = F.softmax(scores.float() if scores.dtype == torch.half else scores, dim=-1)
        y = torch.matmul(weights, split(self.v(other))).transpose(1, 2).contiguous()
        return self.o(y.view(batch, -1, self.heads * self.width))


class T5FeedForward(nn.Module):
    def __init__(self, d, f):
        super().__init__()
        self.wi, self.wo = dense(d, f), dense(f, d)

    def forward(self, x):
        return self.wo(F.relu(self.wi(x)))


class T5(nn.Module):
    """One block of an encoder and one of a decoder, a table shared by both and by the head."""

    def __init__(self, *, d=4, heads=2, width=3, f=5, vocabulary=7, distances=3, gated=False):
        super().__init__()
        self.d, self.shared = d, nn.Embedding(vocabulary, d)
        self.norms = nn.ModuleList(RMSNorm(d) for _ in range(7))
        self.encode = T5Attention(d, heads, width, distances)
        self.decode = T5Attention(d, heads, width, distances)
        self.cross = T5Attention(d, heads, width)
        layer = GatedMLP if gated else T5FeedForward
        self.encoded, self.decoded = layer(d, f), layer(d, f)
        self.lm_head = dense(d, vocabulary)
        self.lm_head.weight = self.shared.weight

    def forward(self, ids, targets):
        n = self.norms
        x = self.shared(ids)
        x = x + self.encode(n[0](x))
        x = n[2](x + self.encoded(n[1](x)))
        y = self.shared(targets)
        y = y + self.decode(n[3](y), causal=True)
        y = y + self.cross(n[4](y), other=x)
        y = n[6](y + self.decoded(n[5](y)))
        return self.lm_head(y * self.d**-0.5)


class EncoderLayer(nn.Module):
    """`nn.TransformerEncoderLayer` between an embedding and a head."""

    def __init__(self, *, d=4, heads=2, f=5, vocabulary=7, activation="relu", norm_first=False):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.layer = nn.TransformerEncoderLayer(
            d, heads, f, dropout=0.0, activation=activation, norm_first=norm_first,
            batch_first=True,
        )  # fmt: skip
        self.head = nn.Linear(d, 2)

    def forward(self, ids):
        return self.head(self.layer(self.embed(ids)))


class DecoderLayer(nn.Module):
    """`nn.TransformerDecoderLayer`: it attends to itself, causally, and to the input."""

    def __init__(self, *, d=4, heads=2, f=5, vocabulary=7):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.layer = nn.TransformerDecoderLayer(
            d, heads, f, dropout=0.0, norm_first=True, batch_first=True
        )
        self.head = nn.Linear(d, 2)

    def forward(self, ids, memory):
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1], dtype=memory.dtype)
        return self.head(self.layer(self.embed(ids), memory, tgt_mask=mask, tgt_is_causal=True))


class Pooled(nn.Module):
    """`nn.MultiheadAttention` with one learned query over free hidden units."""

    def __init__(self, *, inputs=3, d=4, heads=2):
        super().__init__()
        self.first = nn.Linear(inputs, d)
        self.query = nn.Parameter(torch.randn(1, 1, d))
        self.attention = nn.MultiheadAttention(d, heads, batch_first=True)
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        x = F.relu(self.first(x))
        query = self.query.expand(x.shape[0], -1, -1)
        y, _ = self.attention(query, x, x, need_weights=False)
        return self.head(y.squeeze(1))
