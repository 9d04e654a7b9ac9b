"""A network of any wiring run unit by unit, with dense autograd: an oracle for the proofs of flows.

Of the library it takes the data alone. Entry W[i][j] flows from unit j to unit i; every weight from
an input is given numbers of its own, and all that reaches an output is summed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib.proofs.loss import Network, network_of
from tests.graphs import Graph

Pair = tuple[Tensor, Tensor]  # shaped as the weight matrix, and as the biases


class Looped:
    """A graph of `tests.graphs` as weights and biases, with the data that the proofs run it on."""

    def __init__(self, graph: Graph, activation=torch.relu, data: Network | None = None) -> None:
        self.W, self.b = graph.params["W"], graph.params["b"]
        self.n, self.inputs, self.hidden = graph.units, graph.inputs, graph.hidden
        self.units = range(graph.inputs, graph.inputs + graph.hidden)
        self.activation = activation
        data = data or network_of(graph.params, graph.group, activation)
        from_inputs = [(i, j) for i, j in self.W.nonzero().tolist() if j < self.inputs]
        self.x = dict(zip(from_inputs, data.inputs.T, strict=False))
        assert torch.equal(
            data.inputs[:, len(self.x) :], torch.ones(len(data.wanted), int((self.b != 0).sum()))
        )
        self.wanted = data.wanted

    def run(self, W: Tensor, b: Tensor) -> Tensor:
        """The summed outputs, shape (data,)."""
        values: dict[int, Tensor] = {}
        total = torch.zeros_like(self.wanted)
        for i in range(self.inputs, self.n):
            z = b[i] + total * 0
            for j in range(self.n):
                if self.W[i, j] != 0:
                    z = z + W[i, j] * (self.x[i, j] if j < self.inputs else values[j])
            if i in self.units:
                values[i] = self.activation(z)
            else:
                total = total + z
        return total

    def loss(self, W: Tensor, b: Tensor) -> Tensor:
        return (self.run(W, b) - self.wanted).pow(2).mean() / (
            2 * self.run(self.W, self.b).pow(2).mean()
        )

    def slopes(self, at: Pair | None = None) -> Pair:
        """The gradient of the loss, by dense autograd."""
        W, b = (part.clone().requires_grad_() for part in at or (self.W, self.b))
        return torch.autograd.grad(self.loss(W, b), (W, b))

    def into(self, values: Pair, unit: int) -> float:
        """Sum over what enters a hidden unit, counted from 1."""
        h = self.inputs + unit - 1
        return float(sum(values[0][h, j] for j in range(self.n)) + values[1][h])

    def out(self, values: Pair, unit: int) -> float:
        """Sum over what leaves a hidden unit, counted from 1."""
        h = self.inputs + unit - 1
        return float(sum(values[0][i, h] for i in range(self.n)))

    def charge(self, at: Pair, p: float, unit: int) -> float:
        powers = (at[0].abs() ** p, at[1].abs() ** p)
        return self.into(powers, unit) - self.out(powers, unit)

    def turned(self, unit: int, factor: float) -> Pair:
        """The parameters after a turn of the dial of one unit."""
        h, W, b = self.inputs + unit - 1, self.W.clone(), self.b.clone()
        W[h], b[h] = factor * W[h], factor * b[h]
        W[:, h] = W[:, h] / factor
        return W, b

    def stepped(self, velocity: Pair, time: float) -> Pair:
        return self.W + time * velocity[0], self.b + time * velocity[1]


class OfAVector:
    """A loss `L` of one flat vector, by dense autograd."""

    def L(self, at: Tensor) -> Tensor:
        raise NotImplementedError

    def slope(self, at: Tensor) -> Tensor:
        at = at.clone().requires_grad_()
        return torch.autograd.grad(self.L(at), at)[0]

    def hessian(self, at: Tensor) -> Tensor:
        return torch.autograd.functional.hessian(self.L, at)
