"""A layered ReLU network on a few data: `mlp.js` in NumPy.

Parameters are one list: the matrix of each of the `depth` weight layers, then the biases or none.
"""

from __future__ import annotations

import numpy as np

Arrays = list[np.ndarray]


def gradient(theta: Arrays, depth: int, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    """The loss ½ mean |f(x) - y|² and its gradient, by backpropagation."""
    weights, biases = theta[:depth], theta[depth:]
    acts = [x]
    for layer, weight in enumerate(weights):
        z = acts[-1] @ weight.T + (biases[layer] if biases else 0.0)
        acts.append(z if layer == depth - 1 else np.maximum(z, 0.0))
    error = (acts[-1] - y) / len(x)
    loss = float(((acts[-1] - y) ** 2).sum() / (2 * len(x)))
    slopes: Arrays = [np.zeros(0)] * len(theta)
    for layer in reversed(range(depth)):
        slopes[layer] = error.T @ acts[layer]
        if biases:
            slopes[depth + layer] = error.sum(0)
        error = (error @ weights[layer]) * (acts[layer] > 0)
    return loss, slopes


def charges(theta: Arrays, depth: int, p: int) -> np.ndarray:
    """Incoming less outgoing Σ |θ|^p of each hidden unit, shape (units,)."""
    powers = [np.abs(value) ** p for value in theta]
    weights, biases = powers[:depth], powers[depth:]
    into = [w.sum(1) + (biases[layer] if biases else 0.0) for layer, w in enumerate(weights[:-1])]
    out = [w.sum(0) for w in weights[1:]]
    return np.concatenate(into) - np.concatenate(out)
