"""The built site in a sealed Chromium. Nothing here is skipped: what is missing fails.

A test in `tests/site` or in a file `test_on_page*.py` gets the mark `browser`; the others run
without one. Fixtures for any test of a page:

- `site`: the folder of the built site; `site_url`: its address over HTTP, ending in a slash;
- `file_url(page)`: the address of a page on the disk, as from a USB stick;
- `open_page(where, *, width, height, theme, scripts, clean)`: a loaded page. `where` is relative to
  the served site, or a whole address. At the end of the test every page that was opened must have
  been clean: no request elsewhere, none failed, no error in the console or in a script. With
  `clean=False` the test asks for `open_page.problems(page)` itself;
- `view(where, *, width, height, theme, anew)`: the same for tests that only look, or that drive
  widgets (`anew=True`): the page is shared by the tests of a worker, and put back after each;
- `serve(folder)`: the address of another folder;
- `axe(page, *rules, within=)`: the accessibility violations of a loaded page, as readable lines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.site.visit import Views, Visits

# What drives the browser is imported by the fixtures: every run of pytest loads this file.


@pytest.hookimpl(tryfirst=True)  # before `-m` reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        of_the_site = Path(__file__).parent / "site" in item.path.parents
        if of_the_site or item.path.name.startswith("test_on_page"):
            item.add_marker(pytest.mark.browser)
            if name := shared_page(item):
                item.add_marker(pytest.mark.xdist_group(name))


def shared_page(item: pytest.Item) -> str:
    """What the tests that share a page are grouped by: one worker runs them, one after another."""
    if "view" not in getattr(item, "fixturenames", ()):
        return ""
    named = getattr(item, "callspec", None)
    pages = (
        [str(named.params[key]) for key in ("page", "chapter", "name") if key in named.params]
        if named
        else []
    )
    return Path(pages[0]).stem if pages else item.path.as_posix()


@pytest.fixture(scope="session")
def site() -> Path:
    from tools.site_browser import SITE

    folder = Path(os.environ.get("BOOK_SITE", SITE))
    if not (folder / "index.html").exists():
        pytest.fail(f"no built site in {folder}: run `make book` first", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    from tools.site_browser import served

    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def file_url(site: Path) -> Callable[[str], str]:
    return lambda page: (site.resolve() / page).as_uri()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from tools.site_browser import sealed_chromium

    with sealed_chromium() as browser:
        yield browser


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    from tools.site_browser import served

    with ExitStack() as servers:
        yield lambda folder: servers.enter_context(served(folder))


@pytest.fixture
def open_page(chromium: Browser, site_url: str) -> Iterator[Visits]:
    from tests.site.visit import Visits

    visits = Visits(chromium, site_url)
    yield visits
    try:
        assert visits.unclean() == []
    finally:
        visits.close()


@pytest.fixture(scope="session")
def _views(chromium: Browser, site_url: str) -> Iterator[Views]:
    from tests.site.visit import Views

    views = Views(chromium, site_url)
    yield views
    views.close()


@pytest.fixture
def view(_views: Views) -> Iterator[Views]:
    yield _views
    assert _views.unclean() == []


@pytest.fixture(scope="session")
def axe() -> Callable[..., list[str]]:
    from tests.site.findings import axe_violations

    return axe_violations
