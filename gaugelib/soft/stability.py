"""Measured: which learning rates are stable with and without soft gauge fixing."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def stability() -> dict[str, Any]:
    """The measurements of `benchmarks/soft_stability.py`, whose docstring says what they hold.

    Example:
        >>> sorted(stability())
        ['convolutional', 'digits', 'residual', 'tiny']
        >>> stability()["tiny"]["widths"]
        [2, 4, 4, 1]
    """
    return json.loads((files("gaugelib.soft") / "stability.json").read_text(encoding="utf-8"))
