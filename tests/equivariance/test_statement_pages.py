"""The page of a homomorphism is spanned by orbits; the ten pages of S_3; how many there are."""

import itertools
import math

import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from sympy.combinatorics import CyclicGroup, DihedralGroup, PermutationGroup, SymmetricGroup
from torch.testing import assert_close

from gaugelib.equivariance import (
    copies,
    equivariant_space,
    homomorphisms,
    natural,
    regular,
    trivial,
)
from tests.equivariance import permuted

KLEIN = PermutationGroup(
    *(sympy.combinatorics.Permutation(p) for p in ([1, 0, 3, 2], [2, 3, 0, 1]))
)
GROUPS = (
    SymmetricGroup(2),
    SymmetricGroup(3),
    CyclicGroup(3),
    CyclicGroup(4),
    DihedralGroup(4),
    KLEIN,
)


@st.composite
def pages(draw):
    """(ρ, π, the space): a group on its points, and any homomorphism into S_1, ..., S_4."""
    group = draw(st.sampled_from(GROUPS))
    found = homomorphisms(group, draw(st.integers(1, 4)))
    pi = found[draw(st.integers(0, len(found) - 1))]
    rho = natural(group)
    return rho, pi, equivariant_space([rho, pi, trivial(group)])


def exact(rho, pi):
    """The projectors of W and of v in rational numbers."""
    units, inputs = permuted.images(pi), permuted.images(rho)
    return permuted.mean_over(units, inputs), permuted.mean_over(units, [(0,)] * len(units))


def number(matrix):
    return torch.tensor(matrix.tolist(), dtype=torch.float64)


# --- prop-page ---


@given(page=pages())
def test_the_projector_is_the_mean_over_orbits(page):
    rho, pi, space = page
    first, last = exact(rho, pi)
    n, d = pi.size, rho.size
    units = torch.eye(n * d, dtype=torch.float64).reshape(-1, n, d)
    outputs = torch.eye(n, dtype=torch.float64).reshape(-1, 1, n)
    none = torch.zeros(len(units), 1, n, dtype=torch.float64)
    rows = space.project({"0.weight": units, "2.weight": none})["0.weight"]
    assert_close(rows.reshape(-1, n * d), number(first).T, rtol=0.0, atol=1e-15)
    none = torch.zeros(n, n, d, dtype=torch.float64)
    rows = space.project({"0.weight": none, "2.weight": outputs})["2.weight"]
    assert_close(rows.reshape(-1, n), number(last).T, rtol=0.0, atol=1e-15)


@given(page=pages())
def test_the_dimension_is_the_number_of_orbits(page):
    rho, pi, space = page
    first, last = exact(rho, pi)
    assert space.dimension == first.trace() + last.trace() == len(space.multiplicities)
    units, inputs = permuted.images(pi), permuted.images(rho)
    assert first.trace() == permuted.fixed(units, inputs)
    # Burnside: the mean number of pairs that an element leaves where they are
    kept = sum(
        sum(p[i] == i for i in range(len(p))) * (1 + sum(q[j] == j for j in range(len(q))))
        for p, q in zip(units, inputs)
    )
    assert kept == space.dimension * len(units)


@given(page=pages())
def test_the_indicators_of_orbits_are_an_orthogonal_basis_of_what_is_fixed(page):
    rho, pi, space = page
    basis = space.basis()
    flat = torch.cat([value.flatten(1) for value in basis.values()], dim=1)
    assert torch.equal(flat @ flat.T, space.multiplicities.double().diag())
    for g in range(len(rho.elements)):
        p, q = (torch.tensor(permuted.matrix(permuted.images(r)[g])).double() for r in (pi, rho))
        assert torch.equal(p @ basis["0.weight"] @ q.T, basis["0.weight"])
        assert torch.equal(basis["2.weight"] @ p.T, basis["2.weight"])


@given(page=pages(), seed=st.integers(0, 999))
def test_what_lies_on_a_page_is_invariant(page, seed):
    rho, _, space = page
    draw = torch.Generator().manual_seed(seed)
    theta = space.params(torch.randn(space.dimension, generator=draw, dtype=torch.float64))
    x = torch.randn(9, rho.size, generator=draw, dtype=torch.float64)

    def f(x):
        return torch.tanh(x @ theta["0.weight"].T) @ theta["2.weight"].T

    for row in permuted.images(rho):
        there = x @ torch.tensor(permuted.matrix(row)).double().T
        assert_close(f(there), f(x), rtol=1e-12, atol=1e-13)


def test_layers_have_each_their_own():
    """S_3 on its points, then on two copies of them, on its own elements, and on one output."""
    group = SymmetricGroup(3)
    steps = [natural(group), copies(natural(group), 2), regular(group), trivial(group)]
    space = equivariant_space(steps, bias=True)
    wanted = 0
    for source, target in itertools.pairwise(steps):
        rows = permuted.images(target)
        wanted += permuted.fixed(rows, permuted.images(source))
        wanted += permuted.fixed(rows, [(0,)] * len(rows))
    assert space.dimension == wanted


def test_control_signs_do_not_permute_so_orbits_do_not_span_the_page():
    """ρ = {1, -1} on two inputs, units at rest: only 0 is fixed, and there are two orbits."""
    minus = -torch.eye(2, dtype=torch.float64)
    mean = (torch.kron(torch.eye(1), torch.eye(2)) + torch.kron(torch.eye(1), minus)) / 2
    assert mean.abs().max() == 0
    group = SymmetricGroup(2)
    assert equivariant_space([trivial(group, 2), trivial(group), trivial(group)]).dimension == 3


def test_control_the_mean_over_no_homomorphism_is_no_projector():
    swap, one = (1, 0, 2), (0, 1, 2)
    turn = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    mean = permuted.mean_over([one, swap, one], turn)  # a swap for an element of order 3
    assert mean * mean != mean
    mean = permuted.mean_over(turn, turn)
    assert mean * mean == mean


# --- prop-six-pages ---

S3 = permuted.all_of(3)


def conjugate(sigma):
    """π_σ(g) = σgσ^{-1}, for all g in the order of S3."""
    return [permuted.after(sigma, permuted.after(g, permuted.inverse(sigma))) for g in S3]


def written(rep):
    """A homomorphism of the library as a tuple of images in the order of S3."""
    found = {tuple(g.array_form): image for g, image in zip(rep.elements, permuted.images(rep))}
    return tuple(found[g] for g in S3)


def spanned(sigma):
    """P_σ and J as rows of nine."""
    return sympy.Matrix([permuted.matrix(sigma).flatten().tolist(), [1] * 9])


@pytest.mark.parametrize("n, count", [(1, 1), (2, 2), (3, 10), (4, 34), (5, 146), (6, 1036)])
def test_homomorphisms_are_counted_three_ways(n, count):
    assert len(homomorphisms(SymmetricGroup(3), n)) == count
    assert permuted.series(S3, n)[-1] == count
    assert len(permuted.homomorphisms(n)) == count


@pytest.mark.parametrize("group", [CyclicGroup(4), KLEIN, DihedralGroup(4), SymmetricGroup(4)])
def test_the_series_counts_those_of_other_groups(group):
    elements = [tuple(g.array_form) for g in group.generate()]
    counts = permuted.series(elements, 4)
    assert [len(homomorphisms(group, n)) for n in range(1, 5)] == counts


def test_control_without_conjugates_there_are_fewer():
    """Up to the names of the units the ten are three."""

    def names(images):
        moved = (
            tuple(permuted.after(s, permuted.after(p, permuted.inverse(s))) for p in images)
            for s in S3
        )
        return min(moved)

    assert len({names(written(rep)) for rep in homomorphisms(SymmetricGroup(3), 3)}) == 3


def test_ten_pages_one_of_dimension_six_three_of_four_and_six_of_three():
    group = SymmetricGroup(3)
    found = homomorphisms(group, 3)
    spaces = [equivariant_space([natural(group), rep, trivial(group)]) for rep in found]
    images = [len(set(permuted.images(rep))) for rep in found]
    assert sorted(zip(images, (s.dimension for s in spaces))) == [
        *[(1, 6)],
        *[(2, 4)] * 3,
        *[(6, 3)] * 6,
    ]
    (large,) = (s for s, k in zip(spaces, images) if k == 1)
    for space, k in zip(spaces, images):
        inside = bool((large.distance(space.basis()) == 0).all())
        assert inside == (k < 6)
    six = {written(rep) for rep, k in zip(found, images) if k == 6}
    assert six == {tuple(conjugate(sigma)) for sigma in S3}


@pytest.mark.parametrize("sigma", S3)
def test_a_page_of_the_six_is_spanned_by_its_permutation_and_the_ones(sigma):
    mean = permuted.mean_over(conjugate(sigma), S3)
    assert mean.rank() == 2
    assert mean * spanned(sigma).T == spanned(sigma).T


def test_two_pages_meet_in_the_spine():
    ones = sympy.Matrix([[int(k == j) for k in (0, 1, 2) for _ in range(3)] for j in range(3)])
    for sigma, tau in itertools.combinations(S3, 2):
        both = sympy.Matrix.vstack(spanned(sigma), spanned(tau))
        assert both.rank() == 3  # 2 + 2 - 1: only multiples of J are in both
    for sigma in S3:
        assert sympy.Matrix.vstack(spanned(sigma), ones).rank() == 2 + 3 - 1


def test_control_for_two_inputs_the_two_pages_are_one():
    swap = sympy.Matrix([[0, 1, 1, 0], [1, 1, 1, 1]])
    assert sympy.Matrix.vstack(sympy.Matrix([[1, 0, 0, 1]]), swap).rank() == 2


def apart(sigma):
    """D_σ = P_σ - J/3."""
    return sympy.Matrix(permuted.matrix(sigma).tolist()) - sympy.ones(3, 3) / 3


def inner(a, b):
    return (a.T * b).trace()


def test_half_pages_lie_sixty_ninety_or_a_hundred_and_eighty_degrees_apart():
    for sigma, tau in itertools.product(S3, S3):
        step = permuted.after(permuted.inverse(sigma), tau)
        fixed = sum(step[i] == i for i in range(3))
        assert inner(apart(sigma), apart(tau)) == fixed - 1
        assert inner(apart(sigma), sympy.ones(3, 3)) == 0
    one = (0, 1, 2)
    angles = {
        tau: math.degrees(math.acos(inner(-apart(one), apart(tau)) / sympy.Integer(2)))
        for tau in S3
    }
    expected = dict.fromkeys(S3, 90.0) | {one: 180.0, (1, 2, 0): 60.0, (2, 0, 1): 60.0}
    assert angles == pytest.approx(expected)


def test_three_pages_are_circulant_and_the_other_three_are_orthogonal_to_them():
    even = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    odd = [sigma for sigma in S3 if sigma not in even]
    for three in (even, odd):
        rows = sympy.Matrix([list(apart(sigma)) for sigma in three])
        assert rows.rank() == 2
        assert sum((apart(sigma) for sigma in three), sympy.zeros(3, 3)) == sympy.zeros(3, 3)
        around = [inner(apart(three[0]), sign * apart(s)) for s in three for sign in (1, -1)]
        assert sorted(around) == [-2, -1, -1, 1, 1, 2]  # 0, ±60, ±120 and 180 degrees
    assert all(inner(apart(s), apart(t)) == 0 for s in even for t in odd)
    turn = sympy.Matrix(permuted.matrix((1, 2, 0)).tolist())
    assert [turn * apart(s) == apart(s) * turn for s in S3] == [s in even for s in S3]


def test_control_four_inputs_have_other_angles():
    """There |P - J/4|² = 3, and a transposition leaves two points: 90 degrees become 109."""
    one, swap = (0, 1, 2, 3), (1, 0, 2, 3)
    a, b = (sympy.Matrix(permuted.matrix(s).tolist()) - sympy.ones(4, 4) / 4 for s in (one, swap))
    assert (inner(a, a), inner(-a, b)) == (3, -1)
