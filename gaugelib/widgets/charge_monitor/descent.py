r"""Training in steps and its charges: `descent.js` in NumPy, one state after the other.

Time is $t = \eta k$ with momentum too: its memory is the running mean
$m \leftarrow \beta m + (1-\beta)g$, which begins with the first gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gaugelib.widgets.shared.mlp import Arrays, charges, gradient
from gaugelib.widgets.shared.numbers import uniform

Rule = Callable[[Arrays, Arrays], Arrays]
FAR = 1e4


@dataclass(frozen=True, eq=False)
class Run:
    """A run, state by state."""

    times: np.ndarray  # (K + 1,)
    charges: np.ndarray  # (K + 1, units)
    losses: tuple[float, float]  # on all data, before and after
    complete: bool  # or it ran away, and the states end there


@dataclass(frozen=True)
class Settings:
    """What the widget's traits of the same names say."""

    lr: float
    until: float
    p: int
    method: str
    momentum: float
    decay: float
    batch: int
    random_state: int


def train(weights: Arrays, biases: Arrays, x: np.ndarray, y: np.ndarray, how: Settings) -> Run:
    """Train a ReLU network of these matrices and biases (none: an empty list) on data (n, ·)."""
    depth, theta = len(weights), [w.copy() for w in (*weights, *biases)]
    rule = _RULES[how.method](how)
    times, found, state = [0.0], [charges(theta, depth, how.p)], how.random_state
    first, complete = gradient(theta, depth, x, y)[0], True
    for k in range(1, round(how.until / how.lr) + 1):
        rows: Sequence[int] | slice = slice(None)
        if how.batch:
            rows, state = _draw(how.batch, len(x), state)
        with np.errstate(over="ignore", invalid="ignore"):
            loss, slopes = gradient(theta, depth, x[rows], y[rows])
            theta = rule(theta, slopes)
            after = charges(theta, depth, how.p)
            jump = np.abs(after - found[-1]).max()
            complete = bool(loss < FAR * (1 + first) and jump < FAR)
        if not complete:
            break
        times.append(how.lr * k)
        found.append(after)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = first, gradient(theta, depth, x, y)[0]
    return Run(np.array(times), np.array(found), losses, complete)


def _draw(count: int, total: int, state: int) -> tuple[list[int], int]:
    rows = []
    for _ in range(count):
        u, state = uniform(state)
        rows.append(int(u * total))
    return rows, state


def _descent(how: Settings) -> Rule:
    memory: Arrays = []

    def rule(theta: Arrays, slopes: Arrays) -> Arrays:
        if how.p == 2:
            pulls = [g + how.decay * w for w, g in zip(theta, slopes)]
        else:
            pulls = [np.sign(w) * g + how.decay for w, g in zip(theta, slopes)]
        memory[:] = [
            how.momentum * m + (1 - how.momentum) * g for m, g in zip(memory or pulls, pulls)
        ]
        if how.p == 2:
            return [w - how.lr * m for w, m in zip(theta, memory)]
        return [w * np.exp(-how.lr * m) for w, m in zip(theta, memory)]

    return rule


def _adam(how: Settings) -> Rule:
    first: Arrays = []
    second: Arrays = []
    powers = [1.0, 1.0]

    def rule(theta: Arrays, slopes: Arrays) -> Arrays:
        slopes = [g + how.decay * w for w, g in zip(theta, slopes)]
        none = [np.zeros_like(g) for g in slopes]
        first[:] = [0.9 * m + 0.1 * g for m, g in zip(first or none, slopes)]
        second[:] = [0.999 * m + 0.001 * g * g for m, g in zip(second or none, slopes)]
        powers[:] = powers[0] * 0.9, powers[1] * 0.999
        one, two = 1 - powers[0], 1 - powers[1]
        return [
            w - how.lr * (m / one) / (np.sqrt(v / two) + 1e-8)
            for w, m, v in zip(theta, first, second)
        ]

    return rule


_RULES = {"descent": _descent, "adam": _adam}
METHODS = tuple(_RULES)
