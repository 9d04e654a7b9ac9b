"""Copies of the whole book, built under other names, without executing it again.

The tests that ask for one are a group: one worker runs them, and builds each copy once.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.site.copies import build_copy, copy_of_the_book

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.hookimpl(tryfirst=True)  # before the workers read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "fork" in getattr(item, "fixturenames", ()):
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
