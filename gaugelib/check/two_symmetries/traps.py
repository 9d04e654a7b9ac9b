"""Checker for "Two symmetries": teachers whose other side holds a global minimum, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import whole

Rule = Callable[[float, float, int], bool]


@by_cases("two inputs, or a sum Σz of 0 for every input, and no other teacher.")
def no_trap() -> Iterator[Case]:
    """Check a function (a, b, n) -> whether both sides of a teacher's barrier hold global minima.

    Args:
        function: takes the teacher's diagonal and off-diagonal weights a ≠ b, multiples of 1/8, and
            the number n ≥ 2 of inputs; returns True or False.

    Example:
        >>> no_trap(lambda a, b, n: a + 2 * b == 0)
        Not yet: for n = 3 it is a + 2b; how many inputs are not the unit's own for another n?
    """
    teachers = _teachers()
    yield Case(
        teachers,
        [_free(*teacher) for teacher in teachers],
        {hint: [rule(*teacher) for teacher in teachers] for hint, rule in _RULES.items()},
        [
            f"for n = {n}, a = {a:g} and b = {b:g} you say {not _free(a, b, n)}; what is "
            "Σσ(z) − Σσ(−z)?"
            for a, b, n in teachers
        ],
    )


def _teachers() -> list[tuple[float, float, int]]:
    """For each ratio −a/b that a rule might name a teacher with it, and some without one."""
    found = []
    for n in (2, 3, 4, 6):
        ratios = {(1, 1), (2, 1), (3, 1), (n - 2, 1), (n - 1, 1), (n, 1), (1, n - 1), (1 - n, 1)}
        for p, q in sorted(ratios - {(0, 1), (-1, 1)}):
            part = whole(1, 6) * (-1) ** whole(0, 1) / 8
            found.append((-p * part, q * part, n))
        found += [(whole(1, 7) / 8, whole(8, 14) / 8, n), (whole(8, 14) / 8, 0.0, n)]
        found.append((0.0, whole(1, 7) / 8, n))
    return found


def _free(a: float, b: float, n: int) -> bool:
    return n == 2 or a + (n - 1) * b == 0


_RULES: dict[str, Rule] = {
    "for n = 3 it is a + 2b; how many inputs are not the unit's own for another n?": (
        lambda a, b, n: a + 2 * b == 0
    ),
    "right for n = 2 and for n = 3; how many inputs are not the unit's own for another n?": (
        lambda a, b, n: n == 2 or a + 2 * b == 0
    ),
    "n = 2 is forgotten: there the two sides are copies of each other, for every teacher.": (
        lambda a, b, n: a + (n - 1) * b == 0
    ),
    "a unit meets its own input once, with a, and only the n − 1 others with b.": (
        lambda a, b, n: n == 2 or a + n * b == 0
    ),
    "a unit meets its own input once, with a, and n − 1 others with b; and n = 2 is forgotten.": (
        lambda a, b, n: a + n * b == 0
    ),
    "a and b have changed places: a unit meets its own input with a.": (
        lambda a, b, n: n == 2 or (n - 1) * a + b == 0
    ),
    "in Σz the input's own weight is a, and not δ.": (
        lambda a, b, n: n == 2 or a + (n - 2) * b == 0
    ),
    "that n = 2 is harmless is one half of it; for n > 2 some teachers have no trap, either.": (
        lambda a, b, n: n == 2
    ),
    "a = b lies on the barrier and has no other side; of the teachers beside it some have no "
    "trap.": (lambda a, b, n: False),
    "with three inputs or more most teachers have a trap.": lambda a, b, n: True,
    "turned round: say True where there is no trap.": lambda a, b, n: not _free(a, b, n),
    "the minus sign: Σz = 0 asks a and b to have different signs.": (
        lambda a, b, n: n == 2 or a == (n - 1) * b
    ),
    "different signs of a and b are needed, and more than that.": lambda a, b, n: a * b < 0,
}
