"""`course.yml` says what a fork teaches, and when; what is not understood there is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from sphinx.errors import ExtensionError

from gaugebook.course import HIDDEN, SHOWN, Course, chapters_of, contents_of, parse, read, today
from gaugebook.taught import as_taught, own_pages
from tests.site.copies import ROOT, build_copy, small_book
from tools.teach.course import overlay_of
from tools.teach.problem import ProblemError

CONTENTS = contents_of(ROOT)
CHAPTERS = tuple(chapters_of(CONTENTS))


def course(text, base=ROOT, **environment):
    return parse(text, CONTENTS, base, environment)


def test_as_it_stands_the_book_is_as_published(tmp_path):
    assert read(ROOT, {}) == Course(chapters=CHAPTERS) == course("")
    assert read(tmp_path, {}) == Course()  # a page that is built by itself
    assert as_taught(CONTENTS, course("")) == CONTENTS
    assert as_taught(CONTENTS, course("chapters: [pairing]")) != CONTENTS


def test_every_chapter_of_the_book_is_one_of_the_contents():
    exercises = {path.stem for path in (ROOT / "book").glob("*_exercises.ipynb")}
    assert {f"{chapter}_exercises" for chapter in CHAPTERS} == exercises
    assert {page for pages in chapters_of(CONTENTS).values() for page in pages} == {
        path.stem for path in (ROOT / "book").glob("*.ipynb")
    } - {"intro"}


def files(entries):
    return [e["file"] for entry in entries for e in (entry, *entry.get("sections", ()))]


def test_chapters_are_in_the_order_taught_and_none_is_lost():
    taught = as_taught(CONTENTS, course("chapters: [pairing, symmetry]"))
    first, further, back = taught["parts"]
    assert first["caption"] == "The book"
    assert files(first["chapters"]) == [
        f"book/{n}"
        for n in ("pairing", "learning", "pairing_exercises", "symmetry", "symmetry_exercises")
    ]
    assert further["caption"] == "Further chapters"
    assert back == CONTENTS["parts"][1]
    every = [
        sorted(f for p in c["parts"] for f in files(p["chapters"])) for c in (taught, CONTENTS)
    ]
    assert every[0] == every[1]


REFUSED = {
    "kapitel: all": r"the key 'kapitel' is not one of course, chapters, dates, solutions, overlay",
    "- solutions": "has no keys",
    "solutions: [": "cannot be read",
    "solutions: hidden\nsolutions: shown": "solutions stands twice",
    "course: [Learning]": "write the name",
    "chapters: pairing": r"write all, or a list such as \[symmetry, pairing\]",
    "chapters: [pairings]": "'pairings' is not one of symmetry, minimum_norm",
    "chapters: [{pairing: 1}]": "is not one of symmetry",
    "chapters: [pairing, pairing]": "names pairing twice",
    "dates: 2027-03-01": "write pairs such as symmetry: 2027-03-01",
    "dates: {symetry: 2027-03-01}": "'symetry' is not one of",
    "dates: {symmetry: 1 March}": "'1 March'; write a day such as 2027-03-01",
    "dates: {symmetry: 2027-02-30}": "'2027-02-30'; write a day",
    "dates: {symmetry_exercises: 2027-03-01}": "is not one of",
    "chapters: [pairing]\ndates: {symmetry: 2027-03-01}": "is not one of pairing, learning;",
    "solutions: hiden": "write shown, hidden or a day such as 2027-03-01",
    "solutions: no": "write shown, hidden or a day",
    "solutions: [symmetry]": "write a day",
    "solutions: {learning: hidden}": "'learning' is not one of symmetry",
    "solutions: {symmetry: }": "those of symmetry is ''; write shown, hidden or a day",
    "overlay: nowhere": "write a folder that holds one of lectures, slides",
    "overlay: book": "write a folder that holds one of lectures, slides",
    "overlay: [a, b]": "write the name of one folder",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_stops_the_build_and_says_what_to_write(text):
    with pytest.raises(ExtensionError, match=f"^course.yml: .*{REFUSED[text]}"):
        course(text)


def test_solutions_open_on_their_day_and_those_not_named_stay_hidden():
    day = date(2027, 3, 1)
    some = course("solutions: {symmetry: 2027-03-01, pairing: 2027-03-02, conservation: shown}")
    assert [c for c in CHAPTERS if some.shows_solutions(c, day)] == ["symmetry", "conservation"]
    assert not some.shows_solutions("", date(2999, 1, 1))  # a page of no chapter
    for word, otherwise in (("shown", SHOWN), ("hidden", HIDDEN), ("2027-03-01", day)):
        assert course(f"solutions: {word}") == Course(chapters=CHAPTERS, otherwise=otherwise)
    assert course("solutions: 2027-03-01").shows_solutions("pairing", day)
    assert not course("solutions: 2027-03-01").shows_solutions("pairing", day - timedelta(1))


def test_the_day_is_that_of_the_build():
    assert today({"SOURCE_DATE_EPOCH": "1803772799"}) == date(2027, 2, 27)
    assert today({"SOURCE_DATE_EPOCH": "1803772800"}) == date(2027, 2, 28)
    assert abs(today({}) - datetime.now(UTC).date()) <= timedelta(1)


def test_the_overlay_of_the_environment_comes_before_that_of_the_file(tmp_path):
    for name in ("own/book", "private/book", "private/lectures"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "own/book/rooms.md").write_text("# Rooms\n", "utf8")
    (tmp_path / "private/book/grading.md").write_text("# Grading\n", "utf8")
    public = course("overlay: own", tmp_path)
    assert public.overlay == tmp_path / "own"
    assert [page.name for page in public.pages] == ["rooms.md"]
    both = course("overlay: own", tmp_path, COURSE_OVERLAY="private")
    assert both.overlay == tmp_path / "private"
    assert [page.name for page in both.pages] == ["grading.md", "rooms.md"]
    with pytest.raises(ExtensionError, match="COURSE_OVERLAY is 'privat'; write a folder"):
        course("overlay: own", tmp_path, COURSE_OVERLAY="privat")
    assert own_pages(both, CONTENTS).keys() == {"book/grading", "book/rooms"}


def test_the_commands_for_problems_have_the_same_overlay(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_OVERLAY", raising=False)
    assert overlay_of(book=tmp_path) is None
    for name in ("own", "private", "given"):
        (tmp_path / name / "problems").mkdir(parents=True)
    (tmp_path / "course.yml").write_text("overlay: own\n", "utf8")
    assert overlay_of(book=tmp_path) == tmp_path / "own"
    monkeypatch.setenv("COURSE_OVERLAY", "private")
    assert overlay_of(book=tmp_path) == tmp_path / "private"
    assert overlay_of(tmp_path / "given", tmp_path) == tmp_path / "given"
    with pytest.raises(ProblemError, match="write a folder that holds one of"):
        overlay_of(tmp_path / "nowhere", tmp_path)


def test_a_page_of_the_course_may_not_hide_one_of_the_book(tmp_path):
    (tmp_path / "own/book").mkdir(parents=True)
    (tmp_path / "own/book/notation.md").write_text("# Signs\n", "utf8")
    with pytest.raises(ExtensionError, match="has a page notation; name this one otherwise"):
        own_pages(course("overlay: own", tmp_path), CONTENTS)


@pytest.mark.slow
def test_a_small_book_is_built_for_its_course(tmp_path):
    """Beyond the build of the whole book: contents without parts, and a page without a frame."""
    small_book(tmp_path)
    chapters = [
        {"file": f"book/{n}", "sections": [{"file": f"book/{n}_exercises"}]} for n in ("one", "two")
    ]
    contents = {"format": "jb-book", "root": "book/intro", "chapters": chapters}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(contents), "utf8")
    for name in ("one", "one_exercises", "two", "two_exercises"):
        (tmp_path / f"book/{name}.md").write_text(f"# Page {name}\n\nIts text.\n", "utf8")
    (tmp_path / "course.yml").write_text("chapters: [two]\ndates: {two: 2027-03-01}\n", "utf8")
    assert build_copy(tmp_path) == ""
    first, lecture, further = (
        (tmp_path / f"_build/html/book/{name}.html").read_text("utf8")
        for name in ("intro", "two", "one")
    )
    assert first.index("Monday 1 March 2027") > first.index("<p>Its text.")
    assert lecture.index("Monday 1 March 2027") < lecture.index("<p>Its text.")
    assert "March" not in further
    assert (
        first.index('href="two.html"') < first.index("Further chapters") < first.index("one.html")
    )
