"""Small networks of any wiring as one vector of weights, and where their training ends.

A student starts near a teacher, in a gauge that is not balanced, and learns the teacher's outputs
under a small penalty. It ends near the teacher's orbit, so no weight becomes zero there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from gaugelib import hessian
from gaugelib.gradient import gradient
from tests.balance.newton import newton
from tests.graphs import Graph, flat, random_graph

DECAY = 0.005
WIRINGS = {  # inputs, hidden layers, outputs; a seed whose teacher has no idle unit
    "layered": (3, (3,), 3, 11),
    "deep": (2, (3, 2), 2, 2),
    "skips": (3, (1, 1, 1), 2, 22),
}


@dataclass(frozen=True)
class Small:
    incidence: Tensor  # B by hand, (units, m)
    loss: Callable[[Tensor], Tensor]  # of the m weights, biases among them
    start: Tensor  # (m,)

    def slope(self, theta: Tensor, q: float) -> Tensor:
        """∇(L + λ R_q), shape (m,)."""
        return gradient(self._regularised(q), {"theta": theta})["theta"]

    def hessian(self, theta: Tensor, q: float) -> Tensor:
        """Its Hessian, shape (m, m)."""
        return hessian(self._regularised(q), {"theta": theta})

    def charge(self, theta: Tensor, q: float) -> Tensor:
        """Δ with exponent q, shape (units,)."""
        return self.incidence @ theta.abs() ** q

    def tangents(self, theta: Tensor) -> Tensor:
        """A_h θ, one column for each unit: shape (m, units)."""
        return (self.incidence * theta).T

    def _regularised(self, q: float):
        return lambda made: self.loss(made["theta"]) + DECAY * made["theta"].abs().pow(q).sum() / q


def wiring(name: str) -> Graph:
    """Every unit feeds the next layer; with skips every later unit, but no output an output."""
    inputs, layers, outputs, seed = WIRINGS[name]
    graph = random_graph(inputs, sum(layers), outputs, seed=seed)
    sizes = (inputs, *layers, outputs)
    layer = torch.tensor([k for k, size in enumerate(sizes) for _ in range(size)])
    ahead = layer[:, None] - layer[None, :]
    graph.params["W"].mul_(ahead > 0 if name == "skips" else ahead == 1)
    for key, least in (("W", 0.5), ("b", 0.3)):  # away from zero
        value = graph.params[key]
        value.copy_(value.sign() * (least + value.abs() / 2))
    return graph


def small(name: str, activation: Callable[[Tensor], Tensor], q: float) -> Small:
    graph, draw = wiring(name), torch.Generator().manual_seed(2)
    whole = flat(graph.params)
    (live,) = torch.nonzero(whole, as_tuple=True)
    x = 2 * torch.randn(100, graph.inputs, generator=draw, dtype=torch.float64)

    def outputs(theta: Tensor) -> Tensor:
        vector = torch.zeros_like(whole).index_put((live,), theta)
        weights, bias = vector[: -graph.units].view(graph.units, -1), vector[-graph.units :]
        return graph({"W": weights, "b": bias}, x, activation)

    targets, incidence = outputs(whole[live]), graph.incidence()[:, live]
    gauge = newton(graph.params, graph.group, q, include_bias=True)
    gauge = gauge + 0.3 * torch.randn(graph.hidden, generator=draw, dtype=torch.float64)
    return Small(
        incidence=incidence,
        loss=lambda theta: (outputs(theta) - targets).square().mean(),
        start=whole[live] * (gauge @ incidence).exp(),
    )


@cache
def critical(
    name: str, q: float, activation: Callable[[Tensor], Tensor] = torch.relu
) -> tuple[Small, Tensor]:
    """A network and a minimum of L + λ R_q, by Newton's method in y = log|θ|."""
    made = small(name, activation, q)
    theta = made.start
    for _ in range(30):
        slope = theta * made.slope(theta, q)
        if slope.abs().max() < 1e-13:
            break
        second = theta[:, None] * made.hessian(theta, q) * theta + torch.diag(slope)
        step = torch.linalg.solve(second, -slope)
        theta = theta * (step * min(1.0, 0.5 / float(step.abs().max()))).exp()
    assert made.slope(theta, q).abs().max() < 1e-11
    assert torch.linalg.eigvalsh(made.hessian(theta, q))[0] > 0
    assert theta.abs().min() > 0.05  # no weight is zero
    return made, theta
