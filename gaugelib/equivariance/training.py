"""Measured: what keeps a run on a page, and what happens to circular convolutions."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError


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
    found = [
        row
        for row in stored.get(part, [])
        if all(name in row and row[name] == value for name, value in names.items())
    ]
    if not found:
        raise GaugeError(f"parts are {sorted(stored)}; no row of {part!r} has {names}")
    return found


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    r"""The Wilson interval of a share: where $|\hat p-p|\le z\sqrt{p(1-p)/n}$.

    Args:
        successes: how many succeeded.
        trials: of how many, n.
        z: 1.96 for 95 %.

    Raises:
        GaugeError: if there are no trials, or not so many.

    Example:
        >>> [round(end, 3) for end in wilson(0, 24)], [round(end, 3) for end in wilson(12, 24)]
        ([0.0, 0.138], [0.314, 0.686])
    """
    if not 0 <= successes <= trials or trials == 0:
        raise GaugeError(f"a share needs trials, and successes among them: {successes}/{trials}")
    share, square = successes / trials, z * z / trials
    middle = share + square / 2
    wide = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    return max(0.0, (middle - wide) / (1 + square)), min(1.0, (middle + wide) / (1 + square))
