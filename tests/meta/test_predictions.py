"""No prediction is answered where it is asked; its numbers are those of the widget below it."""

import re

import nbformat
import pytest

from tests.meta.notebook_rules import WIDGET, lines
from tests.meta.prose import ROOT
from tools.execute_notebooks import find_notebooks

BOX = re.compile(r"^:::\{admonition\} Predict\n.*?^:::$", re.M | re.S)
FAR = 16  # lines of code and of prose, some 500 pixels of a page
# What a widget is called with where it follows a prediction: it opens before the answer.
OPENS = {
    "PhasePlane": r"revealed=False|time=0\.0|steps=0",
    "SoftGauge": r"revealed=False",
    "GaugeRace": r"epoch=0",
}


def answers(notebook):
    """Where a prediction is answered at once: by a widget that opens with it, or a near output."""
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown" or not BOX.search(cell.source):
            continue
        title = " ".join(BOX.findall(cell.source)[-1].split()[4:12])
        rest = cell.source[list(BOX.finditer(cell.source))[-1].end() :]
        yield from complaints(title, rest, notebook.cells[place + 1 :])


def complaints(title, rest, cells):
    below = lines(rest)
    for cell in cells:
        if cell.cell_type == "markdown":
            if BOX.search(cell.source):
                return
            below += lines(cell.source)
            continue
        if shows_widget(cell):
            name = cell.source.strip().splitlines()[-1].split("(")[0]
            if not rest.strip() and not re.search(OPENS.get(name, ""), cell.source):
                yield f"{title}: {name} opens with the answer"
            return
        below += lines(cell.source)
        if cell.outputs:
            if below < FAR and "hide-output" not in cell.metadata.get("tags", []):
                yield f"{title}: an output {below} lines below it is not folded"
            return


def shows_widget(cell):
    return any(WIDGET in output.get("data", {}) for output in cell.outputs)


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_no_prediction_is_answered_where_it_is_asked(path):
    assert list(answers(nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize(
    ("chapter", "was", "becomes", "complaint"),
    [
        ("symmetry", "revealed=False, smallest=False", "", "PhasePlane opens with the answer"),
        ("conservation", ", revealed=False", "", "PhasePlane opens with the answer"),
        ("pairing", ", revealed=False", "", "PhasePlane opens with the answer"),
        ("learning", "epoch=0", "", "GaugeRace opens with the answer"),
        ("soft_gauge", "strength=0.0, revealed=False", "", "SoftGauge opens with the answer"),
        ("pairing", None, [], "is not folded"),
    ],
)
def test_control_a_prediction_that_is_answered_is_noticed(chapter, was, becomes, complaint):
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    for cell in notebook.cells:
        if was is None:
            cell.metadata.pop("tags", None)
        else:
            cell.source = cell.source.replace(was, becomes)
    assert complaint in " ".join(answers(notebook))


# The numbers of a prediction, as the text says them, and the call of the widget that it is about.
NUMBERS = {
    "symmetry": ("$(w, v) = (3, 0.4)$", {"w": 3.0, "v": 0.4}),
    "conservation": ("$(w,v)=(2,1)$ and is to learn $f(1)=3$", {"w": 2.0, "v": 1.0, "target": 3.0}),
    "soft_gauge": ("weight $w=3$ in front and a weight $v=\\frac12$", {"w": 3.0, "v": 0.5}),
    "sharpness": ("From $w=4$, $v=0.1$, with $y=1$", {"w": 4.0, "v": 0.1, "target": 1.0}),
}


@pytest.mark.parametrize("chapter", NUMBERS)
def test_the_widget_starts_with_the_numbers_of_the_text(chapter):
    from gaugelib.widgets import PhasePlane

    said, numbers = NUMBERS[chapter]
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    assert any(said in cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    calls = [
        line
        for cell in notebook.cells
        if cell.cell_type == "code" and shows_widget(cell)
        for line in cell.source.splitlines()
        if line.startswith("PhasePlane(")
    ]
    (call,) = calls
    widget = eval(call, {"PhasePlane": PhasePlane})
    assert {name: getattr(widget, name) for name in numbers} == numbers
