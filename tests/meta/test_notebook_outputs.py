"""Executing a notebook twice gives the same file, and a stripped or stale output is told from it.

The book's own notebooks are compared with the execution that it is made of, once it is built:
`tests/site/test_execution.py`.
"""

import nbformat
import pytest

from tests.meta.comparison import differences
from tests.meta.sampler import broken, small_notebook
from tools.execute_notebooks import executed, main

pytestmark = pytest.mark.xdist_group("meta-notebook_outputs")


def test_executing_twice_gives_the_same_bytes(sound, tmp_path, capsys):
    path = tmp_path / "sample.ipynb"
    nbformat.write(sound, path)
    once = path.read_bytes()
    assert main([str(path)]) == 0
    assert "1 notebooks, 5 code cells executed, 0 notebooks failed" in capsys.readouterr().out
    assert path.read_bytes() == once
    assert b"image/png" in once
    assert b"widget-view+json" in once


def test_a_failing_notebook_is_reported_and_left_alone(tmp_path, capsys):
    path = tmp_path / "sample.ipynb"
    nbformat.write(broken(small_notebook(), lambda n: n.cells[4].update(source="1 / 0")), path)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_executing_nothing_is_a_failure(tmp_path):
    path = tmp_path / "sample.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    assert main([str(path)]) == 1


def test_the_sample_differs_from_itself_in_nothing(sound):
    assert list(differences(sound, sound)) == []


def strip(position):
    return lambda n: n.cells[position].update(outputs=[])


def another_picture(notebook):
    """The figure of a falling line, as a forgotten re-execution would leave it."""
    stale = executed(
        broken(
            small_notebook(), lambda n: n.cells[8].update(source="plt.plot([1, 0])\nplt.show()")
        ),
        "sample.ipynb",
        ".",
    )
    notebook.cells[8].outputs[0].data["image/png"] = stale.cells[8].outputs[0].data["image/png"]


@pytest.mark.parametrize(
    "change",
    [
        strip(4),
        strip(6),
        strip(8),
        lambda n: n.cells[4].outputs.pop(),
        lambda n: n.cells[4].outputs[1].data.update({"text/plain": "11"}),
        lambda n: n.cells[4].update(execution_count=None),
        another_picture,
    ],
    ids=["number", "widget", "figure", "half", "value", "count", "stale figure"],
)
def test_a_stripped_or_stale_output_is_noticed(sound, change):
    assert list(differences(broken(sound, change), sound)) != []
