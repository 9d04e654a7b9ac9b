"""The small networks that the book follows from chapter to chapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

Activation = Callable[[Tensor], Tensor]


def hat() -> nn.Sequential:
    r"""The hat: $f(x) = \mathrm{relu}(x) - 2\,\mathrm{relu}(x-1) + \mathrm{relu}(x-2)$, in float64.

    One input, three hidden ReLU neurons, one output. Its graph is a tent: 0 outside $[0, 2]$, with
    its top at $f(1) = 1$.

    Example:
        >>> hat()(torch.tensor([[-1.0], [0.5], [1.0], [3.0]]).double()).flatten().tolist()
        [0.0, 0.5, 1.0, 0.0]
    """
    hidden, output = _unset_linear(1, 3), _unset_linear(3, 1)
    with torch.no_grad():
        hidden.weight.fill_(1.0)
        hidden.bias.copy_(torch.tensor([0.0, -1.0, -2.0]))
        output.weight.copy_(torch.tensor([[1.0, -2.0, 1.0]]))
        output.bias.zero_()
    return nn.Sequential(hidden, nn.ReLU(), output)


def _unset_linear(inputs: int, outputs: int) -> nn.Linear:
    # Without the usual initialisation, so that making a network draws no random numbers.
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, dtype=torch.float64)
    return cast(nn.Linear, layer)


class _Attention(nn.Module):
    """Causal attention with rotary positions; several query heads may share a key and value head.

    Args:
        width: of the stream that it reads.
        heads: number of query heads.
        shared: number of key and of value heads, a divisor of `heads`.
        size: channels of a head, even.
    """

    def __init__(self, width: int, heads: int, shared: int, size: int) -> None:
        super().__init__()
        self.q, self.o = _plain(width, heads * size), _plain(heads * size, width)
        self.k, self.v = _plain(width, shared * size), _plain(width, shared * size)
        self.size, self.times = size, heads // shared

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as `x`, (batch, tokens, width)."""
        split = [part(x).unflatten(-1, (-1, self.size)).transpose(1, 2) for part in self._parts()]
        q, k, v = _rotated(split[0]), _rotated(split[1]), split[2]
        k, v = (z.repeat_interleave(self.times, 1) for z in (k, v))
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        scores = (q @ k.mT / self.size**0.5).masked_fill(later, -torch.inf)
        return self.o((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def _parts(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        return self.q, self.k, self.v


class _Gated(nn.Module):
    def __init__(self, width: int, inner: int, act: Activation) -> None:
        super().__init__()
        self.gate, self.up = _plain(width, inner), _plain(width, inner)
        self.down, self.act = _plain(inner, width), act

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.act(self.gate(x)) * self.up(x))


class _Block(nn.Module):
    def __init__(self, act: Activation, eps: float) -> None:
        super().__init__()
        self.first, self.second = nn.RMSNorm(8, eps=eps), nn.RMSNorm(8, eps=eps)
        self.attention, self.gated = _Attention(8, 2, 1, 4), _Gated(8, 6, act)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x))
        return x + self.gated(self.second(x))


def small_transformer(act: Activation, eps: float = 1e-6, blocks: int = 1) -> nn.Sequential:
    r"""A transformer in the manner of Llama, of 536 parameters, in float64.

    Eleven tokens, a stream of width 8, two query heads that share a key and value head of width 4,
    six inner channels, a normalisation with a gain in front of each layer and at the end.

    Args:
        act: activation of the gate.
        eps: $\varepsilon$ of the normalisations.
        blocks: number of blocks; each has 352 parameters.

    Example:
        >>> model = small_transformer(torch.nn.functional.silu)
        >>> sum(w.numel() for w in model.parameters()), model(torch.zeros(1, 3).long()).shape
        (536, torch.Size([1, 3, 11]))
    """
    stream = [_Block(act, eps) for _ in range(blocks)]
    ends = nn.RMSNorm(8, eps=eps), _plain(8, 11)
    return nn.Sequential(nn.Embedding(11, 8), *stream, *ends).double()


def _plain(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


def _rotated(x: Tensor) -> Tensor:
    """Channels turned in pairs by angles that grow with the place of a token."""
    place = torch.arange(x.shape[-2], dtype=x.dtype, device=x.device)[:, None]
    angle = place / 10 ** torch.linspace(0, 1, x.shape[-1] // 2, dtype=x.dtype, device=x.device)
    cos, sin, (x, y) = angle.cos(), angle.sin(), x.chunk(2, -1)
    return torch.cat([x * cos - y * sin, x * sin + y * cos], -1)
