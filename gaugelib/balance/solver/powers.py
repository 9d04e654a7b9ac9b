r"""Reading $|\theta|^p$ in pieces that stay in a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

PIECE = 1 << 17
"""Entries of a piece: a mebibyte of float64, about what a core's second-level cache holds."""
WIDE = 1 << 24
"""The same on an accelerator, where to begin a piece takes as long as to read a large one."""


def pieces(value: Tensor) -> list[slice]:
    """Rows of a tensor, a cache at a time."""
    rows = value.shape[0]
    most = PIECE if value.device.type == "cpu" else WIDE
    step = max(1, most * rows // max(1, value.numel()))
    return [slice(start, min(rows, start + step)) for start in range(0, rows, step)]


def lined(value: Tensor) -> Tensor:
    """A tensor of at least one dimension."""
    return value if value.dim() else value.reshape(1)


def power_into(value: Tensor, p: float, out: Tensor) -> Tensor:
    r"""$|x|^p$, written to `out`, in its dtype; no more work than the exponent needs."""
    if value.dtype == out.dtype:
        if p == 2.0:
            return torch.mul(value, value, out=out)
        torch.abs(value, out=out)
    else:
        # Converted first: an operation that converts its own result is half as fast again.
        out.copy_(value)
        if p == 2.0:
            return out.mul_(out)
        out.abs_()
    if p == 1.0:
        return out
    if p == 0.5:
        return out.sqrt_()
    if p in (4.0, 8.0):
        for _ in range(2 if p == 4.0 else 3):
            out.mul_(out)
        return out
    return out.pow_(p)


def scratch(value: Tensor, dtype: torch.dtype) -> Tensor:
    """Room for the largest piece of a tensor, which is the first."""
    largest = next((where.stop for where in pieces(value)), 0)
    return value.new_empty((largest, *value.shape[1:]), dtype=dtype)


def powers(
    value: Tensor, p: float, dtype: torch.dtype, shift: Tensor | None
) -> Iterator[tuple[slice, Tensor]]:
    r"""Pieces of $|\theta_e|^p e^{x_e}$, in order, each valid until the next one is asked for.

    Args:
        value: the parameter, of at least one dimension.
        p: the exponent.
        dtype: floating dtype to work in.
        shift: $x$, broadcastable to the parameter; by default 0. With it the product is formed in
            logarithms, where neither factor can over- or underflow alone.
    """
    room = scratch(value, dtype)
    for where in pieces(value):
        piece = value[where]
        kept = room[: len(piece)]
        if shift is None:
            power_into(piece, p, kept)
        else:
            moved = shift[where] if shift.shape[0] > 1 else shift
            kept.copy_(piece.abs().double().log_().mul_(p).add_(moved).exp_())
        yield where, kept


def reduced(
    value: Tensor, p: float, dtype: torch.dtype, shift: Tensor | None, shape: tuple[int, ...]
) -> Tensor:
    r"""$\sum |\theta_e|^p e^{x_e}$ over the dimensions along which `shape` is 1."""
    total = value.new_zeros(shape, dtype=dtype)
    for where, piece in powers(value, p, dtype, shift):
        if shape[0] == 1:
            total += piece.sum_to_size(shape)
        else:
            total[where] = piece.sum_to_size((piece.shape[0], *shape[1:]))
    return total
