"""Sums over the entries that flow into, or out of, each unit: a piece of a parameter at a time."""

from __future__ import annotations

import torch
from torch import Tensor


class UnitSums:
    """Sums over the entries of each unit at one end of a parameter.

    Attributes:
        end: the units at that end, with as many dimensions as the parameter.
        sums: what was counted so far, of the same shape.
    """

    def __init__(self, end: Tensor, like: Tensor) -> None:
        self.end = end
        self.sums = like.new_zeros(end.shape)

    def add(self, piece: Tensor, where: slice) -> None:
        """Count a piece."""
        if self.end.shape[0] == 1:
            self.sums += piece.sum_to_size(self.end.shape)
        elif piece.dim() == 2 and self.end.shape[1] == 1:
            torch.sum(piece, 1, keepdim=True, out=self.sums[where])
        else:
            self.sums[where] = piece.sum_to_size((piece.shape[0], *self.end.shape[1:]))

    def into(self, total: Tensor) -> None:
        """Add the sums to those of the units."""
        total.index_add_(0, self.end.reshape(-1), self.sums.reshape(-1).to(total.dtype))
