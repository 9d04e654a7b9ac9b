"""What training did to the gauge of networks, over the epochs, as a figure needs it."""

from __future__ import annotations

from typing import Any

from gaugelib.gauges.measured import measured_rows
from gaugelib.group import GaugeError

Curve = tuple[list[int], list[float], list[float]]


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
    for row in measured_rows("drift", "digits", **names):
        if quantity not in row["curves"]:
            raise GaugeError(f"no curve {quantity!r}; there are {sorted(row['curves'])}")
        curve = row["curves"][quantity]
        found[row["name"]] = (row["at"], curve["mean"], curve["error"])
    return found
