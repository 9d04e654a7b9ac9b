"""Proposition "What passes through a ReLU": permutations times positive factors, and no more."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.integers(1, 5)
SEEDS = st.integers(0, 2**32 - 1)


def relu(z):
    return np.maximum(z, 0.0)


def probes(n):
    """Unit vectors, and one minus a multiple of another: the inputs that the proof uses."""
    unit = np.eye(n)
    pairs = itertools.permutations(range(n), 2)
    return np.stack([*unit, *(unit[j] - 1e4 * unit[k] for j, k in pairs)], axis=1)


def commutes(matrix, function, points):
    return np.allclose(function(matrix @ points), matrix @ function(points), rtol=1e-9, atol=1e-9)


def monomial(matrix):
    """Whether each row and each column has one entry that is not zero, and that is positive."""
    used = matrix != 0
    return bool((used.sum(0) == 1).all() and (used.sum(1) == 1).all() and (matrix[used] > 0).all())


def drawn(n, seed):
    """An invertible matrix with entries of -1, 0 and 1, or a renumbering times positive factors."""
    draw = np.random.default_rng(seed)
    if draw.random() < 0.3:
        return np.eye(n)[draw.permutation(n)] * np.exp(draw.normal(size=n))
    while True:
        matrix = draw.integers(-1, 2, (n, n)).astype(float)
        if abs(np.linalg.det(matrix)) > 0.5:
            return matrix


@given(n=SIZES, seed=SEEDS)
def test_what_commutes_with_relu_is_a_permutation_times_positive_factors(n, seed):
    matrix = drawn(n, seed)
    assert commutes(matrix, relu, probes(n)) == monomial(matrix)


@given(n=SIZES, seed=SEEDS)
def test_what_commutes_with_squares_as_well_is_a_permutation(n, seed):
    matrix = drawn(n, seed)
    both = commutes(matrix, relu, probes(n)) and commutes(matrix, np.square, np.eye(n))
    assert both == (monomial(matrix) and np.allclose(matrix[matrix != 0], 1.0))


def test_control_a_matrix_that_is_not_invertible_may_pass():
    matrix = np.array([[1.0, 0.0], [2.0, 0.0]])
    assert commutes(matrix, relu, probes(2))
    assert not monomial(matrix)


def test_control_a_rotation_does_not_pass():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert not commutes(turn, relu, probes(2))
    assert commutes(turn, lambda z: z, probes(2))
