"""No prediction is answered where it is asked; its numbers are those of the widget below it."""

import re

import nbformat
import pytest

from gaugebook.predictions import read
from tests.meta.notebook_rules import WIDGET
from tests.meta.prose import ROOT
from tools.execute_notebooks import find_notebooks

# What a widget is called with where it follows a prediction: it opens before the answer.
OPENS = {
    "PhasePlane": r"revealed=False|time=0\.0|steps=0",
    "SoftGauge": r"revealed=False",
    "GaugeRace": r"epoch=0",
    "AttentionHead": r"log2_scales=\[0(\.0)?(, 0(\.0)?){3}\]",
}


def stored(chapter):
    return nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)


def answers(notebook):
    """Where a prediction is answered before its answer, by a widget.

    On the page the outputs up to the answer are shut; what a question shuts ends with its answer.
    """
    for prediction in read(notebook.cells, "the notebook"):
        between = notebook.cells[prediction.asked + 1 : prediction.answered]
        for cell in between:
            name = cell.source.strip().splitlines()[-1].split("(")[0]
            if shows_widget(cell) and not re.search(OPENS.get(name, ""), cell.source):
                yield f"{prediction.name}: {name} opens with the answer"


def in_the_text(notebook):
    """Words of an answer that stand already between the question and it."""
    for prediction in read(notebook.cells, "the notebook"):
        asked, *between = notebook.cells[prediction.asked : prediction.answered]
        prose = [asked.source.rpartition(":::")[2]]
        prose += [cell.source for cell in between if cell.cell_type == "markdown"]
        for word in re.findall(
            r"\b[Ss]o (?:the answer|it is)\b|\b[Tt]he answer is\b", "\n".join(prose)
        ):
            yield f"{prediction.name}: {word!r} stands before the answer"


def shows_widget(cell):
    return any(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_no_prediction_is_answered_where_it_is_asked(path):
    notebook = nbformat.read(path, as_version=4)
    assert [*answers(notebook), *in_the_text(notebook)] == []


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_every_prediction_of_the_book_has_choices_and_a_computed_answer(path):
    cells = nbformat.read(path, as_version=4).cells
    asked = [
        box
        for cell in cells
        for box in re.findall(r"^:+\{admonition\} Predict$", cell.source, re.M)
    ]
    found = read(cells, path.name)  # refuses by name what is incomplete
    assert len(found) == len(asked)


def test_names_of_predictions_are_unique_in_the_book():
    names = [
        prediction.name
        for path in find_notebooks()
        for prediction in read(nbformat.read(path, as_version=4).cells, path.name)
    ]
    assert len(names) >= 40
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("revealed=False, smallest=False", "", "PhasePlane opens with the answer"),
        ("And what about softplus", "The answer is two.", "stands before the answer"),
    ],
)
def test_control_a_prediction_that_is_answered_is_noticed(was, becomes, complaint):
    notebook = stored("symmetry")
    for cell in notebook.cells:
        cell.source = cell.source.replace(was, becomes)
    assert complaint in " ".join([*answers(notebook), *in_the_text(notebook)])


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
    notebook = stored(chapter)
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
