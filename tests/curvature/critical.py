"""Critical points of ten architectures, by choice of the targets, and of three by Newton's method.

Any θ is a critical point of the mean squared error if the targets miss the outputs by a residual r
with J'r = 0, and of the error with a weight decay if J'r = -λnθ/2. The former has solutions r ≠ 0
because there are more outputs than parameters; the latter where θ lies in the row space of J, which
it does if the orbit's tangents are all that J annihilates and every unit is balanced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from gaugelib import params_of, rescale
from tests.balance.networks import WIRINGS, wired
from tests.balance.newton import newton
from tests.curvature.vector import Loss, Network, flat, network, second, slope, unflat
from tests.pairing.critical import wiring
from tests.tracing.zoo import build

SEEDS = {  # of teachers in which no unit is idle or always on, so that nothing else is degenerate
    "mlp": 34,
    "conv1d": 2,
    "conv3d": 21,
    "channel shuffle": 13,  # grouped and depthwise, leaky
    "autoencoder": 9,  # grouped and transposed
    "mixing": 34,
    "recurrent": 26,
    "gated": 34,
    "residual": 4,
    "tied": 36,
}
ZERO = 1e-12  # of the largest eigenvalue: rounding leaves about 1e-16 m of it, 3e-14 at most here
DECAY = 0.002


@cache
def teacher(name: str) -> Network:
    """Balanced, biases counted; with at least twice as many outputs as it has parameters."""
    model, x = wired(name, SEEDS[name]) if name in WIRINGS else build(name, seed=SEEDS[name])
    made = network(model, x)
    each = len(made.outputs(made.theta)) // len(x)
    draw = torch.Generator().manual_seed(0)
    count = max((2 if x.dim() == 4 else 3) * len(made.theta) // each, 10)
    points = torch.randn((count, *x.shape[1:]), generator=draw, dtype=torch.float64)
    params = params_of(model)
    logs = newton(params, made.group, include_bias=True)
    return replace(made, x=2 * points, theta=flat(rescale(params, logs.exp(), made.group)))


@cache
def jacobian(name: str) -> Tensor:
    return teacher(name).jacobian(teacher(name).theta)


@dataclass(frozen=True)
class Point:
    made: Network
    loss: Loss
    hessian: Tensor

    @property
    def theta(self) -> Tensor:
        return self.made.theta

    @property
    def units(self) -> int:
        return self.made.group.units

    @property
    def tangents(self) -> Tensor:
        return (self.made.incidence() * self.theta).T


@cache
def found(name: str) -> Point:
    """A student equal to its teacher: L = 0."""
    return _missing_by(name, torch.zeros(len(jacobian(name))).double())


@cache
def missed(name: str) -> Point:
    """A critical point of a loss that is not zero there."""
    jac, draw = jacobian(name), torch.Generator().manual_seed(1)
    wish = torch.randn(len(jac), generator=draw, dtype=torch.float64)
    return _missing_by(name, wish - jac @ torch.linalg.lstsq(jac, wish, driver="gelsd").solution)


@cache
def pulled(name: str) -> Point:
    """The loss of which this is a critical point with a decay of DECAY."""
    jac = jacobian(name)
    pull = -DECAY * len(jac) * teacher(name).theta / 2
    return _missing_by(name, torch.linalg.lstsq(jac.T, pull, driver="gelsd").solution)


def _missing_by(name: str, residual: Tensor) -> Point:
    made = teacher(name)
    loss = made.squares(made.outputs(made.theta) - residual)
    return Point(made, loss, second(loss, made.theta))


@dataclass(frozen=True)
class Noisy:
    loss: Loss
    start: Tensor  # (m,)
    incidence: Tensor  # B by hand, (units, m)

    def soft(self, strength: float) -> Loss:
        return lambda theta: strength / 4 * (self.incidence @ theta.square()).square().sum()

    def tangents(self, theta: Tensor) -> Tensor:
        return (self.incidence * theta).T


def noisy(name: str, activation=lambda z: leaky_relu(z, 0.2)) -> Noisy:
    """A wiring of `tests.pairing.critical` that shall learn its outputs with noise upon them.

    The inputs are those at which every unit is so far from its kink that Newton's method, which
    does not move far, meets none.
    """
    graph, draw = wiring(name), torch.Generator().manual_seed(2)
    x = 2 * torch.randn(3000, graph.inputs, generator=draw, dtype=torch.float64)
    hidden = slice(graph.inputs, graph.inputs + graph.hidden)
    margin = graph.values(graph.params, x, activation)[:, hidden].abs().min(dim=1).values
    x = x[margin > 0.15][:100]
    logs = newton(graph.params, graph.group, include_bias=True)
    logs = logs + 0.02 * torch.randn(graph.hidden, generator=draw, dtype=torch.float64)
    whole = torch.cat([value.reshape(-1) for value in graph.params.values()])
    (live,) = torch.nonzero(whole, as_tuple=True)

    def outputs(theta: Tensor) -> Tensor:
        vector = torch.zeros_like(whole).index_put((live,), theta)
        return graph(unflat(vector, graph.params), x, activation)

    targets, incidence = outputs(whole[live]), graph.incidence()[:, live]
    noise = 0.02 * torch.randn(targets.shape, generator=draw, dtype=torch.float64)
    return Noisy(
        loss=lambda theta: (outputs(theta) - targets - noise).square().mean(),
        start=whole[live] * (logs @ incidence).exp(),
        incidence=incidence,
    )


def newtons(loss: Loss, theta: Tensor, steps: int = 30) -> Tensor:
    """A critical point near θ, by Newton's method in log|θ|, where the orbit is flat.

    Of the steps that would do, the shortest is taken, or that half, quarter, ... of it after which
    the slope is least.
    """
    for _ in range(steps):
        gradient = theta * slope(loss, theta)
        if gradient.abs().max() < 1e-13:
            break
        bent = theta[:, None] * second(loss, theta) * theta + torch.diag(gradient)
        step = -torch.linalg.pinv(bent, rtol=1e-9, hermitian=True) @ gradient
        tried = [theta * (step / 2**k).exp() for k in range(6)]
        theta = min(tried, key=lambda there: float((there * slope(loss, there)).norm()))
    return theta


def zeros(matrix: Tensor) -> int:
    """The eigenvalues that are zero; no other comes near."""
    size = torch.linalg.eigvalsh(matrix).abs()
    count = int((size <= ZERO * size.max()).sum())
    assert int((size <= 1e3 * ZERO * size.max()).sum()) == count
    return count


def farthest(values: Tensor, expected: Tensor) -> float:
    """The largest distance of an expected number from an eigenvalue, each used once."""
    left, worst = values.tolist(), 0.0
    for number in expected.tolist():
        nearest = min(left, key=lambda value: abs(value - number))
        left.remove(nearest)
        worst = max(worst, abs(nearest - number))
    return worst


def largest(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix, 2))
