r"""Minima of the penalised loss, followed from one weight decay to the next.

Newton's method with the absolute values of the eigenvalues, and a line search. At $\lambda = 0$ the
minimum is wherever the start leads; the orbit through it is then followed into $\lambda > 0$ from
its gauge of minimum norm, which is where the penalised minima end for $\lambda\to0$.
"""

from __future__ import annotations

import functools

import numpy as np

from gaugelib.widgets.base import WidgetError
from gaugelib.widgets.sharpness_along_orbit.network import (
    Array,
    balancing,
    defect,
    derivatives,
    loss,
    rescaled,
)

DECAYS = (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008)
SETTLED = 1e-12  # of the gradient's largest entry, relative to the largest eigenvalue
_STEPS = 200
_FLAT = 1e-6  # curvature below this part of the largest is not divided by


@functools.lru_cache(maxsize=64)
def minima(
    theta: tuple[float, ...], inputs: tuple[float, ...], targets: tuple[float, ...]
) -> tuple[tuple[float, ...], ...]:
    """The minimum of L + λR₂ for each λ of `DECAYS`, up to the last at which every unit lives.

    Raises:
        GaugeError: if the loss itself has no minimum near by that can be shown; the message says
            what is in the way.
    """
    x, y, at = np.array(inputs), np.array(targets), np.array(theta)
    found: list[Array] = []
    for decay in DECAYS:
        start = rescaled(at, balancing(at)) if decay > 0 else at
        at = _descended(start, x, y, decay)
        if trouble := _trouble(at, x, y, decay):
            if decay == 0:
                raise WidgetError(f"no minimum of the loss was found from this network: {trouble}")
            break
        found.append(at)
    return tuple(tuple(each.tolist()) for each in found)


def _descended(theta: Array, x: Array, y: Array, decay: float) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        height = loss(theta, x, y, decay)
        for _ in range(_STEPS):
            gradient, hessian = derivatives(theta, x, y, decay)
            values, vectors = np.linalg.eigh(hessian)
            size = np.abs(values)
            step = -vectors @ (vectors.T @ gradient / np.maximum(size, _FLAT * size.max()))
            theta, height, moved = _searched(theta, step, gradient, height, x, y, decay)
            if not moved:
                break
    return theta


def _searched(
    theta: Array, step: Array, gradient: Array, height: float, x: Array, y: Array, decay: float
) -> tuple[Array, float, bool]:
    """The first of the halved steps that lowers the loss, or at its last digits the gradient."""
    for length in 0.5 ** np.arange(40):
        there = theta + length * step
        after = loss(there, x, y, decay)
        if after < height or (
            after <= height * (1 + 1e-14)
            and np.abs(derivatives(there, x, y, decay)[0]).max() < np.abs(gradient).max()
        ):
            return there, after, True
    return theta, height, False


def _trouble(theta: Array, x: Array, y: Array, decay: float) -> str:
    """What keeps a point from being a minimum that can be shown, or nothing."""
    if found := defect(theta, x):
        return found
    gradient, hessian = derivatives(theta, x, y, decay)
    values = np.linalg.eigvalsh(hessian)
    if np.abs(gradient).max() > SETTLED * values[-1]:
        return f"the gradient is still {np.abs(gradient).max():.1e} where the descent ends"
    if values[0] < -1e-9 * values[-1]:
        return f"a saddle, with the eigenvalue {values[0]:.1e}"
    return ""
