"""The build executes every notebook anew, two at a time; a draft only those whose code is new."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.site import copies
from tests.site.copies import build_copy, configure

# Each waits for the other to begin: one after the other they would wait in vain.
MEETS = """\
import pathlib, time
pathlib.Path("runs-{own}").open("a").write("x")
pathlib.Path("met-{own}").touch()
until = time.monotonic() + 30
while not pathlib.Path("met-{other}").exists() and time.monotonic() < until:
    time.sleep(0.05)
assert pathlib.Path("met-{other}").exists(), "{own} is alone"
"""


def write(folder, name, source):
    cells = [new_markdown_cell("# A page"), new_code_cell(source, id="one")]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "book" / f"{name}.ipynb")


@pytest.fixture
def book(tmp_path):
    copies.small_book(tmp_path, "here", "there")
    write(tmp_path, "here", MEETS.format(own="here", other="there"))
    write(tmp_path, "there", MEETS.format(own="there", other="here"))
    return tmp_path


def runs(book):
    return [len((book / "book" / f"runs-{name}").read_text()) for name in ("here", "there")]


@pytest.mark.slow
def test_notebooks_are_executed_two_at_a_time_and_anew_in_each_build(book):
    assert build_copy(book) == ""
    assert build_copy(book) == ""
    assert runs(book) == [2, 2]


@pytest.mark.slow
def test_a_draft_executes_only_what_is_new(book):
    configure(book, "    language: en\n", "    gaugebook_draft: true\n    language: en\n")
    assert build_copy(book) == ""
    write(book, "there", MEETS.format(own="there", other="here") + "1 + 1")
    assert build_copy(book) == ""
    assert runs(book) == [1, 2]


@pytest.mark.slow
def test_control_a_notebook_that_fails_fails_the_build_and_is_named(book):
    write(book, "here", "1")
    write(book, "there", "1 / 0")
    complaint = build_copy(book)
    assert "ZeroDivisionError" in complaint
    assert "there.ipynb" in complaint
