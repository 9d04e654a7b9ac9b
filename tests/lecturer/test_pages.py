"""The lecturer's pages have what the kit promises, for every chapter."""

import json
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from tools import lecture_clock
from tools.teach import CHAPTERS

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "lecturer" / "_ext"))

from lecturing.plans import boards, pages_of, steps  # noqa: E402
from lecturing.site import KitError  # noqa: E402

SECTIONS = (
    "Before the hour", "Fifty minutes", "Eighty minutes", "Polls", "At the board",
    "Misconceptions", "What to skip", "Live cells", "After the hour",
)  # fmt: skip
PROVED = re.compile(r"\{prf:(?:theorem|proposition|lemma|corollary)\}[^\n]*\n:label: (\S+)")
PLAN = re.compile(r"^:::\{plan\} (\d+)\n(.*?)^:::", re.DOTALL | re.MULTILINE)


def lecture(chapter: str) -> str:
    return (ROOT / "lecturer" / "lectures" / f"{chapter}.md").read_text("utf8")


def deck(chapter: str) -> str:
    return (ROOT / "lecturer" / "slides" / f"{chapter}.md").read_text("utf8")


@cache
def markdown(page: str) -> str:
    cells = json.loads((ROOT / f"{page}.ipynb").read_text("utf8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def proved(chapter: str) -> list[str]:
    return [label for page in pages_of(chapter) for label in PROVED.findall(markdown(page))]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_page_has_its_sections_in_order(chapter):
    assert tuple(re.findall(r"^## (.+)$", lecture(chapter), re.MULTILINE)) == SECTIONS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_proof_of_the_chapter_has_a_board_version(chapter):
    written = boards(lecture(chapter))
    assert list(written) == proved(chapter)
    assert all(len(lines.split("\n")) <= 14 for lines in written.values())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_both_plans_add_up(chapter):
    plans = {minutes: body.splitlines() for minutes, body in PLAN.findall(lecture(chapter))}
    assert list(plans) == ["50", "80"]
    for minutes, lines in plans.items():
        assert len(steps(int(minutes), lines)) >= 6


def test_control_a_plan_that_does_not_add_up_is_refused():
    with pytest.raises(KitError, match="take 49 minutes, not 50"):
        steps(50, ["40 | talk", "9 | ask"])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_deck_can_be_given_in_fifty_minutes(chapter):
    assert 30 <= lecture_clock.of_chapter(chapter).minutes <= 46  # and some for questions


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_slide_has_notes(chapter):
    slides = re.split(r"^## ", deck(chapter), flags=re.MULTILINE)[1:]
    assert 10 <= len(slides) <= 20
    assert [s.partition("\n")[0] for s in slides if "{notes}" not in s and "{poll}" not in s] == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_is_believed_is_answered(chapter):
    assert 4 <= lecture(chapter).count("{misconception}") <= 7


def test_control_every_chapter_with_exercises_is_asked():
    written = (path.stem for path in (ROOT / "book").glob("*_exercises.ipynb"))
    assert sorted(CHAPTERS) == sorted(name.removesuffix("_exercises") for name in written) != []


def test_control_a_chapter_proves_something_and_boards_are_read():
    assert len(proved("symmetry")) == 6
    assert boards(":::{board} thm-a\n1. $x$\n:::\n") == {"thm-a": "1. $x$"}
