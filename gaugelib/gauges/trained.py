"""What training did to the gauge, and the gauge to training: the stored runs, as a page needs them.

`benchmarks/which_gauge_drift.py` and `benchmarks/which_gauge_fair.py` say what was measured.
"""

from __future__ import annotations

from typing import Any

from gaugelib.gauges.measured import measured
from gaugelib.group import GaugeError

Curve = tuple[list[int], list[float], list[float]]


def drift_rows(part: str, **names: Any) -> list[dict[str, Any]]:
    """The rows of a part of the measurements `drift` that have these values under these names.

    Args:
        part: "equilibria", "orbits", "digits" or "rates".
        names: for instance `start="He"`.

    Raises:
        GaugeError: if there are none.

    Example:
        >>> (row,) = drift_rows("digits", name="SGD", start="He")
        >>> row["rule"], row["rate"], row["decay"]
        ('plain', 0.1, 0.0)
    """
    stored = measured("drift")
    found = [
        row
        for row in stored.get(part, [])
        if all(row.get(name, KeyError) == value for name, value in names.items())
    ]
    if not found:
        parts = sorted(set(stored) - {"provenance"})
        raise GaugeError(f"parts are {parts}; no row of {part!r} has {names}")
    return found


def drift_curves(quantity: str, **names: Any) -> dict[str, Curve]:
    """A quantity of the networks trained on digits, over the epochs, for each optimiser.

    Args:
        quantity: such as "gamma 2", the median imbalance of the second hidden layer.
        names: what the rows must be equal in, for instance `start="He", epochs=30`.

    Returns:
        Optimiser -> epochs, means over the seeds, and their standard errors.

    Raises:
        GaugeError: if there is no such row, or no such quantity.

    Example:
        >>> epochs, means, errors = drift_curves("gamma 2", start="minimum norm", epochs=30)["SGD"]
        >>> epochs[-1], means[0] < 1e-9, means[-1] < 0.02
        (30, True, True)
    """
    found = {}
    for row in drift_rows("digits", **names):
        if quantity not in row["curves"]:
            raise GaugeError(f"no curve {quantity!r}; there are {sorted(row['curves'])}")
        curve = row["curves"][quantity]
        found[row["name"]] = (row["at"], curve["mean"], curve["error"])
    return found


def fair_task(depth: str = "3 layers", loss: str = "cross-entropy") -> dict[str, Any]:
    """What was measured of five starts that compute one function, of one task.

    Raises:
        GaugeError: if there is no such task.

    Example:
        >>> sorted(fair_task()["starts"])
        ['He', 'minimum gradient', 'minimum norm', 'minimum trace', 'random']
    """
    tasks = measured("fair")["tasks"]
    for task in tasks:
        if (task["depth"], task["loss"]) == (depth, loss):
            return task
    there = [(task["depth"], task["loss"]) for task in tasks]
    raise GaugeError(f"no task {(depth, loss)}; there are {there}")
