"""What a fork sets for its course in `course.yml`; a book without that file is as published.

What is not understood stops the build: a mistyped key would show solutions that were to be hidden.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import yaml
from sphinx.errors import ExtensionError

FILE = "course.yml"
SHOWN, HIDDEN = date.min, date.max  # solutions are shown from then on
KEYS = ("course", "chapters", "dates", "solutions", "overlay")
OWN = ("lectures", "slides", "problems", "pages", "book")  # the folders of an overlay
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Course:
    """What is taught, and when."""

    name: str = ""
    chapters: tuple[str, ...] = ()  # in the order taught
    dates: Mapping[str, date] = field(default_factory=dict)  # of pages of chapters
    solutions: Mapping[str, date] = field(default_factory=dict)  # chapter: from when they are shown
    otherwise: date = SHOWN  # the same for every other page
    overlay: Path | None = None  # the lecturer's own: lectures, slides, problems, pages
    pages: tuple[Path, ...] = ()  # that its students read, too

    def shows_solutions(self, chapter: str, day: date) -> bool:
        """Whether the solutions of a chapter are shown on that day."""
        return self.solutions.get(chapter, self.otherwise) <= day


class Strict(yaml.BaseLoader):
    """Every value is text, and no key stands twice."""

    def construct_mapping(self, node, deep=False):
        """Of two equal keys YAML would keep the last."""
        keys = [self.construct_object(key) for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise yaml.YAMLError(f"{', '.join(sorted(map(str, twice)))} stands twice")
        return super().construct_mapping(node, deep)


def refuse(message: str):
    """Stop the build, with a sentence that says what to write."""
    raise ExtensionError(f"{FILE}: {message}")


def chapters_of(contents: Mapping) -> dict[str, tuple[str, ...]]:
    """The chapters of `_toc.yml`, each with its pages: a chapter has its exercises under it."""
    parts = contents.get("parts") or [contents]
    found = {}
    for entry in (entry for part in parts for entry in part.get("chapters", ())):
        name, *under = (
            Path(item.get("file", "")).stem for item in (entry, *entry.get("sections", ()))
        )
        if f"{name}_exercises" in under:
            found[name] = (name, *under)
    return found


def contents_of(folder: Path) -> dict:
    """`_toc.yml` as it is written; a page that is built by itself has none."""
    path = folder / "_toc.yml"
    return yaml.safe_load(path.read_text("utf8")) if path.exists() else {}


def one_of(name: str, known, where: str) -> str:
    """The name, if it is known."""
    if name not in list(known):
        refuse(f"{where} {name!r} is not one of {', '.join(known)}; write one of these")
    return name


def day_of(text, where: str) -> date:
    """A day as ISO writes it."""
    if isinstance(text, str) and DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:  # such as the 30th of February
            pass
    return refuse(f"{where} is {text!r}; write a day such as 2027-03-01")


def from_when(value, where: str) -> date:
    """From which day solutions are shown."""
    words = {"shown": SHOWN, "hidden": HIDDEN}
    if isinstance(value, str) and not DAY.fullmatch(value) and value not in words:
        refuse(f"{where} is {value!r}; write shown, hidden or a day such as 2027-03-01")
    return words[value] if value in ("shown", "hidden") else day_of(value, where)


def folder_of(text: str, base: Path, where: str) -> Path | None:
    """A folder of one's own that is there, or none."""
    if not isinstance(text, str):
        refuse(f"{where} is {text!r}; write the name of one folder")
    folder = (base / Path(text).expanduser()).resolve()
    if text and not any((folder / name).is_dir() for name in OWN):
        refuse(
            f"{where} is {text!r}; write a folder that holds one of {', '.join(OWN)}, or nothing"
        )
    return folder if text else None


def mapping(value, where: str) -> Mapping:
    """A mapping; nothing is an empty one."""
    if value and not isinstance(value, dict):
        refuse(f"{where} is {value!r}; write pairs such as symmetry: 2027-03-01")
    return value or {}


def parse(text: str, contents: Mapping, base: Path, environment: Mapping = os.environ) -> Course:
    """The course that the text describes, for a book with these contents, in the folder `base`."""
    try:
        said = yaml.load(text, Strict) or {}  # a loader that makes nothing but text
    except yaml.YAMLError as error:
        said = refuse(f"cannot be read: {error}")
    if not isinstance(said, dict):
        refuse("has no keys; write lines such as solutions: shown")
    for key in said:
        one_of(key, KEYS, "the key")
    if not isinstance(title := said.get("course", ""), str):
        refuse(f"course is {title!r}; write the name of the course")

    pages_of = chapters_of(contents)
    chapters = said.get("chapters") or "all"
    if isinstance(chapters, dict) or (isinstance(chapters, str) and chapters != "all"):
        refuse(f"chapters is {chapters!r}; write all, or a list such as [symmetry, pairing]")
    taught = tuple(pages_of if chapters == "all" else chapters)
    for chapter in taught:
        one_of(chapter, pages_of, "the chapter")
        if taught.count(chapter) > 1:
            refuse(f"chapters names {chapter} twice; write it once")

    known = [page for name in taught for page in pages_of[name] if page != f"{name}_exercises"]
    dates = {
        one_of(page, known, "in dates the page"): day_of(day, f"the date of {page}")
        for page, day in mapping(said.get("dates"), "dates").items()
    }
    solutions, otherwise = said.get("solutions") or "shown", HIDDEN
    if not isinstance(solutions, dict):
        solutions, otherwise = {}, from_when(solutions, "solutions")
    own = folder_of(said.get("overlay", ""), base, "overlay")
    private = folder_of(environment.get("COURSE_OVERLAY", ""), base, "COURSE_OVERLAY")
    pages = {page for place in (own, private) if place for page in place.glob("book/*.md")}
    return Course(
        name=title,
        chapters=taught,
        dates=dates,
        solutions={
            one_of(name, pages_of, "in solutions the chapter"): from_when(value, f"those of {name}")
            for name, value in solutions.items()
        },
        otherwise=otherwise,
        overlay=private or own,
        pages=tuple(sorted(pages, key=lambda page: page.name)),
    )


def read(folder: Path, environment: Mapping = os.environ) -> Course:
    """The course of the book in this folder."""
    path = Path(folder, FILE)
    text = path.read_text("utf8") if path.exists() else ""
    return parse(text, contents_of(Path(folder)), Path(folder), environment)


def today(environment: Mapping = os.environ) -> date:
    """The day of the build, in UTC."""
    epoch = environment.get("SOURCE_DATE_EPOCH")
    return (datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)).date()


def take(app, config) -> None:
    """Before any part of the book asks for it; a draft is built anew where something changed."""
    wanted, day = read(Path(app.confdir)), today()
    under = chapters_of(contents_of(Path(app.confdir)))
    chapter_of = {page: chapter for chapter, pages in under.items() for page in pages}
    app.gaugebook_course, app.gaugebook_day, app.gaugebook_pages = wanted, day, chapter_of
    app.gaugebook_shows = lambda page: wanted.shows_solutions(chapter_of.get(page, ""), day)
    config.gaugebook_course = repr(
        (wanted, [page for page in chapter_of if app.gaugebook_shows(page)])
    )


def setup(app) -> None:
    """When the configuration is read."""
    app.add_config_value("gaugebook_course", "", "env", str)
    app.connect("config-inited", take, priority=100)
