"""Notebooks for graders: the book's exercises and checkers, a test for each, no solution."""

import json
import re

import pytest

from tests.meta.prose import ROOT
from tools.teach import CHAPTERS, ProblemError
from tools.teach.assignments import (
    calls_at_the_end,
    dumped,
    exercise_of,
    exercises,
    for_nbgrader,
    for_otter,
    write,
)  # fmt: skip

KINDS = {"grade", "solution", "locked", "task", "schema_version", "grade_id", "cell_type"}


def sources(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def solutions(chapter):
    """The cells of the book that no student may get."""
    path = ROOT / "book" / f"{chapter}_exercises.ipynb"
    cells = json.loads(path.read_text("utf8"))["cells"]
    return ["".join(c["source"]) for c in cells if "solution" in c["metadata"].get("tags", [])]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_a_stub_and_a_locked_test(chapter):
    notebook = exercises(chapter)
    labels = re.findall(r":label: (ex-[\w-]+)", "\n".join(sources(notebook)))
    cells = for_nbgrader(notebook)["cells"]
    marks = [c["metadata"]["nbgrader"] for c in cells if "nbgrader" in c["metadata"]]
    tests = [m for m in marks if m["grade"]]
    assert [m["grade_id"] for m in tests] == [f"test-{label}" for label in labels] != []
    assert all(m["locked"] for m in marks)
    assert all(m["points"] % 5 == 0 and m["points"] > 0 for m in tests)
    assert all(set(m) - {"points"} == KINDS and not m["solution"] for m in marks)
    assert len({m["grade_id"] for m in marks}) == len(marks)
    # A student can change the stubs, and nothing else; each stands before its test.
    free = [k for k, c in enumerate(cells) if "nbgrader" not in c["metadata"]]
    assert [cells[k + 1]["metadata"]["nbgrader"] for k in free] == tests


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_otter_gets_a_test_for_each_exercise(chapter):
    notebook = exercises(chapter)
    made, tests = for_otter(notebook, chapter)
    labels = re.findall(r":label: (ex-[\w-]+)", "\n".join(sources(notebook)))
    assert sorted(tests) == sorted(f"{label.replace('-', '_')}.py" for label in labels)
    for name, text in tests.items():
        known: dict = {}
        exec(text, known)
        assert known["test"]["name"] == name.removesuffix(".py")
        assert ">>> bool(check." in known["test"]["suites"][0]["cases"][0]["code"]
        assert sum(f"grader.check('{known['test']['name']}')" in s for s in sources(made)) == 1


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_solution_is_in_any_of_them(chapter, tmp_path):
    for grader in ("nbgrader", "otter"):
        write(grader, [chapter], tmp_path)
    said = "\n".join(
        "\n".join(sources(json.loads(path.read_text("utf8")))) if path.suffix == ".ipynb"
        else path.read_text("utf8")
        for path in tmp_path.rglob("*.*") if path.is_file()
    )  # fmt: skip
    hidden = [cell for cell in solutions(chapter) if len(cell) > 40]
    assert len(hidden) >= 4
    assert [cell for cell in hidden if cell in said] == []
    assert "solution-start" not in said
    book = (ROOT / "book" / f"{chapter}_exercises.ipynb").read_text("utf8")  # the control
    assert all(cell in "\n".join(sources(json.loads(book))) for cell in hidden)


BALANCE = """def balance(w_in, w_out, p):
    into, out = w_in.abs().pow(p).sum(), w_out.abs().pow(p).sum()
    return (out / into) ** (1 / (2 * p))
"""


def graded(answers, labels):
    """What the tests of these exercises say, where stubs are replaced by answers."""
    names: dict = {}
    passed = {}
    cells = for_nbgrader(exercises("symmetry"))["cells"]
    for cell, after in zip(cells, [*cells[1:], cells[0]], strict=True):
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        label = after["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("test-")
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and name.startswith("read-"):
            exec(source, names)
        elif not name and label in labels:
            exec(answers.get(label, source), names)
        elif name.removeprefix("test-") in labels:
            try:
                exec(source, names)
            except AssertionError:
                passed[name] = False
            else:
                passed[name] = True
    return passed


def test_a_right_answer_passes_and_a_stub_does_not(capsys):
    found = graded({"ex-balance": BALANCE}, ("ex-homogeneity", "ex-balance"))
    assert found == {"test-ex-homogeneity": False, "test-ex-balance": True}
    assert "Not yet" in capsys.readouterr().out


def test_several_checkers_of_one_stub_are_all_asked():
    source = "def f(): ...\n\n\nprint(check.one(f))\nprint(check.two(f))"
    assert calls_at_the_end(source) == (["check.one(f)", "check.two(f)"], 4)


def test_control_a_checker_in_the_middle_is_refused():
    cell = {"cell_type": "code", "source": ["check.one(f)\n", "x = 1"]}
    with pytest.raises(ProblemError, match="before its last statements"):
        exercise_of(cell, ("★", "ex-a"))
    with pytest.raises(ProblemError, match="no chapter 'nowhere'"):
        exercises("nowhere")


def test_the_same_notebooks_come_of_the_same_book():
    assert dumped(for_nbgrader(exercises("symmetry"))) == dumped(
        for_nbgrader(exercises("symmetry"))
    )
