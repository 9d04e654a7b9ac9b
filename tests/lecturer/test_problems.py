"""Every problem of the kit: what is asked has the answer that is given, for many draws."""

import dataclasses
import doctest
import importlib

import pytest

from tests.lecturer.samples import sample, tasks_of
from tools.teach import CHAPTERS, Answer, Exam, Problem, ProblemError, drawn, load, problem
from tools.teach.checking import faults
from tools.teach.said import plain, typesetter

FOUND = load()
TASKS = {task.where: task for each in FOUND.values() for task in each.tasks}
EXAMS = {name: each for name, each in FOUND.items() if each.exam}
SEEDS = 10


@pytest.fixture(scope="module")
def setter():
    with typesetter() as setter:
        yield setter


# What torch itself says when it is first asked for a product with a Jacobian.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", TASKS)
def test_a_problem_has_the_answer_that_is_computed(name, setter):
    assert sorted(set(faults(TASKS[name], SEEDS, setter))) == []


@pytest.mark.parametrize("chapter", [name for name in CHAPTERS if name in FOUND])
def test_a_chapter_has_four_problems_one_of_them_a_proof(chapter):
    tasks = FOUND[chapter].tasks
    drawn_twice = {
        task.name: {task(drawn(task.name, f"student {k}")).question for k in range(8)}
        for task in tasks
    }
    proofs = [task for task in tasks if task(drawn(task.name)).witness is not None]
    assert len(tasks) == 4
    assert len(proofs) >= 1
    assert sum(len(questions) > 1 for questions in drawn_twice.values()) >= 2


@pytest.mark.parametrize("name", EXAMS)
def test_an_exam_takes_its_minutes_and_has_a_point_for_each(name):
    exam = EXAMS[name]
    assert sum(task.minutes for task in exam.tasks) == exam.exam.minutes
    for task in exam.tasks:
        assert task(drawn(task.name)).points == task.minutes


def test_the_mid_term_and_the_final_are_there():
    shapes = {name: (len(each.tasks), each.exam.minutes) for name, each in EXAMS.items()}
    assert shapes == {"midterm": (5, 90), "final": (6, 150)}


# ---------------------------------------------------------------- what must be found

WRONG = {
    "a closed form that is off": (
        {"value": lambda side: side**2 + 1e-6},
        "the area: the closed form gives",
    ),
    "a mistake that is computed": (
        {
            "value": lambda side: side**2 * (1 - 0.8e-9),
            "mistakes": lambda side: [side**2 * (1 + 0.7e-9), side],
        },
        "is what is computed",
    ),
    "a formula that nobody can set": ({"question": lambda side: r"$\frac{1$"}, "KaTeX"),
    "a role that sheets do not know": ({"solution": lambda side: "By {cite}`x`."}, "not for prob"),
    "a statement that is not there": ({"solution": lambda side: "{in}`thm-none`"}, "no statement"),
    "an oracle that breaks": ({"computed": lambda side: 1 / 0}, "computed fails with ZeroDiv"),
}


@pytest.mark.parametrize("name", WRONG)
def test_control_a_problem_with_a_fault_is_found(name, setter):
    changed, complaint = WRONG[name]
    assert any(complaint in found for found in faults(sample(**changed), 3, setter))
    assert list(faults(sample(), 3, setter)) == []


def test_control_numbers_that_are_not_the_student_s_are_found(setter):
    calls = iter(range(100))
    restless = sample(question=lambda side: f"call {next(calls)}")
    assert any("take all chance from draw" in found for found in faults(restless, 1, setter))


@pytest.mark.parametrize(
    ("witness", "control", "complaint"),
    [
        (lambda: True, lambda: True, "the control returns True"),
        (lambda: False, lambda: False, "the witness returns False"),
        (lambda: 1, lambda: False, "the witness returns 1"),
        (lambda: 1 / 0, lambda: False, "the witness fails with ZeroDivisionError"),
    ],
)
def test_control_a_proof_without_a_witness_is_found(witness, control, complaint, setter):
    @problem(title="A claim", stars=1, minutes=5)
    def claim(draw):
        return Problem("q", "s", ((1, "m"),), witness=witness, control=control)

    assert any(complaint in found for found in faults(claim, 1, setter))


# ---------------------------------------------------------------- what is refused at once

RIGHT = {
    "name": "n",
    "value": 4,
    "computed": lambda: 4,
    "mistakes": ((5, "one too many"), (3, "one too few")),
}
WHOLE = {"question": "q", "solution": "s", "marks": ((2, "m"),), "answers": (Answer(**RIGHT),)}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"mistakes": ((5, "a"), (4 + 1e-10, "b"))}, "equals the answer"),
        ({"mistakes": ((5, "a"),)}, "has 1 mistakes, and needs 2"),
        ({"mistakes": ((5, ""), (3, "b"))}, "what went wrong"),
        ({"computed": 4}, "needs computed="),
        ({"value": float("nan")}, "no finite number"),
        ({"value": "four"}, "all numbers, or all words"),
        ({"tolerance": 2}, "between 0 and 1"),
        ({"name": " "}, "no name"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(changed, complaint):
    assert Answer(**RIGHT).value == 4
    with pytest.raises(ProblemError, match=complaint):
        Answer(**RIGHT | changed)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"marks": ()}, "no marks"),
        ({"marks": (2, "m")}, "and a comma"),
        ({"marks": ((0, "m"),)}, "at least one point"),
        ({"answers": ()}, "no answer and no witness"),
        ({"answers": (Answer(**RIGHT), Answer(**RIGHT))}, "two answers are named 'n'"),
        ({"witness": lambda: True}, "both witness= and control="),
        ({"question": "\n"}, "no question"),
        ({"solution": ""}, "no solution"),
    ],
)
def test_a_problem_that_is_not_whole_is_refused(changed, complaint):
    assert Problem(**WHOLE).points == 2
    with pytest.raises(ProblemError, match=complaint):
        Problem(**WHOLE | changed)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [({"stars": 4}, "stars=4"), ({"minutes": 0}, "minutes=0"), ({"title": ""}, "no title")],
)
def test_a_problem_says_how_hard_and_how_long_it_is(changed, complaint):
    with pytest.raises(ProblemError, match=complaint):
        problem(**{"title": "t", "stars": 1, "minutes": 5} | changed)(lambda draw: None)


def test_what_is_wrong_is_said_with_the_problem_s_name():
    broken = dataclasses.replace(sample(marks=lambda side: ()), chapter="week")
    with pytest.raises(ProblemError, match=r"^problem week/square: it has no marks"):
        broken(drawn("square"))


# ---------------------------------------------------------------- loading and drawing


def test_an_overlay_adds_to_a_chapter_and_replaces_by_name(tmp_path):
    own = tmp_path / "own"
    tasks_of(tmp_path, "symmetry", "first", "second")
    tasks_of(own / "problems", "symmetry", "second", "third")
    tasks_of(own / "problems", "week_one", "fourth")
    found = load(tmp_path, own)
    assert [(task.name, task.secret) for task in found["symmetry"].tasks] == [
        ("first", False),
        ("second", True),
        ("third", True),
    ]
    assert list(found) == ["symmetry", "week_one"]
    assert not any(task.secret for task in load(tmp_path)["symmetry"].tasks)


def test_problems_that_are_named_alike_are_refused(tmp_path):
    tasks_of(tmp_path, "one", "same")
    tasks_of(tmp_path, "two", "same")
    with pytest.raises(ProblemError, match="two/same and one/same are named alike"):
        load(tmp_path)


def test_a_folder_without_problems_is_refused(tmp_path):
    with pytest.raises(ProblemError, match="no folder"):
        load(tmp_path / "none")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ProblemError, match="has no problem"):
        load(tmp_path)


def test_a_student_s_numbers_hang_on_secret_student_and_problem_alone():
    assert drawn("a", "ana", "salt").randrange(10**9) == 816_897_371
    others = [("b", "ana", "salt"), ("a", "ben", "salt"), ("a", "ana", "pepper"), ("aa", "na", "")]
    numbers = {drawn(*each).randrange(10**9) for each in [("a", "ana", "salt"), *others]}
    assert len(numbers) == 5


def test_paper_has_words_where_a_page_has_links():
    assert (
        plain("{in}`thm-unique`, {in}`that <fig-hat>`") == "the theorem “The canonical form”, that"
    )


@pytest.mark.parametrize("name", ["said", "look", "marking", "sheets"])
def test_examples_in_the_docstrings_hold(name):
    tried = doctest.testmod(importlib.import_module(f"tools.teach.{name}"))
    assert (tried.failed, tried.attempted > 0) == (0, True)


def test_an_exam_is_known_by_its_file(tmp_path):
    path = tasks_of(tmp_path, "oral", "first")
    path.write_text(path.read_text() + "\nEXAM = Exam('Oral', 20, 'none', 'all')\n")
    assert load(tmp_path)["oral"].exam == Exam("Oral", 20, "none", "all")
