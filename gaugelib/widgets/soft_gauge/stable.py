"""The stored map of stable learning rates, of which SoftGauge shows the penalty on imbalance."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaugelib.soft.stability import stability

PENALTY = "imbalance"
CRITERIA = ("strict", "tolerant")
VERDICTS = (*CRITERIA, "fragile")


@dataclass(frozen=True)
class Choice:
    """What is chosen on the map, as SoftGauge's arguments."""

    start: str
    seed: int
    criterion: str
    strength: float
    lr: float
    revealed: bool

    @property
    def cell(self) -> tuple[int, int]:
        """Its column and its row."""
        return nearest(stored()["strengths"], self.strength), nearest(stored()["etas"], self.lr)

    def stable(self) -> np.ndarray:
        """Which runs of the map are stable, shape (strengths, etas, seeds)."""
        codes = stored()[self.criterion][self.start]
        found = np.array([[int(code, 32) for code in row] for row in codes])
        return (found[..., None] >> np.arange(len(stored()["starts"][self.start])) & 1).astype(bool)


@functools.cache
def stored() -> dict[str, Any]:
    """`stability()["tiny"]` without the other method: what the page needs, some 12 kB."""
    whole = stability()["tiny"]
    kept = {key: whole[key] for key in ("widths", "steps", "inputs", "targets", "etas", "starts")}
    tables = {
        verdict: {start: by_method[PENALTY] for start, by_method in whole[verdict].items()}
        for verdict in VERDICTS
    }
    return {**kept, "strengths": whole["strengths"][PENALTY], **tables}


def reach(stable: np.ndarray) -> float:
    """The largest η up to which all of the map are stable, of shape (etas,); 0 if none is."""
    count = int(np.cumprod(stable).sum())
    return stored()["etas"][count - 1] if count else 0.0


def nearest(values: list[float], wanted: float) -> int:
    """The place of the value that is nearest to `wanted`."""
    return int(np.argmin(np.abs(np.array(values) - wanted)))
