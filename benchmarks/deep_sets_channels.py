r"""Starts, loss and slopes of many Deep Sets networks with several channels at once.

A network is $f(x) = \sum_kc_k\sum_i\sigma(\delta_kx_i + b_k\sum_jx_j)$ on n standard normal
inputs. Its rows meet in two kinds of angles for each pair of channels, i = j or not, so that a step
costs 2m² angles and not (nm)². `tests/equivariance/test_runs.py` compares it with
`gaugelib.equivariance.teacher_gradient`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

RATE, SOLVED, RUNS = 0.05, 1e-4, 200
TRAPPED = ((1.0, 0.0), (-0.5, 1.0), (1.0, 0.4))
Pair = tuple[float, float]


class Channels(NamedTuple):
    """Each of shape `(runs, m)`: difference of diagonal and other entries, these, output weight."""

    delta: Tensor
    b: Tensor
    c: Tensor


def teacher(a: float, b: float) -> Channels:
    """One channel with output weight 1, for any number of runs."""
    values = torch.tensor([[[a - b]], [[b]], [[1.0]]], dtype=torch.float64)
    return Channels(*values)


def drawn(runs: int, m: int = 1, seed: int = 0) -> Tensor:
    """Pairs a, b for each channel, shape `(runs, m, 2)`."""
    draw = torch.Generator().manual_seed(seed)
    return 0.7 * torch.randn(runs, m, 2, generator=draw, dtype=torch.float64)


def channels(pairs: Tensor, c: float = 1.0) -> Channels:
    """The start of a run."""
    a, b = pairs.unbind(-1)
    return Channels(a - b, b, torch.full_like(b, c))


def teachers(goals: Iterable[Pair]) -> Channels:
    """One for each run."""
    each = [teacher(*goal) for goal in goals]
    return Channels(*(torch.cat(values) for values in zip(*each)))


def on_side(pairs: Tensor, goal: Pair, side: str) -> Tensor:
    """The pairs in the order that gives a - b the teacher's sign, or the other."""
    up = pairs.sort(dim=-1)[0]
    return up if (goal[0] > goal[1]) == (side == "wrong") else up.flip(-1)


def count(which: Tensor) -> int:
    """How many are true."""
    return int(which.sum())


def half(n: int, one: Channels, other: Channels) -> tuple[Tensor, Tensor, Tensor]:
    r"""What the channels of `other` give to `one`'s: $\sum_lc_lK_{kl}$, and its slopes by rows.

    The slope by a row of channel k is $D_ke_i + B_k\mathbb 1$.
    """
    d1, b1 = one.delta[..., :, None], one.b[..., :, None]
    d2, b2, c2 = (value[..., None, :] for value in other)
    r1, r2 = ((d * d + 2 * d * b + n * b * b).sqrt() for d, b in ((d1, b1), (d2, b2)))
    D1, B1, D2, B2 = d1 / r1, b1 / r1, d2 / r2, b2 / r2

    def seen(sums: Tensor, apart: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # unit vectors at the angle φ: |û + ŵ|² and |û - ŵ|² to sin φ, π - φ and 2π k/(|u||w|)
        sums, apart = sums.clamp(min=0), apart.clamp(min=0)
        rest = math.pi - 2 * torch.atan2(apart.sqrt(), sums.sqrt())
        sine = (apart * sums).sqrt() / 2
        return sine, rest, sine + rest * (sums - apart) / 4

    S, M = B1 + B2, B1 - B2
    P, Q = D1 + D2, D1 - D2
    sine, rest, kernel = seen(P * P + 2 * P * S + n * S * S, Q * Q + 2 * Q * M + n * M * M)
    both = D1 * D1 + D2 * D2
    sine_, rest_, kernel_ = seen(both + 2 * P * S + n * S * S, both + 2 * Q * M + n * M * M)
    weight = c2 / (2 * math.pi)
    along = (n * weight * r1 * r2 * (kernel + (n - 1) * kernel_)).sum(-1)
    outward = (weight * r2 / r1 * (sine + (n - 1) * sine_)).sum(-1)
    same, others = weight * rest, weight * rest_
    D = outward * one.delta + ((same - others) * d2).sum(-1)
    B = outward * one.b + (same * b2 + others * (d2 + (n - 1) * b2)).sum(-1)
    return along, D, B


def loss_and_slopes(n: int, net: Channels, goal: Channels) -> tuple[Tensor, Channels]:
    """Loss, shape `(runs,)`, and slopes in the inherited metric: means over equal entries."""
    along, D, B = half(n, net, net)
    wanted, D_, B_ = half(n, net, goal)
    size = (goal.c * half(n, goal, goal)[0]).sum(-1) / 2
    loss = (net.c * (along / 2 - wanted)).sum(-1) + size
    return loss, Channels(net.c * (D - D_), net.c * (B - B_), (along - wanted) / n)


def raw(n: int, slopes: Channels, shared: str) -> Channels:
    """Slopes that plain weight sharing has, in the coordinates (a, b) or (δ, b)."""
    D, B, C = slopes
    a, b = n * (D + B), n * (n - 1) * B
    return Channels(a - b, b, n * C) if shared == "a, b" else Channels(a, a + b, n * C)


def step(net: Channels, slopes: Channels, rate: float | Tensor, fixed: bool = False) -> Channels:
    """One step of descent; `fixed`: the output weights stay."""
    delta, b, c = (value - rate * slope for value, slope in zip(net, slopes))
    return Channels(delta, b, net.c if fixed else c)
