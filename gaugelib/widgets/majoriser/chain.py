"""The chain of three weights at a point of its orbit: `chain.js` in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Chain:
    """Three weights, and the log-scales at which the reader stands."""

    weights: np.ndarray  # (3,)
    logs: np.ndarray  # (2,)
    p: float

    def norm_power(self, logs: np.ndarray) -> np.ndarray:
        """The norm p F at log-scales of shape (2, ...)."""
        return self._flows(logs).sum(0)

    def majoriser(self, change: np.ndarray) -> np.ndarray:
        """The auxiliary function p G after a change of the log-scales, of shape (2, ...)."""
        here = self._flows(self.logs).reshape(3, *[1] * change[0].ndim)
        still = np.zeros_like(change[0])
        up = np.exp(2 * self.p * np.stack([*change, still]))
        down = np.exp(-2 * self.p * np.stack([still, *change]))
        return 0.5 * (here * (up + down)).sum(0)

    def move(self, exponent: int) -> np.ndarray:
        """The change of the two log-scales by a step with exponent k / 4p."""
        into = self._flows(self.logs)
        return exponent / (4 * self.p) * np.log(into[1:] / into[:-1])

    def _flows(self, logs: np.ndarray) -> np.ndarray:
        """|w|^p of the three weights: shape (3, ...)."""
        first, second = logs
        sizes = np.abs(self.weights).reshape(3, *[1] * first.ndim) ** self.p
        return sizes * np.exp(self.p * np.stack([first, second - first, -second]))
