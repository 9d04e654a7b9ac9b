"""The book's exercises for a grader: notebooks with its cells, the same checkers, no solution.

    python -m tools.teach assignments nbgrader|otter [--chapter symmetry] [--to FOLDER]

For nbgrader: `source/CHAPTER/CHAPTER.ipynb` under the folder, for `nbgrader generate_assignment`.
For otter-grader: `CHAPTER/CHAPTER.ipynb` with `CHAPTER/tests/`, for `otter generate` and `run`.
A cell with a stub becomes two: what the student fills in, and the test, which calls the checker.
Points are five for each star.
"""

import argparse
import ast
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from tools.teach.loading import BOOK, CHAPTERS
from tools.teach.problem import ProblemError

from gaugebook.solutions import refuse_what_is_left, without_solutions  # isort: skip

POINTS = 5  # for each star
TASK = re.compile(r":::\{exercise\} (★+)[^\n]*\n:label: (ex-[\w-]+)")
GRADERS = ("nbgrader", "otter")
SETUP = "import otter\n\ngrader = otter.Notebook({name!r})"
OK_TEST = """OK_FORMAT = True

test = {{
    "name": {name!r},
    "points": {points},
    "suites": [
        {{
            "cases": [
                {{"code": {code!r}, "hidden": False, "locked": False}},
            ],
            "scored": True,
            "setup": "",
            "teardown": "",
            "type": "doctest",
        }},
    ],
}}
"""


@dataclass(frozen=True)
class Exercise:
    """An exercise of a notebook: what the student fills in, and the calls that judge it."""

    label: str
    points: int
    stub: str
    calls: tuple[str, ...]


def exercise_of(cell: dict, task: tuple[str, str] | None) -> Exercise | None:
    """The exercise whose stub a cell is; none if it calls no checker.

    Raises:
        ProblemError: a checker is called where no exercise was set, or not in the last statement.
    """
    source = "".join(cell["source"])
    if cell["cell_type"] != "code" or "check." not in source:
        return None
    calls, begins = calls_at_the_end(source)
    if not calls or task is None:
        raise ProblemError(
            f"a cell calls a checker before its last statements, or without a task: {source!r}"
        )
    stars, label = task
    stub = "".join(source.splitlines(True)[: begins - 1]).rstrip()
    return Exercise(label, POINTS * len(stars), stub, tuple(calls))


def calls_at_the_end(source: str) -> tuple[list[str], int]:
    r"""The checkers that a cell calls last, and the line where that begins.

    >>> calls_at_the_end("a = 1\nprint(check.one(a))\ncheck.two(a)")
    (['check.one(a)', 'check.two(a)'], 2)
    """
    calls: list[str] = []
    begins = 0
    for statement in reversed(ast.parse(source).body):
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "print":
            value = value.args[0]
        if not isinstance(value, ast.Call) or not ast.unparse(value.func).startswith("check."):
            break
        calls.insert(0, ast.unparse(value))
        begins = statement.lineno
    return calls, begins


def divided(notebook: dict) -> Iterator[dict | tuple[dict, Exercise]]:
    """The cells of a notebook; a stub comes with its exercise."""
    task = None
    for cell in notebook["cells"]:
        found = TASK.search("".join(cell["source"]))
        if found is not None:
            task = (found[1], found[2])
        exercise = exercise_of(cell, task)
        yield cell if exercise is None else (cell, exercise)


def for_nbgrader(notebook: dict) -> dict:
    """The notebook with nbgrader's metadata: what is read is locked, and so are the tests.

    A stub bears none: of a cell that is declared a solution nbgrader would leave no line.
    """
    cells: list[dict] = []
    for part in divided(notebook):
        if isinstance(part, dict):
            name = f"read-{len(cells)}"
            cells.append(tagged(part, name, locked=True))
            continue
        cell, exercise = part
        cells.append(with_source(cell, exercise.stub))
        calls = "".join(f"    {call},\n" for call in exercise.calls)
        test = with_source(
            cell, f"verdicts = (\n{calls})\nprint(*verdicts, sep='\\n')\nassert all(verdicts)"
        )
        test["id"] = f"{cell['id']}-test"[:64]
        cells.append(
            tagged(test, f"test-{exercise.label}", grade=True, locked=True, points=exercise.points)
        )
    return notebook | {"cells": cells}


def tagged(cell: dict, name: str, *, points: int | None = None, **kinds: bool) -> dict:
    """A cell with nbgrader's metadata (schema 3)."""
    cell = deepcopy(cell)
    marks = {"grade": False, "solution": False, "locked": False, "task": False} | kinds
    marks |= {"schema_version": 3, "grade_id": name, "cell_type": cell["cell_type"]}
    cell["metadata"]["nbgrader"] = marks | ({} if points is None else {"points": points})
    return cell


def for_otter(notebook: dict, name: str) -> tuple[dict, dict[str, str]]:
    """The notebook, and its tests by the name of their file."""
    cells: list[dict] = []
    tests: dict[str, str] = {}
    for part in divided(notebook):
        if isinstance(part, dict):
            cells.append(part)
            continue
        cell, exercise = part
        key = exercise.label.replace("-", "_")
        cells.append(with_source(cell, exercise.stub))
        said = "".join(f"print({call})\n" for call in exercise.calls)
        check = with_source(cell, f"{said}grader.check({key!r})")
        check["id"] = f"{cell['id']}-test"[:64]
        cells.append(check)
        code = "\n".join(f">>> bool({call})\nTrue" for call in exercise.calls)
        tests[f"{key}.py"] = OK_TEST.format(name=key, points=exercise.points, code=code)
    first = next(k for k, cell in enumerate(cells) if cell["cell_type"] == "code")
    start = with_source(cells[first], SETUP.format(name=f"{name}.ipynb")) | {"id": "otter-start"}
    return notebook | {"cells": [*cells[:first], start, *cells[first:]]}, tests


def with_source(cell: dict, source: str) -> dict:
    """A code cell of another source, not yet run."""
    kept = {key: deepcopy(cell[key]) for key in ("cell_type", "id", "metadata")}
    return kept | {"source": source.splitlines(True), "execution_count": None, "outputs": []}


def exercises(chapter: str) -> dict:
    """The chapter's exercises without their solutions.

    Raises:
        ProblemError: the chapter has none.
    """
    path = BOOK / f"{chapter}_exercises.ipynb"
    if not path.exists():
        raise ProblemError(f"there is no chapter {chapter!r}: {', '.join(CHAPTERS)}")
    source = without_solutions(path.read_text("utf8"))
    refuse_what_is_left(source, path.name)
    return json.loads(source)


def write(grader: str, chapters: list[str], to: Path) -> list[Path]:
    """Write the notebooks of these chapters; what else lies in the folder stays there."""
    written: list[Path] = []
    for chapter in chapters:
        notebook = exercises(chapter)
        if grader == "nbgrader":
            files = {f"source/{chapter}/{chapter}.ipynb": dumped(for_nbgrader(notebook))}
        else:
            made, tests = for_otter(notebook, chapter)
            files = {f"{chapter}/{chapter}.ipynb": dumped(made)}
            files |= {f"{chapter}/tests/{name}": text for name, text in tests.items()}
        for name, text in files.items():
            path = to / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf8")
            written.append(path)
    return written


def dumped(notebook: dict) -> str:
    """A notebook as the book's own are written."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("grader", choices=GRADERS)
    parser.add_argument("--chapter", action="append", help="one of them; all, if it is not given")
    parser.add_argument("--to", type=Path, help="a folder; _build/assignments/GRADER by default")


def run(options: argparse.Namespace) -> int:
    """Write them, and say where."""
    to = options.to or Path("_build", "assignments", options.grader)
    for path in write(options.grader, options.chapter or list(CHAPTERS), to):
        if path.suffix == ".ipynb":
            print(path)
    return 0
