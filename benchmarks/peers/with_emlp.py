"""emlp: the null space of the generators' constraints, by a singular value decomposition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from emlp.groups import Group, S, Z
from emlp.reps import Scalar, V
from emlp.reps.linear_operators import densify
from emlp.reps.representation import Rep, equivariance_error
from serve import Basis, matrix, serve


class SignSwapped(Rep):
    """Two points that the odd permutations exchange."""

    is_permutation = True

    def __init__(self, G: Group) -> None:
        self.G = G

    def __call__(self, G: Group) -> SignSwapped:
        """Of another group."""
        return SignSwapped(G)

    def __str__(self) -> str:
        return "±"

    def size(self) -> int:
        """Two points."""
        return 2

    def rho(self, M: object) -> np.ndarray:
        """The matrix for a permutation's, whose determinant is its sign."""
        odd = (1 - np.linalg.det(np.asarray(densify(M)))) / 2
        return np.array([[1 - odd, odd], [odd, 1 - odd]])

    @property
    def T(self) -> SignSwapped:
        """Its dual."""
        return self


def basis(source: Rep, hidden: Rep) -> Callable[[], Basis]:
    """Of the maps into the hidden units and of those out of them, solved anew each time."""

    def solve() -> Basis:
        Rep.solcache.clear()
        first, last = (
            np.asarray(densify(maps.equivariant_basis())).T
            for maps in (source >> hidden, hidden >> Scalar)
        )
        return {
            "W": first.reshape(-1, hidden.size(), source.size()),
            "v": last.reshape(-1, 1, hidden.size()),
        }

    return solve


def test(name: str) -> str:
    """Its error is one number, for a matrix, from five random elements; the threshold is ours."""
    G = S(3)
    np.random.seed(0)  # noqa: NPY002 (what it draws from)
    error = float(equivariance_error(matrix(name, 3), V(G), V(G), G))
    return f"one number, {error:.0e}"


if __name__ == "__main__":
    three, two, six, ring = S(3), S(2), S(6), Z(4)
    serve(
        {
            "S3": basis(V(three), V(three)),
            "S3, two channels": basis(2 * V(three), 2 * V(three)),
            "S3, image of order 2": basis(V(three), SignSwapped(three) + Scalar(three)),
            "S6": basis(V(six), V(six)),
            "Z4": basis(V(ring), V(ring)),
            "Z2": basis(V(two), V(two)),
            "Z2, three pairs": basis(3 * V(two), 3 * V(two)),
        },
        test,
    )
