"""What a notebook stores is what executing it gives: nothing stripped, nothing stale.

nbval compares only the outputs that are there, and no figure. Here they are compared with those of
the execution that the book itself was made of.
"""

import copy
import re
from itertools import groupby

import nbformat
import pytest

from gaugebook.predictions import INSERTED
from tests.meta.comparison import differences
from tools.execute_notebooks import find_notebooks, normalised

VIEW = "application/vnd.jupyter.widget-view+json"
PUBLISHED = re.compile(r"\Atry:\n    import gaugelib\nexcept .*\n    .*\n")


def executed(site, path):
    """The notebook as the build executed it."""
    return nbformat.read(site.parent / "jupyter_execute" / "book" / path.name, as_version=4)


def comparable(notebook):
    """Without what differs from execution to execution, or from the source to what is published."""
    notebook = copy.deepcopy(notebook)
    put_in = 0  # cells that are executed with the page, and no part of the notebook
    for cell in list(notebook.cells):
        if INSERTED in cell.metadata:
            notebook.cells.remove(cell)
            put_in += bool(cell.execution_count)
        elif cell.get("execution_count"):
            cell.execution_count -= put_in
    for cell in notebook.cells:
        cell.source = PUBLISHED.sub("(the first cell)\n", cell.source)
        if cell.cell_type == "code":
            cell.outputs = once(cell.outputs)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    views = [output.data[VIEW] for output in outputs if VIEW in output.get("data", {})]
    for number, view in enumerate(views):
        view["model_id"] = str(number)
    return normalised(notebook)


def once(outputs):
    """Streams as they were printed.

    MyST-NB joins the pieces of a stream into the first, each without blank lines at its end, and
    what it saves has the others behind it once more.
    """
    found = []
    for name, group in groupby(outputs, key=lambda output: output.get("name")):
        first, *rest = group
        if name:
            pieces = [output.text.rstrip() + "\n" for output in rest]
            joined = first.text.endswith("".join(pieces))
            text = first.text if joined else "".join(o.text for o in (first, *rest))
            first.text, rest = text.rstrip() + "\n", []
        found += [first, *rest]
    return found


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_stored_outputs_are_those_of_the_book_s_execution(site, path):
    stored = nbformat.read(path, as_version=4)
    found = list(differences(comparable(stored), comparable(executed(site, path))))
    assert found == [], "run `make notebooks`"


BREAKS = {
    "another number": lambda cell: cell.outputs[0].update(text="0\n"),
    "a line more": lambda cell: cell.outputs[0].update(text=cell.outputs[0].text + "more\n"),
    "nothing": lambda cell: cell.update(outputs=[]),
    "no count": lambda cell: cell.update(execution_count=None),
    "another source": lambda cell: cell.update(source=cell.source + "\n1"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_control_a_stale_output_is_noticed(site, name):
    path = next(path for path in find_notebooks() if path.stem == "symmetry")
    stored = nbformat.read(path, as_version=4)
    printed = [c for c in stored.cells if c.get("outputs") and c.outputs[0].get("name") == "stdout"]
    BREAKS[name](printed[1])
    assert list(differences(comparable(stored), comparable(executed(site, path)))) != []


def test_a_stream_in_pieces_is_read_once():
    def stream(*texts):
        return [nbformat.v4.new_output("stream", name="stdout", text=text) for text in texts]

    whole = "a\nb\nc\n"
    for pieces in (stream("a\n", "b\n", "c\n"), stream(whole, "b\n", "c\n"), stream(whole)):
        assert [output.text for output in once(pieces)] == [whole]
