"""In which order blocks can be taken: their colours, and whether weights lead in a circle."""

from __future__ import annotations

from collections import deque
from graphlib import CycleError, TopologicalSorter


def colours_of(blocks: list[int], joined: set[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """The blocks of each colour: blocks that are joined get different ones, a chain gets two."""
    near: dict[int, set[int]] = {b: set() for b in blocks}
    for a, b in joined:
        if a != b and a in near and b in near:
            near[a].add(b)
            near[b].add(a)
    colour: dict[int, int] = {}
    for root in blocks:
        queue = deque([root])
        while queue:
            block = queue.popleft()
            if block not in colour:
                taken = {colour[other] for other in near[block] if other in colour}
                colour[block] = next(c for c in range(len(blocks)) if c not in taken)
                queue.extend(sorted(near[block] - colour.keys()))
    count = 1 + max(colour.values(), default=-1)
    return tuple(tuple(b for b in blocks if colour[b] == c) for c in range(count))


def cyclic(blocks: list[int], joined: set[tuple[int, int]]) -> bool:
    """Whether the blocks cannot be put in an order that all weights follow."""
    before: dict[int, set[int]] = {b: set() for b in blocks}
    for a, b in joined:
        if a in before and b in before:
            before[a].add(b)
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return True
    return False
