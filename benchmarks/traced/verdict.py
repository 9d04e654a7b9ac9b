"""What is to be said of a model, from the numbers that are stored of it."""

from __future__ import annotations

from typing import Any

TOLERANCE, NOTICED = 1e-12, 1e-6
"""How far a gauge may move the outputs in float64, and how far a wrong one has to."""


def verdict(row: dict[str, Any]) -> str:
    """`traced`, or what else became of a model.

    `wrong` if a gauge moves its outputs; `unchecked` if the comparison could not be made, or would
    not have noticed a wrong gauge; else how tracing ended, such as `refused`.
    """
    if row["status"] != "traced":
        return row["status"]
    if row.get("checked") != "yes":
        return "unchecked"
    if not float(row["change"]) <= TOLERANCE:
        return "wrong"
    return "traced" if float(row.get("control", "inf")) > NOTICED else "unchecked"
