"""Copies of the whole book, built under other names, without executing it again; and a small book.

The tests that ask for one are a group: one worker runs them, and builds each copy once.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.site import guesses
from tests.site.copies import ROOT, build_copy, copy_of_the_book, small_book

COMMIT = "0123456789abcdef0123456789abcdef01234567"
AS_SOMEONE = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
SMALL = {
    "page": """# Another page of gauges

A gauge's name is `gauge`, and $a$ is [a gauge](intro) here; a minimum-norm gauge
is a gauge. Gauges and charges again.

| gauge | table |
|---|---|
| charge | row |

The **orbit** is defined here; an orbit is known then. Its pages turn.

:::{prf:theorem} The Ward identity for $p$
:label: thm-w

So it is.
:::
""",
    "glossary": """---
forms: {gauge: gauges, charge: charges, page: pages}
only: {page: elsewhere}
---
# Glossary

:::{glossary}
charge
  What is kept at $p=2$.

  [The first page](intro)

gauge
  A way to write it. A charge has none.

minimum-norm gauge
  The lightest.

orbit
  All the ways.

page
  A space.
:::
""",
}


@pytest.hookimpl(tryfirst=True)  # before the workers read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"fork", "small"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("copies of the book"))


@pytest.fixture(scope="session")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds a copy of the book under another name, or under none; gives the site.

    What it gives is shared: no test writes there.
    """

    @cache
    def build_it(name: str) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("fork")
        copy_of_the_book(folder)
        return folder / "_build" / "html", build_copy(folder, name, COMMIT)

    def built(name: str) -> Path:
        site, complaint = build_it(name)
        if complaint:
            pytest.fail(complaint, pytrace=False)
        return site

    return built


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small book with a history of one commit; no test writes there."""
    folder = tmp_path_factory.mktemp("small") / "class-book"
    small_book(folder, *SMALL)
    for name, text in SMALL.items():
        (folder / "book" / f"{name}.md").write_text(text, "utf8")
    shutil.copy(ROOT / "CITATION.cff", folder)
    shutil.copytree(ROOT / "book" / "images", folder / "book" / "images")
    (folder / ".gitignore").write_text("_build\n.cache\n", "utf8")
    when = {f"GIT_{who}_DATE": "2026-12-01T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}
    for words in (["init", "-q"], ["add", "."], [*AS_SOMEONE, "commit", "-qm", "All"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, env=os.environ | when)
    if complaint := build_copy(folder, "teacher/class-book", COMMIT):
        pytest.fail(complaint, pytrace=False)
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def guessing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small book with questions (`guesses`); tests that ask for it are one group."""
    folder = tmp_path_factory.mktemp("guesses")
    site = guesses.write(folder)
    if complaint := build_copy(folder):
        pytest.fail(complaint, pytrace=False)
    return site


@pytest.fixture
def ask(guessing, serve, open_page):
    """Opens a page of it."""
    address = serve(guessing)
    return lambda page="guesses", where="", **how: open_page(
        f"{address}book/{page}.html{where}", **how
    )
