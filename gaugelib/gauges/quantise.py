"""Weights of few bits."""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib.group import GaugeError

_MOST_BITS = 32


@torch.no_grad()
def quantise(weight: Tensor, bits: int = 8, *, per_channel: bool = False) -> Tensor:
    r"""The weights rounded to the nearest multiple of one step, from both sides of 0 alike.

    The step is the smallest with which the largest weight is kept,
    $q=\max_e|\theta_e|/(2^{b-1}-1)$: of the $2^b$ numbers that fit into $b$ bits one is not used.

    Args:
        weight: of any shape; it is not changed.
        bits: $b$, a whole number from 2 to 32.
        per_channel: whether each row, along dimension 0, has a step of its own.

    Returns:
        What the integers stand for, in the shape and dtype of the weight. Zeros stay zeros.

    Raises:
        GaugeError: if `bits` is out of range, or the weight is not real floating point or not
            finite.

    Source: the book, "Somebody else's networks".

    Book: prop-rounding.

    Example:
        >>> quantise(torch.tensor([[0.9, -6.0], [2.2, 0.4]]), bits=3)  # steps of 2
        tensor([[ 0., -6.],
                [ 2.,  0.]])
    """
    levels = levels_of(bits)
    if not weight.is_floating_point() or not bool(torch.isfinite(weight).all()):
        raise GaugeError(f"a weight must be finite real floating point, found {weight.dtype}")
    rows = in_rows(weight.double(), per_channel)
    top = rows.abs().amax(1, keepdim=True) if rows.numel() else rows
    unit = torch.where(top > 0, top, 1.0)
    return ((rows / unit * levels).round() / levels * unit).view(weight.shape).to(weight.dtype)


def levels_of(bits: int) -> int:
    """Steps from 0 to the largest weight; refuses numbers of bits that leave none."""
    if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= _MOST_BITS:
        raise GaugeError(f"bits must be a whole number from 2 to {_MOST_BITS}, found {bits}")
    return 2 ** (bits - 1) - 1


def in_rows(value: Tensor, per_channel: bool) -> Tensor:
    """A matrix whose rows have a step each: those along dimension 0, or all in one."""
    rows = value.shape[0] if per_channel and value.dim() else 1
    return value.reshape(rows, -1) if value.numel() else value.reshape(rows, 0)
