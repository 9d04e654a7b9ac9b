r"""Finite groups that permute things: a group's elements, and its homomorphisms into permutations.

The group is one of `sympy.combinatorics`; an element $g$ is a `Permutation`, $g(i)$ is sympy's
`g(i)`, and $gh$ here is "first $h$, then $g$", which sympy writes `h*g`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from sympy.combinatorics import Permutation, PermutationGroup
from torch import Tensor

from gaugelib.group import GaugeError

MOST_ELEMENTS = 1000
"""Order of the largest group whose elements are listed."""


@dataclass(frozen=True, eq=False)
class Representation:
    r"""A homomorphism $\pi$ of a finite group into the permutations of `size` things.

    It acts on vectors by $P_{\pi(g)}e_i = e_{\pi(g)(i)}$.

    Attributes:
        elements: the elements of the group, by their rows of images, so the identity is first.
        images: $\pi(g)(i)$ at `[g, i]`, int64, shape `(elements, size)`.

    Raises:
        GaugeError: if a row is no permutation, the map is no homomorphism, or nothing is
            permuted.

    Book: prop-pointwise.

    Example:
        >>> from sympy.combinatorics import CyclicGroup
        >>> natural(CyclicGroup(3)).images
        tensor([[0, 1, 2],
                [1, 2, 0],
                [2, 0, 1]])
    """

    elements: tuple[Permutation, ...]
    images: Tensor

    def __post_init__(self) -> None:
        images, order = self.images, len(self.elements)
        if not isinstance(self.elements, tuple) or not all(
            isinstance(g, Permutation) for g in self.elements
        ):
            raise GaugeError("the elements must be a tuple of Permutations of sympy")
        if images.dtype != torch.int64 or images.dim() != 2 or len(images) != order:
            raise GaugeError(
                f"images must be int64 of shape ({order}, size), a row for each element, found "
                f"{images.dtype} of shape {tuple(images.shape)}"
            )
        if not images.shape[1]:
            raise GaugeError("there must be at least one thing to permute, found 0")
        things = torch.arange(images.shape[1], device=images.device)
        wrong = (images.sort(dim=-1).values != things).any(dim=-1)
        if wrong.any():
            place = int(wrong.nonzero()[0])
            raise GaugeError(f"images[{place}] = {images[place].tolist()} is no permutation")
        graph = cayley(self.elements)
        made = images[:, None].expand(-1, len(graph.generators), -1)
        made = made.gather(-1, images[list(graph.generators)].expand(order, -1, -1))
        wrong = (images[graph.products.to(images.device)] != made).any(dim=-1)
        if wrong.any():
            g, k = wrong.nonzero()[0].tolist()
            first, second = self.elements[g], self.elements[graph.generators[k]]
            raise GaugeError(
                f"the images are no homomorphism: that of the product of {first} and {second} is "
                "not the product of theirs"
            )

    @property
    def size(self) -> int:
        """How many things are permuted."""
        return self.images.shape[1]

    @property
    def matrices(self) -> Tensor:
        r"""The matrices $P_{\pi(g)}$ of zeros and ones, int64, shape `(elements, size, size)`."""
        return torch.nn.functional.one_hot(self.images, self.size).mT

    def act(self, values: Tensor, dim: int = -1) -> Tensor:
        r"""The values permuted by every element, shape `(elements, *values.shape)`.

        Args:
            values: any tensor that has `size` entries along `dim`.
            dim: the dimension that is permuted: its entry $i$ moves to $\pi(g)(i)$.

        Raises:
            GaugeError: if the dimension is not there, or of another size.
        """
        if not -values.dim() <= dim < values.dim() or values.shape[dim] != self.size:
            raise GaugeError(
                f"dimension {dim} must have {self.size} entries, found a tensor of shape "
                f"{tuple(values.shape)}"
            )
        back = self.images.argsort(dim=-1).to(values.device)
        return torch.stack([values.index_select(dim, row) for row in back])


@dataclass(frozen=True, eq=False)
class Cayley:
    """The Cayley graph of listed elements: where the generators lead.

    Attributes:
        generators: numbers of elements that generate the group, each outside of what those
            before it generate.
        products: number of the element $g s_k$ at `[g, k]`, shape `(elements, generators)`.
        walks: for each count of generators, steps `(from, generator, to)` that reach every
            element of the subgroup of the first so many, from the identity, in this order.
    """

    generators: tuple[int, ...]
    products: Tensor
    walks: tuple[tuple[tuple[int, int, int], ...], ...]


@functools.lru_cache(maxsize=64)
def cayley(elements: tuple[Permutation, ...]) -> Cayley:
    """The Cayley graph of a group, of few generators.

    Raises:
        GaugeError: if the elements are not those of a group, each once.
    """
    rows = [tuple(g.array_form) for g in elements]
    number = {row: k for k, row in enumerate(rows)}
    if not rows or len(number) < len(rows) or rows[0] != tuple(range(len(rows[0]))):
        raise GaugeError("the elements must be those of a group, each once, the identity first")
    generators: list[int] = []
    columns: list[list[int]] = []
    walks = [()]
    reached = {0}
    for k, row in enumerate(rows):
        if k in reached:
            continue
        generators.append(k)
        try:
            columns.append([number[tuple(left[i] for i in row)] for left in rows])
        except (KeyError, IndexError):
            raise GaugeError("the elements are not closed under multiplication") from None
        walk, reached, queue = [], {0}, [0]
        for place in queue:
            for step, column in enumerate(columns):
                if column[place] not in reached:
                    walk.append((place, step, column[place]))
                    reached.add(column[place])
                    queue.append(column[place])
        walks.append(tuple(walk))
    products = torch.tensor(columns, dtype=torch.int64).reshape(len(columns), len(rows)).mT
    return Cayley(tuple(generators), products, tuple(walks))


def listed(group: PermutationGroup) -> tuple[Permutation, ...]:
    """All elements of a group, by their rows of images.

    Raises:
        GaugeError: if there are too many, or it is no permutation group.
    """
    if not isinstance(group, PermutationGroup):
        raise GaugeError(f"the group must be a PermutationGroup of sympy, found {type(group)}")
    if group.order() > MOST_ELEMENTS:
        raise GaugeError(
            f"the group has {group.order()} elements; only up to {MOST_ELEMENTS} are listed"
        )
    elements = cast("Iterable[Permutation]", group.generate())
    return tuple(sorted(elements, key=lambda g: g.array_form))


def natural(group: PermutationGroup) -> Representation:
    """The group as it permutes its own points.

    Example:
        >>> from sympy.combinatorics import SymmetricGroup
        >>> natural(SymmetricGroup(3)).images.tolist()
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    """
    elements = listed(group)
    images = torch.tensor([g.array_form for g in elements], dtype=torch.int64)
    return Representation(elements, images)


def trivial(group: PermutationGroup, n: int = 1) -> Representation:
    """The group as it leaves n things where they are.

    Example:
        >>> from sympy.combinatorics import CyclicGroup
        >>> trivial(CyclicGroup(2), 3).images.tolist()
        [[0, 1, 2], [0, 1, 2]]
    """
    elements = listed(group)
    return Representation(elements, torch.arange(_size(n)).repeat(len(elements), 1))


def regular(group: PermutationGroup) -> Representation:
    r"""The group as it permutes its own elements: $\pi(g)(h) = gh$, elements by their numbers.

    Example:
        >>> from sympy.combinatorics import SymmetricGroup
        >>> regular(SymmetricGroup(3)).size
        6
    """
    elements = listed(group)
    rows = [tuple(g.array_form) for g in elements]
    number = {row: k for k, row in enumerate(rows)}
    products = [[number[tuple(g[i] for i in h)] for h in rows] for g in rows]
    return Representation(elements, torch.tensor(products))


def copies(representation: Representation, m: int) -> Representation:
    r"""The direct sum of m copies: thing $i$ of copy $k$ has number $k\cdot\text{size} + i$.

    Example:
        >>> from sympy.combinatorics import CyclicGroup
        >>> copies(natural(CyclicGroup(2)), 2).images.tolist()
        [[0, 1, 2, 3], [1, 0, 3, 2]]
    """
    images, n = representation.images, representation.size
    blocks = [images + k * n for k in range(_size(m))]
    return Representation(representation.elements, torch.cat(blocks, dim=1))


def _size(n: int) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise GaugeError(f"there must be a positive whole number of things, found {n!r}")
    return n
