"""Parts of layers: units that move alike, where a network nearly falls apart.

Sweeps are slow where parts of a layer have to move against one another that little flows between.
What they change then shows the parts: it is nearly the same for all units of one.
"""

from __future__ import annotations

import torch
from torch import Tensor

MOST = 64
"""Parts that a block is divided into at most."""
_GAP = 24
"""A gap of one such share of the range of changes in a block tells parts apart."""
_CLEAR = 0.1
"""Share of the changes' variance that may be left within parts."""


def divided(change: Tensor, block: Tensor, part: Tensor) -> Tensor | None:
    """Divide the parts of blocks by what a sweep changed; `None` if that shows no clear parts.

    Args:
        change: of each unit's log-scale, shape `(units,)`.
        block: of each unit.
        part: of each unit within its block, from 0 on.

    Returns:
        The new part of each unit within its block.
    """
    order = change.argsort()
    order = order[block[order].argsort(stable=True)]
    ends = [change.new_zeros(1 + int(block.max())) for _ in range(2)]
    for end, how in zip(ends, ("amin", "amax")):
        end.scatter_reduce_(0, block, change, how, include_self=False)
    cuts = change[order].diff() * _GAP > (ends[1] - ends[0])[block[order[1:]]]
    piece = torch.zeros_like(part)
    piece[order[1:]] = cuts.cumsum(0)
    kinds, kind = torch.stack([block, part, piece]).unique(dim=1, return_inverse=True)
    counts = torch.bincount(kinds[0])
    finer = kind - (counts.cumsum(0) - counts)[block]
    clear = _within(change, kind) < _CLEAR * _within(change, block * (1 + part.max()) + part)
    return finer if clear and int(counts.max()) <= MOST else None


def _within(change: Tensor, kind: Tensor) -> float:
    """Sum of squared distances from the mean of each kind."""
    count = torch.bincount(kind)
    mean = change.new_zeros(len(count)).index_add_(0, kind, change) / count
    return float((change - mean[kind]).square().sum())
