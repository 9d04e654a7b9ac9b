r"""One hidden layer along its orbit: `orbit.js` and `quantiser.js` in NumPy.

$f(x) = c + V\,\mathrm{relu}(Wx + b)$ and the loss is the mean of the examples'
$\ell = \frac12|f(x)-y|^2$. Of each kind of sum, `into` belongs to what enters each hidden unit,
`out` to what leaves it and `rest` to the output biases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

KINDS = ("norm", "gradient", "trace")


@dataclass(frozen=True, eq=False)
class Network:
    """A network and its data; `b` or `c` is empty where there are no such biases."""

    W: Array  # (n, d)
    b: Array  # (n,) or (0,)
    V: Array  # (o, n)
    c: Array  # (o,) or (0,)
    inputs: Array  # (examples, d)
    targets: Array  # (examples, o)

    def hidden(self, x: Array) -> Array:
        """What the hidden units give, shape (examples, n)."""
        return np.maximum(x @ self.W.T + (self.b if len(self.b) else 0.0), 0.0)

    def outputs(self, x: Array) -> Array:
        """f, shape (examples, o)."""
        return self.hidden(x) @ self.V.T + (self.c if len(self.c) else 0.0)

    def turned(self, log2_scales: Array) -> Network:
        """The same function with unit h scaled by 2 to the power log2_scales[h]."""
        a = np.exp2(log2_scales)
        b = self.b * a if len(self.b) else self.b
        return Network(self.W * a[:, None], b, self.V / a, self.c, self.inputs, self.targets)

    def quantised(self, bits: int) -> Network:
        """Both layers on a grid of their own, biases as they are."""
        W, V = (quantised(weight, bits) for weight in (self.W, self.V))
        return Network(W, self.b, V, self.c, self.inputs, self.targets)


@dataclass(frozen=True, eq=False)
class Sum:
    """A sum of coefficients along the orbit: a bowl."""

    power: float  # of a in what enters a unit: 2 for the norm, -2 for gradient and trace
    into: Array  # (n,)
    out: Array  # (n,)
    rest: float

    def at(self, log2_scales: Array) -> float:
        """Its value with the dials at log2_scales."""
        grown = np.exp2(self.power * log2_scales)
        return float((self.into * grown + self.out / grown).sum() + self.rest)

    def gauge(self) -> Array:
        """The dials, log2 a, at which it is smallest, shape (n,)."""
        return np.log2(self.out / self.into) / (2 * self.power)


def quantised(weight: Array, bits: int) -> Array:
    """The nearest number of a grid whose last one is the largest weight."""
    last, most = 2 ** (bits - 1) - 1, np.abs(weight).max()
    return np.rint(weight / most * last) / last * most


def sums(network: Network) -> dict[str, Sum]:
    """Norm², the mean squared gradient of one example, and the trace of Gauss-Newton."""
    x, b, c = network.inputs, network.b, network.c
    z = network.hidden(x)
    on = (z > 0).astype(float)
    miss = network.outputs(x) - network.targets
    size = (x**2).sum(1) + (1.0 if len(b) else 0.0)
    missed = (miss**2).sum(1)
    W = (network.W**2).sum(1) + (b**2 if len(b) else 0.0)
    V = (network.V**2).sum(0)
    outs = len(network.V)
    back = (miss @ network.V) ** 2
    rest = bool(len(c))
    return {
        "norm": Sum(2.0, W, V, float((c**2).sum())),
        "gradient": Sum(
            -2.0,
            (on * back * size[:, None]).mean(0),
            (z**2 * missed[:, None]).mean(0),
            rest * float(missed.mean()),
        ),
        "trace": Sum(
            -2.0, (on * size[:, None]).mean(0) * V, outs * (z**2).mean(0), rest * float(outs)
        ),
    }


def sharpest(network: Network) -> float:
    """The largest eigenvalue of Gauss-Newton's matrix, by that of JJᵀ/N, which is as large."""
    x = np.hstack([network.inputs, np.ones((len(network.inputs), min(len(network.b), 1)))])
    z = network.hidden(network.inputs)
    on = (z > 0).astype(float)
    outs = len(network.V)
    within = z @ z.T + (1.0 if len(network.c) else 0.0)  # of V and c
    masks = np.einsum("nh,mh,kh,lh->nkml", on, on, network.V, network.V, optimize=True)
    gram = masks * (x @ x.T)[:, None, :, None]
    gram += within[:, None, :, None] * np.eye(outs)[None, :, None, :]
    matrix = gram.reshape(len(x) * outs, -1) / len(x)
    return float(np.linalg.eigvalsh(matrix)[-1])


def relative_error(found: Array, wanted: Array) -> float:
    """The size of the difference relative to that of `wanted`, over all examples."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def defect(network: Network) -> str:
    """Why one of the sums has no smallest value on the orbit, or nothing."""
    for kind, each in sums(network).items():
        for values, way in ((each.into, "enters"), (each.out, "leaves")):
            if not (values > 0).all():
                unit = int(np.argmin(values > 0)) + 1
                what = {"norm": "weight", "gradient": "gradient", "trace": "curvature"}[kind]
                return f"no {what} {way} unit {unit}, so that its {kind} has no smallest value"
    return ""
