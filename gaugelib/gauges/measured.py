"""What was measured on trained networks, read back from the package."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError
from gaugelib.rows import matching


def measured(name: str) -> dict[str, Any]:
    """The stored measurements of one experiment, with where they come from.

    Args:
        name: the experiment, as a file of `gaugelib/gauges/stored` without its ending.

    Returns:
        What the benchmark wrote; `provenance` says with which command and which versions.

    Raises:
        GaugeError: if there is no such experiment.
    """
    folder = files("gaugelib.gauges") / "stored"
    names = sorted(item.name.removesuffix(".json") for item in folder.iterdir())
    if name not in names:
        raise GaugeError(f"no measurements called {name!r}; there are {names}")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def measured_rows(name: str, part: str, /, **which: Any) -> list[dict[str, Any]]:
    """The rows of one part of an experiment that have these values under these names.

    Raises:
        GaugeError: if there is no such experiment or part, or no such row.

    Example:
        >>> (row,) = measured_rows("compared", "pruned", way="trace")
        >>> row["sparsity"][:3]
        [0.5, 0.6, 0.7]
    """
    stored = measured(name)
    if part not in stored:
        raise GaugeError(f"{name!r} has the parts {sorted(stored)}, found {part!r}")
    rows = matching(stored[part], which)
    if not rows:
        raise GaugeError(f"no row of {part!r} in {name!r} has {which}")
    return rows


def mean_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean of at least two numbers, and its standard error.

    Example:
        >>> mean_error([1.0, 2.0, 3.0, 4.0])  # √(5/3)/2
        (2.5, 0.6454...)
    """
    return statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
