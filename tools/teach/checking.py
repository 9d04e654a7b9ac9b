"""Check every problem, for several draws: answers, mistakes, witnesses and formulas."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from tools.teach.course import overlay_of
from tools.teach.loading import FOLDER, load
from tools.teach.problem import Answer, Problem, ProblemError, Task, agrees
from tools.teach.said import Typesetter, typesetter
from tools.teach.seeds import drawn


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command may be told."""
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="draws (20)")
    parser.add_argument("--chapter", help="only the problems of this file")
    parser.add_argument("--problems", type=Path, default=FOLDER, help="another folder of problems")
    parser.add_argument("--overlay", type=Path, help="the course's own problems")


def run(options: argparse.Namespace) -> int:
    """Say for each problem what is wrong, or that nothing is; returns how many are wrong."""
    wrong = 0
    collections = load(options.problems, overlay_of(options.overlay))
    if options.chapter and options.chapter not in collections:
        raise ProblemError(f"no problems of {options.chapter}: there are {', '.join(collections)}")
    with typesetter() as setter:
        for name, collection in collections.items():
            for task in collection.tasks if options.chapter in (None, name) else ():
                found = sorted(set(faults(task, options.seeds, setter)))
                print(f"{'wrong' if found else 'right'}  {task.where}", *found, sep="\n       ")
                wrong += bool(found)
    return wrong


def faults(task: Task, seeds: int, setter: Typesetter) -> Iterator[str]:
    """What is wrong with a problem, for as many draws as asked."""
    known = set()
    for seed in range(seeds):
        try:
            made = task(drawn(task.name, f"check {seed}"))
            again = task(drawn(task.name, f"check {seed}"))
        except ProblemError as error:
            yield str(error)
            continue
        if made.question != again.question or values(made) != values(again):
            yield "the same draw gives other numbers: take all chance from draw"
        yield from unwitnessed(made)
        drawn_before = (made.question, *values(made))
        if drawn_before not in known:  # few numbers to draw from: most draws come again
            known.add(drawn_before)
            yield from unset(made, setter)
            for answer in made.answers:
                yield from unanswered(answer)


def values(made: Problem) -> list:
    """The answers, without what computes them."""
    return [(answer.name, answer.value, answer.mistakes) for answer in made.answers]


def unset(made: Problem, setter: Typesetter) -> Iterator[str]:
    """Formulas and roles that cannot be typeset."""
    words = [text for _, text in made.marks]
    words += [text for answer in made.answers for text in (answer.name, answer.unit)]
    words += [why for answer in made.answers for _, why in answer.mistakes]
    for text in (made.question, made.solution, *words):
        try:
            setter.block(text)
        except ProblemError as error:
            yield str(error)


def unanswered(answer: Answer) -> Iterator[str]:
    """An answer that is not what is computed, or a mistake that is."""
    try:
        found = answer.computed()
    except Exception as error:
        yield f"{answer.name}: computed fails with {type(error).__name__}: {error}"
        return
    if not agrees(found, answer.value, answer.tolerance):
        yield f"{answer.name}: the closed form gives {answer.value!r}, computed is {found!r}"
    for value, why in answer.mistakes:
        if agrees(value, found, answer.tolerance):
            yield f"{answer.name}: the mistake {value!r} ({why}) is what is computed"


def unwitnessed(made: Problem) -> Iterator[str]:
    """A claim that does not hold where it should, or holds where a hypothesis is dropped."""
    if made.witness is None or made.control is None:
        return
    for name, look, right in (("witness", made.witness, True), ("control", made.control, False)):
        try:
            seen = look()
        except Exception as error:
            yield f"the {name} fails with {type(error).__name__}: {error}"
            continue
        if seen is not right:
            yield f"the {name} returns {seen!r}, not {right}"
