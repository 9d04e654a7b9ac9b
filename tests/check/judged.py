"""What every checker owes its reader, whatever the exercise."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gaugelib import check


def passes_every_time(name: str, answer: Any) -> None:
    """The reference passes on five draws of fresh networks."""
    for _ in range(5):
        verdict = getattr(check, name)(answer)
        assert verdict, verdict
        assert repr(verdict).startswith("Correct: ")


def gets_its_own_hint(
    name: str, wrong: Any, hint: str, mistakes: Iterable[tuple[Callable[..., Any], str]]
) -> None:
    """A known mistake fails with its hint, and with none of the others."""
    verdict = getattr(check, name)(wrong)
    assert not verdict
    assert hint in verdict.message
    others = [other for _, other in mistakes if other != hint]
    assert not any(other in verdict.message for other in others)


def each_mistake(mistakes: Mapping[str, Iterable[tuple[Any, str]]]) -> list[tuple[str, Any, str]]:
    """Name of a checker, wrong answer and hint, one for each known mistake."""
    return [(name, wrong, hint) for name, cases in mistakes.items() for wrong, hint in cases]
