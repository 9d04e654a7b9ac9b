"""The dials of two transformers that are built otherwise than the chapter's."""

from functools import cache

import torch
from torch import nn

import gaugelib as gl
from tools.teach import Answer, Problem, problem


class Block(nn.Module):
    """A block with rotary positions and a ReLU gate, written otherwise than in the chapter."""

    def __init__(self, width, heads, shared, size, inner, normed):
        super().__init__()
        self.heads, self.shared, self.size = heads, shared, size
        sides = {"q": heads * size, "k": shared * size, "v": shared * size}
        sides |= {"gate": inner, "up": inner}
        self.maps = nn.ModuleDict({n: nn.Linear(width, m, bias=False) for n, m in sides.items()})
        self.out = nn.Linear(heads * size, width, bias=False)
        self.down = nn.Linear(inner, width, bias=False)
        self.norm, self.second = nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width, eps=1e-6)
        self.each = nn.ModuleDict({n: nn.RMSNorm(size, eps=1e-6) for n in "qk" if normed})

    def forward(self, x):
        """The stream behind the block: its layers one after the other."""
        x = x + self.attention(self.norm(x))
        return x + self.gated(self.second(x))

    def gated(self, y):
        """The gated layer."""
        return self.down(self.maps["gate"](y).relu() * self.maps["up"](y))

    def attention(self, y):
        """Attention of all tokens to all, for one sentence."""
        q, k, v = (self.maps[n](y).unflatten(-1, (-1, self.size)) for n in "qkv")
        q, k = (self.each[n](z) if n in self.each else z for n, z in (("q", q), ("k", k)))
        angle = torch.arange(len(y))[:, None, None] / torch.arange(1, self.size // 2 + 1)

        def turned(z):
            x, y, cos, sin = z[..., 0::2], z[..., 1::2], angle.cos(), angle.sin()
            return torch.stack([x * cos - y * sin, x * sin + y * cos], -1).flatten(-2)

        q, k = turned(q).unflatten(1, (self.shared, -1)), turned(k)
        weights = torch.einsum("tghc,sgc->ghts", q, k).softmax(-1)
        return self.out(torch.einsum("ghts,sgc->tghc", weights, v).flatten(1))


class Parallel(Block):
    """Both layers read the same normalisation, and are added together."""

    def forward(self, x):
        """The stream behind the block."""
        y = self.norm(x)
        return x + self.attention(y) + self.gated(y)


@cache
def traced(kind, blocks, width, *numbers) -> int:
    """The dials of a whole model of such blocks."""
    ends = nn.RMSNorm(width, eps=1e-6), nn.Linear(width, 5, bias=False)
    between = (kind(width, *numbers) for _ in range(blocks))
    model = nn.Sequential(nn.Embedding(5, width), *between, *ends).double()
    return gl.trace_group(model, torch.tensor([0, 1, 2])).units


@problem(title="Two newer transformers", stars=2, minutes=20)
def two_newer_transformers(draw):
    """The dials of blocks whose layers share a normalisation, or whose queries have one."""
    drawn = draw.choice([(6, 6, 3, 6, 5), (8, 6, 3, 4, 7), (10, 9, 3, 4, 9)])
    blocks, (width, heads, shared, size, inner) = 2, drawn
    values, inside = shared * size, 2 * inner
    parallel = (blocks + 1) * width + blocks * (values // 2 + values + inside)
    normed = (2 * blocks + 1) * width + blocks * (size // 2 + values + inside)

    def counted(kind, has_norms):
        return traced(kind, blocks, *drawn, has_norms)

    return Problem(
        question=rf"""
A transformer is built like the one of {{prf:ref}}`prop-block`, with rotary positions and a ReLU in its gates.
It has ${blocks}$ blocks, a stream of width ${width}$, ${heads}$ query heads, ${shared}$ key and value heads of ${size}$ channels each, and ${inner}$ inner channels.
Two of its designers change it, each in one way.

- Anna lets the attention layer and the gated layer of a block read *one* normalisation, with one gain, and adds what both give to the stream.
- Ben leaves the order as it was, and puts two more normalisations into each attention layer: one for the ${size}$ channels of a query, one for those of a key, in front of the rotation, with $\varepsilon>0$.
  Each has a gain of ${size}$ numbers, the same for all heads.

1. How many dials has Anna's model?
2. How many has Ben's?
3. Ben says that his keys cannot be rescaled any more.
   Which parameters have the dials now that the keys had?
""",
        answers=(
            Answer(
                "dials of Anna's model",
                value=parallel,
                computed=lambda: counted(Parallel, False),
                mistakes=(
                    (parallel + blocks * width, "the two layers of a block share a gain"),
                    (parallel - blocks * inner, "with a ReLU gate and up are free, both"),
                    (parallel + width, "the stream is read by normalisations with ε"),
                ),
            ),
            Answer(
                "dials of Ben's model",
                value=normed,
                computed=lambda: counted(Block, True),
                mistakes=(
                    (normed + blocks * (values - size) // 2, "the gains serve all heads"),
                    (normed - blocks * size // 2, "the two gains may still answer each other"),
                    (normed + blocks * size // 2, "the rotation ties channels in pairs"),
                ),
            ),
        ),
        solution=rf"""
1. There are now ${blocks}+1$ normalisations with a gain of ${width}$ numbers, each of them free: all maps that read it answer.
   Nothing else has changed: in each block $\frac12\cdot{values}$ numbers of the keys, ${values}$ of the values and $2\cdot{inner}$ of the gate and the inner channels.
   Together $({blocks}+1)\cdot{width}+{blocks}\cdot({values // 2}+{values}+{inside})={parallel}$.
2. A normalisation with $\varepsilon$ grounds what it reads, so the rows of the matrices of queries and keys have no dials of their own.
   Behind it a query has the log-scales of its gain and a key has those of its own, and the softmax asks that they add up to zero in each channel.
   The gains are shared by all heads, and the rotation ties two channels: ${size // 2}$ numbers in each block, in the place of ${values // 2}$.
   Together $(2\cdot{blocks}+1)\cdot{width}+{blocks}\cdot({size // 2}+{values}+{inside})={normed}$.
3. The two gains: what multiplies the gain of the queries at a pair of channels divides that of the keys.
   The matrices in front of them are free only as readers of the gain of the stream's normalisation.
""",
        marks=(
            (2, "one gain fewer in each block, and the rest as it was"),
            (1, "the number for Anna's model"),
            (2, "the rows in front of a normalisation are ground"),
            (2, "one number for a pair of channels, for all heads together"),
            (1, "the number for Ben's model"),
            (1, "the dials are at the two gains"),
        ),
    )
