"""Measured: which descents of small equivariant networks come to the teacher, and which do not."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError
from gaugelib.rows import matching


def stored_runs() -> dict[str, list[dict[str, Any]]]:
    """The measurements of `benchmarks/two_symmetries.py`, whose docstring says what they hold.

    Example:
        >>> sorted(stored_runs())
        ['leaps', 'minima', 'relaxed', 'sharing', 'starts', 'width']
    """
    return json.loads((files("gaugelib.equivariance") / "runs.json").read_text(encoding="utf-8"))


def stored_run(part: str, **what: Any) -> dict[str, Any]:
    """The one row of a part that has these values.

    Args:
        part: a name in `stored_runs`.
        what: names of the row -> their values.

    Raises:
        GaugeError: if no row has them, or more than one.

    Example:
        >>> row = stored_run("starts", n=3, goal=[-0.5, 1.0], side="wrong")
        >>> row["runs"], row["solved"][-1]
        (99, 0)
    """
    parts = stored_runs()
    rows = matching(parts.get(part, []), what)
    if len(rows) != 1:
        raise GaugeError(
            f"asked for one row of {part!r} with {what}, found {len(rows)}; parts are "
            f"{sorted(parts)}"
        )
    return rows[0]


def wilson(solved: int, runs: int, z: float = 1.96) -> tuple[float, float, float]:
    r"""A share and Wilson's interval for it, at 95 % by default.

    $$\frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}$$

    Args:
        solved: how many.
        runs: of how many, n.
        z: quantile of the standard normal distribution.

    Returns:
        The share $\hat p$, and the ends of the interval.

    Raises:
        GaugeError: if `solved` is not among 0, …, `runs`, there are no runs, or z is not
            finite and positive.

    Source: Wilson 1927.

    Example:
        >>> wilson(0, 4, z=2.0)  # z²/(n + z²)
        (0.0, 0.0, 0.5)
        >>> [round(end, 4) for end in wilson(2, 4, z=2.0)]
        [0.5, 0.1464, 0.8536]
    """
    if not 0 < z < math.inf:
        raise GaugeError(f"z must be finite and > 0, found {z}")
    if runs < 1 or not 0 <= solved <= runs:
        raise GaugeError(f"solved must be from 0 to the number of runs, found {solved} of {runs}")
    share, more = solved / runs, z * z / runs
    half = z * math.sqrt(share * (1 - share) / runs + more / (4 * runs))
    low, high = ((share + more / 2 + side * half) / (1 + more) for side in (-1, 1))
    return share, min(max(low, 0.0), share), max(min(high, 1.0), share)
