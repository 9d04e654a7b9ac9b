"""What a checker says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passed, and one sentence that helps.

    It is true when the answer passed, and shows itself as its sentence.

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
        return f"{'Correct' if self.passed else 'Not yet'}: {self.message}"


class WrongAnswer(Exception):
    """Raised inside a checker to end it with a hint; the caller sees a `Verdict`."""


def judge(test: Callable[[], str]) -> Verdict:
    """Run a checker's body: its return value is the praise, a `WrongAnswer` the hint."""
    try:
        return Verdict(True, test())
    except WrongAnswer as hint:
        return Verdict(False, str(hint))


def answer_of(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the reader's function; an error or an unfilled stub becomes a hint."""
    if not callable(function):
        raise WrongAnswer(f"hand over the function itself, not {type(function).__name__}.")
    name = getattr(function, "__name__", "your function")
    try:
        answer = function(*arguments)
    except Exception as error:  # the reader's code may fail in any way; say how, and stay calm
        raise WrongAnswer(f"{name} stopped with {type(error).__name__}: {error}.") from error
    if answer is None or answer is Ellipsis:
        raise WrongAnswer(f"{name} returned nothing yet; replace the dots by your answer.")
    return answer


def close(found: Any, expected: Any, tolerance: float = 1e-9) -> bool:
    """Whether two numbers or tensors agree to a relative tolerance; False for anything else."""
    try:
        found, expected = (torch.as_tensor(v, dtype=torch.float64) for v in (found, expected))
    except (TypeError, ValueError, RuntimeError):
        return False
    if found.numel() != expected.numel() or not bool(torch.isfinite(found).all()):
        return False
    scale = max(float(expected.abs().max()), math.ulp(1.0)) if expected.numel() else 1.0
    return bool((found.reshape(-1) - expected.reshape(-1)).abs().le(tolerance * scale).all())


def close_lists(found: Any, expected: Sequence[Tensor]) -> bool:
    """Whether two lists of tensors agree, one by one; False for anything but a list."""
    return (
        isinstance(found, tuple | list)
        and len(found) == len(expected)
        and all(close(f, e) for f, e in zip(found, expected, strict=True))
    )


def recognise(
    found: Any, mistakes: Mapping[str, Any], same: Callable[[Any, Any], bool] = close
) -> None:
    """End the checker with the first hint whose wrong answer is the one that was found."""
    for hint, wrong in mistakes.items():
        if same(found, wrong):
            raise WrongAnswer(hint)


def same_tensors(before: list[Tensor], after: list[Tensor]) -> bool:
    """Whether nothing was written into the arguments of the reader's function."""
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
