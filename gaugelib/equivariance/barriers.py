r"""Free barriers: where units of a hidden layer coincide, and the space falls into two sides.

What a permutation of hidden units leaves in place, gradient flow does not leave. Inside of a space
it says that orbits have equal numbers; says it this of two orbits only, their difference keeps its
sign.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from sympy.combinatorics import Permutation
from torch import Tensor

from gaugelib.equivariance.search import Hidden, Search
from gaugelib.equivariance.space import EquivariantSpace
from gaugelib.group import GaugeError

MOST_LOOKED_AT = 20_000_000
"""Pairs of orbits times weights, up to which several hidden layers are searched: 20 seconds."""


@dataclass(frozen=True, eq=False)
class Barrier:
    r"""A subspace $F = \{p_k = p_l\}$ of a space, invariant under gradient flow.

    Attributes:
        space: the space that it divides.
        layer: number of the hidden layer whose units are exchanged, from 1 on.
        units: pairs of its units. The exchange of any one of them leaves exactly F in place. Where
            units of several layers must move at once, the pairs of the first of these layers whose
            incoming weights agree on F alone; if none do, those in the cycles of `symmetry`.
        orbits: numbers of the two orbits, $k<l$.
        normal: coordinates of the unit normal $\nu$, float64, shape `(dimension,)`; $p_k - p_l$ is
            positive on its side.
        symmetry: a permutation of hidden units that leaves F in place but not the space: for each
            hidden layer, the image of each unit.
        exchange: one that maps the space to itself and $s$ to $-s$, so that the sides are copies
            of each other; None if there is none.

    Book: thm-barrier.
    """

    space: EquivariantSpace
    layer: int
    units: tuple[tuple[int, int], ...]
    orbits: tuple[int, int]
    normal: Tensor
    symmetry: Hidden
    exchange: Hidden | None

    def side(self, params: Mapping[str, Tensor]) -> Tensor:
        r"""The signed distance $s = \langle\nu,\theta\rangle$ from F, shape `(*batch,)`.

        Raises:
            GaugeError: as `EquivariantSpace.coordinates`.
        """
        place = self.space.coordinates(params)
        count = self.space.multiplicities.to(place)
        first, second = self.orbits
        apart = place[..., first] - place[..., second]
        return apart / (1 / count[first] + 1 / count[second]).sqrt()


def barriers(space: EquivariantSpace) -> tuple[Barrier, ...]:
    r"""All free barriers that permutations of hidden units make in a space.

    With one hidden layer these come from exchanges of two units, and all exchanges are tried. With
    more, permutations of all layers together are searched for, too.

    Args:
        space: the space.

    Returns:
        The barriers, by the numbers of their orbits.

    Raises:
        GaugeError: if there is too much to search through.

    Book: thm-barrier, prop-ring.

    Example:
        >>> from sympy.combinatorics import SymmetricGroup
        >>> from gaugelib.equivariance import equivariant_space, natural, trivial
        >>> for n in (2, 3):
        ...     group = SymmetricGroup(n)
        ...     rho = natural(group)
        ...     (wall,) = barriers(equivariant_space([rho, rho, trivial(group)]))
        ...     wall.units, wall.orbits, wall.exchange  # p_0 is a, p_1 is b
        (((0, 1),), (0, 1), ((1, 0),))
        (((0, 1), (0, 2), (1, 2)), (0, 1), None)
    """
    sizes = [step.size for step in space.representations[1:-1]]
    found: dict[tuple[int, int], tuple[int, list[tuple[int, int]], Hidden]] = {}
    for layer, size in enumerate(sizes):
        for pair in itertools.combinations(range(size), 2):
            orbits = _made_equal(space, layer, *pair)
            if orbits is not None and orbits not in found:
                found[orbits] = layer, [pair], _exchange(sizes, layer, *pair)
            elif orbits is not None and found[orbits][0] == layer:
                found[orbits][1].append(pair)
    if len(sizes) > 1:
        pairs = _within_a_parameter(space)
        entries = int(space.multiplicities.sum())
        if len(pairs) * entries > MOST_LOOKED_AT:
            raise GaugeError(
                "the search for permutations of several layers is too long: there are "
                f"{len(pairs)} pairs of orbits, and {entries} weights to move for each"
            )
        for orbits in pairs:
            symmetry = None if orbits in found else _together(space, orbits)
            if symmetry is not None:
                layer = next(k for k, row in enumerate(symmetry) if row != tuple(range(len(row))))
                units = _joined_by(space, layer, orbits) or _taken_around(symmetry[layer])
                found[orbits] = layer, units, symmetry
    return tuple(
        Barrier(
            space,
            layer + 1,
            tuple(units),
            orbits,
            _normal(space, orbits),
            symmetry,
            _search(space, "an exchange of the sides").find(
                {orbits[0]: orbits[1], orbits[1]: orbits[0]}
            ),
        )
        for orbits, (layer, units, symmetry) in sorted(found.items())
    )


def _normal(space: EquivariantSpace, orbits: tuple[int, int]) -> Tensor:
    """Of length 1 in the space, where coordinate k has the squared length of its entries."""
    count = space.multiplicities.double()
    normal = torch.zeros_like(count)
    normal[orbits[0]], normal[orbits[1]] = 1 / count[orbits[0]], -1 / count[orbits[1]]
    return normal / (count * normal.square()).sum().sqrt()


def _made_equal(space: EquivariantSpace, layer: int, i: int, j: int) -> tuple[int, int] | None:
    """The two orbits that an exchange of two units makes equal; None if not exactly two."""
    weights, biases = _tables(space)
    pairs = list(zip(weights[layer][i], weights[layer][j]))
    pairs += [(row[i], row[j]) for row in weights[layer + 1]]
    if biases:
        pairs.append((biases[layer][i], biases[layer][j]))
    equal = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    return equal.pop() if len(equal) == 1 else None


def _exchange(sizes: list[int], layer: int, i: int, j: int) -> Hidden:
    rows = [list(range(size)) for size in sizes]
    rows[layer][i], rows[layer][j] = j, i
    return tuple(map(tuple, rows))


def _tables(space: EquivariantSpace) -> tuple[list[list[list[int]]], list[list[int]]]:
    """The numbers of the orbits of all weights and of all biases, as lists."""
    labels = [label.tolist() for label in space.labels.values()]
    weights = [label for label in labels if isinstance(label[0], list)]
    return weights, [label for label in labels if not isinstance(label[0], list)]


def _search(space: EquivariantSpace, what: str) -> Search:
    return Search(*_tables(space), what)


def _within_a_parameter(space: EquivariantSpace) -> list[tuple[int, int]]:
    return [
        pair
        for label in space.labels.values()
        for pair in itertools.combinations(label.unique().tolist(), 2)
    ]


def _together(space: EquivariantSpace, orbits: tuple[int, int]) -> Hidden | None:
    """A permutation of all layers that takes an entry of one orbit to one of the other.

    And every other entry to one of its orbit, if the two are taken for one.
    """
    kept, dropped = orbits
    weights, biases = _tables(space)
    one = [[[kept if k == dropped else k for k in row] for row in weight] for weight in weights]
    bias = [[kept if k == dropped else k for k in row] for row in biases]
    search = Search(one, bias, "permutations of several layers")
    same = {k: k for k in range(space.dimension)}
    hidden = range(len(weights) - 1)
    for start, end in itertools.product(*(_entries(weights, biases, k) for k in orbits)):
        moves = list(zip(start, end))
        if all(layer in hidden or unit == image for (layer, unit), (_, image) in moves):
            wanted = {place: image for place, (layer, image) in moves if layer in hidden}
            symmetry = search.find(same, wanted)
            if symmetry is not None:
                return symmetry
    return None


def _entries(
    weights: list[list[list[int]]], biases: list[list[int]], orbit: int
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Target and source of each entry of an orbit: the number of a layer, and of a unit in it."""
    for layer, weight in enumerate(weights):
        for i, j in itertools.product(range(len(weight)), range(len(weight[0]))):
            if weight[i][j] == orbit:
                yield (layer, i), (layer - 1, j)
    for layer, bias in enumerate(biases):
        yield from (((layer, i),) for i, number in enumerate(bias) if number == orbit)


def _joined_by(
    space: EquivariantSpace, layer: int, orbits: tuple[int, int]
) -> list[tuple[int, int]]:
    """The pairs of units whose incoming weights agree if two orbits do, and not otherwise."""
    weights, biases = _tables(space)
    rows = [[*row] for row in weights[layer]]
    for row, number in zip(rows, biases[layer] if biases else ()):
        row.append(number)
    kept, dropped = orbits
    equal = [[kept if k == dropped else k for k in row] for row in rows]
    pairs = itertools.combinations(range(len(rows)), 2)
    return [(i, j) for i, j in pairs if equal[i] == equal[j] and rows[i] != rows[j]]


def _taken_around(row: tuple[int, ...]) -> list[tuple[int, int]]:
    """The pairs of units in one cycle of a permutation."""
    cycles = Permutation(row).cyclic_form
    return sorted(pair for cycle in cycles for pair in itertools.combinations(sorted(cycle), 2))
