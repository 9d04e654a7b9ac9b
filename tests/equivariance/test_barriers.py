"""Free barriers: subspaces of codimension 1 that hidden permutations leave in place."""

import itertools

import pytest
import sympy as sp
import torch
from sympy.combinatorics import AbelianGroup, CyclicGroup, DihedralGroup, SymmetricGroup
from torch.func import grad

from gaugelib import GaugeError
from gaugelib.equivariance import (
    barriers,
    copies,
    equivariant_space,
    homomorphisms,
    natural,
    regular,
    trivial,
)
from gaugelib.equivariance.search import Search
from tests.equivariance.exact import (
    equivariant,
    fixed,
    hidden_permutations,
    moves,
    projector,
)

S2, S3, S4 = SymmetricGroup(2), SymmetricGroup(3), SymmetricGroup(4)


def channel(group):
    return [natural(group), natural(group), trivial(group)]


SPACES = {
    **{f"S3 {k}": [natural(S3), pi, trivial(S3)] for k, pi in enumerate(homomorphisms(S3, 3))},
    "S2": channel(S2),
    "S4": channel(S4),
    **{f"Z{d}": channel(CyclicGroup(d)) for d in (3, 4)},
    "D4": channel(DihedralGroup(4)),
    "V4": channel(AbelianGroup(2, 2)),
    "V4 regular": [
        natural(AbelianGroup(2, 2)),
        regular(AbelianGroup(2, 2)),
        trivial(AbelianGroup(2, 2)),
    ],
    "no group": [
        natural(SymmetricGroup(1)),
        trivial(SymmetricGroup(1), 2),
        trivial(SymmetricGroup(1)),
    ],
    "Z2 twice": [natural(S2), copies(natural(S2), 2), trivial(S2)],
    "S2 deep": [natural(S2), natural(S2), natural(S2), trivial(S2)],
    "S3 deep": [natural(S3), natural(S3), natural(S3), trivial(S3)],
    "S3 deep, blind": [trivial(S3, 2), natural(S3), natural(S3), trivial(S3)],
    "S3 deep, equivariant": [natural(S3), natural(S3), natural(S3), natural(S3)],
    "Z3 deep": [natural(CyclicGroup(3))] * 3 + [trivial(CyclicGroup(3))],
}
CASES = [
    *((name, False) for name in SPACES),
    *((name, True) for name in ("S2", "S4", "D4", "V4 regular", "S3 deep", "S3 deep, blind")),
]
EXPECTED = {  # orbits that are made equal, and whether the sides are exchanged
    "S2": {(0, 1): True},
    "S4": {(0, 1): False},
    "D4": {(0, 2): True},
    "S3 deep": {(0, 1): False, (2, 3): False},
    "Z4": {},
    "S3 0": {},
}


def tried_one_by_one(steps, bias):
    """Every F of codimension 1 as its projector, and whether its sides are exchanged."""
    places, page = equivariant(steps, bias)
    matrices = [moves(places, rows) for rows in hidden_permutations(steps)]
    onto = projector(page)
    tables = [moves(places, rows) for rows in zip(*(step.images.tolist() for step in steps))]
    found = {}
    for matrix in matrices:
        inside = fixed([matrix, *tables])
        if inside.shape[1] == page.shape[1] - 1:
            wall = projector(inside) if inside.shape[1] else sp.zeros(len(places))
            normal = onto - wall  # the projector on the normal's line
            found[sp.ImmutableMatrix(normal)] = any(
                onto * m == m * onto and m * normal == normal * m and (m * normal) == -normal
                for m in matrices
            )
    return found


@pytest.mark.parametrize(("name", "bias"), CASES)
def test_they_are_those_of_all_hidden_permutations_tried_one_by_one(name, bias):
    space = equivariant_space(SPACES[name], bias=bias)
    expected = tried_one_by_one(SPACES[name], bias)
    found = {}
    for barrier in barriers(space):
        count = space.multiplicities.tolist()
        first, second = barrier.orbits
        line = sp.zeros(sum(count), 1)
        labels = torch.cat([label.flatten() for label in space.labels.values()]).tolist()
        for k, orbit in enumerate(labels):
            line[k] = sp.Rational((orbit == first) - (orbit == second), count[orbit])
        normal = line * line.T / (line.T * line)[0]
        found[sp.ImmutableMatrix(normal)] = barrier.exchange is not None
        ours = torch.cat([part.flatten() for part in space.params(barrier.normal).values()])
        direction = torch.tensor([float(entry) for entry in line], dtype=torch.float64)
        torch.testing.assert_close(ours, direction / direction.norm(), rtol=1e-15, atol=0)
        assert abs(ours.norm() - 1) < 1e-15
    assert found == expected
    if not bias and name in EXPECTED:
        ours = {b.orbits: b.exchange is not None for b in barriers(space)}
        assert ours == EXPECTED[name]


@pytest.mark.parametrize(("name", "bias"), CASES)
def test_symmetries_and_exchanges_do_what_they_say(name, bias):
    steps = SPACES[name]
    space = equivariant_space(steps, bias=bias)
    draw = torch.Generator().manual_seed(0)
    place = torch.randn(space.dimension, generator=draw, dtype=torch.float64)
    ends = tuple(range(steps[0].size)), tuple(range(steps[-1].size))

    def moved(params, hidden):
        rows = [torch.tensor(row).argsort() for row in (ends[0], *hidden, ends[1])]
        result = {}
        for key, value in params.items():
            layer = int(key.split(".")[0]) // 2
            value = value[rows[layer + 1]]
            result[key] = value[:, rows[layer]] if value.dim() == 2 else value
        return result

    for barrier in barriers(space):
        first, second = barrier.orbits
        params = space.params(place)
        on = place.clone()
        on[first] = on[second]
        wall = space.params(on)
        stays = moved(wall, barrier.symmetry)
        assert all(torch.equal(stays[key], wall[key]) for key in wall)
        leaves = moved(params, barrier.symmetry)
        assert not all(torch.equal(leaves[key], params[key]) for key in params)
        layer = barrier.symmetry[barrier.layer - 1]
        assert layer != tuple(range(len(layer)))
        if barrier.exchange is not None:
            other = moved(params, barrier.exchange)
            assert space.distance(other) == 0.0
            assert barrier.side(other) == -barrier.side(params)


@pytest.mark.parametrize("name", ["S4", "D4", "Z2 twice", "V4 regular"])
def test_each_exchange_of_two_units_that_is_named_and_no_other_makes_the_barrier(name):
    space = equivariant_space(SPACES[name])
    places, page = equivariant(SPACES[name])
    size = SPACES[name][1].size
    for barrier in barriers(space):
        first, second = barrier.orbits
        for i, j in itertools.combinations(range(size), 2):
            row = list(range(size))
            row[i], row[j] = j, i
            steps = SPACES[name]
            tables = list(zip(*(step.images.tolist() for step in steps)))
            matrix = moves(places, [list(range(steps[0].size)), row, [0]])
            inside = fixed([matrix, *(moves(places, rows) for rows in tables)])
            labels = torch.cat([label.flatten() for label in space.labels.values()]).tolist()
            on = [inside.row(labels.index(first)) == inside.row(labels.index(second))]
            makes = inside.shape[1] == page.shape[1] - 1 and on == [True]
            assert makes == ((i, j) in barrier.units)


def test_in_two_layers_the_first_barrier_comes_from_both():
    one, two = barriers(equivariant_space(SPACES["S3 deep"]))
    assert (one.layer, two.layer) == (1, 2)
    assert one.units == two.units == ((0, 1), (0, 2), (1, 2))
    assert one.symmetry[0] == one.symmetry[1] != (0, 1, 2)
    assert two.symmetry[0] == (0, 1, 2) != two.symmetry[1]


def deep_loss(space, steps, seed=0):
    """The loss of a deep ReLU network on a symmetrised sample, as a function of coordinates."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(8, steps[0].size, generator=draw, dtype=torch.float64)
    y = torch.randn(8, generator=draw, dtype=torch.float64)
    x, y = steps[0].act(x).flatten(0, 1), y.repeat(len(steps[0].elements))

    def loss(params):
        z = x
        for k in range(len(steps) - 1):
            z = z @ params[f"{2 * k}.weight"].mT + params[f"{2 * k}.bias"]
            z = z if k == len(steps) - 2 else z.relu()
        return (z[:, 0] - y).square().mean() / 2

    return loss


@pytest.mark.parametrize("name", ["S4", "D4", "S3 deep", "S3 deep, blind"])
def test_on_a_barrier_the_gradient_is_tangent(name):
    steps = SPACES[name]
    space = equivariant_space(steps, bias=True)
    loss = deep_loss(space, steps)
    walls = barriers(space)
    assert walls
    for wall in walls:
        place = torch.linspace(-1.1, 1.3, space.dimension, dtype=torch.float64)
        place[wall.orbits[0]] = place[wall.orbits[1]]
        slopes = space.coordinates(grad(loss)(space.params(place)))
        assert abs(slopes[wall.orbits[0]] - slopes[wall.orbits[1]]) < 1e-14
        others = list(itertools.combinations(range(space.dimension), 2))
        others = [pair for pair in others if pair not in {w.orbits for w in walls}]
        apart = [abs(slopes[k] - slopes[m]) for k, m in others if {k, m} != {*wall.orbits}]
        assert max(apart) > 1e-3  # a pair that is no barrier


def test_the_side_is_the_inner_product_with_the_normal():
    space = equivariant_space(SPACES["S4"])
    (wall,) = barriers(space)
    draw = torch.Generator().manual_seed(0)
    params = {
        key: torch.randn(5, *label.shape, generator=draw, dtype=torch.float64)
        for key, label in space.labels.items()
    }
    normal = space.params(wall.normal)
    product = sum((params[key] * normal[key]).flatten(1).sum(1) for key in params)
    torch.testing.assert_close(wall.side(params), product)
    assert wall.side(space.params(torch.tensor([0.1 + 0.2, 0.3, 1.0]).double())) > -1e-7
    place = torch.tensor([0.3, 0.3, 1.0], dtype=torch.float64)
    assert wall.side(space.params(place)) == 0.0
    place[0] = torch.nextafter(place[0], torch.tensor(1.0, dtype=torch.float64))
    assert wall.side(space.params(place)) > 0.0


@pytest.mark.parametrize("d", range(3, 9))
def test_cyclic_convolutions_have_no_free_barrier(d):
    assert barriers(equivariant_space(channel(CyclicGroup(d)))) == ()


def test_wide_layers_are_searched_in_no_time():
    space = equivariant_space([natural(S4), copies(natural(S4), 6), trivial(S4)])
    walls = barriers(space)
    assert [wall.orbits for wall in walls] == [(2 * k, 2 * k + 1) for k in range(6)]
    assert all(len(wall.units) == 6 and wall.exchange is None for wall in walls)


def test_a_search_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr("gaugelib.equivariance.search.MOST_TRIALS", 3)
    with pytest.raises(GaugeError, match=r"permutations of several layers is too long: .* after 3"):
        barriers(equivariant_space(SPACES["S3 deep"]))


def test_deep_networks_without_a_symmetry_are_refused_at_once_if_they_are_wide():
    free = [trivial(SymmetricGroup(1), n) for n in (20, 20, 20, 1)]
    with pytest.raises(GaugeError, match="too long: there are 159790 pairs of orbits, and 820"):
        barriers(equivariant_space(free))
    assert barriers(equivariant_space([free[0], free[1], free[3]])) == ()


@pytest.mark.parametrize("group", [S2, S3], ids=["S2", "S3"])
def test_of_many_channels_each_has_its_own_barrier(group):
    """Ten channels can be exchanged in 10! ways, none of which has to be tried."""
    space = equivariant_space([natural(group), copies(natural(group), 10), trivial(group)])
    found = barriers(space)
    assert [wall.orbits for wall in found] == [(2 * k, 2 * k + 1) for k in range(10)]
    n = natural(group).size
    for k, wall in enumerate(found):
        if n == 3:
            assert wall.exchange is None
        else:
            (images,) = wall.exchange
            assert images == tuple(i ^ 1 if i // 2 == k else i for i in range(20))


def test_a_search_finds_none_where_there_is_none():
    weights = [[[0, 1], [1, 0]], [[2, 3]]]
    assert Search(weights, [], "").find({}) == ((0, 1),)  # nothing need move
    assert Search(weights, [], "").find({0: 1, 1: 0}) == ((1, 0),)  # 2 and 3 change, too
    assert Search(weights, [], "").find({0: 1, 1: 0, 2: 2}) is None
    assert Search(weights, [[4, 4]], "").find({0: 1}, {(0, 0): 0}) is None
