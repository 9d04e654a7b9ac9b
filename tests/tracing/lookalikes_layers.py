"""Small layers whose activations multiply each other, and others that were hard to trace."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from tests.tracing.lookalikes_language import GatedMLP


class GatedLayer(nn.Module):
    """One gated layer between two others: SwiGLU or ReGLU."""

    def __init__(self, act, *, inputs=3, d=3, f=4):
        super().__init__()
        self.first, self.gated, self.last = (
            nn.Linear(inputs, d),
            GatedMLP(d, f, act),
            nn.Linear(d, 2),
        )

    def forward(self, x):
        return self.last(self.gated(F.relu(self.first(x))))


class ReGLUBlocks(nn.Module):
    """Two residual blocks of ReGLU, the weights of gate and up in one matrix that is cut."""

    def __init__(self, *, d=3, f=3):
        super().__init__()
        self.embed, self.head = nn.Linear(2, d), nn.Linear(d, 2)
        self.wi = nn.ModuleList(nn.Linear(d, 2 * f) for _ in range(2))
        self.wo = nn.ModuleList(nn.Linear(f, d) for _ in range(2))

    def forward(self, x):
        x = self.embed(x)
        for wi, wo in zip(self.wi, self.wo):
            gate, up = wi(x).chunk(2, dim=-1)
            x = x + wo(F.relu(gate) * up)
        return self.head(x)


class ReZero(nn.Module):
    """A transformer without norms: one scalar before both branches of a block."""

    def __init__(self, *, vocabulary=5, d=4, heads=2, f=5):
        super().__init__()
        self.embed, self.heads = nn.Embedding(vocabulary, d), heads
        self.resweight = nn.Parameter(torch.zeros(1))
        self.query, self.key = nn.Linear(d, d, bias=False), nn.Linear(d, d, bias=False)
        self.value, self.out = nn.Linear(d, d, bias=False), nn.Linear(d, d)
        self.fc1, self.fc2, self.head = nn.Linear(d, f), nn.Linear(f, d), nn.Linear(d, 2)

    def forward(self, ids):
        x = self.embed(ids)
        split = lambda z: z.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # noqa: E731
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.out(y) * self.resweight
        return self.head(x + self.fc2(F.relu(self.fc1(x))) * self.resweight)


class LinearAttention(nn.Module):
    """Attention without a softmax, summed as q (k v); causal by a running sum if asked."""

    def __init__(self, *, inputs=3, heads=2, width=2, causal=False):
        super().__init__()
        self.qkv = nn.Linear(inputs, 3 * heads * width, bias=False)
        self.out, self.heads, self.causal = nn.Linear(heads * width, 2), heads, causal

    def forward(self, x):
        q, k, v = (z.unflatten(-1, (self.heads, -1)) for z in self.qkv(x).chunk(3, dim=-1))
        if self.causal:
            memory = torch.einsum("bthc,bthd->bthcd", k, v).cumsum(dim=1)
            y = torch.einsum("bthc,bthcd->bthd", q, memory)
        else:
            y = torch.einsum("bthc,bhcd->bthd", q, torch.einsum("bthc,bthd->bhcd", k, v))
        return self.out(y.flatten(2))


class NormalisedLinearAttention(nn.Module):
    """With ReLU as the feature map, and divided by the sum of the weights and a little."""

    def __init__(self, *, inputs=3, width=3, eps=1e-3):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(inputs, width) for _ in range(3))
        self.out, self.eps = nn.Linear(width, 2), eps

    def forward(self, x):
        q, k, v = F.relu(self.q(x)), F.relu(self.k(x)), self.v(x)
        above = q @ (k.transpose(1, 2) @ v)
        below = (q * k.sum(dim=1, keepdim=True)).sum(dim=-1, keepdim=True)
        return self.out(above / (below + self.eps))


class GatedAttentionUnit(nn.Module):
    """One head, squared ReLU for the softmax, queries and keys from one projection, a gate."""

    def __init__(self, *, d=3, width=2, e=3):
        super().__init__()
        self.norm, self.uv, self.z = nn.LayerNorm(d), nn.Linear(d, 2 * e), nn.Linear(d, width)
        self.gamma = nn.Parameter(torch.ones(2, width))
        self.beta = nn.Parameter(torch.zeros(2, width))
        self.out, self.head = nn.Linear(e, d), nn.Linear(d, 2)

    def forward(self, x):
        y = self.norm(x)
        u, v = F.silu(self.uv(y)).chunk(2, dim=-1)
        q, k = torch.unbind(torch.einsum("btw,rw->btrw", self.z(y), self.gamma) + self.beta, dim=-2)
        weights = torch.square(F.relu(torch.einsum("btw,bsw->bts", q, k) / x.shape[1]))
        return self.head(x + self.out(u * torch.einsum("bts,bse->bte", weights, v)))


class Primer(nn.Module):
    """A feed-forward layer of degree two, and one of degree three on top."""

    def __init__(self, *, f=4, g=3):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(3, f), nn.Linear(f, g), nn.Linear(g, 2)

    def forward(self, x):
        return self.head(self.fc2(F.relu(self.fc1(x)) ** 2).pow(3))


class Bilinear(nn.Module):
    """`nn.Bilinear` of two hidden layers."""

    def __init__(self, *, one=3, two=2, out=3):
        super().__init__()
        self.one, self.two = nn.Linear(2, one), nn.Linear(2, two)
        self.both, self.head = nn.Bilinear(one, two, out), nn.Linear(out, 2)

    def forward(self, x):
        return self.head(F.relu(self.both(F.relu(self.one(x)), F.relu(self.two(x)))))


class Experts(nn.Module):
    """A soft mixture: every token goes to every expert, and the router weighs their answers."""

    def __init__(self, *, d=3, f=3, experts=3):
        super().__init__()
        self.norm, self.router = nn.RMSNorm(d, eps=1e-6), nn.Linear(d, experts, bias=False)
        self.w1 = nn.Parameter(torch.empty(experts, d, f))
        self.w2 = nn.Parameter(torch.empty(experts, f, d))
        self.b1, self.head = nn.Parameter(torch.zeros(experts, f)), nn.Linear(d, 2)

    def forward(self, x):
        y = self.norm(x)
        weights = self.router(y).softmax(dim=-1)
        hidden = F.relu(torch.einsum("btd,edf->betf", y, self.w1) + self.b1[:, None])
        answers = torch.einsum("betf,efd->betd", hidden, self.w2)
        return self.head(x + torch.einsum("bte,betd->btd", weights, answers))


class Recurrent(nn.Module):
    """PyTorch's recurrent layers, their last state read by a head."""

    def __init__(self, kind, *, hidden=3, **options):
        super().__init__()
        self.cells = kind(2, hidden, batch_first=True, **options)
        self.head = nn.Linear(options.get("proj_size") or hidden, 2)

    def forward(self, x):
        y, _ = self.cells(x)
        return self.head(y[:, -1])


class LowRank(nn.Module):
    """A linear layer with an update of low rank: W + B A."""

    def __init__(self, *, inputs=3, hidden=4, rank=2):
        super().__init__()
        self.first, self.head = nn.Linear(inputs, hidden), nn.Linear(hidden, 2)
        self.lora_a = nn.Parameter(torch.randn(rank, inputs))
        self.lora_b = nn.Parameter(torch.zeros(hidden, rank))

    def forward(self, x):
        weight = self.first.weight + (self.lora_b @ self.lora_a) * 2.0
        return self.head(F.relu(F.linear(x, weight, self.first.bias)))


class WeightNormed(nn.Module):
    """Directions and lengths apart, by PyTorch's parametrisation: a direction has any scale."""

    def __init__(self, *, hidden=4):
        super().__init__()
        normed = torch.nn.utils.parametrizations.weight_norm
        self.first, self.second = normed(nn.Linear(3, hidden)), nn.Linear(hidden, 2)

    def forward(self, x):
        return self.second(F.relu(self.first(x)))


class FiLM(nn.Module):
    """Features modulated by a factor and a shift that another network computes."""

    def __init__(self, *, d=3, conditions=2, f=3):
        super().__init__()
        self.first, self.condition = nn.Linear(2, d), nn.Linear(conditions, f)
        self.generator, self.head = nn.Linear(f, 2 * d), nn.Linear(d, 2)

    def forward(self, x, z):
        gamma, beta = self.generator(F.relu(self.condition(z))).chunk(2, dim=-1)
        return self.head(F.relu(gamma * F.relu(self.first(x)) + beta))


class Hypernetwork(nn.Module):
    """A layer whose weight another network computes."""

    def __init__(self, *, d=3, e=2, f=3):
        super().__init__()
        self.first, self.condition = nn.Linear(2, d), nn.Linear(2, f)
        self.generator, self.head, self.shape = nn.Linear(f, e * d), nn.Linear(e, 2), (-1, e, d)

    def forward(self, x, z):
        weight = self.generator(F.relu(self.condition(z))).view(self.shape)
        hidden = torch.bmm(weight, F.relu(self.first(x)).unsqueeze(2)).squeeze(2)
        return self.head(F.relu(hidden))


class GraphAttention(nn.Module):
    """Messages along edges that are a buffer, weighed by a softmax over the edges of a node."""

    def __init__(self, *, d=3, nodes=4):
        super().__init__()
        self.embed, self.message = nn.Linear(2, d), nn.Linear(d, d, bias=False)
        self.score_to, self.score_from = nn.Parameter(torch.randn(d)), nn.Parameter(torch.randn(d))
        self.head = nn.Linear(d, 2)
        pairs = [(i, j) for i in range(nodes) for j in range(nodes) if (i + j) % 3]
        self.register_buffer("edges", torch.tensor(pairs).t().contiguous())

    def forward(self, x):  # (batch, nodes, 2)
        source, target = self.edges
        h = self.message(F.relu(self.embed(x)))
        logits = F.leaky_relu(
            (h @ self.score_from)[:, source] + (h @ self.score_to)[:, target], 0.2
        )
        weights = torch.exp(logits - logits.amax(dim=1, keepdim=True))
        total = torch.zeros_like(h[..., 0]).index_add(1, target, weights)
        sent = (weights / total[:, target]).unsqueeze(-1) * h[:, source]
        y = torch.zeros_like(h).index_add_(1, target, sent)
        return self.head(F.relu(y))


class SelectiveScan(nn.Module):
    """A small state space model in the manner of Mamba, its steps written out into one tensor."""

    def __init__(self, *, d=2, state=2, tokens=3):
        super().__init__()
        self.into, self.out = nn.Linear(2, 2 * d, bias=False), nn.Linear(d, 2, bias=False)
        self.depthwise = nn.Conv1d(d, d, 2, groups=d, padding=1)
        self.read, self.step = nn.Linear(d, 2 * state, bias=False), nn.Linear(d, d)
        self.a_log = nn.Parameter(torch.log(torch.arange(1.0, state + 1).repeat(d, 1)))
        self.skip, self.state, self.tokens = nn.Parameter(torch.ones(d)), state, tokens

    def forward(self, x):
        u, z = self.into(x).chunk(2, dim=-1)
        u = F.silu(self.depthwise(u.transpose(1, 2))[..., : self.tokens].transpose(1, 2))
        b, c = self.read(u).split(self.state, dim=-1)
        delta = F.softplus(self.step(u))
        decay = torch.exp(delta.unsqueeze(-1) * -torch.exp(self.a_log))
        h, y = u.new_zeros(u.shape[0], u.shape[2], self.state), torch.zeros_like(u)
        for t in range(self.tokens):
            h = decay[:, t] * h + (delta[:, t] * u[:, t]).unsqueeze(-1) * b[:, t].unsqueeze(1)
            y[:, t] = (h * c[:, t].unsqueeze(1)).sum(-1)
        return self.out((y + self.skip * u) * F.silu(z)) / math.sqrt(2)
