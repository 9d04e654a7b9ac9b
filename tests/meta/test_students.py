"""The students' notebooks, as `make students` writes them, have every exercise and no solution."""

import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.meta.prose import ROOT
from tests.meta.sampler import broken
from tests.meta.solution_rules import solutions_are_tagged, solutions_can_be_left_out, tagged
from tools.execute_notebooks import find_notebooks

EXERCISES = [path for path in find_notebooks() if path.stem.endswith("_exercises")]
SOLUTION = re.compile(r"solution-(?:start|end)|\bassert verdict\b")


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """What `make students` writes."""
    folder = tmp_path_factory.mktemp("class") / "students"
    subprocess.run(
        [sys.executable, "-m", "tools.students", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


def test_the_book_has_exercises():
    assert len(EXERCISES) >= 5


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_students_get_every_exercise_and_no_solution(students, path):
    mine, theirs = (nbformat.read(p, as_version=4) for p in (path, students / path.name))
    assert [c.source for c in theirs.cells] == [c.source for c in mine.cells if not tagged(c)]
    exercises = [
        re.findall(r"\{exercise\}", "".join(c.source for c in n.cells)) for n in (mine, theirs)
    ]
    assert exercises[0] == exercises[1] != []
    assert not any(SOLUTION.search(c.source) for c in theirs.cells)
    assert sum("solution-start" in c.source for c in mine.cells) == len(exercises[0])


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_a_stub_is_left_for_each_exercise(students, path):
    theirs = nbformat.read(students / path.name, as_version=4)
    code = [c.source for c in theirs.cells if c.cell_type == "code"]
    assert sum("check." in source for source in code) == sum(
        "{exercise}" in c.source for c in theirs.cells
    )
    assert list(solutions_can_be_left_out(theirs)) == []


START, END = ":::{solution-start} ex-a\n:class: dropdown\n:::", ":::{solution-end}\n:::"


def exercise():
    """One exercise with its solution, as the rules want it."""
    tag = {"metadata": {"tags": ["solution"]}}
    return new_notebook(
        cells=[
            new_code_cell("import math"),
            new_markdown_cell("## Title\n\n:::{exercise}\n:label: ex-a\n:::"),
            new_code_cell("def answer(x): ...\n\n\nprint(answer(1))"),
            new_markdown_cell(f"{START}\n\nBecause.", **tag),
            new_code_cell("def helper(x):\n    return x", **tag),
            new_markdown_cell(f"So it is.\n\n{END}", **tag),
            new_markdown_cell("## Another"),
            new_code_cell("math.pi"),
        ]
    )


def complaints(notebook):
    return [*solutions_are_tagged(notebook), *solutions_can_be_left_out(notebook)]


def test_the_sample_keeps_the_rules():
    assert complaints(exercise()) == []


def source(position, text):
    return lambda n: n.cells[position].update(source=text)


BREAKS = {
    "no tag at the start": (lambda n: n.cells[3].metadata.clear(), "without the tag"),
    "no tag on the code": (lambda n: n.cells[4].metadata.clear(), "without the tag"),
    "no tag at the end": (lambda n: n.cells[5].metadata.clear(), "without the tag"),
    "a tagged exercise": (lambda n: n.cells[1].metadata.update(tags=["solution"]), "outside"),
    "an exercise after the end": (source(5, f"{END}\n\n## Another"), "text after the end"),
    "an exercise before the start": (source(3, f"## Title\n\n{START}"), "text before the start"),
    "two in one cell": (source(3, f"{START}\n\n{END}\n\n{START}\n"), "two solutions"),
    "a name from a solution": (source(7, "helper(1)"), "helper is not known"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_control_a_solution_that_would_stay_is_noticed(name):
    change, complaint = BREAKS[name]
    assert complaint in " ".join(complaints(broken(exercise(), change)))
