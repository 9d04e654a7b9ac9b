"""Only what `_toc.yml` names enters the book, whatever else lies in its folder."""

import pytest

from tests.site import copies
from tests.site.copies import build_copy, configure

STRAY = """\
{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],
 "source": ["open('executed', 'w').close()"]}],
 "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}},
 "nbformat": 4, "nbformat_minor": 4}
"""
STRANGERS = {
    ".conda": "conda-meta/history",
    ".pixi/envs/default": "conda-meta/history",
    ".hidden": "notes.txt",
    "env": "pyvenv.cfg",
    "book/.venv-of-a-reader": "pyvenv.cfg",
    ".": "notes.txt",
}


@pytest.fixture
def small_book(tmp_path):
    """The book's configuration with two pages, and strangers about; notebooks are executed."""
    copies.small_book(tmp_path, "real[1]")
    (tmp_path / "book" / "real[1].md").write_text("# A page\n\nIts text.\n", "utf8")
    for place, mark in STRANGERS.items():
        (tmp_path / place / mark).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place / mark).touch()
        (tmp_path / place / "README.md").write_text("# A stranger\n\n[](dead-end)\n", "utf8")
        (tmp_path / place / "stray.ipynb").write_text(STRAY, "utf8")
    return tmp_path


def pages(folder):
    site = folder / "_build" / "html"
    sources = (path.relative_to(site / "_sources") for path in site.glob("_sources/**/*.*"))
    return {path.with_suffix("").as_posix() for path in sources}


@pytest.mark.slow
def test_no_environment_and_no_hidden_folder_enters_the_book(small_book):
    assert build_copy(small_book) == ""
    assert pages(small_book) == {"book/intro", "book/real[1]"}
    assert list(small_book.rglob("executed")) == []


@pytest.mark.slow
def test_control_without_the_extension_hidden_notebooks_are_executed(small_book):
    configure(small_book, "      - gaugebook\n", "")
    configure(small_book, "    html_math_renderer: katex\n", "")
    configure(small_book, 'exclude_patterns: [".*/**", ', "exclude_patterns: [")
    configure(small_book, "execute_notebooks: cache", "execute_notebooks: force")  # all are alike
    build_copy(small_book)
    executed = {p.parent.relative_to(small_book).as_posix() for p in small_book.rglob("executed")}
    assert executed == {".conda", ".pixi/envs/default", ".hidden", "book/.venv-of-a-reader"}
