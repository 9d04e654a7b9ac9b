"""Where the notes of a slide begin with the minute at which it is due, the minutes suffice."""

import re

import pytest

from tests.lecturer.test_pages import CHAPTERS, PLAN, deck, lecture, steps
from tools import lecture_clock

DUE = re.compile(r"^\*(\d):(\d\d)\*", re.MULTILINE)
HOUR = 50
ROUNDED = 1  # minutes: a slide is due at a full one


def blocks(source: str) -> list[tuple[int, str]]:
    """When each slide is due, and the slide, with those after it that do not say when."""
    found: list[tuple[int, str]] = []
    for slide in re.split(r"^(?=#{1,2} )", source, flags=re.MULTILINE)[1:]:
        if said := DUE.search(slide):
            found.append((60 * int(said[1]) + int(said[2]), slide))
        else:
            begins, before = found.pop()
            found.append((begins, before + slide))
    return found


def late(source: str, boards) -> list[str]:
    """The slides that take longer than until the next one is due."""
    begins = [minute for minute, _ in blocks(source)] + [HOUR]
    return [
        slide.split("\n")[0]
        for (now, slide), then in zip(blocks(source), begins[1:])
        if lecture_clock.clock(slide, boards).minutes > then - now + ROUNDED
    ]


def boards(chapter: str):
    return lambda label: lecture_clock.board_of(lecture_clock.LECTURER, chapter, label)


TIMED = [chapter for chapter in CHAPTERS if DUE.search(deck(chapter))]


@pytest.mark.parametrize("chapter", TIMED)
def test_no_slide_takes_longer_than_until_the_next(chapter):
    assert late(deck(chapter), boards(chapter)) == []


@pytest.mark.parametrize("chapter", TIMED)
def test_slides_are_due_in_their_order_and_in_the_hour(chapter):
    begins = [minute for minute, _ in blocks(deck(chapter))]
    assert begins == sorted(set(begins))
    assert begins[0] == 0
    assert begins[-1] < HOUR


@pytest.mark.parametrize("chapter", ["symmetry", "minimum_norm"])
def test_each_step_of_the_plan_begins_with_a_slide(chapter):
    lines = dict(PLAN.findall(lecture(chapter)))[str(HOUR)].splitlines()
    begins = {clock for clock, _, what in steps(HOUR, lines) if not what.startswith("In hand")}
    assert begins <= {minute for minute, _ in blocks(deck(chapter))}


def test_control_a_slide_of_many_words_is_late():
    words = "word " * 4 * lecture_clock.WORDS
    source = f"# A\n:::{{notes}}\n*0:00*\n{words}\n:::\n## B\n:::{{notes}}\n*0:02*\nwords\n:::\n"
    assert late(source, boards("symmetry")) == ["# A"]
