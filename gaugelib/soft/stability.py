"""Measured: which learning rates are stable with and without soft gauge fixing."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError


def stability() -> dict[str, Any]:
    """The measurements of `benchmarks/soft_stability.py`, whose docstring says what they hold.

    Example:
        >>> sorted(stability())
        ['convolutional', 'digits', 'residual', 'tiny']
        >>> stability()["tiny"]["widths"]
        [2, 4, 4, 1]
    """
    return json.loads((files("gaugelib.soft") / "stability.json").read_text(encoding="utf-8"))


def measured(network: str, start: str, method: str, strength: float = 0.0) -> dict[str, Any]:
    """One row of the measurements: a start and a method on one of the three larger networks.

    Returns:
        For each seed the largest stable learning rate, `strict` and `tolerant`, and of the best run
        the loss (`best`), how far u moved (`drift`) and its size at the end (`ratio`), both rms.

    Raises:
        GaugeError: if that was not measured.

    Example:
        >>> row = measured("digits", "uneven 1", "imbalance", 0.1)
        >>> len(row["strict"]), row["method"]
        (5, 'imbalance')
    """
    wanted = {"start": start, "method": method, "strength": strength}
    rows = stability().get(network, {}).get("rows", ())
    for row in rows:
        if wanted.items() <= row.items():
            return row
    raise GaugeError(f"nothing was measured on {network!r} with {wanted}")
