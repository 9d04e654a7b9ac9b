"""Linear spaces by rational arithmetic, from the stacked equations of all elements and entries."""

import itertools

import sympy as sp

from tests.equivariance import permuted


def permutation_matrix(images) -> sp.Matrix:
    """P with P e_i = e_{images[i]}."""
    return sp.Matrix(permuted.matrix(images).tolist())


def entries(sizes, bias=False) -> list[tuple[int, int, int]]:
    """Layer, row and column of each parameter's entries in order; a bias has the column -1."""
    found = []
    for layer, (source, target) in enumerate(itertools.pairwise(sizes)):
        found += [(layer, i, j) for i in range(target) for j in range(source)]
        found += [(layer, i, -1) for i in range(target)] if bias else []
    return found


def moves(places, rows) -> sp.Matrix:
    """How one permutation of each layer, inputs first, moves all entries."""
    number = {place: k for k, place in enumerate(places)}
    matrix = sp.zeros(len(places), len(places))
    for (layer, i, j), k in number.items():
        image = (layer, rows[layer + 1][i], -1 if j < 0 else rows[layer][j])
        matrix[number[image], k] = 1
    return matrix


def fixed(matrices) -> sp.Matrix:
    """A basis, in columns, of what all the matrices leave in place."""
    size = matrices[0].shape[0]
    rows = {tuple(row) for m in matrices for row in (m - sp.eye(size)).tolist()}
    basis = sp.Matrix(sorted(rows, key=str)).nullspace()
    return sp.Matrix.hstack(*basis) if basis else sp.zeros(size, 0)


def projector(basis: sp.Matrix) -> sp.Matrix:
    """The orthogonal projector on the columns' span."""
    return basis * (basis.T * basis).inv() * basis.T


def equivariant(steps, bias=False) -> tuple[list[tuple[int, int, int]], sp.Matrix]:
    """The entries, and a basis of the weights equivariant through representations."""
    places = entries([step.size for step in steps], bias)
    tables = [step.images.tolist() for step in steps]
    matrices = [moves(places, rows) for rows in zip(*tables)]
    return places, fixed(matrices)


def hidden_permutations(steps):
    """All permutations of the hidden units, as one row of images for each layer."""
    ends = tuple(range(steps[0].size)), tuple(range(steps[-1].size))
    inner = [itertools.permutations(range(step.size)) for step in steps[1:-1]]
    for rows in itertools.product(*inner):
        yield (ends[0], *rows, ends[1])
