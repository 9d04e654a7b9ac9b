"""Measured: what keeps a run on a page, and what happens to circular convolutions."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError
from gaugelib.rows import matching


def equivariant_training() -> dict[str, list[dict[str, Any]]]:
    """The measurements of `benchmarks/equivariant_training.py`, whose docstring says what they are.

    Example:
        >>> sorted(equivariant_training())
        ['bowl', 'codings', 'kicked', 'relaxed', 'rings', 'staying', 'sums']
    """
    return json.loads((files("gaugelib.equivariance") / "training.json").read_text("utf-8"))


def training_rows(part: str, **names: Any) -> list[dict[str, Any]]:
    """The rows of a part that have these names.

    Args:
        part: a name of `equivariant_training`.
        names: what the rows must be equal in, for instance `way="cut"`.

    Raises:
        GaugeError: if there are none.

    Example:
        >>> (row,) = training_rows("staying", method="sgd", way="full", dtype="float64")
        >>> row["escaped"], max(row["distance"])[0] < 1e-12
        ([None], True)
    """
    stored = equivariant_training()
    found = matching(stored.get(part, []), names)
    if not found:
        raise GaugeError(f"parts are {sorted(stored)}; no row of {part!r} has {names}")
    return found
