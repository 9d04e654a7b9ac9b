"""Where the notes of a slide begin with the minute at which it is due, the minutes suffice."""

import re

import pytest

from tests.lecturer.test_pages import CHAPTERS, PLAN, deck, lecture, steps
from tools import lecture_clock

DUE = re.compile(r"^:::\{notes\}\n\*(\d):(\d\d)\*$", re.MULTILINE)
HOUR = 50
FREE = ("Questions", "In hand")  # steps without a slide


def slides(source: str) -> list[str]:
    return re.split(r"^(?=#{1,2} )", source, flags=re.MULTILINE)[1:]


def due(source: str) -> list[int]:
    return [60 * int(hours) + int(minutes) for hours, minutes in DUE.findall(source)]


def late(source: str, boards) -> list[str]:
    """The slides that take longer than until the next is due, and by how much."""
    begins = [*due(source), HOUR]
    needs = [lecture_clock.clock(slide, boards).minutes for slide in slides(source)]
    assert len(begins) == len(needs) + 1
    found = zip(slides(source), needs, begins, begins[1:])
    return [s.split("\n")[0] for s, need, now, then in found if need > then - now]


def boards(chapter: str):
    return lambda label: lecture_clock.board_of(lecture_clock.LECTURER, chapter, label)


TIMED = [chapter for chapter in CHAPTERS if DUE.search(deck(chapter))]


@pytest.mark.parametrize("chapter", TIMED)
def test_no_slide_takes_longer_than_until_the_next(chapter):
    assert late(deck(chapter), boards(chapter)) == []


@pytest.mark.parametrize("chapter", TIMED)
def test_each_step_of_the_plan_begins_with_a_slide(chapter):
    lines = dict(PLAN.findall(lecture(chapter)))[str(HOUR)].splitlines()
    begins = {clock for clock, _, what in steps(HOUR, lines) if not what.startswith(FREE)}
    assert begins <= set(due(deck(chapter)))


def test_control_a_slide_of_many_words_is_late():
    words = "word " * 3 * lecture_clock.WORDS
    source = f"# A\n:::{{notes}}\n*0:00*\n{words}\n:::\n## B\n:::{{notes}}\n*0:02*\nwords\n:::\n"
    assert late(source, boards("symmetry")) == ["# A"]
