"""Equalities that hold at every unit, or at every edge: of all of them one is shown.

It is the one about the largest numbers, or the worst one if any of them fails.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib.proofs.edges import at_unit
from gaugelib.proofs.loss import Network
from gaugelib.proofs.step import Place, Side, Step, largest

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


def zeros(values: Tensor) -> Named:
    """The right side 0."""
    return "0", torch.zeros_like(values)


def _step(
    text: str, left: Named, right: Named, k: int, place: Place, size: float | None = None
) -> Step:
    one, other = (Side(name, float(values[k]) + 0.0) for name, values in (left, right))  # no −0
    return Step(text, one, "=", other, place, size)
