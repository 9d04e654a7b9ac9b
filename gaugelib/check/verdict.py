"""What a checker says."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import torch

# An exercise asks for a formula, not for its last digits: the right one may go through float32 at
# any step, and a number does not tell whether it did. 64 units in the last place of float32 cover
# every formula of the book (`tests/check/test_precision.py`); each known mistake is far outside.
TOLERANCE = 64 * torch.finfo(torch.float32).eps
COLUMNS = 70  # what a page shows of a line of output without cutting it


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passed, and one sentence that helps.

    It is true when the answer passed, and shows itself as its sentence, in lines that fit the page.

    Example:
        >>> Verdict(False, "the ratio is upside down.")
        Not yet: the ratio is upside down.
        >>> bool(Verdict(True, "balanced on 20 random neurons."))
        True
    """

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        whole = f"{self._word}: {self.message}"
        return textwrap.fill(whole, COLUMNS, break_long_words=False, break_on_hyphens=False)

    def _repr_html_(self) -> str:
        """The sentence as a paragraph: a page breaks its lines at any width."""
        return f'<p class="verdict"><strong>{self._word}:</strong> {escape(self.message)}</p>'

    @property
    def _word(self) -> str:
        return "Correct" if self.passed else "Not yet"


class WrongAnswer(Exception):
    """Raised inside a checker to end it with a hint; the caller sees a `Verdict`."""


def judge(test: Callable[[], str]) -> Verdict:
    """Run a checker's body: its return value is the praise, a `WrongAnswer` the hint."""
    try:
        return Verdict(True, test())
    except WrongAnswer as hint:
        return Verdict(False, str(hint))


def close(
    found: Any, expected: Any, tolerance: float = TOLERANCE, size: float | None = None
) -> bool:
    """Whether two answers agree, part by part, where each is a number, a tensor or a list of those.

    Args:
        found: an answer that `answer_of` has read.
        expected: an answer of the checker's own.
        tolerance: of the difference, relative to `size`.
        size: the largest of the expected numbers if `None`; more where they come from a difference.
    """
    if isinstance(found, list):
        same = isinstance(expected, list | tuple) and len(found) == len(expected)
        return same and all(
            close(f, e, tolerance, size) for f, e in zip(found, expected, strict=True)
        )
    found, expected = (torch.as_tensor(v, dtype=torch.float64) for v in (found, expected))
    if found.numel() != expected.numel():
        return False
    if size is None:
        size = max(float(expected.abs().max()), math.ulp(1.0)) if expected.numel() else 1.0
    return bool((found.reshape(-1) - expected.reshape(-1)).abs().le(tolerance * size).all())


def counts(found: float, exact: float, same: Callable[[Any, Any], bool] = close) -> bool:
    """Whether a number is a count, which if it is large may be rounded up or down."""
    rounded = (math.ceil(exact), math.floor(exact)) if exact >= 10 else ()
    return any(same(found, count) for count in (exact, *rounded))


def recognise(
    found: Any, mistakes: Mapping[str, Any], same: Callable[[Any, Any], bool] = close
) -> None:
    """End the checker with the first hint whose wrong answer is the one that was found."""
    for hint, wrong in mistakes.items():
        if same(found, wrong):
            raise WrongAnswer(hint)
