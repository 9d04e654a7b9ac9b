"""escnn: intertwiners between representations that are decomposed into irreducible ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch

warnings.simplefilter("ignore")  # of invalid escapes in its source, and of a package that it misses

from escnn import group, gspaces, nn  # noqa: E402
from serve import Basis, matrix, serve  # noqa: E402

D3, C4, C2 = group.dihedral_group(3), group.cyclic_group(4), group.cyclic_group(2)
POINTS = D3.quotient_representation((0, 1))
SIGN = D3.quotient_representation((None, 3))


def basis(source: group.Representation, hidden: group.Representation) -> Callable[[], Basis]:
    """Of the maps into the hidden units and of those out of them."""
    trivial = source.group.trivial_representation
    return lambda: {
        "W": group.homomorphism_space(source, hidden),
        "v": group.homomorphism_space(hidden, trivial),
    }


class Channel(nn.EquivariantModule):
    """A layer of three units, with ReLU."""

    def __init__(self, W: np.ndarray) -> None:
        super().__init__()
        plane = gspaces.no_base_space(D3)
        self.in_type = self.out_type = nn.FieldType(plane, [POINTS])
        self.register_buffer("W", torch.tensor(W, dtype=torch.float32))

    def forward(self, x: nn.GeometricTensor) -> nn.GeometricTensor:
        """Its output."""
        return nn.GeometricTensor(torch.relu(x.tensor @ self.W.T), self.out_type)

    def evaluate_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The same."""
        return input_shape


def test(name: str) -> str:
    """Its list of the mean error at twenty random elements, or an assertion at the first."""
    np.random.seed(0)  # noqa: NPY002 (what it draws from)
    torch.manual_seed(0)
    try:
        errors = Channel(matrix(name, 3)).check_equivariance()
    except AssertionError as error:
        text = str(error)
        return f"AssertionError at {text.split(chr(34))[1]}"
    met = len({str(g) for g, _ in errors})
    worst = max(float(e) for _, e in errors)
    return f"a mean for each of 20 draws ({met} elements), at most {worst:.0e}"


if __name__ == "__main__":
    double = group.directsum([POINTS, POINTS])
    halves = group.directsum([SIGN, D3.trivial_representation])
    pairs = group.directsum([C2.regular_representation] * 3)
    serve(
        {
            "S3": basis(POINTS, POINTS),
            "S3, two channels": basis(double, double),
            "S3, image of order 2": basis(POINTS, halves),
            "Z4": basis(C4.regular_representation, C4.regular_representation),
            "Z2": basis(C2.regular_representation, C2.regular_representation),
            "Z2, three pairs": basis(pairs, pairs),
        },
        test,
    )
