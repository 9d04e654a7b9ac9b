"""A Deep Sets channel by loops over units, its means by integrals over angles: an oracle."""

import math

import numpy as np

from gaugelib.proofs.channel import BELOW

NODES, SHARES = np.polynomial.legendre.leggauss(40)


def plane(w, u):
    """∫ cos θ cos⁺(θ − φ) and ∫ sin θ cos⁺(θ − φ) over what w sees, and the plane of w and u."""
    along = w / np.linalg.norm(w)
    across = u - (u @ along) * along
    across = across / np.linalg.norm(across) if np.linalg.norm(across) > 1e-12 else 0 * across
    angle = math.atan2(u @ across, u @ along)
    theta = (np.pi - angle) / 2 * NODES + angle / 2  # from φ − π/2 to π/2
    seen = (np.pi - angle) / 2 * SHARES * np.cos(theta - angle) * np.linalg.norm(u) / np.pi
    return (seen * np.cos(theta)).sum(), (seen * np.sin(theta)).sum(), along, across


def kernel(w, u):
    """E[σ(⟨w, x⟩) σ(⟨u, x⟩)], as an integral over the angle in the plane of the two."""
    return np.linalg.norm(w) * plane(w, u)[0]


def kernel_slope(w, u):
    """E[1(⟨w, x⟩ > 0) x σ(⟨u, x⟩)], likewise."""
    one, two, along, across = plane(w, u)
    return one * along + two * across


class Dense:
    """The channel, its teacher and its loss by loops over units."""

    def __init__(self, a, b, c, drop=None) -> None:
        self.drop, self.n = drop, 2 if drop == "two" else 3
        n = self.n
        self.delta, self.mean, self.c = a - b, b + (a - b) / n, c
        self.s = self.delta * math.sqrt(n - 1)
        self.T, self.u = self.at(0.5)
        self.u = self.u / 2
        if drop == "data":
            self.u[0] *= 2

    def at(self, share):
        """The point at a share of the way from the foot to the channel."""
        n = self.n
        entries = [
            [self.mean + share * self.delta * ((i == j) - 1 / n) for j in range(n)]
            for i in range(n)
        ]
        return np.array(entries), np.full(n, float(self.c))

    def loss(self, W, v, T=None, u=None):
        """Half the mean square of what student and teacher differ by."""
        units = [*zip(W, v, strict=True)]
        units += [(w, -q) for w, q in zip(*(self.T, self.u) if T is None else (T, u), strict=True)]
        return sum(p * q * kernel(w, z) for w, p in units for z, q in units) / 2

    def slopes(self, W, v):
        units = [*zip(W, v, strict=True), *zip(self.T, -self.u, strict=True)]
        G = [sum(p * q * kernel_slope(w, z) for z, q in units) for w, p in zip(W, v, strict=True)]
        return np.array(G), np.array([sum(q * kernel(w, z) for z, q in units) for w in W])

    def velocity(self, W, v):
        """What a step of the shared weights moves against, as rates of (a, b, c)."""
        a, b, c = self.mean_over_copies(*self.slopes(W, v))
        n = self.n
        return (n * a, n * (n - 1) * b, n * c) if self.drop == "metric" else (a, b, c)

    def mean_over_copies(self, G, g):
        n, diagonal = self.n, np.trace(G)
        return diagonal / n, (G.sum() - diagonal) / (n * (n - 1)), g.mean()

    def across(self, W, v):
        a, b, _ = self.velocity(W, v)
        return math.sqrt(self.n - 1) * (a - b)

    def bound(self, W, v):
        """n²|c|(|c|r + |c*|r*)/(2r)."""
        r, reached = np.linalg.norm(W[0]), np.mean(np.abs(self.u) * np.linalg.norm(self.T, axis=1))
        return self.n * abs(v[0]) * (abs(v[0]) * r + reached) / (2 * r)

    def rate(self, W, v):
        if self.drop == "large":
            return 2 * abs(self.s / self.across(*self.at(1.0)))
        return BELOW / self.bound(W, v)

    def step(self, W, v):
        a, b, c = self.velocity(W, v)
        eye = np.eye(self.n)
        return W - self.rate(W, v) * (a * eye + b * (1 - eye)), v - self.rate(W, v) * c

    def side(self, W):
        return math.sqrt(self.n - 1) * (W[0, 0] - W[0, 1])
