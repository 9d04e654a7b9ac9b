"""A fork's book links to the fork: the repository's address comes from what builds the book."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gaugebook.repository import INSTALL, Repository, find, with_install_line
from tests.site.findings import sideways
from tests.site.visit import resize

ROOT = Path(__file__).parents[2]
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GITHUB = re.compile(r"(?:github\.com[:/]|/github/)([\w.-]+/[\w.-]+?)(?=\.git\b|[^\w.-]|$)")


def sources():
    """The files that a fork has: what git tracks of the book, or all of it outside git."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "book", "*.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [ROOT / line for line in listed.stdout.splitlines()]
    return [*ROOT.glob("*.yml"), *(p for p in (ROOT / "book").rglob("*") if p.is_file())]


def copy_of_the_book(folder):
    """What a fork would build, but without executing the notebooks."""
    for path in sources():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    config = folder / "_config.yml"
    text = config.read_text("utf8")
    assert "execute_notebooks: force" in text
    config.write_text(text.replace("execute_notebooks: force", 'execute_notebooks: "off"'), "utf8")


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Builds a copy of the book under another name; gives the site. Workers share the builds."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def build_it(name):
        folder = shared / f"fork-{name.replace('/', '-') or 'nameless'}"
        done = folder / "done"
        try:
            folder.mkdir()
        except FileExistsError:  # another test or worker was first
            until = time.monotonic() + 300
            while not done.exists():
                assert time.monotonic() < until, f"no build of {folder.name} within 300 s"
                time.sleep(0.2)
        else:
            copy_of_the_book(folder)
            environment = {**os.environ, "GITHUB_REPOSITORY": name, "GITHUB_SHA": COMMIT}
            built = subprocess.run(
                [*JUPYTER_BOOK, "build", str(folder), "--all", "-W", "-n"],
                env=environment, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            done.write_text(
                "" if built.returncode == 0 else built.stdout[-2000:] + built.stderr[-4000:], "utf8"
            )
        if complaint := done.read_text("utf8"):
            pytest.fail(complaint, pytrace=False)
        return folder / "_build" / "html"

    return build_it


def repositories(site):
    """Every GitHub repository that the site names, in a page or in a published notebook."""
    paths = [*site.rglob("*.html"), *(site / "_sources").rglob("*.*")]
    return {slug for path in paths for slug in GITHUB.findall(path.read_text("utf8"))}


@pytest.mark.slow
def test_renamed_copy_names_itself_and_no_other_book(build):
    cited = repositories(build(""))  # what the text itself cites: it stays whatever the book's name
    one, other = repositories(build("teacher/class-book")), repositories(build("someone/else"))
    assert one - cited == {"teacher/class-book"}
    assert other - cited == {"someone/else"}
    assert cited <= one & other


@pytest.mark.slow
def test_links_of_a_page_lead_to_the_fork(build):
    page = (build("teacher/class-book") / "book/symmetry.html").read_text("utf8")
    colab = "https://colab.research.google.com/github/teacher/class-book/blob/gh-pages/_sources"
    assert f'href="{colab}/book/symmetry.ipynb"' in page
    assert "launch-buttons" in page
    assert "source-repository-button" in page
    assert "source-issues-button" in page
    assert 'href="https://github.com/teacher/class-book"' in page
    assert 'href="https://github.com/teacher/class-book/issues/new' in page


@pytest.mark.slow
def test_published_notebook_installs_the_commit_that_was_built(build):
    published = build("teacher/class-book") / "_sources/book/symmetry.ipynb"
    cells = json.loads(published.read_text("utf8"))["cells"]
    first = "".join(next(cell for cell in cells if cell["cell_type"] == "code")["source"])
    wanted = f'%pip install -q "gaugelib @ git+https://github.com/teacher/class-book@{COMMIT}"'
    assert wanted in first
    assert INSTALL not in [line.strip() for line in first.splitlines()]


@pytest.mark.slow
def test_book_without_an_address_has_no_button_that_needs_one(build):
    site = build("")
    page = (site / "book/symmetry.html").read_text("utf8")
    assert "colab.research" not in page
    assert "launch-buttons" not in page
    assert "source-repository-button" not in page
    assert "source-issues-button" not in page
    original = (ROOT / "book/symmetry.ipynb").read_bytes()
    assert (site / "_sources/book/symmetry.ipynb").read_bytes() == original


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_buttons_of_the_fork_are_accessible_and_fit(build, serve, open_page, axe, theme):
    address = serve(build("teacher/class-book"))
    page = open_page(f"{address}book/symmetry.html", theme=theme)
    page.locator(".dropdown-launch-buttons > button").click()
    assert axe(page, within=".bd-header-article") == []
    resize(page, 320)
    page.locator(".dropdown-source-buttons > button").click()
    assert axe(page, within=".bd-header-article") == sideways(page) == []


def test_only_the_install_line_of_a_notebook_changes():
    lines = ["try:\n", "    import gaugelib\n", "except ImportError:\n", f"    {INSTALL}\n"]
    source = json.dumps({"cells": [{"source": lines}], "é": 1}, ensure_ascii=False, indent=1)
    changed = with_install_line(source, Repository("a/b", "c0ffee"))
    lines[3] = '    %pip install -q "gaugelib @ git+https://github.com/a/b@c0ffee"\n'
    assert json.loads(changed)["cells"][0]["source"] == lines
    assert changed.count("\n") == source.count("\n")


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
