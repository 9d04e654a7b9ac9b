"""From relations between labels to units: a sparse elimination over the labels that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from gaugelib.group import GROUND
from gaugelib.nodes import Combined, Entry, crossed
from gaugelib.tracing.labels import ANONYMOUS, Labels, distinct

Exact = int | Fraction
Sum = dict[int, Exact]  # label -> coefficient


@dataclass(frozen=True)
class Solution:
    """What is free once all ties and relations hold.

    Attributes:
        numbers: the node of each label: 0 for ground, then the units, then the combined nodes.
        layers: name of an issuer -> slice of its units.
        combined: what the nodes after the units stand for, or `None` if there are none.
        causes: a label that a relation expressed by others -> the operation that made the relation.
    """

    numbers: Tensor
    layers: dict[str, slice]
    combined: Combined | None
    causes: dict[int, str]

    @property
    def units(self) -> int:
        """How many units there are."""
        return sum(part.stop - part.start for part in self.layers.values())


def solve(labels: Labels) -> Solution:
    """Units in the order in which they were issued; of each relation the last label gives way."""
    roots, ranks, issuers = labels.order()
    related = [roots[relation.labels] for relation in labels.relations]
    named = torch.cat([torch.zeros(1, dtype=torch.int64), *map(torch.flatten, related)]).unique()
    place = dict(zip(named.tolist(), ranks[named].tolist()))
    pivots: dict[int, Sum] = {}
    causes: dict[int, str] = {}
    for relation, rows in zip(labels.relations, related):
        for row in _sums(rows, relation.powers):
            _eliminate(row, pivots, place, causes, relation.cause)
    for label in sorted(pivots, key=place.__getitem__):
        pivots[label] = _resolved(pivots, pivots[label], place)
    alone = torch.arange(len(roots)) == roots
    alone[list(pivots)] = False
    free = (alone & (ranks < ANONYMOUS)).nonzero()[:, 0]
    free = free[free != GROUND]
    free = free[ranks[free].argsort()]
    numbers = torch.zeros_like(roots)
    numbers[free] = torch.arange(1, len(free) + 1)
    known = dict(zip(named.tolist(), numbers[named].tolist()))
    nodes, combined = _number(pivots, known, len(free))
    numbers[list(nodes)] = torch.tensor(list(nodes.values()), dtype=torch.int64)
    sizes = torch.bincount(ranks[free] // len(roots) - 1, minlength=len(issuers)).tolist()
    return Solution(numbers[roots], _slices(issuers, sizes), combined, causes)


def _sums(rows: Tensor, powers: Iterable[float]) -> Iterator[Sum]:
    """The sums that rows of labels stand for, without what cancels."""
    exact = [_exact(power) for power in powers]
    for row in distinct(rows.unbind(1))[0].tolist():
        total: Sum = {}
        for label, power in zip(row, exact):
            if label != GROUND:
                _add(total, label, power)
        if total:
            yield total


def _exact(number: float) -> Exact:
    if number == int(number):
        return int(number)
    near = Fraction(number).limit_denominator(64)
    return near if abs(near - Fraction(number)) < Fraction(1, 10**9) else Fraction(number)


def _add(total: Sum, label: int, power: Exact) -> None:
    new = total.get(label, 0) + power
    if new:
        total[label] = new
    else:
        total.pop(label, None)


def _eliminate(
    row: Sum, pivots: dict[int, Sum], place: Mapping[int, int], causes: dict[int, str], cause: str
) -> None:
    """Express the last label of a row by the others, unless the row follows from earlier ones."""
    while row:
        last = max(row, key=place.__getitem__)
        power = row.pop(last)
        if last not in pivots:
            pivots[last] = {label: _ratio(-other, power) for label, other in row.items()}
            causes[last] = cause
            return
        for label, other in pivots[last].items():
            _add(row, label, power * other)


def _ratio(one: Exact, other: Exact) -> Exact:
    return one * other if other in (1, -1) else Fraction(one) / other


def _resolved(pivots: Mapping[int, Sum], row: Sum, place: Mapping[int, int]) -> Sum:
    """A sum in labels that are free and have a name; the others have been resolved before."""
    total: Sum = {}
    for label, power in row.items():
        if label in pivots:
            for inner, other in pivots[label].items():
                _add(total, inner, power * other)
        elif place[label] < ANONYMOUS:  # a free zero carries any scale: 1, say
            _add(total, label, power)
    return total


def _number(
    pivots: Mapping[int, Sum], known: Mapping[int, int], units: int
) -> tuple[dict[int, int], Combined | None]:
    """The nodes of the pivots, equal sums being the same one, and the combined ones among them."""
    nodes: dict[tuple[tuple[int, Exact], ...], int] = {}
    found: dict[int, int] = {}
    for label, row in pivots.items():
        terms = tuple(sorted((known[unit], power) for unit, power in row.items()))
        if not terms:
            found[label] = GROUND
        elif len(terms) == 1 and terms[0][1] == 1:
            found[label] = terms[0][0]
        else:
            found[label] = nodes.setdefault(terms, units + 1 + len(nodes))
    return found, combination(nodes) if nodes else None


def apart(
    entries: Mapping[str, Entry], units: int, combined: Combined | None
) -> tuple[dict[str, Entry], Combined | None]:
    """The same columns, where no entry joins two nodes that share a unit.

    Such an entry goes from the ground to the difference of its ends, a combination of its own.
    """
    if combined is None:
        return dict(entries), None
    alone = torch.zeros(1 + units, combined.units.shape[1], dtype=torch.int64)
    alone[:, 0] = torch.arange(1 + units)
    members = torch.cat([alone, combined.units])
    pairs = {n: crossed(e.target, e.source, members).tolist() for n, e in entries.items()}
    if not any(pairs.values()):
        return dict(entries), combined
    sums = [_terms(combined, row) for row in range(combined.count)]
    nodes = {tuple(sorted(row.items())): 1 + units + n for n, row in enumerate(sums)}
    done = dict(entries)
    for name, entry in entries.items():
        target, source = entry.target, entry.source
        for one, other in pairs[name]:
            total: Sum = dict(sums[one - units - 1]) if one > units else {one: 1}
            taken: Sum = sums[other - units - 1] if other > units else {other: 1}
            for unit, power in taken.items():
                _add(total, unit, -power)
            terms = tuple(sorted(total.items()))
            node = nodes.setdefault(terms, 1 + units + len(nodes)) if terms else GROUND
            if len(terms) == 1 and terms[0][1] == 1:
                node = terms[0][0]
            here = (target == one) & (source == other)
            target, source = torch.where(here, node, target), torch.where(here, GROUND, source)
        done[name] = Entry(target, source, entry.kind)
    return done, combination(nodes)


def _terms(combined: Combined, row: int) -> Sum:
    pairs = zip(combined.units[row].tolist(), combined.powers[row].tolist())
    return {unit: _exact(power) for unit, power in pairs if unit != GROUND}


def combination(sums: Iterable[tuple[tuple[int, Exact], ...]]) -> Combined:
    """Sums of (unit, coefficient), padded to the length of the longest."""
    rows = list(sums)
    longest = max(map(len, rows))
    padded = [(*row, *((GROUND, 0),) * (longest - len(row))) for row in rows]
    units = torch.tensor([[unit for unit, _ in row] for row in padded])
    powers = [[float(power) for _, power in row] for row in padded]
    return Combined(units, torch.tensor(powers, dtype=torch.float64))


def _slices(issuers: list[str], sizes: list[int]) -> dict[str, slice]:
    layers, start = {}, 0
    for issuer, size in zip(issuers, sizes):
        if size:
            layers[issuer] = slice(start, start + size)
            start += size
    return layers
