"""Circular convolutions have no free barrier; with reflections, rings of 2, 3 and 4 have one."""

import itertools
import math

import numpy as np
import pytest
from sympy.combinatorics import CyclicGroup, DihedralGroup, PermutationGroup

from gaugelib.equivariance import barriers, copies, equivariant_space, natural, trivial
from tests.equivariance import permuted
from tests.equivariance.sampled import Sampled, action, apart, fixed_space, projector, together

RINGS = range(2, 11)


def ring(d, *, reflected=False):
    """Of 2 and 1 points sympy's DihedralGroup is another group."""
    if reflected and d > 2:
        return DihedralGroup(d)
    return CyclicGroup(d)


def orbits(d, *, reflected, equal=()):
    """How many numbers W and v have: by union-find over the entries, and over units made equal."""
    parent = {(i, j): (i, j) for i in range(d) for j in range(d)}

    def top(e):
        while parent[e] != e:
            e = parent[e]
        return e

    moves = [lambda i: (i + 1) % d] + [lambda i: -i % d] * reflected
    for move, (i, j) in itertools.product(moves, list(parent)):
        parent[top((i, j))] = top((move(i), move(j)))
    for (i, k), j in itertools.product(equal, range(d)):
        parent[top((i, j))] = top((k, j))
    return len({top(e) for e in parent}) + 1  # one output weight


@pytest.mark.parametrize("d", RINGS)
def test_equal_units_make_the_kernel_periodic(d):
    """F has codimension d - s, where s = gcd(i - j, d)."""
    assert orbits(d, reflected=False) == d + 1
    lost = set()
    for i, j in itertools.combinations(range(d), 2):
        s = math.gcd(i - j, d)
        assert orbits(d, reflected=False, equal=[(i, j)]) == s + 1
        lost.add(d - s)
    assert (1 in lost) == (d == 2)


@pytest.mark.parametrize("d", RINGS)
def test_with_reflections_it_loses_fewer(d):
    """⌊d/2⌋ - ⌊s/2⌋, which is 1 for d = 2, 3, 4 alone."""
    assert orbits(d, reflected=True) == d // 2 + 2
    lost = set()
    for i, j in itertools.combinations(range(d), 2):
        s = math.gcd(i - j, d)
        assert orbits(d, reflected=True, equal=[(i, j)]) == s // 2 + 2
        lost.add(d // 2 - s // 2)
    assert (1 in lost) == (d in (2, 3, 4))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("d", [2, 3, 4, 5, 6])
def test_the_library_finds_the_same(d, channels):
    for reflected in (False, True):
        group = ring(d, reflected=reflected)
        rho = natural(group)
        walls = barriers(equivariant_space([rho, copies(rho, channels), trivial(group)]))
        expected = d in (2, 3, 4) if reflected else d == 2
        assert len(walls) == expected * channels
        for wall in walls:
            assert (wall.exchange is None) == (d == 3)


@pytest.mark.parametrize("d", [4, 6, 8])
def test_control_reflections_through_the_middle_of_an_edge_count_otherwise(d):
    """A kernel with k_t = k_{-1-t} sits between two points: there rings of 4 and of 6 have one."""
    turn = [(i + 1) % d for i in range(d)]
    group = DihedralGroup(d)
    rho = natural(group)
    # what the group does to the edges {i, i + 1}, edge i for its lower end
    edges = [
        tuple(next(k for k in range(d) if {q[i], q[turn[i]]} == {k, turn[k]}) for i in range(d))
        for q in permuted.images(rho)
    ]
    on = type(rho)(rho.elements, rho.images.new_tensor(edges))
    walls = barriers(equivariant_space([rho, on, trivial(group)]))
    assert len(walls) == (d in (4, 6))
    assert all(wall.exchange is not None for wall in walls)


def test_control_without_the_group_units_in_pairs_are_no_barrier_either():
    """Units at rest: two of them are equal in d + 1 numbers at once."""
    group = PermutationGroup(CyclicGroup(3).generators)
    rho = natural(group)
    assert barriers(equivariant_space([rho, trivial(group, 3), trivial(group)])) == ()


# --- a symmetry of the data that the page does not have ---


@pytest.mark.parametrize("d, codimension", [(3, 1), (4, 1), (5, 2), (6, 2)])
def test_control_data_with_reflections_make_a_mirror_and_its_sides_are_copies(d, codimension):
    """⌈d/2⌉ - 1: not by a hidden permutation alone, so the statement does not forbid it."""
    turns = [tuple((i + k) % d for i in range(d)) for k in range(d)]
    flip = tuple(-i % d for i in range(d))
    page = projector(turns, turns)
    mirror = action(flip, flip)
    assert len(fixed_space([page])) - len(fixed_space([page, mirror])) == codimension
    assert abs(page @ mirror - mirror @ page).max() < 1e-12  # it maps the page to itself
    rng = np.random.default_rng(d)
    both = [*turns, *(permuted.after(p, flip) for p in turns)]
    teacher = apart(projector(both, both) @ rng.standard_normal(len(page)), d)
    data = Sampled(both, "softplus", teacher, draws=6)
    theta = page @ rng.standard_normal(len(page))
    losses = [data.loss(*apart(place, d)) for place in (theta, mirror @ theta)]
    assert abs(losses[0] - losses[1]) < 1e-13
    on = page @ mirror @ theta + theta
    gradient = together(*data.slopes(*apart(on, d)))
    assert abs(mirror @ gradient - gradient).max() < 1e-12
