"""Steps about every unit, edge or pair, of which one is shown, and about the whole network.

It is the one about the largest numbers, or the worst one if any of them fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.proofs.edges import at_unit
from gaugelib.proofs.loss import Network
from gaugelib.proofs.step import ROUNDING, Place, Relation, Side, Step, largest

Named = tuple[str, Tensor]


def at_units(text: str, left: Named, right: Named, size: Tensor) -> Step:
    """An equality at every unit, as a step.

    Args:
        text: the reason.
        left: name and values of the left sides, shape `(units,)`.
        right: name and values of the right sides, shape `(units,)`.
        size: what rounding is measured against at each unit, shape `(units,)`.
    """
    k, which = largest(left[1], right[1], size)
    return _step(text, left, right, k, at_unit(k, which), float(size[k]))


def at_edges(
    text: str, left: Named, right: Named, network: Network, size: Tensor | None = None
) -> Step:
    """An equality at every edge of a network, as a step; values of shape `(edges,)`.

    Rounding is measured against `size`, shape `(edges,)`; by default against the larger side.
    """
    sizes = torch.maximum(left[1].abs(), right[1].abs()) if size is None else size
    k, which = largest(left[1], right[1], sizes)
    given = None if size is None else float(size[k])
    return _step(text, left, right, k, network.edge(k, which), given)


def at_data(text: str, left: Named, right: Named, size: Tensor) -> Step:
    """An equality for every datum, as a step; values of shape `(data,)`."""
    k, which = largest(left[1], right[1], size)
    return _step(text, left, right, k, Place(f"{which} data"), float(size[k]))


def at_pairs(
    text: str,
    left: Named,
    right: Named,
    size: Tensor,
    place: Callable[[int, int, str], Place],
    telling: Tensor | None = None,
) -> Step:
    """An equality at every entry of a matrix, as a step.

    Args:
        text: the reason.
        left: name and values of the left sides, shape `(rows, columns)`.
        right: name and values of the right sides, likewise.
        size: what rounding is measured against, likewise.
        place: where a row and a column are; the third argument says how they were chosen.
        telling: entries that say something, likewise; if no entry fails, one of these is shown.
    """
    entries = torch.arange(size.numel(), device=size.device)
    sides = [values.flatten() for values in (left[1], right[1], size)]
    if telling is not None and bool(((sides[0] - sides[1]).abs() <= ROUNDING * sides[2]).all()):
        entries = entries[telling.flatten()]
    shown, which = largest(*(values[entries] for values in sides))
    k = int(entries[shown])
    named = (left[0], sides[0]), (right[0], sides[1])
    return _step(text, *named, k, place(*divmod(k, size.shape[1]), which), float(sides[2][k]))


def overall(
    text: str,
    left: tuple[str, Tensor | float],
    relation: Relation,
    right: tuple[str, Tensor | float],
    size: Tensor | None = None,
    place: Place | None = None,
) -> Step:
    """A step about two numbers of the whole network."""
    one, other = (Side(name, float(value) + 0.0) for name, value in (left, right))  # no −0
    measure = None if size is None else float(size)
    return Step(text, one, relation, other, place or Place(), measure)


def coarse(*steps: Step) -> tuple[Step, ...]:
    """The steps with sizes of three digits: only their order counts, and a page carries them."""
    return tuple(
        step if step.size is None else replace(step, size=float(f"{step.size:.3g}"))
        for step in steps
    )


def zeros(values: Tensor) -> Named:
    """The right side 0."""
    return "0", torch.zeros_like(values)


def _step(
    text: str, left: Named, right: Named, k: int, place: Place, size: float | None = None
) -> Step:
    one, other = (Side(name, float(values[k]) + 0.0) for name, values in (left, right))  # no −0
    return Step(text, one, "=", other, place, size)
