"""An exercise as cases: what is asked, what is right, and which mistake gives which answer.

A checker whose answer is a choice or a few numbers is a generator of cases under `by_cases`. It
judges a function of the reader's; the pages of the book take the same cases as data, and judge a
formula where no Python runs (`gaugebook.answers` writes them, `book/site/answers.js` reads them).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from string import Formatter
from typing import Any, TypeVar

import torch

from gaugelib.check.answer import answer_of
from gaugelib.check.verdict import Verdict, WrongAnswer, close, counts, judge, recognise

Checker = Callable[..., Verdict]
AnyChecker = TypeVar("AnyChecker", bound=Checker)


@dataclass(frozen=True)
class Case:
    """One question to the reader's function, or several whose answers are judged together.

    A hint in `otherwise` or `rules` may compute from the answer in braces: `"not {answer:.4g}"`.
    What stands there is a formula of the language that readers use on the pages.
    """

    given: tuple[Any, ...] | list[tuple[Any, ...]]  # arguments; a list asks once with each
    right: Any  # a number, a truth value, or a list of them
    wrong: Mapping[str, Any] = field(default_factory=dict)  # by the hint for the mistake
    otherwise: str | Sequence[str] = ""  # for any other answer; by the first part that is wrong
    rules: Sequence[tuple[str, str]] = ()  # conditions and their hints, after the known mistakes
    like: Any = None  # the form of one answer, if it is not that of `right`
    part: int | None = None  # which part of the answer is judged, if not all of it
    tolerance: float | None = None
    size: float | None = None
    counted: bool = False  # large numbers may be rounded
    unordered: bool = False

    def ask(self, function: Callable[..., Any], ask: str | None = None) -> Any:
        """What the reader's function answers, or the part of it that is judged."""
        many = isinstance(self.given, list)
        like = self.like if self.like is not None else self.right[0] if many else self.right
        calls = self.given if isinstance(self.given, list) else [self.given]
        found = [answer_of(function, *call, like=like, ask=ask) for call in calls]
        if self.part is not None:
            found = [answer[self.part] for answer in found]
        return found if many else found[0]

    def judge(self, found: Any, **names: Any) -> None:
        """End the checker with a hint unless this is right.

        Args:
            found: what `ask` returned.
            names: further names that hints may use.
        """
        if self.right is not None and self._same(found, self.right):
            return
        recognise(found, self.wrong, self._same)
        names["answer"] = found
        for condition, hint in self.rules:
            if computed(condition, names):
                raise WrongAnswer(filled(hint, **names))
        if isinstance(self.otherwise, str):
            if self.otherwise:
                raise WrongAnswer(filled(self.otherwise, **names))
            return
        parts = zip(found, self.right or (), self.otherwise, strict=True)
        raise WrongAnswer(next(hint for said, right, hint in parts if not self._same(said, right)))

    def _same(self, found: Any, expected: Any) -> bool:
        if self.unordered:
            found, expected = (torch.as_tensor(v).sort().values for v in (found, expected))
        wanted = {"tolerance": self.tolerance, "size": self.size}
        agree = partial(close, **{name: x for name, x in wanted.items() if x is not None})
        return counts(found, expected, agree) if self.counted else agree(found, expected)


@dataclass(frozen=True)
class Asked:
    """What a page has to know of an exercise to judge an answer by itself.

    Attributes:
        cases: draws fresh ones.
        praise: for the right answer.
        ask: what to return, see `forms.read`.
        parts: names of the numbers that are asked for, where there are several.
        rows: what a choice is made for, where one is asked for: alone, or with a formula for what
            was ticked, the first argument being the row.
        choices: what may be chosen in each row.
    """

    cases: Callable[[], Iterable[Case]]
    praise: str
    ask: str | None = None
    parts: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()


def asked_by(checker: Checker) -> Asked | None:
    """The exercise as cases; `None` if it needs more than a formula."""
    return vars(checker).get("asked")


def with_cases(asked: Asked) -> Callable[[AnyChecker], AnyChecker]:
    """Tell the pages what a checker asks that judges by its own code."""

    def tell(checker: AnyChecker) -> AnyChecker:
        vars(checker)["asked"] = asked
        return checker

    return tell


def by_cases(
    praise: str, *, ask: str | None = None, parts: tuple[str, ...] = (), **choice: Any
) -> Callable[[Callable[[], Iterator[Case]]], Callable[[Callable[..., Any]], Verdict]]:
    """Make a checker of a generator of cases, in whose order the reader's function is asked.

    Args:
        praise: for the right answer.
        ask: what to return, see `forms.read`.
        parts: see `Asked`.
        choice: its rows and choices.

    Example:
        >>> @by_cases("the double.")
        ... def double():
        ...     yield Case((3.0,), 6.0, {"that is the square.": 9.0}, "{answer:g} is not 2·3.")
        >>> double(lambda x: x * x), double(lambda x: x + 1.0), double(lambda x: 2 * x)
        (Not yet: that is the square., Not yet: 4 is not 2·3., Correct: the double.)
    """

    def made(cases: Callable[[], Iterator[Case]]) -> Callable[[Callable[..., Any]], Verdict]:
        def checker(function: Callable[..., Any]) -> Verdict:
            def test() -> str:
                for case in cases():
                    case.judge(case.ask(function, ask))
                return praise

            return judge(test)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(checker, name, getattr(cases, name))
        return with_cases(Asked(cases, praise, ask, parts, **choice))(checker)

    return made


def filled(hint: str, **names: Any) -> str:
    """A hint with what its braces compute.

    Example:
        >>> filled("{answer:.3g} leaves {2 / answer:.4g}", answer=0.0)
        '0 leaves inf'
    """
    return "".join(
        text + (format(computed(formula, names), spec or "") if formula is not None else "")
        for text, formula, spec, _ in Formatter().parse(hint)
    )


def computed(formula: str, names: Mapping[str, Any]) -> Any:
    """A formula of the book's own, with ∞ where a float ends."""
    try:
        return eval(formula, {"__builtins__": {}, "abs": abs, "min": min}, dict(names))
    except (ZeroDivisionError, OverflowError):
        return math.inf
