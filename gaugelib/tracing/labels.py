"""Labels of scales, and the ties between them: union-find over whole index tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.group import GROUND

Number = int | float
ANONYMOUS = 2**61
"""Ranks from here on are those of labels that no unit is named after."""


@dataclass(frozen=True)
class Block:
    """A run of labels and the name that they were issued for."""

    issuer: str | None
    start: int
    stop: int


@dataclass(frozen=True)
class Relation:
    """Sums of signed labels that must vanish: rows of labels, and the coefficients of a row."""

    labels: Tensor  # int64 (rows, terms)
    powers: tuple[Number, ...]  # (terms,)
    cause: str


class Labels:
    """Issues labels (numbers of scale variables; 0 is ground) and remembers which are equal.

    Ties are only collected when they are made. `find` works them in for all labels at once, by
    hooking larger roots under smaller ones and halving paths: a few tensor operations for each
    doubling of the longest chain, never a Python loop over labels.

    Example:
        >>> labels = Labels()
        >>> a, b = labels.issue((2,), "first"), labels.issue((2,), "second")
        >>> labels.tie(a, b)
        >>> labels.ground(b[:1])
        >>> labels.find(b).tolist()
        [0, 2]
        >>> product = labels.combine((1, a), (1, b))
        >>> labels.find(product).tolist()
        [0, 5]
    """

    def __init__(self) -> None:
        self._roots = torch.zeros(1, dtype=torch.int64)
        self._pending: list[tuple[Tensor, Tensor]] = []
        self.blocks: list[Block] = []
        self.count = 1
        self.cause = ""  # the operation at work
        self.history: list[tuple[str, Tensor, Tensor]] = []  # all ties, each with its operation
        self.relations: list[Relation] = []

    def issue(self, shape: Iterable[int], issuer: str | None) -> Tensor:
        """New labels of the given shape, named after their issuer; `None` for exact zeros.

        An exact zero carries any scale, so its label is free until something ties it.
        """
        shape = tuple(shape)
        start = self.count
        self.count += int(torch.Size(shape).numel())
        self.blocks.append(Block(issuer, start, self.count))
        return torch.arange(start, self.count).reshape(shape)

    def tie(self, first: Tensor, second: Tensor) -> None:
        """Demand that two broadcastable label tensors carry the same scales."""
        first, second = narrow_together(*torch.broadcast_tensors(first, second))
        rows, columns = _constant_beside(first, second), _constant_beside(second, first)
        if rows and columns:  # a row against a column: all are tied, in as many ties as labels
            first, second = self.tie_over(first, columns), self.tie_over(second, rows)
            first, second = _first_along(first, rows), _first_along(second, columns)
        differ = first != second
        if bool(differ.any()):
            pair = (first[differ], second[differ])
            self._pending.append(pair)
            self.history.append((self.cause, *pair))

    def ground(self, labels: Tensor) -> None:
        """Fix these scales at 1."""
        self.tie(labels, labels.new_zeros(()))

    def relate(self, *terms: tuple[Number, Tensor]) -> None:
        """Demand that a sum of broadcastable labels, each times a number, vanishes everywhere."""
        parts = narrow_together(*torch.broadcast_tensors(*(labels for _, labels in terms)))
        rows = distinct([part.reshape(-1) for part in parts])[0]
        self.relations.append(Relation(rows, tuple(power for power, _ in terms), self.cause))

    def equal_sums(self, one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> None:
        """Demand that the sum of two labels is that of two others, all broadcastable."""
        (a, b), (c, d) = one, other
        if _are_same(a, c):
            return self.tie(b, d)
        if _are_same(b, d):
            return self.tie(a, c)
        return self.relate((1, a), (1, b), (-1, c), (-1, d))

    def combine(self, *terms: tuple[Number, Tensor]) -> Tensor:
        """Labels of products of powers: for scales `x` and `y`, `(1, x), (-1, y)` is of `x / y`.

        Where one factor to the first power is left beside fixed ones, it is that factor's label;
        elsewhere labels are issued that are related to those of the factors.
        """
        full = torch.broadcast_tensors(*(labels for _, labels in terms))
        parts = narrow_together(*full)
        kinds, place = distinct([self.find(part).reshape(-1) for part in parts])
        free = kinds != GROUND
        single = free.sum(1) == 1
        result = torch.full((len(kinds),), GROUND)
        for column, (power, _) in enumerate(terms):
            if power == 1:
                alone = single & free[:, column]
                result[alone] = kinds[alone, column]
        new = free.any(1) & (result == GROUND)
        if len(terms) == 2 and terms[0][0] == -terms[1][0]:
            new &= kinds[:, 0] != kinds[:, 1]
        if bool(new.any()):
            result[new] = self.issue((int(new.sum()),), None)
            factors = [(power, kinds[new, column]) for column, (power, _) in enumerate(terms)]
            self.relate((-1, result[new]), *factors)
        return result[place].reshape(parts[0].shape).expand(full[0].shape)

    def tie_over(self, labels: Tensor, dims: Iterable[int]) -> Tensor:
        """Tie everything along some dimensions; one representative is left along each of them."""
        one = _first_along(labels, dims)
        self.tie(labels, one)
        return one

    def fold(self, labels: Tensor, shape: torch.Size) -> Tensor:
        """Labels of what is broadcast from `shape` onto `labels`: tied where it is repeated."""
        full = labels.expand(torch.broadcast_shapes(labels.shape, shape))
        return self.tie_over(full, _repeated(full, shape)).reshape(shape)

    def is_folded(self, labels: Tensor, shape: torch.Size) -> bool:
        """Whether `fold` would tie nothing new."""
        roots = self.find(labels)
        return torch.equal(roots, _first_along(roots, _repeated(roots, shape)).expand_as(roots))

    def find(self, labels: Tensor) -> Tensor:
        """The smallest label that each label is tied to."""
        self._settle()
        return self._roots[narrow_together(labels)[0]].expand(labels.shape)

    def is_ground(self, labels: Tensor) -> Tensor:
        """Where scales are known to be 1, as far as the ties made until now say."""
        return self.find(labels) == GROUND

    def order(self) -> tuple[Tensor, Tensor, list[str]]:
        """The root of each label, the rank of each label, and the names of the issuers.

        Ranks say which of two labels a unit is named after, the lower one: units come in the order
        in which their issuers first did. Ground comes first, anonymous labels last.
        """
        self._settle()
        ranks: dict[str, int] = {}
        key = torch.arange(self.count) + ANONYMOUS
        key[GROUND] = 0
        for block in self.blocks:
            if block.issuer is not None:
                rank = 1 + ranks.setdefault(block.issuer, len(ranks))
                own = torch.arange(block.start, block.stop)
                key[block.start : block.stop] = rank * self.count + own
        lowest = torch.full_like(key, 2 * ANONYMOUS).scatter_reduce(0, self._roots, key, "amin")
        return self._roots, lowest[self._roots], list(ranks)

    def _settle(self) -> None:
        new = torch.arange(len(self._roots), self.count)
        roots = torch.cat([self._roots, new])
        if self._pending:
            first, second = (torch.cat(side) for side in zip(*self._pending))
            roots = connect(roots, first, second)
            self._pending.clear()
        self._roots = roots


def narrow_together(*tensors: Tensor) -> list[Tensor]:
    """Views without the dimensions along which all of these equally shaped tensors repeat.

    Labels of a convolution's output are expanded over positions, so most ties cost one comparison
    for each channel and not for each pixel.
    """
    parts = list(tensors)
    for dim, size in enumerate(parts[0].shape):
        if size > 1 and all(part.stride(dim) == 0 for part in parts):
            parts = [part.narrow(dim, 0, 1) for part in parts]
    return parts


def distinct(columns: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Each kind of row of equally long columns of numbers >= 0, and which kind each row is."""
    kind = columns[0].new_zeros(len(columns[0]))
    for column in columns:
        pairs = kind * (int(column.max()) + 1 if len(column) else 1) + column
        kind = torch.unique(pairs, return_inverse=True)[1]
    count = int(kind.max()) + 1 if len(kind) else 0
    sample = kind.new_empty(count).scatter_(0, kind, torch.arange(len(kind)))
    return torch.stack([column[sample] for column in columns], 1), kind


def compact(labels: Tensor) -> Tensor:
    """The same labels, expanded along the dimensions along which they repeat."""
    small = labels
    for dim, size in enumerate(labels.shape):
        if size > 1 and small.stride(dim) != 0:
            one = small.narrow(dim, 0, 1)
            if bool((small == one).all()):
                small = one
    return small.clone().expand(labels.shape) if small.shape != labels.shape else labels


def _are_same(one: Tensor, other: Tensor) -> bool:
    """Whether labels are the same everywhere, for certain."""
    one, other = narrow_together(*torch.broadcast_tensors(one, other))
    return torch.equal(one, other)


def _first_along(labels: Tensor, dims: Iterable[int]) -> Tensor:
    for dim in dims:
        labels = labels.narrow(dim, 0, 1)
    return labels


def _constant_beside(one: Tensor, other: Tensor) -> list[int]:
    """Dimensions along which one repeats and the other does not."""
    return [
        dim
        for dim, size in enumerate(one.shape)
        if size > 1 and one.stride(dim) == 0 != other.stride(dim)
    ]


def _repeated(full: Tensor, shape: torch.Size) -> list[int]:
    padded = (1,) * (full.dim() - len(shape)) + tuple(shape)
    return [dim for dim, size in enumerate(padded) if size == 1]


def connect(roots: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Merge trees along edges until no edge joins two of them; every root is its tree's minimum."""
    while True:
        low = torch.minimum(roots[first], roots[second])
        high = torch.maximum(roots[first], roots[second])
        apart = low != high
        if not bool(apart.any()):
            return roots
        first, second, low, high = first[apart], second[apart], low[apart], high[apart]
        roots = roots.scatter_reduce(0, high, low, "amin")
        while not torch.equal(roots, roots[roots]):
            roots = roots[roots]
