"""What goes into the kit: ours, and an overlay's, which may replace ours."""

import pytest

from tools import lecturer_kit
from tools.lecturer_kit import assemble, build

EXAM = '''
"""An exam of the course's own."""
from tools.teach import Answer, Exam, Problem, problem

EXAM = Exam(title="Our resit", minutes=60, aids="none", covers="chapter 1")


@problem(title="A sum", stars=1, minutes=5)
def our_sum(draw):
    n = draw.randint(2, 9)
    return Problem(
        question=f"What is $1+{n}$?",
        answers=(Answer("the sum", n + 1, lambda: 1 + n, mistakes=((n, "one"), (-n, "sign"))),),
        solution=f"It is ${n + 1}$.",
        marks=((1, "the sum"),),
    )
'''


@pytest.fixture
def overlay(tmp_path):
    own = {
        "lectures/symmetry.md": "# Our own first hour\n",
        "lectures/guest.md": "# A guest\n",
        "slides/guest.md": "# A guest\n",
        "problems/resit.py": EXAM,
        "pages/rooms.md": "# Rooms\n",
        "book/welcome.md": "# Welcome\n",
    }
    for name, text in own.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf8")
    return tmp_path / "own"


@pytest.fixture
def to(tmp_path):
    folder = tmp_path / "kit"
    folder.mkdir()
    return folder


def test_each_chapter_and_exam_has_a_page_of_problems(to):
    assemble(to, None)
    sheets = sorted(path.stem for path in (to / "sheets").glob("*.md"))
    lectures = [path.stem for path in (to / "lectures").glob("*.md")]
    assert sheets == sorted([*lectures, "midterm", "final"])
    assert "Of your course" not in (to / "index.md").read_text("utf8")


def test_a_file_of_the_overlay_replaces_ours_and_others_come_in(to, overlay):
    assemble(to, overlay)
    assert (to / "lectures" / "symmetry.md").read_text("utf8") == "# Our own first hour\n"
    assert (to / "lectures" / "pairing.md").exists()
    assert "Our resit" in (to / "sheets" / "resit.md").read_text("utf8")
    index = (to / "index.md").read_text("utf8")
    for name in ("sheets/resit", "pages/rooms", "lectures/guest"):
        assert name in index
    assert not (to / "book").exists()  # what students read is in their site
    assert "Our own first hour" not in (lecturer_kit.KIT / "lectures" / "symmetry.md").read_text(
        "utf8"
    )


def test_an_overlay_need_not_have_problems(to, overlay):
    (overlay / "problems" / "resit.py").unlink()
    (overlay / "problems").rmdir()
    assemble(to, overlay)
    assert (to / "lectures" / "guest.md").exists()
    assert not (to / "sheets" / "resit.md").exists()


def test_a_kit_is_not_written_into_the_students_site(tmp_path):
    site = tmp_path / "html"
    site.mkdir()
    with pytest.raises(SystemExit, match="no built book"):
        build(site, tmp_path / "to")
    (site / "index.html").write_text("x")
    for to in (site, site / "lecturer"):
        with pytest.raises(SystemExit, match="may not lie in the students' site"):
            build(site, to)
    assert (site / "index.html").read_text() == "x"
