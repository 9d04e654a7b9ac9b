"""A fork's course hides solutions: the book builds, and the site has none of them anywhere.

The same build shows that the course is the fork's own (`course`): its name, its chapters and days,
its address, and nothing of what only its lecturer may read.
"""

import json
import re
import shutil
from html import unescape
from types import SimpleNamespace

import pytest
from sphinx.errors import ExtensionError

from gaugebook.packed import unpacked
from gaugebook.search import INDEX
from gaugebook.solutions import refuse_the_old_wish, refuse_what_is_left, without_solutions
from tests.site.conftest import COMMIT
from tests.site.copies import ROOT, build_copy
from tests.site.test_repository import repositories
from tools.execute_notebooks import find_notebooks

COURSE = """course: Learning theory, spring 2027
chapters: [conservation, symmetry]
dates: {symmetry: 2027-03-08, conservation: 2027-03-01}
solutions: {symmetry: 2000-01-01, conservation: 2999-01-01}
overlay: own
"""
EXAMINATION = "Examination of the ninth of July"


def written(kind, wanted):
    """The lines of the cells of a kind, in or outside the solutions of the whole book."""
    notebooks = [json.loads(path.read_text("utf8")) for path in find_notebooks()]
    return [
        line.strip()
        for notebook in notebooks
        for cell in notebook["cells"]
        if cell["cell_type"] == kind and ("solution" in cell["metadata"].get("tags", [])) is wanted
        for line in cell["source"]
    ]


def solution_lines():
    """Longer lines of code that stand in a solution and nowhere else."""
    elsewhere = "\n".join(written("code", False))
    return {line for line in written("code", True) if len(line) > 20 and line not in elsewhere}


def solution_words():
    """Words that stand in the prose of a solution and nowhere else."""
    inside, outside = ("\n".join(written("markdown", wanted)).lower() for wanted in (True, False))
    outside += "\n".join(path.read_text("utf8") for path in (ROOT / "book").glob("*.md")).lower()
    return {word for word in re.findall(r"\b[a-z]{6,}\b", inside) if word not in outside}


def texts(site):
    """Every text of the site by its name; a page without its markup."""
    found = {}
    for path in site.rglob("*"):
        if path.suffix in {".html", ".ipynb", ".md", ".js"} and "_static" not in path.parts:
            text = path.read_text("utf8")
            if path.suffix == ".html":
                text = unescape(re.sub("<[^>]*>", "", text))
            if path.name == INDEX:
                text = json.dumps(unpacked(text), ensure_ascii=False)
            found[path.relative_to(site).as_posix()] = text.replace('\\"', '"')
    return found


def shown(site):
    """The files of the site in which some line of a solution stands, and how many lines do."""
    lines = solution_lines()
    assert len(lines) > 100
    counts = {name: sum(line in text for line in lines) for name, text in texts(site).items()}
    return {name: count for name, count in counts.items() if count}


def indexed(site, words):
    """Those of the words by which the search finds a page of exercises."""
    index = unpacked((site / INDEX).read_text("utf8"))
    pages = json.dumps([page for page in index if page[0].endswith("_exercises.html")])
    return words & set(re.findall(r"[a-z]{6,}", pages.lower()))


def of_the_course(folder):
    """Write a course, with a page for its students and some that are not for them."""
    (folder / "course.yml").write_text(COURSE, "utf8")
    for name in ("lectures", "slides", "problems", "pages"):
        (folder / "own" / name).mkdir(parents=True)
        for page in ("symmetry.md", "final.py"):
            (folder / "own" / name / page).write_text(f"# {EXAMINATION}\n", "utf8")
    (folder / "own" / "book").mkdir()
    (folder / "own" / "book" / "rooms.md").write_text("# Rooms\n\n[Read](symmetry).\n", "utf8")


@pytest.mark.slow
def test_hidden_solutions_are_nowhere_in_the_site_of_a_course(fork, tmp_path):
    shutil.copytree(fork("").parents[1], tmp_path, dirs_exist_ok=True)
    site = tmp_path / "_build" / "html"

    # the control: where solutions are shown, they are found
    exercises = [path.stem for path in find_notebooks() if path.stem.endswith("_exercises")]
    assert shown(site).keys() == {f"book/{page}.html" for page in exercises} | {
        f"_sources/book/{page}.ipynb" for page in exercises
    }
    # but no search gives them away: it knows the tasks, and of solutions nothing
    tasks = set(re.findall(r"\b[a-z]{6,}\b", "\n".join(written("markdown", False)).lower()))
    assert len(indexed(site, tasks)) > 100
    assert len(solution_words()) > 5
    assert indexed(site, solution_words()) == set()

    # and what an earlier build left does not stay
    left = [site / "_images/of-a-solution.png", site / "_sources/book/old_exercises.ipynb"]
    for path in left:
        path.write_text("{}", "utf8")
    cited = repositories(site)
    of_the_course(tmp_path)
    assert build_copy(tmp_path, "teacher/class-book", COMMIT) == ""
    # only those are there that are shown from a day which has come
    open_since = {"book/symmetry_exercises.html", "_sources/book/symmetry_exercises.ipynb"}
    assert shown(site).keys() == open_since
    assert indexed(site, solution_words()) == set()
    assert not any(path.exists() for path in left)
    for name, text in texts(site).items():
        assert (name in open_since) or not re.search("solution-start|Solution to", text), name
    for page in exercises:
        source = (ROOT / "book" / f"{page}.ipynb").read_text("utf8")
        boxes = re.findall('class="exercise admonition"', (site / f"book/{page}.html").read_text())
        assert len(boxes) == source.count("{exercise}")

    # the course is the fork's own
    assert repositories(site) - cited == {"teacher/class-book"}
    first = (site / "book/intro.html").read_text("utf8")
    assert "Learning theory, spring 2027" in first
    assert "solutions from Tuesday 1 January 2999" in first
    days = re.search('id="course-schedule".*?</section>', first, re.DOTALL)[0]
    assert re.findall(r'href="(\w+)\.html"', days) == [
        "conservation", "conservation_exercises", "symmetry", "symmetry_exercises", "rooms",
    ]  # fmt: skip
    assert "Monday 8 March 2027" in (site / "book/symmetry.html").read_text("utf8")
    contents = re.search('class="bd-links bd-docs-nav.*?</nav>', first, re.DOTALL)[0]
    named = re.findall(r'caption-text">([^<]*)|href="(\w+)\.html"', contents)
    assert [caption or page for caption, page in named if not page.endswith("_exercises")][:6] == [
        "The book", "conservation", "symmetry", "Learning theory, spring 2027", "rooms",
        "Further chapters",
    ]  # fmt: skip
    # and nobody reads in it what is the lecturer's
    for path in site.rglob("*"):
        assert path.is_dir() or EXAMINATION.encode() not in path.read_bytes(), path


def test_control_a_solution_without_the_tag_is_refused():
    cell = {"cell_type": "markdown", "metadata": {}, "source": [":::{solution-start} ex-a\n"]}
    left = without_solutions(json.dumps({"cells": [cell]}))
    with pytest.raises(ExtensionError, match=r"page.*\{solution-start\}.*give each the tag"):
        refuse_what_is_left(left, "page")
    cell["metadata"]["tags"] = ["solution"]
    refuse_what_is_left(without_solutions(json.dumps({"cells": [cell]})), "page")


@pytest.mark.parametrize("text", ["hide_solutions: true", "sphinx:\n  hide_solutions: yes"])
def test_who_hid_them_in_the_configuration_is_told_where_that_is_said_now(tmp_path, text):
    (tmp_path / "_config.yml").write_text(f"title: A book\n{text}\n", "utf8")
    app = SimpleNamespace(confdir=tmp_path)
    with pytest.raises(ExtensionError, match=r"`solutions: hidden` into course\.yml"):
        refuse_the_old_wish(app, SimpleNamespace(hide_solutions=False))
    with pytest.raises(ExtensionError, match=r"`solutions: hidden` into course\.yml"):
        refuse_the_old_wish(SimpleNamespace(confdir="/"), SimpleNamespace(hide_solutions=True))


@pytest.mark.parametrize("text", ["# hide_solutions: true", "hide_solutions: false"])
def test_control_no_wish_is_no_error(tmp_path, text):
    (tmp_path / "_config.yml").write_text(f"title: A book\n{text}\n", "utf8")
    refuse_the_old_wish(SimpleNamespace(confdir=tmp_path), SimpleNamespace(hide_solutions=False))
