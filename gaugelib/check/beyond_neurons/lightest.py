"""Checkers for "Beyond neurons": is there a lightest network, and how far may one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import between, whole

Exponents = list[float]


@by_cases("both signs, or nothing that the dial moves.")
def has_lightest() -> Iterator[Case]:
    """Check a function (exponents) -> whether one dial has a position where the norm is smallest.

    Args:
        function: takes the exponents with which the dial multiplies the entries that are not zero,
            a list; returns True or False.

    Example:
        >>> has_lightest(lambda exponents: sum(exponents) == 0)
        Not yet: the sizes of the entries make up for the exponents: only their signs count.
    """
    dials = [[float(whole(1, 3)) for _ in range(whole(2, 4))], [-1.0, -2.0], [0.0, 0.0, 0.0]]
    dials += [[0.0, float(whole(1, 3))], [float(-whole(1, 3)), 0.0, 0.0], [1.0, -1.0], [-2.0, 2.0]]
    dials += [
        [0.0, 1.0, -1.0],
        [3.0, -1.0],
        [-2.0, 0.0, -1.0, 4.0],
        [float(whole(1, 3)), -5.0, 1.0],
    ]
    yield Case(
        [(exponents,) for exponents in dials],
        [_lightest(exponents) for exponents in dials],
        {hint: [rule(exponents) for exponents in dials] for hint, rule in _RULES.items()},
        [
            f"with the exponents {', '.join(f'{e:g}' for e in exponents)} you say "
            f"{not _lightest(exponents)}; what becomes of Σ|θ|e^(Qα) as α → ±∞?"
            for exponents in dials
        ],
    )


def _moves_nothing(exponents: Exponents) -> bool:
    return min(exponents) == max(exponents) == 0


def _lightest(exponents: Exponents) -> bool:
    return min(exponents) < 0 < max(exponents) or _moves_nothing(exponents)


_RULES: dict[str, Callable[[Exponents], bool]] = {
    "the sizes of the entries make up for the exponents: only their signs count.": (
        lambda exponents: sum(exponents) == 0
    ),
    "a dial that moves nothing leaves the norm where it is, and that is its smallest value.": (
        lambda exponents: min(exponents) < 0 < max(exponents)
    ),
    "0 and exponents of one sign are not enough: what the dial moves can shrink for ever.": (
        lambda exponents: min(exponents) <= 0 <= max(exponents)
    ),
    "a dial needs both signs, and 1 and −1 need not be among them.": (
        lambda exponents: (1 in exponents and -1 in exponents) or _moves_nothing(exponents)
    ),
    "an entry that the dial does not move does no harm.": (
        lambda exponents: (min(exponents) < 0 < max(exponents) and 0 not in exponents)
        or _moves_nothing(exponents)
    ),
    "turned round: say True where there is a lightest.": lambda exponents: not _lightest(exponents),
    "a dial with exponents of one sign makes the network lighter for ever.": (
        lambda exponents: True
    ),
    "a dial with exponents of both signs has one.": lambda exponents: False,
    "a network with a dial that only multiplies is lighter the further it is turned back.": (
        lambda exponents: max(exponents) > 0 or _moves_nothing(exponents)
    ),
}  # fmt: skip


@by_cases(
    "1/(2mp) and 1/(mp), with the longest column.",
    ask="return two numbers: the exponent to the lowest point, and the longest safe one",
    parts=("to the lowest point", "longest safe"),
)
def safe_exponents() -> Iterator[Case]:
    """Check a function (lengths, p) -> exponents of O/I in the simultaneous step.

    Args:
        function: takes the sums of the absolute exponents of each column, a list, and p; returns
            the exponent that goes to the lowest point of the bound, and the longest one that is
            safe.

    Example:
        >>> safe_exponents(lambda lengths, p: [1 / (4 * p), 1 / (2 * p)])
        Not yet: that is for columns of length 2; the longest here has ...
    """
    for turn, p in enumerate((3.0, 2.0, 1.0, between(0.4, 0.9))):
        lengths = [float(whole(1, 2)) for _ in range(3)]
        lengths.insert(turn, float(whole(5, 7)))
        m = max(lengths)
        for part, factor in enumerate((2, 1)):
            yield Case(
                (lengths, p),
                1 / (factor * m * p),
                _wrong_exponents(lengths, p, factor),
                f"with a longest column of {m:g} and p = {p:.3g} it is not {{answer:.4g}}: "
                + (
                    "where is It + O/t smallest, with t = a^(mp)?"
                    if part == 0
                    else "where is It + O/t as high as at t = 1, with t = a^(mp)?"
                ),
                like=[1.0, 1.0],
                part=part,
            )


def _wrong_exponents(lengths: Exponents, p: float, factor: int) -> dict[str, float]:
    m = max(lengths)
    other = (
        "that is the longest safe exponent, the second of the two."
        if factor == 2
        else "that goes to the lowest point; one may go as far again."
    )
    return {
        other: 1 / ((3 - factor) * m * p),
        f"that is for columns of length 2; the longest here has {m:g}.": 1 / (factor * 2 * p),
        "p is missing: F has the p-th powers of the dials.": 1 / (factor * m),
        "p belongs below the line.": p / (factor * m),
        "the longest column is the one that counts: the inequality has to hold for each.": (
            1 / (factor * sum(lengths) * p)
        ),
        "not the mean length: the inequality has to hold for the longest column, too.": (
            len(lengths) / (factor * sum(lengths) * p)
        ),
        "not the shortest column: the inequality has to hold for the longest, too.": (
            1 / (factor * min(lengths) * p)
        ),
        "the length of the list is the number of parameters; m is the largest number in it.": (
            1 / (factor * len(lengths) * p)
        ),
        "that is the half of the half: 1/(2mp) is the lowest point itself.": 1 / (4 * m * p)
        if factor == 2
        else 1 / (3 * m * p),
    }
