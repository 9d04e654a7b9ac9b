"""Every notebook of the book keeps the house's rules, and each rule refuses what breaks it."""

import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.meta.notebook_rules import FIRST_CELL, RULES
from tests.meta.prose import ROOT, crowded_lines, markdown, sources
from tests.meta.sampler import broken
from tests.meta.tracked import tracked_files
from tools.execute_notebooks import find_notebooks


def complaints(notebook):
    return [complaint for rule in RULES for complaint in rule(notebook)]


def test_the_book_has_notebooks():
    assert find_notebooks(), "book/ holds no notebook"


def test_no_notebook_hides_outside_the_book():
    stray = [p for p in tracked_files("*.ipynb") if not p.is_relative_to(ROOT / "book")]
    assert stray == []


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path):
    assert complaints(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_source_has_one_sentence_per_line(path):
    assert list(crowded_lines(markdown(path))) == []


def test_the_sample_keeps_the_rules(sound):
    assert complaints(sound) == []


def add(source, **options):
    return lambda n: n.cells.append(new_code_cell(source, execution_count=6, **options))


def cell(position, **changes):
    return lambda n: n.cells[position].update(changes)


def output(position, **changes):
    return lambda n: n.cells[position].outputs[0].update(changes)


def with_path(notebook):
    notebook.cells[4].outputs[0].text = f"saved in {'/'.join(['', 'home', 'ann', 'figure'])}\n"


def long_cells(notebook):
    for c in notebook.cells[2:]:
        if c.cell_type == "code":
            c.source = "\n".join(f"x{i} = {i}" for i in range(9))


BREAKS = {
    "a long cell": (add("\n".join(["x = 1"] * 26)), "26 lines"),
    "long cells": (long_cells, "median"),
    "many cells": (lambda n: n.cells.extend(n.cells * 4), "code cells; 20 is the cap"),
    "cells in a row": (lambda n: n.cells.extend([n.cells[2]] * 2), "in a row"),
    "a long function": (add("def f():\n" + "    x = 1\n" * 12), "function f"),
    "no first cell": (lambda n: n.cells.pop(1), "first code cell"),
    "an empty cell": (add(" "), "empty code cell"),
    "a magic under the first cell": (
        lambda n: n.cells[1].update(source=n.cells[1].source + "%time 1"),
        "magic or shell",
    ),
    "another first cell": (
        lambda n: n.cells[1].update(source=n.cells[1].source.replace("gaugelib", "gauge")),
        "first code cell",
    ),
    "a package index asked": (
        lambda n: n.cells[1].update(
            source=n.cells[1].source.replace("raise ImportError(", "%pip install -q gaugelib  # ")
        ),
        "first code cell",
    ),
    "a solution without its tag": (
        lambda n: n.cells[3].update(source=":::{solution-start} ex-a\n:::"),
        "without the tag",
    ),
    "a line in pieces": (add('print(f"{1}:", end=" ")'), "in pieces"),
    "another magic": (add("%time 1"), "magic or shell"),
    "a shell command": (add("!ls"), "magic or shell"),
    "sys.path": (add("import sys\nsys.path.append('..')"), "sys.path"),
    "star import": (add("from math import *"), r"imports \*"),
    "a warnings filter": (add("warnings.filterwarnings('ignore')"), "hides warnings"),
    "a global seed": (add("torch.manual_seed(0)"), "global state"),
    "a comment for nbval": (add("# NBVAL_IGNORE_OUTPUT\n1"), "look away"),
    "a tag for nbval": (add("1", metadata={"tags": ["nbval-skip"]}), "exempts"),
    "a tag for errors": (add("1", metadata={"tags": ["raises-exception"]}), "exempts"),
    "a null count": (cell(4, execution_count=None), "execution counts"),
    "a gap in the counts": (cell(8, execution_count=7), "execution counts"),
    "no outputs": (
        lambda n: [c.update(outputs=[]) for c in n.cells if "outputs" in c],
        "no output",
    ),
    "widget state": (lambda n: n.metadata.update(widgets={}), "widget state"),
    "timing": (cell(4, metadata={"execution": {"iopub.execute_input": "now"}}), "timing"),
    "stderr": (output(4, name="stderr"), "stderr"),
    "an error": (
        cell(4, outputs=[new_output("error", ename="E", evalue="", traceback=[])]),
        "error",
    ),
    "SVG": (lambda n: n.cells[8].outputs[0].data.update({"image/svg+xml": "<svg/>"}), "SVG"),
    "an absolute path": (with_path, "absolute path"),
    "an address": (output(4, text="<object object at 0x7f00deadbeef>"), "memory address"),
    "an unshown figure": (cell(8, source="plt.plot([0, 1])"), "plt.show"),
    "no alt text": (lambda n: n.cells[8].metadata.mystnb.pop("image"), "alt text"),
    "no caption": (lambda n: n.cells[8].metadata.mystnb.figure.update(caption=" "), "caption"),
    "a widget without a caption": (
        lambda n: n.cells[6].metadata.mystnb.figure.update(caption=" "),
        "widget without a caption",
    ),
    "a widget without an anchor": (
        lambda n: n.cells[6].metadata.mystnb.figure.pop("name"),
        "widget without a name",
    ),
    "a panel by its side": (
        lambda n: n.cells[8].metadata.mystnb.figure.update(caption="Left: one. Right: two."),
        "by its side",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_notebook_is_refused(sound, name):
    change, complaint = BREAKS[name]
    found = complaints(broken(sound, change))
    assert found, name
    with pytest.raises(AssertionError, match=complaint):
        raise AssertionError("\n".join(found))


def test_without_the_library_the_first_cell_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "gaugelib", None)  # as if there were none
    with pytest.raises(
        ImportError, match=r"run pip install -e \. in the book's repository"
    ) as told:
        exec(FIRST_CELL, {})
    assert told.value.__suppress_context__


def test_control_with_the_library_the_first_cell_does_nothing():
    names = {}
    exec(FIRST_CELL, names)
    assert names.keys() == {"gaugelib", "__builtins__"}


def test_imports_may_follow_the_first_lines(sound):
    first = sound.cells[1].source + "import math"
    assert complaints(broken(sound, lambda n: n.cells[1].update(source=first))) == []


def test_a_widgets_still_picture_needs_alt_text_but_no_show(sound):
    still = sound.cells[8].outputs[0].data["image/png"]

    def with_still(alt):
        def change(notebook):
            notebook.cells[6].outputs[0].data["image/png"] = still
            notebook.cells[6].outputs[0].metadata["image/png"] = {"alt": alt}

        return complaints(broken(sound, change))

    assert with_still("a slider at 0") == []
    assert "still picture without alt text" in " ".join(with_still(" "))


def test_a_generator_may_be_seeded(sound):
    seeded = "generator = torch.Generator().manual_seed(0)\ngenerator.manual_seed(1)"
    assert not any("global" in c for c in complaints(broken(sound, add(seeded))))


@pytest.mark.parametrize(
    "line",
    [
        "One sentence ends. Another begins.",
        "Is it so? Yes.",
        "**A title.** One sentence. Another.",
        "*It holds.* **Then** it ends. *So* what.",
        "A formula $a.$ ends it! Nothing `x. Y` else.",
        ":::{note}\nOne ends. Two begins.\n:::",
    ],
)
def test_two_sentences_on_a_line_are_refused(line):
    assert list(crowded_lines(line)) != []


@pytest.mark.parametrize(
    "text",
    [
        "One sentence, e.g. This one, as L. K. Saul, cf. Theorem 2, writes in eq. (5).",
        "1. First\n2. Second",
        "- **A title.** One sentence.",
        "```python\nx = 1. Y\n# One. Two.\n```",
        "$$\na. B\n$$ (label)\nOne sentence.",
        "| One. Two. | Three. Four. |",
        ":alt: One. Two.",
        "See `a. B` and $x. Y$ and [this](http://a. B).",
    ],
)
def test_one_sentence_on_a_line_is_accepted(text):
    assert list(crowded_lines(text)) == []
