"""A fork's book links to the fork: the repository's address comes from what builds the book."""

import json
import re
import subprocess
from html import unescape

import pytest

from gaugebook.repository import Repository, find, with_install_line
from tests.meta.notebook_rules import FIRST_CELL
from tests.site.conftest import COMMIT
from tests.site.copies import ROOT
from tests.site.findings import sideways
from tests.site.visit import resize
from tools.execute_notebooks import find_notebooks

GITHUB = re.compile(r"(?:github\.com[:/]|/github/)([\w.-]+/[\w.-]+?)(?=\.git\b|[^\w.-]|$)")


def first_code_cell(notebook):
    cells = json.loads(notebook.read_text("utf8"))["cells"]
    return "".join(next(cell for cell in cells if cell["cell_type"] == "code")["source"])


def repositories(site):
    """Every GitHub repository that the site names, in a page or in a published notebook."""
    paths = [*site.rglob("*.html"), *(site / "_sources").rglob("*.*")]
    return {slug for path in paths for slug in GITHUB.findall(path.read_text("utf8"))}


@pytest.mark.slow
def test_renamed_copy_names_itself_and_no_other_book(fork):
    cited = repositories(fork(""))  # what the text itself cites: it stays whatever the book's name
    one, other = repositories(fork("teacher/class-book")), repositories(fork("someone/else"))
    assert one - cited == {"teacher/class-book"}
    assert other - cited == {"someone/else"}
    assert cited <= one & other


@pytest.mark.slow
def test_links_of_a_page_lead_to_the_fork(fork):
    page = (fork("teacher/class-book") / "book/symmetry.html").read_text("utf8")
    colab = "https://colab.research.google.com/github/teacher/class-book/blob/gh-pages/_sources"
    assert f'href="{colab}/book/symmetry.ipynb"' in page
    assert "launch-buttons" in page
    assert "source-repository-button" in page
    assert "source-issues-button" in page
    assert 'href="https://github.com/teacher/class-book"' in page
    assert 'href="https://github.com/teacher/class-book/issues/new' in page


@pytest.mark.slow
def test_a_stub_is_answered_in_the_forks_notebook(fork):
    page = (fork("teacher/class-book") / "book/symmetry_exercises.html").read_text("utf8")
    colab = "https://colab.research.google.com/github/teacher/class-book/blob/gh-pages/_sources"
    link = f'href="{colab}/book/symmetry_exercises.ipynb">in Colab</a> or '
    assert page.count(link) == page.count('class="verdict-how"') >= 6
    alone = (fork("") / "book/symmetry_exercises.html").read_text("utf8")
    assert "in Colab</a>" not in alone
    assert alone.count('class="verdict-how"') == page.count('class="verdict-how"')


@pytest.mark.slow
def test_published_notebooks_install_the_commit_that_was_built(fork):
    site = fork("teacher/class-book")
    wanted = f'%pip install -q "gaugelib @ git+https://github.com/teacher/class-book@{COMMIT}"'
    notebooks = sorted((site / "_sources/book").glob("*.ipynb"))
    assert len(notebooks) == len(find_notebooks())
    for published in notebooks:
        first = first_code_cell(published).splitlines()
        assert first[:2] == FIRST_CELL.splitlines()[:2]
        assert first[3] == f"    {wanted}"
        assert not set(FIRST_CELL.splitlines()[2:]) & set(first)


@pytest.mark.slow
def test_the_page_shows_the_first_cell_that_its_notebook_has(fork):
    site = fork("teacher/class-book")
    page = (site / "book/symmetry.html").read_text("utf8")
    cell = page[page.index('<div class="cell') :].split("</pre>")[0].split("</summary>")[1]
    code = re.sub("<[^>]*>", "", cell)
    assert unescape(code).strip() == first_code_cell(site / "_sources/book/symmetry.ipynb").strip()


@pytest.mark.slow
def test_book_without_an_address_has_no_button_that_needs_one(fork):
    site = fork("")
    page = (site / "book/symmetry.html").read_text("utf8")
    assert "colab.research" not in page
    assert "launch-buttons" not in page
    assert "source-repository-button" not in page
    assert "source-issues-button" not in page
    original = (ROOT / "book/symmetry.ipynb").read_bytes()
    assert (site / "_sources/book/symmetry.ipynb").read_bytes() == original


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_buttons_of_the_fork_are_accessible_and_fit(fork, serve, open_page, axe, theme):
    address = serve(fork("teacher/class-book"))
    page = open_page(f"{address}book/symmetry.html", theme=theme)
    page.locator(".dropdown-launch-buttons > button").click()
    assert axe(page, within=".bd-header-article") == []
    resize(page, 320)
    page.locator(".dropdown-source-buttons > button").click()
    assert axe(page, within=".bd-header-article") == sideways(page) == []


def test_only_the_end_of_the_first_cell_changes():
    lines = [*FIRST_CELL.splitlines(keepends=True), "\n", "import math"]
    source = json.dumps({"cells": [{"source": lines}], "é": 1}, ensure_ascii=False, indent=1)
    changed = with_install_line(source, Repository("a/b", "c0ffee"))
    lines[2] = "except ModuleNotFoundError:  # in Colab; elsewhere this does nothing\n"
    lines[3] = '    %pip install -q "gaugelib @ git+https://github.com/a/b@c0ffee"\n'
    assert json.loads(changed)["cells"][0]["source"] == lines
    assert changed.count("\n") == source.count("\n")


def test_control_another_first_cell_is_not_rewritten():
    other = json.dumps({"source": ["    %pip install -q gaugelib\n"]})
    assert with_install_line(other, Repository("a/b", "c0ffee")) == other


@pytest.mark.parametrize(
    ("address", "slug"),
    [
        ("https://github.com/a-b/c.d.git", "a-b/c.d"),
        ("https://github.com/a/b", "a/b"),
        ("https://user@github.com/a/b/", "a/b"),
        ("git@github.com:a/b.git", "a/b"),
        ("ssh://git@github.com/a/b.git", "a/b"),
        ("https://example.org/a/b.git", None),
        ("/srv/git/book", None),
        ("https://notgithub.com.example.org/a/b", None),
    ],
)
def test_address_is_read_from_the_remote_when_it_is_on_github(tmp_path, address, slug):
    for words in (["init", "-q"], ["remote", "add", "origin", address]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    found = find(tmp_path, environment={})
    assert (found and found.slug) == slug


def test_environment_comes_before_the_remote(tmp_path):
    for words in (["init", "-q"], ["remote", "add", "origin", "https://github.com/a/b"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    found = find(tmp_path, environment={"GITHUB_REPOSITORY": "c/d", "GITHUB_SHA": "5eed"})
    assert found == Repository("c/d", "5eed")


def test_copy_inside_another_repository_does_not_borrow_its_address(tmp_path):
    for words in (["init", "-q"], ["remote", "add", "origin", "https://github.com/a/b"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    (tmp_path / "book").mkdir()
    assert find(tmp_path / "book", environment={}) is None
