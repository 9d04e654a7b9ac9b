"""A small notebook that keeps every rule, and ways to break it."""

import copy
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.meta.notebook_rules import FIRST_CELL

FIGURE = {"image": {"alt": "a rising line"}, "figure": {"caption": "It rises."}}

WIDGET_FIGURE = {"figure": {"name": "fig-slider", "caption": "It slides."}}


def small_notebook() -> NotebookNode:
    """Text, a number, a widget and a figure; not yet executed."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Sample"),
            new_code_cell(FIRST_CELL),
            new_code_cell("import ipywidgets\nimport matplotlib.pyplot as plt"),
            new_markdown_cell("A number."),
            new_code_cell("print('before')\nsum(range(5))"),
            new_markdown_cell("A widget."),
            new_code_cell("ipywidgets.IntSlider()", metadata={"mystnb": WIDGET_FIGURE}),
            new_markdown_cell("A figure."),
            new_code_cell("plt.plot([0, 1])\nplt.show()", metadata={"mystnb": FIGURE}),
        ]
    )


def broken(notebook: NotebookNode, change: Callable[[NotebookNode], object]) -> NotebookNode:
    """A copy of the notebook with one thing changed."""
    changed = copy.deepcopy(notebook)
    change(changed)
    return nbformat.from_dict(changed)
