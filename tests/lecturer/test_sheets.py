"""Sheets: each student has a file of their own, with nothing in it that answers it."""

import csv
import io
import re

import pytest
from bs4 import BeautifulSoup

from tests.lecturer.samples import tasks_of
from tools.teach import PUBLIC, drawn, load
from tools.teach.__main__ import main
from tools.teach.paper import Posed
from tools.teach.roster import students
from tools.teach.said import typesetter
from tools.teach.sheets import posed, title_of
from tools.teach.stamps import whole

ANSWERS = re.compile(r"SOLUTION|MISTAKE|MARK")
WORDS = re.compile(r"""\$[^$]*\$|^\s*(?:\d+\.|[-|>])|\n|`[^`]*`|[*"']""", re.MULTILINE)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An overlay with problems of its own, and what a command writes for it."""
    monkeypatch.delenv("COURSE_SALT", raising=False)
    monkeypatch.delenv("COURSE_OVERLAY", raising=False)
    tasks_of(tmp_path / "own" / "problems", "week", "first", "second")
    (tmp_path / "own" / "salt").write_text("a secret\n")

    def written(*arguments, status=0):
        command = ["sheets", "--chapter", "week", "--to", str(tmp_path / "out")]
        command += ["--overlay", str(tmp_path / "own"), *arguments]
        assert main(command) == status
        return tmp_path / "out" / "week"

    return written


def text_of(path):
    return BeautifulSoup(path.read_text("utf8"), "html.parser").main.get_text(" ")


def table_of(folder):
    return list(csv.DictReader(io.StringIO((folder / "answers.csv").read_text("utf8"))))


def test_a_sheet_has_the_question_and_nothing_of_the_answers(course):
    folder = course("--student", "ana", "ben")
    for student in ("ana", "ben"):
        sheet = (folder / "students" / f"{student}.html").read_text("utf8")
        assert "QUESTION of first" in sheet
        assert "QUESTION of second" in sheet
        assert ANSWERS.findall(sheet) == []
        for row in table_of(folder):
            if row["student"] == student and row["answer"] == "the area":
                assert str(int(float(row["value"]))) not in sheet
    # the same marks are found where they belong
    assert set(ANSWERS.findall((folder / "answers.html").read_text("utf8"))) == {
        "SOLUTION",
        "MISTAKE",
        "MARK",
    }


def fragments(text):
    """What is said between the formulas, where it is long enough to be told from other text."""
    return [words for part in WORDS.split(text) if len(words := " ".join(part.split())) > 24]


def told(made):
    """What a solution, the marks and the mistakes say that no question and no field says."""
    asked = " ".join([made.question, *(answer.name for answer in made.answers)])
    texts = [made.solution, *(what for _, what in made.marks)]
    texts += [why for answer in made.answers for _, why in answer.mistakes]
    return [part for text in texts for part in fragments(text) if part not in asked]


def test_no_sheet_of_the_kit_s_own_problems_says_how_they_are_solved():
    from tools.teach import paper

    with typesetter() as setter:
        for collection in load().values():
            each = [Posed(task, task(drawn(task.name))) for task in collection.tasks]
            body = paper.body("t", students(None, ["ana"])[0], each, collection.exam, setter)
            sheet = " ".join(BeautifulSoup(body, "html.parser").get_text(" ").split())
            made = [one.made for one in each]
            assert [part for one in made for part in told(one) if part in sheet] == []
            asked = [part for one in made for part in fragments(one.question)]
            assert sum(part in sheet for part in asked) > len(asked) / 2  # the control


def test_a_word_to_choose_stands_among_the_others_in_the_order_of_the_alphabet(course):
    folder = course("--student", "ana")
    page = BeautifulSoup((folder / "students" / "ana.html").read_text("utf8"), "html.parser")
    words = [label.get_text() for label in page.select("fieldset")[0].select("label")]
    assert words == ["a rhombus, too", "not a rhombus"]
    assert page.select("[checked], [value]") == []


def test_the_table_has_the_answers_to_the_numbers_of_each_student(course):
    folder = course("--student", "ana", "ben")
    rows = [row for row in table_of(folder) if row["answer"] == "the area"]
    assert [(row["student"], row["problem"]) for row in rows] == [
        ("ana", "first"),
        ("ana", "second"),
        ("ben", "first"),
        ("ben", "second"),
    ]
    for row in rows:
        side = drawn(row["problem"], row["student"], "a secret").randrange(100, 10**6)
        assert float(row["value"]) == side**2
        assert float(row["tolerance"]) == 1e-9
        assert str(side) in text_of(folder / "students" / f"{row['student']}.html")


def test_a_sheet_needs_no_other_file_and_no_script(course):
    folder = course("--student", "ana")
    for path in (folder / "students" / "ana.html", folder / "answers.html"):
        page = path.read_text("utf8")
        assert set(re.findall(r"url\((?!data:font)", page)) == set()
        assert re.findall(r"<(?:script|link|img|iframe)\b|https?:", page) == []
        assert page.count("data:font/woff2") < 12  # only the fonts that it uses


def test_what_is_there_is_not_written_again(course):
    folder = course("--student", "ana", "ben")
    first, second = (folder / "students" / f"{name}.html" for name in ("ana", "ben"))
    kept = first.stat().st_mtime_ns
    second.write_text(second.read_text("utf8")[:200], "utf8")  # no whole sheet of these sources
    second.write_text("torn", "utf8")
    course("--student", "ana", "ben")
    assert first.stat().st_mtime_ns == kept
    assert "QUESTION of first" in second.read_text("utf8")
    course("--student", "ana", "--title", "Another")
    assert "Another" in first.read_text("utf8")


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "sheet.html"
    whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        whole(path, "new \ud800")
    assert path.read_text() == "old"


def test_who_stops_the_command_can_go_on(course, monkeypatch):
    from tools.teach import sheets

    def stop(path, text):
        whole(path, text)
        raise KeyboardInterrupt

    monkeypatch.setattr(sheets, "whole", stop)
    folder = course("--student", "ana", "ben", status=130)
    assert [path.name for path in (folder / "students").iterdir()] == ["ana.html"]
    monkeypatch.setattr(sheets, "whole", whole)
    kept = (folder / "students" / "ana.html").stat().st_mtime_ns
    course("--student", "ana", "ben")
    assert (folder / "students" / "ana.html").stat().st_mtime_ns == kept
    assert (folder / "students" / "ben.html").exists()


def test_large_print_is_a_file_beside_it(course):
    folder = course("--student", "ana", "--large")
    page = (folder / "students" / "ana-large.html").read_text("utf8")
    assert '<body class="large">' in page
    assert re.search(r"body\.large \{ font: 400 20pt", page)


def test_the_command_says_who_can_know_the_answers(course, capsys, tmp_path):
    course("--student", "ana")
    said = capsys.readouterr().out
    assert "No salt is set" not in said
    assert "of the 2 problems here 2 come from the course's overlay" in said
    (tmp_path / "own" / "salt").unlink()
    course("--student", "ana")
    said = capsys.readouterr().out
    assert "anybody who has this repository can compute every student's answers" in said


def test_the_salt_of_the_environment_comes_first(course, monkeypatch):
    before = course("--student", "ana") / "answers.csv"
    first = before.read_text()
    monkeypatch.setenv("COURSE_SALT", "another")
    assert (course("--student", "ana") / "answers.csv").read_text() != first


def test_students_come_from_a_table(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text("student,name\nana,Ana Müller\nben,\n", "utf-8-sig")
    assert [(one.id, one.name) for one in students(path, [])] == [
        ("ana", "Ana Müller"),
        ("ben", ""),
    ]
    assert [one.id for one in students(None, [])] == ["class"]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("student\nana\nAna\n", "the student Ana comes twice"),
        ("student\n../ana\n", "'../ana' names a file"),
        ("student\nclass\n", "'class' is the sheet for all"),
        ("who\nana\n", "no column student"),
        ("student\n", "no row"),
    ],
)
def test_a_table_that_would_lose_a_student_is_refused(course, tmp_path, capsys, table, complaint):
    (tmp_path / "class.csv").write_text(table)
    course("--students", str(tmp_path / "class.csv"), status=2)
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--problems", "none"], "week has no problem none: there are first, second"),
        (["--chapter", "none"], "no problems of none: there are"),
        (["--overlay", "none"], "write a folder that holds one of"),
        (["--students", "none.csv"], "there is no file none.csv"),
    ],
)
def test_what_is_not_there_is_said(course, capsys, arguments, complaint):
    course(*arguments, status=2)
    assert complaint in capsys.readouterr().err


def test_an_exam_has_a_cover(tmp_path, capsys):
    assert main(["sheets", "--chapter", "midterm", "--student", "ana", "--to", str(tmp_path)]) == 0
    page = BeautifulSoup((tmp_path / "midterm/students/ana.html").read_text("utf8"), "html.parser")
    said = {dt.get_text(): dt.find_next("dd").get_text() for dt in page.select("dt")}
    assert said["Time"] == "90 minutes"
    assert said["Points"] == "90"
    assert said["Student"] == "ana"
    rows = page.select("main > table tbody tr")
    points = [int(row.select_one(".number").get_text()) for row in rows]
    assert sum(points[:-1]) == points[-1] == 90
    assert len(rows) == len(page.select("section.problem")) + 1
    assert "exam" in page.body["class"]


def test_a_sheet_is_named_after_its_chapter():
    found = load()
    assert title_of(found["symmetry"]) == "Problems: The symmetry"
    assert title_of(found["final"]) == "Final exam"


def test_the_class_has_the_numbers_of_the_public_page():
    tasks = load()["symmetry"].tasks
    (everybody,) = students(None, [])
    assert [each.made.question for each in posed(tasks, everybody, PUBLIC)] == [
        task(drawn(task.name)).question for task in tasks
    ]
