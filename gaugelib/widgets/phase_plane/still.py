"""What the still pictures of all modes share."""

from __future__ import annotations

import numpy as np


def hyperbola(value: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of w v = value, w up to `reach`."""
    w = reach * np.geomspace(1e-3, 1.0, 301)
    return w, value / w
