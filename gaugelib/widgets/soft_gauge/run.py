r"""Descent with the penalty on imbalance and what it is judged by: `run.js` in NumPy.

The steps are those of gradient descent on $L + \frac\kappa4\sum_h\Delta_h^2$ over all data; the
verdicts are about $L$ alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gaugelib.widgets.shared.mlp import Arrays, charges, gradient

WINDOW = 20  # steps at the end over which the decay is measured


@dataclass(frozen=True, eq=False)
class Run:
    """A run, state by state; it ends where its loss exceeds twice the first."""

    losses: np.ndarray  # (K + 1,)
    imbalances: np.ndarray  # (K + 1, units)
    strict: bool
    tolerant: bool
    stiffest: float  # the largest eigenvalue of the Laplacian at the start
    predicted: float | None  # 2 κ times the smallest, half a window before the end
    measured: float | None  # rate at which that mode decays over the window; None: it does not


def train(
    start: Arrays, x: np.ndarray, y: np.ndarray, *, strength: float, lr: float, steps: int
) -> Run:
    """Train a ReLU network of these matrices on data (n, ·)."""
    theta, losses, imbalances, middle = list(start), [], [], start
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(steps + 1):
            loss, slopes = gradient(theta, len(theta), x, y)
            losses.append(loss)
            imbalances.append(charges(theta, len(theta), 2))
            if not loss <= 2 * losses[0] or k == steps:
                break
            if k == steps - WINDOW // 2:
                middle = theta
            pulls = _penalty(theta, imbalances[-1])
            theta = [w - lr * (g + strength * d) for w, g, d in zip(theta, slopes, pulls)]
    found, charged = np.array(losses), np.array(imbalances)
    whole = len(found) == steps + 1 and bool(found[-1] <= 2 * found[0])
    strict, tolerant = _verdicts(found, whole, dead=float((y**2).sum() / (2 * len(x))))
    predicted, measured = (
        _slowest(laplacian(middle), charged, strength, lr) if whole else (None, None)
    )
    return Run(
        losses=found,
        imbalances=charged,
        strict=strict,
        tolerant=tolerant,
        stiffest=float(np.linalg.eigvalsh(laplacian(start))[-1]),
        predicted=predicted,
        measured=measured,
    )


def laplacian(weights: Arrays) -> np.ndarray:
    r"""$B\,\mathrm{diag}(\theta^2)\,B^\top$ of a layered network, shape (units, units)."""
    flow = [w**2 for w in weights]
    found = np.diag(
        np.concatenate([f.sum(1) for f in flow[:-1]]) + np.concatenate([f.sum(0) for f in flow[1:]])
    )
    ends = np.cumsum([0, *map(len, weights[:-1])])
    for layer, between in enumerate(flow[1:-1]):
        below, here, above = ends[layer : layer + 3]
        found[here:above, below:here] = -between
        found[below:here, here:above] = -between.T
    return found


def _penalty(theta: Arrays, imbalance: np.ndarray) -> Arrays:
    """The gradient of ¼ Σ Δ²: each weight times Δ of its target less Δ of its source."""
    each = np.split(imbalance, np.cumsum([len(w) for w in theta[:-1]])[:-1])
    targets = [*each, np.zeros(len(theta[-1]))]
    sources = [np.zeros(theta[0].shape[1]), *each]
    return [(t[:, None] - s) * w for w, t, s in zip(theta, targets, sources)]


def _verdicts(losses: np.ndarray, whole: bool, dead: float) -> tuple[bool, bool]:
    lowest = np.minimum.accumulate(losses)
    strict = whole and bool((losses[1:] <= 1.01 * lowest[:-1]).all())
    alive = abs(losses[-1] - dead) > 1e-12 * dead
    return strict, whole and bool(losses[-1] < losses[0]) and bool(alive)


def _slowest(
    near_end: np.ndarray, imbalances: np.ndarray, strength: float, lr: float
) -> tuple[float, float | None]:
    values, modes = np.linalg.eigh(near_end)
    before, after = imbalances[[-1 - WINDOW, -1]] @ modes[:, 0]
    kept = after / before if before else 0.0
    measured = -math.log(kept) / (WINDOW * lr) if kept > 0 else None
    return float(2 * strength * values[0]), measured
