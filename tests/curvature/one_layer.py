"""Networks of one hidden layer in one vector, and orthogonal matrices that keep their function."""

from __future__ import annotations

import torch
from torch import Tensor

D, N = 3, 24
ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "softplus": lambda z: torch.nn.functional.softplus(3 * z) / 3,
    "linear": lambda z: z,
}


class OneLayer:
    """f(x) = Σ v_i s(w_i·x): w_1, w_2, ..., then v_1, v_2, ... in one vector; labels at random."""

    def __init__(self, units=3, kind="tanh", outputs=1, seed=0):
        draw = torch.Generator().manual_seed(seed)
        self.units, self.outputs, self.act = units, outputs, ACTIVATIONS[kind]
        self.x = torch.randn(N, D, generator=draw, dtype=torch.float64)
        self.y = torch.randn(N, outputs, generator=draw, dtype=torch.float64)
        size = units * (D + outputs)
        self.theta = torch.randn(size, generator=draw, dtype=torch.float64)

    def parts(self, theta):
        """w, shape (units, D), and v, shape (units, outputs)."""
        w, v = theta.split([self.units * D, self.units * self.outputs])
        return w.view(self.units, D), v.view(self.units, self.outputs)

    def values(self, theta, x):
        w, v = self.parts(theta)
        return self.act(x @ w.T) @ v

    def loss(self, theta, batch=slice(None)):
        return (self.values(theta, self.x[batch]) - self.y[batch]).square().mean()

    def slot(self, unit):
        """The entries of one unit."""
        rows = torch.arange(unit * D, unit * D + D)
        first = self.units * D + unit * self.outputs
        return torch.cat([rows, torch.arange(first, first + self.outputs)])

    def swap(self):
        """The permutation matrix of the first two units."""
        order = torch.arange(len(self.theta))
        order[self.slot(0)], order[self.slot(1)] = self.slot(1), self.slot(0)
        return torch.eye(len(order), dtype=torch.float64)[order]

    def flip(self):
        """The sign of the first unit."""
        signs = torch.ones(len(self.theta), dtype=torch.float64)
        signs[self.slot(0)] = -1.0
        return signs.diag()

    def turn(self, angle=0.7):
        """A rotation of the first two hidden units of a linear network, in and out."""
        t = torch.tensor(angle, dtype=torch.float64)
        turn = torch.eye(self.units, dtype=torch.float64)
        turn[0, 0], turn[0, 1], turn[1, 0], turn[1, 1] = t.cos(), -t.sin(), t.sin(), t.cos()
        eye = torch.eye(D, dtype=torch.float64)
        out = torch.eye(self.outputs, dtype=torch.float64)
        return torch.block_diag(torch.kron(turn, eye), torch.kron(turn, out))

    def reflect(self, angle=0.7):
        """The same with a reflection of the two, whose Fix is a line of them."""
        return self.turn(angle) @ self.flip()


def projector(matrix: Tensor) -> Tensor:
    """Onto Fix(M) = ker(M - 1), by singular vectors."""
    eye = torch.eye(len(matrix), dtype=torch.float64)
    _, values, rows = torch.linalg.svd(matrix - eye)
    kept = rows[values < 1e-10]
    return kept.T @ kept


SYMMETRIES = {  # how many units, which, how many outputs, and the matrix
    "swap, relu": (3, "relu", 1, OneLayer.swap),
    "swap, tanh": (3, "tanh", 2, OneLayer.swap),
    "flip, tanh": (3, "tanh", 1, OneLayer.flip),
    "flip, linear": (2, "linear", 2, OneLayer.flip),
    "rotation, linear": (3, "linear", 1, OneLayer.turn),
    "reflection, linear": (3, "linear", 1, OneLayer.reflect),
}


def symmetric(name: str) -> tuple[OneLayer, Tensor]:
    """A network and its M."""
    units, kind, outputs, matrix = SYMMETRIES[name]
    net = OneLayer(units, kind, outputs)
    return net, matrix(net)


def twins(kind, units=3, outputs=1, seed=0):
    """The first two units are identical."""
    net = OneLayer(units, kind, outputs, seed)
    net.theta[net.slot(1)] = net.theta[net.slot(0)]
    return net
