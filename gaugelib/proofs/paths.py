"""Paths of non-zero weights from an input to a unit, and from a unit to an output."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.proofs.edges import Edges


def costs(edges: Edges) -> Tensor:
    r"""$\log(\|W\|_p/|W_e|) \ge 0$ of each edge: how far it can grow on a sublevel set."""
    return (torch.log(edges.power.sum() + edges.fixed) - torch.log(edges.power)) / edges.p


def from_input(edges: Edges, cost: Tensor) -> Tensor:
    """Least sum of costs over the paths from the ground to each unit, shape `(units + 1,)`.

    It is infinite where no path leads.
    """
    least = cost.new_full((edges.units + 1,), torch.inf)
    least[0] = 0.0
    for _ in range(edges.units):
        found = least.scatter_reduce(0, edges.target, least[edges.source] + cost, "amin")
        found[0] = 0.0
        if torch.equal(found, least):
            break
        least = found
    return least


def to_output(edges: Edges, cost: Tensor) -> Tensor:
    """Least sum of costs over the paths from each unit to the ground, shape `(units + 1,)`."""
    return from_input(_reversed(edges), cost)


def path_in(edges: Edges, cost: Tensor, unit: int) -> list[int]:
    """The edges of the tightest path from an input to a unit (counted from 1); none, if no path."""
    least, path = from_input(edges, cost), []
    if not bool(torch.isfinite(least[unit])):
        return []
    while unit != 0:
        into = (edges.target == unit).nonzero()[:, 0]
        path.append(int(into[torch.argmin((least[edges.source] + cost)[into])]))
        unit = int(edges.source[path[-1]])
    return path[::-1]


def path_out(edges: Edges, cost: Tensor, unit: int) -> list[int]:
    """The edges of the tightest path from a unit to an output; none, if no path."""
    return path_in(_reversed(edges), cost, unit)[::-1]


def on_a_path(edges: Edges) -> tuple[Tensor, Tensor]:
    """Which units an input reaches, and which reach an output, each of shape `(units,)`."""
    steps = torch.ones_like(edges.power)
    reached = torch.isfinite(from_input(edges, steps))[1:]
    return reached, torch.isfinite(to_output(edges, steps))[1:]


def _reversed(edges: Edges) -> Edges:
    return replace(edges, source=edges.target, target=edges.source)
