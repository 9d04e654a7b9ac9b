"""All homomorphisms of a small group into the permutations of n things, by exhaustive search."""

from __future__ import annotations

import itertools
import math

import torch
from sympy.combinatorics import Permutation, PermutationGroup
from torch import Tensor

from gaugelib.equivariance.groups import Representation, cayley, listed
from gaugelib.group import GaugeError

MOST_THINGS = 8
"""Largest n whose n! permutations are all tried."""
MOST_TRIALS = 20_000_000
"""Largest number of ways to extend homomorphisms by one more generator that are tried."""
_AT_ONCE = 4_000_000
"""Numbers that are held in memory for the trials of one batch."""


def homomorphisms(group: PermutationGroup, n: int) -> tuple[Representation, ...]:
    r"""All homomorphisms $\pi:\mathcal G\to S_n$, the trivial one first.

    The images of the generators decide; they are chosen one generator after the other, and what
    contradicts the Cayley graph of the subgroup so far is dropped. Every $\pi$ is there, also
    those that differ only by the names of the things: conjugates $\sigma\pi(\cdot)\sigma^{-1}$.

    Args:
        group: a permutation group of sympy.
        n: how many things are permuted.

    Returns:
        The homomorphisms, in the order of their tables of images.

    Raises:
        GaugeError: if n is not in 1 to 8, or the search is too long.

    Source: the book, section "How many pages?".

    Book: prop-six-pages, thm-union.

    Example:
        >>> from sympy.combinatorics import SymmetricGroup
        >>> [len(homomorphisms(SymmetricGroup(3), n)) for n in range(1, 5)]
        [1, 2, 10, 34]
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_THINGS:
        raise GaugeError(
            f"n must be a whole number from 1 to {MOST_THINGS}, found {n!r}: all n! permutations "
            "are tried"
        )
    elements = listed(group)
    graph = cayley(elements)
    every = torch.tensor(list(itertools.permutations(range(n))))
    found = every.new_empty(1, 0, n)  # images of the first k generators, of each homomorphism
    for k, generator in enumerate(graph.generators):
        fitting = every[_power(every, _order(elements[generator])).eq(every[0]).all(dim=-1)]
        trials = len(found) * len(fitting)
        if trials > MOST_TRIALS:
            raise GaugeError(
                f"the search for homomorphisms of a group of {len(elements)} elements into the "
                f"permutations of {n} things is too long: {trials} trials for generator {k + 1}, "
                f"at most {MOST_TRIALS} are made"
            )
        walk, products = graph.walks[k + 1], graph.products[:, : k + 1]
        batch = max(1, _AT_ONCE // (len(fitting) * (len(walk) + 1) * n * (k + 1)))
        found = torch.cat(
            [_consistent(_paired(some, fitting), walk, products) for some in found.split(batch)]
        )
    walk = graph.walks[-1]
    tables = _along(found, walk, len(elements))
    order = sorted(range(len(tables)), key=lambda j: tables[j].flatten().tolist())
    return tuple(Representation(elements, tables[j]) for j in order)


def _order(element: Permutation) -> int:
    """After how many times it is the identity."""
    return math.lcm(*(len(cycle) for cycle in element.cyclic_form))


def _power(rows: Tensor, exponent: int) -> Tensor:
    """Each permutation applied so many times."""
    result = rows
    for _ in range(exponent - 1):
        result = rows.gather(-1, result)
    return result


def _paired(some: Tensor, fitting: Tensor) -> Tensor:
    """Each choice for the generators so far with each image of the next, `(pairs, k + 1, n)`."""
    left = some[:, None].expand(-1, len(fitting), -1, -1)
    right = fitting[None, :, None].expand(len(some), -1, -1, -1)
    return torch.cat([left, right], dim=2).flatten(0, 1)


def _along(chosen: Tensor, walk: tuple[tuple[int, int, int], ...], order: int) -> Tensor:
    """The images of all elements that a walk reaches, `(choices, order, n)`; others are zero."""
    images = chosen.new_zeros(len(chosen), order, chosen.shape[-1])
    images[:, 0] = torch.arange(chosen.shape[-1])
    for place, step, target in walk:
        images[:, target] = images[:, place].gather(-1, chosen[:, step])
    return images


def _consistent(chosen: Tensor, walk: tuple[tuple[int, int, int], ...], products: Tensor) -> Tensor:
    """The choices that every edge of the Cayley graph agrees with."""
    reached = [0, *(target for _, _, target in walk)]
    images = _along(chosen, walk, len(products))
    for step in range(chosen.shape[1]):
        left = images[:, reached]
        made = left.gather(-1, chosen[:, step, None].expand_as(left))
        right = (made == images[:, products[reached, step]]).flatten(1).all(dim=1)
        chosen, images = chosen[right], images[right]
    return chosen
