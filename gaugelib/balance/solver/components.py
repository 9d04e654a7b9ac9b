"""Components of the hidden units: units of different ones share only the ground."""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib.balance.solver.matrices import Link
from gaugelib.balance.solver.state import State

MOST = 16
"""Components that are told apart; a network of smaller ones is taken as it is."""


def components_of(state: State) -> Tensor | None:
    """The component of each unit by position, from 0 on, or `None` if all units hang together.

    Each unit's weights are looked at once at most, which is a pass at most. Where the first
    holds less than a 16th of the units, there are too many to be worth it: `None`.
    """
    links = state.network.links
    whole = 2 * sum(link.matrix.entries for link in links)
    components = torch.full_like(state.logs, MOST - 1, dtype=torch.int64)
    free = torch.ones_like(components, dtype=torch.bool)
    free[0] = False  # the ground
    read, count, size = 0, 0, len(components)
    while bool(free.any()) and count < MOST - 1 and MOST * size >= len(components) - 1:
        reached, more = _reached_from(int(free.nonzero()[0]), links, free, state.network.dtype)
        components[reached] = count
        free &= ~reached
        size = int(reached.sum()) if count == 0 else size
        read, count = read + more, count + 1
    state.passes += read / whole if whole else 0.0
    return components if count > 1 else None


def _reached_from(
    unit: int, links: list[Link], like: Tensor, dtype: torch.dtype
) -> tuple[Tensor, int]:
    reached = torch.zeros_like(like)
    reached[unit] = True
    fresh, read = reached.clone(), 0
    while bool(fresh.any()):
        before = reached.clone()
        for link in links:
            for forward in (True, False):
                read += _follow(link, fresh, reached, dtype, forward=forward)
        fresh = reached & ~before
    return reached, read


def _follow(
    link: Link, fresh: Tensor, reached: Tensor, dtype: torch.dtype, *, forward: bool
) -> int:
    """Add what fresh units lead to (or, backward, come from); returns how much was read."""
    near, far = (link.columns, link.rows) if forward else (link.rows, link.columns)
    units, there, read = fresh[near], reached[far], 0
    if bool(units.any()) and not bool(there.all()):
        flow = units.new_empty(there.shape, dtype=dtype)
        matrix = link.matrix
        (matrix.into if forward else matrix.out_of)(units.to(flow), flow)
        there |= flow > 0
        read = matrix.entries
    reached[far] = there
    return read
