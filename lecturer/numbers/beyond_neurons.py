"""Numbers that the lecturer's page and slides on gates and attention say."""

from functools import cache

import torch
from torch.nn import functional

from gaugelib import gauges
from gaugelib.widgets import AttentionHead

BLOCKS, WIDTH, KEYS, INNER = 32, 4096, 4096, 11008  # a model of seven billion weights


def _large() -> float:
    return (2 * BLOCKS + 1) * WIDTH + BLOCKS * (KEYS / 2 + KEYS + INNER)


def large_dials() -> str:
    """The dials of a large model with rotary positions and a gate that is not homogeneous."""
    return f"{_large():,.0f}".replace(",", "\u00a0")


def large_share() -> str:
    """How many of its weights there are for one dial, to two digits."""
    return f"{round(7e9 / _large(), -2):.0f}"


def alone() -> str:
    """How far a weight of the widget's attention moves if the keys do not answer a factor of 8."""
    turned = AttentionHead(log2_scales=[3.0, 0.0, 0.0, 0.0], answers=False)
    given = AttentionHead(log2_scales=[0.0] * 4)
    return f"{(turned.pattern() - given.pattern()).abs().max():.2f}"


def _six(power: float) -> str:
    """F after one step of six dials, each with a weight of 1 in front, and 1/16 behind all."""
    sizes = torch.tensor([1.0] * 6 + [1 / 16]).double()
    Q = torch.cat([torch.eye(6), -torch.ones(6, 1)], 1).double()
    into, out = Q.clamp(min=0) @ sizes, (-Q).clamp(min=0) @ sizes
    return f"{(sizes * torch.exp(power * Q.T @ (out / into).log())).sum():.1f}"


def six_before() -> str:
    """Without a step."""
    return _six(0.0)


def six_doubled() -> str:
    """With the doubled step of edges, p = 1."""
    return _six(1 / 2)


def six_safe() -> str:
    """With the exponent 1/(mp), m = 6."""
    return _six(1 / 6)


@cache
def _errors() -> tuple[float, float]:
    """Of a normalisation and a map at 8 bits: as it is, and with the best of nine strengths."""
    draw = torch.Generator().manual_seed(4)
    x, W = (torch.randn(n, 32, generator=draw).double() for n in (256, 64))
    gain = torch.ones(32).double().index_fill(0, torch.tensor([3, 17]), 60.0)
    y = functional.rms_norm(x, (32,), gain, 1e-6)

    def error(s):
        rounded = gauges.quantise(y / s) @ gauges.quantise(W * s).T
        return float((rounded - y @ W.T).norm() / (y @ W.T).norm())

    top, most = y.abs().amax(0), W.abs().amax(0)
    tried = (top ** (k / 8) / most ** (1 - k / 8) for k in range(9))
    return error(torch.ones(32).double()), min(map(error, tried))


def smoothing() -> str:
    """The error before over the error behind."""
    before, after = _errors()
    return f"{before / after:.1f}"
