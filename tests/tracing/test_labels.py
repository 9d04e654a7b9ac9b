"""Union-find over whole tensors agrees with the one that everybody writes."""

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib.tracing.labels import Labels, distinct, narrow_together
from gaugelib.tracing.solve import solve


class Plain:
    """The textbook version: one parent at a time."""

    def __init__(self, count):
        self.parent = list(range(count))

    def find(self, a):
        while self.parent[a] != a:
            a = self.parent[a]
        return a

    def tie(self, a, b):
        a, b = sorted((self.find(a), self.find(b)))
        self.parent[b] = a


@given(
    count=st.integers(1, 40),
    ties=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=60),
    batch=st.integers(1, 20),
)
def test_components_are_those_of_plain_union_find(count, ties, batch):
    labels, plain = Labels(), Plain(count + 1)
    issued = torch.cat([torch.zeros(1, dtype=torch.int64), labels.issue((count,), "layer")])
    ties = [(a % (count + 1), b % (count + 1)) for a, b in ties]
    for start in range(0, len(ties), batch):
        pairs = torch.tensor(ties[start : start + batch])
        labels.tie(issued[pairs[:, 0]], issued[pairs[:, 1]])
        for a, b in ties[start : start + batch]:
            plain.tie(a, b)
        roots = labels.find(issued).tolist()
        assert roots == [plain.find(a) for a in range(count + 1)]


def test_a_long_chain_settles():
    labels = Labels()
    chain = labels.issue((100_000,), "chain")
    shuffled = chain[torch.randperm(len(chain), generator=torch.Generator().manual_seed(0))]
    labels.tie(shuffled[1:], shuffled[:-1])
    assert labels.find(chain).unique().tolist() == [1]
    labels.ground(chain[-1])
    assert bool(labels.is_ground(chain).all())


def test_units_belong_to_the_first_named_issuer():
    labels = Labels()
    zeros = labels.issue((3,), None)
    first, second = labels.issue((2,), "first"), labels.issue((3,), "second")
    again = labels.issue((2,), "first")
    labels.tie(zeros[0], second[0])  # a zero names nothing
    labels.tie(second[1], again[0])  # issued later, but under a name that came first
    labels.ground(first[1])
    solution = solve(labels)
    numbers, layers = solution.numbers, solution.layers
    assert layers == {"first": slice(0, 3), "second": slice(3, 5)}
    assert numbers[first].tolist() == [1, 0]
    assert numbers[again].tolist() == [2, 3]
    assert numbers[second].tolist() == [4, 2, 5]
    assert numbers[zeros].tolist() == [4, 0, 0]


def test_fold_ties_what_a_broadcast_repeats():
    labels = Labels()
    grid = labels.issue((2, 3), "grid")
    assert not labels.is_folded(grid, torch.Size((3,)))
    assert labels.fold(grid, torch.Size((3,))).tolist() == [1, 2, 3]
    assert labels.is_folded(grid, torch.Size((3,)))
    assert labels.find(grid).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert labels.fold(grid, torch.Size((2, 1))).tolist() == [[1], [4]]
    assert labels.find(grid).unique().tolist() == [1]


def test_repeated_dimensions_are_compared_once():
    wide = torch.arange(4)[:, None].expand(4, 1000)
    assert [part.shape for part in narrow_together(wide, wide + 0)] == [(4, 1000), (4, 1000)]
    assert [part.shape for part in narrow_together(wide, wide)] == [(4, 1), (4, 1)]


def test_a_relation_expresses_the_label_that_was_issued_last():
    labels = Labels()
    gate, up, other = (labels.issue((2,), name) for name in ("gate", "up", "other"))
    product = labels.combine((1, gate), (1, up))
    labels.tie(product, other)
    labels.ground(gate[:1])
    solution = solve(labels)
    assert solution.layers == {"gate": slice(0, 1), "up": slice(1, 3)}
    assert solution.numbers[up].tolist() == [2, 3]
    assert solution.numbers[other].tolist() == [2, 4]  # up[0], and a node of its own
    assert solution.combined.units.tolist() == [[1, 3]]
    assert solution.combined.powers.tolist() == [[1.0, 1.0]]


def test_relations_in_any_order_leave_the_same_units():
    rows = [((1, 0), (1, 1)), ((2, 1), (-1, 2)), ((1, 2), (1, 3), (-1, 0)), ((1, 3), (-0.5, 1))]
    found = set()
    for order in itertools.permutations(rows):
        labels = Labels()
        issued = labels.issue((4,), "all")
        for row in order:
            labels.relate(*((power, issued[place]) for power, place in row))
        solution = solve(labels)
        found.add((solution.units, tuple(solution.numbers.tolist())))
    system = torch.tensor([[1, 1, 0, 0], [0, 2, -1, 0], [-1, 0, 1, 1], [0, -0.5, 0, 1]])
    assert {units for units, _ in found} == {4 - int(torch.linalg.matrix_rank(system))}
    assert len(found) == 1


def test_rows_are_told_apart_as_unique_tells_them():
    draw = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 4, (200, 3), generator=draw)
    kinds, place = distinct(rows.unbind(1))
    assert torch.equal(kinds[place], rows)
    assert len(kinds) == len(rows.unique(dim=0))
