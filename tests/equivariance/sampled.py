"""One hidden layer on draws in all orders of a group: loss and gradient by hand, in numpy."""

from __future__ import annotations

import numpy as np

from tests.equivariance import permuted

ACTIVATIONS = {  # value and slope
    "softplus": (lambda z: np.logaddexp(0, 3 * z) / 3, lambda z: (1 + np.tanh(1.5 * z)) / 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
}


def channel(a, b, c, n):
    """W = (a - b)I + bJ and v = c(1, ..., 1), of numbers or of whole batches."""
    a, b, c = (np.asarray(value, dtype=float) for value in (a, b, c))
    eye = np.eye(n)
    W = a[..., None, None] * eye + b[..., None, None] * (1 - eye)
    return W, np.broadcast_to(c[..., None], W.shape[:-1]).copy()


class Sampled:
    """½ mean (f(x) - y(x))² over draws in all orders; y is a network of the same kind.

    Args:
        inputs: the group's permutations of the inputs, as tuples.
        kind: the activation.
        teacher: (W, v).
        draws: how many inputs are drawn, before they are put in every order.
        seed: of the draws.
    """

    def __init__(self, inputs, kind="softplus", teacher=None, draws=8, seed=0):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((draws, len(inputs[0])))
        self.x = np.concatenate([x[:, list(p)] for p in inputs])
        self.act, self.bend = ACTIVATIONS[kind]
        self.y = self.values(*teacher) if teacher else 0 * self.x[:, 0]

    def values(self, W, v):
        """f on all inputs, shape (..., inputs)."""
        return (self.act(self.x @ np.swapaxes(W, -1, -2)) * v[..., None, :]).sum(-1)

    def loss(self, W, v):
        return 0.5 * ((self.values(W, v) - self.y) ** 2).mean(-1)

    def slopes(self, W, v):
        """∂L/∂W and ∂L/∂v."""
        z = self.x @ np.swapaxes(W, -1, -2)
        error = (self.act(z) * v[..., None, :]).sum(-1) - self.y
        felt = error[..., None] * self.bend(z) / len(self.x)
        by_rows = v[..., :, None] * (np.swapaxes(felt, -1, -2) @ self.x)
        return by_rows, (error[..., None] * self.act(z)).mean(-2)


def together(W, v):
    """All weights as one vector, W row by row and then v."""
    return np.concatenate([W.reshape(*W.shape[:-2], -1), v], axis=-1)


def apart(theta, n):
    """The inverse of `together` for n units."""
    return theta[..., :-n].reshape(*theta.shape[:-1], n, -1), theta[..., -n:]


def action(units, inputs):
    """The orthogonal matrix of (W, v) ↦ (P W Q^{-1}, v P^{-1}) on one vector."""
    p, q = permuted.matrix(units), permuted.matrix(inputs)
    large = np.kron(p, q)
    return np.block(
        [
            [large, np.zeros((len(large), len(p)))],
            [np.zeros((len(p), len(large))), p],
        ]
    )


def projector(images, inputs):
    """Onto the page: the mean of the actions of all (g, π(g))."""
    return sum(action(p, q) for p, q in zip(images, inputs)) / len(images)


def fixed_space(matrices):
    """An orthonormal basis, in rows, of what all of these matrices leave in place."""
    stacked = np.concatenate([m - np.eye(len(m)) for m in matrices])
    _, values, rows = np.linalg.svd(stacked)
    return rows[np.concatenate([values, np.zeros(len(rows) - len(values))]) < 1e-9]


def partitions(things):
    """All ways to put things into classes."""
    if not things:
        yield []
        return
    first, *rest = things
    for classes in partitions(rest):
        yield [[first], *classes]
        for k, chosen in enumerate(classes):
            yield [*classes[:k], [first, *chosen], *classes[k + 1 :]]


def around(classes, n):
    """A permutation of n things with these cycles."""
    image = list(range(n))
    for chosen in classes:
        for here, there in zip(chosen, [*chosen[1:], chosen[0]]):
            image[here] = there
    return tuple(image)
