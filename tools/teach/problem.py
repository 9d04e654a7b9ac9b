"""What a problem is: a question, its answers or a witness, a solution, and marks."""

import inspect
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

Value = float | str
Mistake = tuple[Value, str]


class ProblemError(ValueError):
    """A problem is not whole; the message says what is missing, and of which problem."""


def agrees(found: Value, right: Value, tolerance: float) -> bool:
    """Whether a value is right: a word exactly, a number within tolerance · max(1, |right|)."""
    if isinstance(found, str) or isinstance(right, str):
        return found == right
    return abs(float(found) - float(right)) <= tolerance * max(1.0, abs(float(right)))


@dataclass(frozen=True)
class Answer:
    """One thing that a student hands in: a number, or a word to be chosen.

    The mistakes of a word are the other words to choose from; the question says all of them.

    Args:
        name: What is asked for, in a few words; no two answers of a problem are named alike.
        value: The closed form.
        computed: Finds the same by other means (gaugelib, torch), sharing no formula with it.
        tolerance: How far a number may be off, as a part of max(1, |value|).
        unit: What stands behind the number.
        mistakes: What students will hand in instead, each with what went wrong.
    """

    name: str
    value: Value
    computed: Callable[[], Value]
    tolerance: float = 1e-9
    unit: str = ""
    mistakes: tuple[Mistake, ...] = ()

    def __post_init__(self):
        if not self.name.strip():
            raise ProblemError("an answer has no name: say in a few words what is asked for")
        where = f"the answer {self.name!r}"
        if not callable(self.computed):
            raise ProblemError(f"{where} needs computed=, a function that finds it by other means")
        if not 0 < self.tolerance < 1:
            raise ProblemError(f"{where} has tolerance {self.tolerance}: take one between 0 and 1")
        values = [self.value, *(value for value, _ in self.mistakes)]
        for value in values:
            if not isinstance(value, str) and not math.isfinite(value):
                raise ProblemError(f"{where}: {value!r} is no finite number")
        if len({isinstance(value, str) for value in values}) > 1:
            raise ProblemError(f"{where}: value and mistakes are all numbers, or all words")
        least = 1 if isinstance(self.value, str) else 2
        if len(self.mistakes) < least:
            raise ProblemError(f"{where} has {len(self.mistakes)} mistakes, and needs {least}")
        for value, why in self.mistakes:
            if agrees(value, self.value, self.tolerance):
                raise ProblemError(f"{where}: the mistake {value!r} ({why}) equals the answer")
            if not why.strip():
                raise ProblemError(f"{where}: say what went wrong in the mistake {value!r}")

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from, in the order of the alphabet; of a number there are none."""
        if not isinstance(self.value, str):
            return ()
        return tuple(sorted({self.value, *(str(word) for word, _ in self.mistakes)}))


@dataclass(frozen=True)
class Problem:
    """A problem with its numbers drawn.

    Args:
        question: Markdown with $…$, one sentence on a line.
        solution: The same, complete, as a good student writes it.
        marks: Points, and for what.
        answers: What is asked for in numbers or words.
        witness: Of a proof: returns True, as the claim holds on networks that it draws.
        control: Of a proof: returns False, as a hypothesis is dropped.
    """

    question: str
    solution: str
    marks: tuple[tuple[int, str], ...]
    answers: tuple[Answer, ...] = ()
    witness: Callable[[], bool] | None = None
    control: Callable[[], bool] | None = None
    points: int = field(init=False)

    def __post_init__(self):
        for part in ("question", "solution"):
            text = inspect.cleandoc(getattr(self, part))
            if not text:
                raise ProblemError(f"it has no {part}")
            object.__setattr__(self, part, text)
        if not self.marks:
            raise ProblemError("it has no marks: give ((points, 'for what'), …)")
        for mark in self.marks:
            if not (isinstance(mark, tuple) and len(mark) == 2 and isinstance(mark[0], int)):
                raise ProblemError(f"{mark!r} is no mark: give (points, 'for what'), and a comma")
            if mark[0] < 1 or not mark[1].strip():
                raise ProblemError(f"{mark!r} is no mark: at least one point, and for what")
        if not all(isinstance(answer, Answer) for answer in self.answers):
            raise ProblemError(
                "answers= is a tuple of Answer(…): mind the comma after a single one"
            )
        if not self.answers and self.witness is None:
            raise ProblemError(
                "it has no answer and no witness: give answers=, or witness= of a proof"
            )
        if (self.witness is None) != (self.control is None):
            raise ProblemError("a proof has both witness= and control=")
        names = [answer.name for answer in self.answers]
        for name in names:
            if names.count(name) > 1:
                raise ProblemError(f"two answers are named {name!r}")
        object.__setattr__(self, "points", sum(points for points, _ in self.marks))


@dataclass(frozen=True)
class Task:
    """A problem before its numbers are drawn: `task(draw)` gives a `Problem`."""

    name: str
    title: str
    stars: int
    minutes: int
    make: Callable[[random.Random], Problem]
    chapter: str = ""
    secret: bool = False  # from a course's overlay, so not public

    def __call__(self, draw: random.Random) -> Problem:
        """The problem with the numbers of `draw`; what is not whole is refused with its name."""
        try:
            made = self.make(draw)
        except ProblemError as error:
            raise ProblemError(f"problem {self.where}: {error}") from None
        if not isinstance(made, Problem):
            raise ProblemError(f"problem {self.where} returns {type(made).__name__}, not a Problem")
        return made

    @property
    def where(self) -> str:
        """Its chapter and name, as an error shows them."""
        return f"{self.chapter}/{self.name}" if self.chapter else self.name


def problem(*, title: str, stars: int, minutes: int) -> Callable[[Callable], Task]:
    """Makes a problem of a function of `draw`, a `random.Random` seeded for each student.

    The function draws all its numbers in its body: `computed` and `witness` are called later.

    Args:
        title: A few words.
        stars: Difficulty, 1 to 3.
        minutes: How long a student needs.
    """

    def wrap(make: Callable[[random.Random], Problem]) -> Task:
        name = make.__name__
        if not title.strip():
            raise ProblemError(f"problem {name} has no title")
        if stars not in (1, 2, 3):
            raise ProblemError(f"problem {name} has stars={stars!r}: take 1, 2 or 3")
        if not (isinstance(minutes, int) and minutes > 0):
            raise ProblemError(f"problem {name} has minutes={minutes!r}: take a whole number")
        return Task(name, title, stars, minutes, make)

    return wrap
