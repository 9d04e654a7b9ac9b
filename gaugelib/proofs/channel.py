"""A Deep Sets channel: its page, its barrier, and the symmetries of the network around it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from sympy.combinatorics import SymmetricGroup
from torch import Tensor
from torch.func import grad

from gaugelib.equivariance import Representation, deep_sets, natural, teacher_gradient, teacher_loss
from gaugelib.group import GROUND, GaugeError
from gaugelib.proofs.edges import Edges
from gaugelib.proofs.loss import Network
from gaugelib.proofs.step import Place

BELOW = 0.9  # of the bound, what a step takes
QUARTERS = 8
_MOST = 1e140  # a slope whose square float64 still holds, with room
_NEAR = 0.01  # of a: nearer, and what the last step compares would be rounding
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸"


@dataclass(frozen=True, eq=False)
class Channel:
    r"""$W = \delta I + bJ$ and $v = c\mathbb 1$ on n inputs, with the exact loss against a teacher.

    A point $\theta$ is any network of n inputs and n hidden units: $W$, row by row, then $v$, shape
    `(..., n² + n)`.

    Attributes:
        theta: the channel itself, shape `(n² + n,)`.
        size: n.
        teacher: weights in and out of the teacher's units, shapes `(n, n)` and `(n,)`.
    """

    theta: Tensor
    size: int
    teacher: tuple[Tensor, Tensor]

    def parts(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """W and v, shapes `(..., n, n)` and `(..., n)`."""
        n = self.size
        return theta[..., : n * n].unflatten(-1, (n, n)), theta[..., n * n :]

    def loss(self, theta: Tensor) -> Tensor:
        r"""$L = \frac12\mathbb E(f - y)^2$ over normal inputs, shape `(...)`."""
        return teacher_loss(*self.parts(theta), self.teacher)

    def slopes(self, theta: Tensor) -> Tensor:
        r"""$\partial L/\partial\theta$ of the network that shares no weights, `(..., n² + n)`."""
        W, v = teacher_gradient(*self.parts(theta), self.teacher)
        return _flat(W, v)

    def distance(self, theta: Tensor, other: Tensor) -> Tensor:
        r"""$\mathbb E(f_\theta - f_{\theta'})^2$, shape `(...)`."""
        return 2 * teacher_loss(*self.parts(theta), self.parts(other))

    def shared(self, slopes: Tensor, *, summed: bool = False) -> Tensor:
        """A gradient with one value for each shared weight: the mean over its copies, or the sum.

        The mean is the orthogonal projection onto the page.
        """
        W, v = self.parts(slopes)
        n, whole = self.size, W.sum((-2, -1))
        trace = W.diagonal(dim1=-2, dim2=-1).sum(-1)
        counts = (1, 1, 1) if summed else (n, n * (n - 1), n)
        a, b, c = (
            total / count
            for total, count in zip((trace, whole - trace, v.sum(-1)), counts, strict=True)
        )
        return _flat(*deep_sets(a, b, c, n))

    @cached_property
    def normal(self) -> Tensor:
        """The unit normal of the barrier in the page, shape `(n² + n,)`."""
        n = self.size
        W, v = deep_sets(1 - 1 / n, -1 / n, 0.0, n)
        return _flat(W / math.sqrt(n - 1), v).to(self.theta)

    @property
    def foot(self) -> Tensor:
        """The point of the barrier next to the channel, shape `(n² + n,)`."""
        return self.theta - self.side(self.theta)[..., None] * self.normal

    def side(self, theta: Tensor) -> Tensor:
        r"""$s = \langle\nu, \theta\rangle$, shape `(...)`."""
        return theta @ self.normal

    def across(self, shares: Tensor) -> Tensor:
        """Points on the line from the foot (0) to the channel (1), shape `(shares, n² + n)`."""
        return self.foot + shares[:, None] * (self.theta - self.foot)

    def bend(self, shares: Tensor) -> Tensor:
        r"""$\nu^\top\mathbf H\nu$ at such points, shape `(shares,)`."""

        def slopes(shares: Tensor) -> Tensor:
            return self.side(self.slopes(self.across(shares))).sum()

        return grad(slopes)(shares) / self.side(self.theta)

    def bound(self, theta: Tensor) -> Tensor:
        r"""$n|c|(|c|r + |c^*|r^*)/(2r)$ of points on the page, shape `(...)`."""
        (W, v), (T, u) = self.parts(theta), self.teacher
        r, c = W[..., 0, :].norm(dim=-1), v[..., 0].abs()
        reached = (u.abs() * T.norm(dim=-1)).mean()
        return self.size * c * (c * r + reached) / (2 * r)

    @cached_property
    def orders(self) -> Representation:
        """All orders of n things."""
        return natural(SymmetricGroup(self.size))

    def moved(self, theta: Tensor) -> Tensor:
        """One point under every pair (g, τ), shape `(n!, n!, n² + n)`: inputs by g, units by τ."""
        W, v = self.parts(theta)
        orders = self.orders.images.argsort(dim=1).to(theta.device)  # what comes to each place
        W = W[orders[None, :, :, None], orders[:, None, None, :]]
        return _flat(W, v[orders].expand(len(orders), -1, -1))

    def edge(self, entry: int) -> tuple[int, int]:
        """Which units an entry of a point joins, the ground being 0."""
        n = self.size
        return (GROUND, entry // n + 1) if entry < n * n else (entry - n * n + 1, GROUND)

    @property
    def edges(self) -> Edges:
        """The weights as edges of a picture."""
        W, v = self.parts(self.theta.square())
        units = torch.arange(1, self.size + 1, device=v.device)
        ground = torch.full_like(units, GROUND)
        return Edges(
            torch.cat([W.flatten(), v]),
            torch.cat([ground.repeat(self.size), units]),
            torch.cat([units.repeat_interleave(self.size), ground]),
            v.new_zeros(()), self.size, 2.0,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Descent:
    """A channel, how it descends, and points between it and its mirror image in the barrier."""

    channel: Channel
    summed: bool
    large: bool

    @property
    def shares(self) -> Tensor:
        """1, ¼, 1/16 and so on, and the same with a minus, shape `(18,)`."""
        quarters = 0.25 ** torch.arange(QUARTERS + 1).to(self.channel.theta)
        return torch.cat([quarters, -quarters])

    def velocity(self, theta: Tensor) -> Tensor:
        """What a step moves against, shape of theta."""
        return self.channel.shared(self.channel.slopes(theta), summed=self.summed)

    def across(self, theta: Tensor) -> Tensor:
        """Its part across F, shape `(...)`."""
        return self.channel.side(self.velocity(theta))

    def rate(self, theta: Tensor) -> Tensor:
        """η at points of the page, shape `(...)`."""
        if not self.large:
            return BELOW / self.channel.bound(theta)
        here = self.channel.theta
        return (2 * self.channel.side(here) / self.across(here)).abs().expand(theta.shape[:-1])

    def place(self, point: int, which: str) -> Place:
        """One of the points, counted from 0."""
        negative = (point > QUARTERS) != bool(self.channel.side(self.channel.theta) < 0)
        sign, power = "−" * negative, point % (QUARTERS + 1)
        size = f"{abs(float(self.channel.side(self.channel.theta))):.3g}"
        return Place(f"{which} points: s = {sign}{size}{f'/4{_RAISED[power]}' * (power > 0)}")


def channel_of(numbers: Tensor, size: int, *, uneven: bool = False) -> Channel:
    """The channel of three numbers (a, b, c), with a teacher half as far from the barrier.

    The teacher has half the weights out, for otherwise the barrier would be nearly critical.
    `uneven`: its first unit counts twice, so that the order of the inputs matters.

    Raises:
        GaugeError: if its loss leaves the range of float64.

    Example:
        >>> channel = channel_of(torch.tensor([8.0, 2.0, 1.0]).double(), 3)
        >>> channel.parts(channel.theta)[0].tolist()
        [[8.0, 2.0, 2.0], [2.0, 8.0, 2.0], [2.0, 2.0, 8.0]]
        >>> [round(x, 12) for x in channel.parts(channel.foot)[0][0].tolist()]
        [4.0, 4.0, 4.0]
        >>> channel.teacher[1]
        tensor([0.5000, 0.5000, 0.5000], dtype=torch.float64)
    """
    a, b, c = numbers
    W, v = deep_sets(a, b, c, size)
    channel = Channel(_flat(W, v), size, (W, v))
    half, out = channel.parts((channel.theta + channel.foot) / 2)
    counts = torch.full_like(out, 0.5)
    counts[0] *= 1 + uneven
    channel = replace(channel, teacher=(half, counts * out))
    steepest = float(channel.slopes(channel.theta).abs().amax())
    if not (steepest == 0 or 1 / _MOST < steepest < _MOST):
        raise GaugeError("the loss of the channel, or its square, leaves the range of float64")
    return channel


def numbers_of(network: Network) -> Tensor:
    """Three weights of a network as (a, b, c): its first, the next that fits, its last.

    For b fits what makes the units differ, and not only by hiding their sum: a ≠ b, and a + kb ≠ 0
    for the one or two other inputs; by more than rounding would blur.

    Raises:
        GaugeError: if no weight fits.
    """
    weights = network.theta[~network.bias]
    a = weights[:1]
    apart = torch.stack([weights - a, weights + a, 2 * weights + a]).abs().amin(dim=0)
    fits = (apart > 0) & (apart >= _NEAR * a.abs())
    if not bool(fits.any()):
        raise GaugeError(
            "a channel needs a second weight clearly other than a, −a and −a/2 of the first, "
            f"a = {float(a.sum()):g}; the network has none"
        )
    return torch.cat([a, weights[fits][:1], weights[-1:]])


def _flat(W: Tensor, v: Tensor) -> Tensor:
    return torch.cat([W.flatten(-2), v], -1)
