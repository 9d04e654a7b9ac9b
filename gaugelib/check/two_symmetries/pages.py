"""Checkers for "Two symmetries": homomorphisms into the hidden permutations, and their pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import normal, permutation, whole
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise

Word = list[int]
UNITS = 4


@dataclass(frozen=True)
class _Presented:
    """A finite group by generators and words that are 1, with its number of subgroups by index."""

    name: str
    generators: int
    words: tuple[tuple[int, ...], ...]
    subgroups: Mapping[int, int]


def _cyclic(order: int) -> _Presented:
    divisors = {d: 1 for d in range(1, order + 1) if order % d == 0}
    return _Presented(f"the cyclic group of order {order}", 1, ((0,) * order,), divisors)


def _dihedral(n: int, subgroups: Mapping[int, int]) -> _Presented:
    name = f"the {2 * n} symmetries of a {'square' if n == 4 else 'pentagon'}"
    return _Presented(name, 2, ((0, 0), (1,) * n, (0, 1) * 2), subgroups)


_SYMMETRIC = _Presented("S₃", 2, ((0, 0), (1, 1, 1), (0, 1, 0, 1)), {1: 1, 2: 1, 3: 3, 6: 1})
_OTHERS = (
    _Presented("Klein's four-group", 2, ((0, 0), (1, 1), (0, 1, 0, 1)), {1: 1, 2: 3, 4: 1}),
    _dihedral(4, {1: 1, 2: 3, 4: 5, 8: 1}),
    _dihedral(5, {1: 1, 2: 1, 5: 5, 10: 1}),
    _Presented(
        "the quaternion group", 2, ((0,) * 4, (0, 0, 1, 1), (1, 0, 1, 1, 1, 0)),
        {1: 1, 2: 3, 4: 1, 8: 1},
    ),
)  # fmt: skip
_TEN = {
    "that is every pair of permutations; their words have to be 1, too.": 36,
    "each generator obeys its own word; (sr)² = 1 ties the two together.": 12,
    "one is left out that sends everything to the identity, and it is a homomorphism, too.": 9,
    "those are the isomorphisms; a homomorphism may send different elements to the same one.": 6,
    "that is up to a new numbering of the units; each numbering is a page of its own.": 3,
}


def homomorphism_count(function: Callable[[int, list[Word], int], Any]) -> Verdict:
    """Check a function (generators, words, n) -> number of homomorphisms of a group into S_n.

    Args:
        function: takes the number of generators of the group, the words that are 1 in it, each a
            list of numbers of generators, and n.

    Example:
        >>> homomorphism_count(lambda generators, words, n: math.factorial(n) ** generators)
        Not yet: that is every pair of permutations; their words have to be 1, too.
    """

    def test() -> str:
        cases = [(_SYMMETRIC, 3), (_SYMMETRIC, 4), (_cyclic(whole(2, 6)), whole(4, 5))]
        cases += [(_OTHERS[k], whole(2, 4)) for k in permutation(len(_OTHERS))[:2]]
        for group, n in cases:
            words = [_turned(word) for word in group.words]
            found = answer_of(function, group.generators, words, n, like=1.0)
            if close(found, _homomorphisms(group.subgroups, n)):
                continue
            if (group, n) == (_SYMMETRIC, 3):
                recognise(found, _TEN)
            raise WrongAnswer(
                f"from {group.name} into S_{n} there are not {found:.6g}: give each generator a "
                "permutation in all ways, and keep those for which every word is the identity."
            )
        return "10 from S₃ into S₃, and the right number from three other groups."

    return judge(test)


def page_projection(function: Callable[[Tensor, Tensor, list[int], list[int]], Any]) -> Verdict:
    """Check a function (W, v, inputs, units) -> the nearest weights on the page of a cyclic group.

    Args:
        function: takes W `(4, d)`, v `(4,)` and where a generator of the group sends each of the d
            inputs and each of the four units; returns W and v projected to E_π.
    """

    def test() -> str:
        for across, within in ((4,), (4,)), ((3,), (3, 1)), ((6,), (2, 2)), ((2, 3), (2, 1, 1)):
            inputs, units = _of_type(across), _of_type(within)
            theta = [normal(UNITS, len(inputs)), normal(UNITS)]
            ask = f"return two tensors, W of shape (4, {len(inputs)}) and v with four numbers"
            found = answer_of(function, *theta, inputs, units, like=theta, ask=ask)
            right = _mean(theta, inputs, units, math.lcm(*across, *within))
            if close(found, right):
                continue
            recognise(found, _wrong_pages(theta, inputs, units, right, math.lcm(*across, *within)))
            if close(_moved(found, inputs, units), found):
                raise WrongAnswer(
                    "your weights lie on the page, but others on it are nearer to the given ones: "
                    "which number is nearest to all entries of an orbit?"
                )
            raise WrongAnswer(
                "the generator moves your weights, so they are not on its page: entry (i, j) has "
                "to equal the entry of the unit and the input that i and j are sent to."
            )
        return "orbits of pairs, each replaced by its mean, for four cyclic groups."

    return judge(test)


def _turned(word: Sequence[int]) -> Word:
    """The same condition, written from another letter on."""
    start = whole(0, len(word) - 1)
    return [*word[start:], *word[:start]]


def _homomorphisms(subgroups: Mapping[int, int], n: int) -> int:
    """Their number, n! times the coefficient of xⁿ in exp(Σ_H x^[G:H]/[G:H]), by its recursion."""
    counts = [1]
    for size in range(1, n + 1):
        rows = (
            number * math.factorial(size - 1) // math.factorial(size - index) * counts[size - index]
            for index, number in subgroups.items()
            if index <= size
        )
        counts.append(sum(rows))
    return counts[n]


def _of_type(cycles: Sequence[int]) -> list[int]:
    """A fresh permutation with cycles of these lengths."""
    names, images, start = permutation(sum(cycles)), [0] * sum(cycles), 0
    for length in cycles:
        for k in range(length):
            images[names[start + k]] = names[start + (k + 1) % length]
        start += length
    return images


def _moved(theta: Sequence[Tensor], inputs: Sequence[int], units: Sequence[int]) -> list[Tensor]:
    """(P_τ W ρ⁻¹, v P_τ⁻¹): entry (i, j) comes to the unit and the input that they are sent to."""
    w, v = (torch.empty_like(part) for part in theta)
    w[torch.tensor(units)[:, None], torch.tensor(inputs)] = theta[0]
    v[torch.tensor(units)] = theta[1]
    return [w, v]


def _mean(
    theta: Sequence[Tensor], inputs: Sequence[int], units: Sequence[int], powers: int
) -> list[Tensor]:
    """Mean over so many powers of the generator, the identity among them."""
    turned, total = list(theta), [torch.zeros_like(part) for part in theta]
    for _ in range(powers):
        total = [t + part / powers for t, part in zip(total, turned, strict=True)]
        turned = _moved(turned, inputs, units)
    return total


def _wrong_pages(
    theta: Sequence[Tensor],
    inputs: Sequence[int],
    units: Sequence[int],
    right: Sequence[Tensor],
    order: int,
) -> dict[str, list[Tensor]]:
    back = [units.index(i) for i in range(UNITS)]
    still = list(range(len(inputs)))
    blocks = _mean(_mean(theta, still, units, order), inputs, list(range(UNITS)), order)[0]
    step = [(a + b) / 2 for a, b in zip(theta, _moved(theta, inputs, units), strict=True)]
    return {
        "v lies on a page, too: it is constant on the orbits of the units.": [right[0], theta[1]],
        "all of v is one number only if the units are one orbit.": [
            right[0],
            theta[1].mean().expand(UNITS),
        ],
        "one of the two permutations is turned round: what moves units forwards moves inputs "
        "forwards, W[π(i), ρ(j)] = W[i, j].": _mean(theta, inputs, back, order),
        "units and inputs are turned together: take orbits of pairs, not pairs of orbits.": [
            blocks,
            right[1],
        ],
        "the inputs are to be moved, too.": _mean(theta, still, units, order),
        "the units are to be moved, too.": _mean(theta, inputs, list(range(UNITS)), order),
        "applied twice it gives more: a sum over the group; a projection takes the mean.": [
            order * part for part in right
        ],
        "applied twice it goes further: the mean of the identity and the generator alone; take "
        "all powers.": step,
        f"the mean over four powers, but this generator has order {order}.": _mean(
            theta, inputs, units, UNITS
        ),
        "that is what the projection takes away.": [
            a - b for a, b in zip(theta, right, strict=True)
        ],
        "those are the weights as they were given.": list(theta),
    }
