"""A small network as a picture: its hidden units in columns, its edges as wide as their share."""

from __future__ import annotations

from dataclasses import dataclass

from gaugelib.group import GROUND
from gaugelib.proofs.edges import Edges

MOST_UNITS, MOST_EDGES = 24, 80


@dataclass(frozen=True)
class Sketch:
    """Columns of hidden units between input and output, and the edges that join them.

    Attributes:
        columns: numbers of the units of each column, from the input to the output.
        edges: (source, target, share of the sum of |W|ᵖ); parallel edges are one. The ground is 0:
            as a source it is an input, as a target an output.
    """

    columns: tuple[tuple[int, ...], ...]
    edges: tuple[tuple[int, int, float], ...]


def sketch_of(edges: Edges, layout: Edges | None = None) -> Sketch | None:
    """The picture of a network, or None if it is too large for one.

    Args:
        edges: the edges to draw.
        layout: the network that says which column each unit is in; by default the same one.
    """
    joined: dict[tuple[int, int], float] = {}
    if edges.units > MOST_UNITS or len(edges.power) > 4 * MOST_EDGES:
        return None
    total = float(edges.power.sum())
    ends = zip(edges.source.tolist(), edges.target.tolist(), edges.power.tolist(), strict=True)
    for source, target, power in ends:
        joined[source, target] = joined.get((source, target), 0.0) + power / total
    if len(joined) > MOST_EDGES:
        return None
    columns = _columns(layout or edges)
    return Sketch(columns, tuple((*ends, share) for ends, share in joined.items()))


def _columns(edges: Edges) -> tuple[tuple[int, ...], ...]:
    """Units by the number of edges on the longest way from an input."""
    depth = [0] * (edges.units + 1)
    inner = [
        (source, target)
        for source, target in zip(edges.source.tolist(), edges.target.tolist(), strict=True)
        if GROUND not in (source, target)
    ]
    for _ in range(edges.units):  # as many rounds as a way can have edges: a cycle ends here
        for source, target in inner:
            depth[target] = max(depth[target], min(depth[source] + 1, edges.units))
    levels = sorted(set(depth[1:]))
    return tuple(
        tuple(unit for unit in range(1, edges.units + 1) if depth[unit] == level)
        for level in levels
    )
