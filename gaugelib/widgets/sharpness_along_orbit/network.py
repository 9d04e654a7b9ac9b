r"""One hidden layer on one input, its loss and their exact derivatives: `curvature.js` in NumPy.

Parameters are one array, $\theta = (w, b, v, c)$: hidden unit $h$ computes
$\mathrm{relu}(w_h x + b_h)$ and the output is $f(x) = c + \sum_h v_h\,\mathrm{relu}(w_h x + b_h)$.
The loss is $L = \frac1{2n}\sum(f(x)-y)^2$, and $L_\lambda = L + \lambda R_2$ with
$R_2 = \frac12|\theta|^2$, biases counted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# The network with which SharpnessAlongOrbit opens, and its data: a bent line and some noise.
W_IN, B_IN, W_OUT, B_OUT = (-1.7, -1.2, 1.0), (-0.6, 0.0, -0.6), (0.8, 1.6, 1.6), 0.3
INPUTS = (-1.5, -1.3, -1.1, -0.9, -0.7, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5)
TARGETS = (
    3.26, 2.69, 2.46, 1.65, 1.06, 0.91, 0.93, 0.19, 0.43, 0.18, 0.1, 0.21, 0.82, 1.46, 1.88, 2.17,
)  # fmt: skip
CLEAR = 1e-6  # least distance of a datum from a kink, relative to the largest


def hidden(theta: Array, x: Array) -> tuple[Array, Array]:
    """What the hidden units get and give, two arrays of shape (n, units)."""
    w, b, _, _ = split(theta)
    z = x[:, None] * w + b
    return z, np.maximum(z, 0.0)


def split(theta: Array) -> tuple[Array, Array, Array, float]:
    """w, b and v, each of shape (units,), and c."""
    units = (len(theta) - 1) // 3
    w, b, v = theta[:-1].reshape(3, units)
    return w, b, v, float(theta[-1])


def outputs(theta: Array, x: Array) -> Array:
    """What the network gives at the inputs x, shape (n,)."""
    _, _, v, c = split(theta)
    return hidden(theta, x)[1] @ v + c


def loss(theta: Array, x: Array, y: Array, decay: float = 0.0) -> float:
    """L, or with decay the penalised loss."""
    miss = outputs(theta, x) - y
    return float(miss @ miss / (2 * len(x)) + decay * (theta @ theta) / 2)


def derivatives(theta: Array, x: Array, y: Array, decay: float = 0.0) -> tuple[Array, Array]:
    """Gradient (m,) and Hessian (m, m) of the penalised loss, where no datum lies on a kink."""
    _, _, v, c = split(theta)
    z, a = hidden(theta, x)
    on = (z > 0).astype(float)
    slopes = np.hstack([v * on * x[:, None], v * on, a, np.ones((len(x), 1))])  # of f
    miss = a @ v + c - y
    hessian = slopes.T @ slopes / len(x)
    units = len(v)
    for place, between in ((0, x[:, None]), (units, 1.0)):  # f is bilinear in (w, b) and v
        for h, value in enumerate(miss @ (on * between) / len(x)):
            hessian[place + h, 2 * units + h] += value
            hessian[2 * units + h, place + h] += value
    gradient = slopes.T @ miss / len(x)
    return gradient + decay * theta, hessian + decay * np.eye(len(theta))


def rescaled(theta: Array, log2_scales: Array) -> Array:
    """The point of the orbit at which unit h is scaled by 2 to the power log2_scales[h]."""
    a = np.exp2(log2_scales)
    return theta * np.concatenate([a, a, 1 / a, [1.0]])


def balancing(theta: Array) -> Array:
    """log2 of the scales at which the norm is smallest, biases counted, shape (units,)."""
    w, b, v, _ = split(theta)
    return np.log2(np.abs(v) / np.hypot(w, b)) / 2


def defect(theta: Array, x: Array) -> str:
    """Why the loss has no second derivative here or a unit no orbit, or nothing."""
    w, b, v, _ = split(theta)
    z, _ = hidden(theta, x)
    live = (z > 0).any(0) & (v != 0) & (np.hypot(w, b) > 0)
    if not live.all():
        return f"unit {int(np.argmin(live)) + 1} is dead"
    if np.abs(z).min() <= CLEAR * np.abs(z).max():
        return "a datum lies on a kink, where the loss has no second derivative"
    return ""
