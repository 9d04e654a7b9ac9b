"""A build draws every figure four times, and changes nothing else in a notebook."""

import types

import matplotlib as mpl
import nbformat
import pytest
import torch
from matplotlib import pyplot as plt

from gaugebook import figures, looks
from gaugelib import plot
from gaugelib.plot.style import LOOKS
from tools.execute_notebooks import executed

pytestmark = pytest.mark.xdist_group("meta-looks")

NAMES = "print(sorted(name for name in dir() if not name.startswith('_')))"
DRAW = """\
import torch
from matplotlib import pyplot as plt
from gaugelib import plot
figure = plot.drifts({"a": torch.tensor([1.0, 2.0, 3.0])})
plt.show()"""
BY_HAND = "plt.plot([0, 1])\nplt.show()"


def run():
    cells = [nbformat.v4.new_code_cell(source) for source in (NAMES, DRAW, BY_HAND, NAMES)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return executed(nbformat.v4.new_notebook(cells=cells), "small.ipynb", ".")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The same notebook in a kernel as a reader has it, and in one of a build."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        before = run()
        app = types.SimpleNamespace()
        figures.begin(app)
        try:
            return before, run()
        finally:
            figures.end(app, None)


def test_a_build_s_kernel_draws_each_look_of_a_figure_of_the_library(pair):
    drawn = pair[1].cells[1].outputs[0].metadata["image/png"]["looks"]
    assert list(drawn) == list(LOOKS) == ["light", "dark", "light narrow", "dark narrow"]
    assert all(svg.startswith("<svg") and svg.endswith("</svg>") for svg in drawn.values())
    assert len(set(drawn.values())) == 4


def test_without_them_the_notebook_is_as_a_reader_s(pair):
    plain, built = pair
    assert nbformat.writes(plain) != nbformat.writes(built)
    del built.cells[1].outputs[0].metadata["image/png"]
    assert nbformat.writes(plain) == nbformat.writes(built)


def test_environment_is_left_as_it_was(monkeypatch):
    app = types.SimpleNamespace()
    for before in ({"IPYTHONDIR": "somewhere"}, {}):
        environment = dict(before)
        monkeypatch.setattr(figures.os, "environ", environment)
        figures.begin(app)
        assert environment["IPYTHONDIR"] != "somewhere"
        figures.end(app, None)
        assert environment == before


def test_a_drawing_is_the_same_each_time_and_says_no_date():
    mpl.use("Agg")
    figure = plot.drifts({"a": torch.tensor([1.0, 2.0, 3.0])})
    once, again = looks.looks_beside_png(figure), looks.looks_beside_png(figure)
    assert once == again
    (svg, *_) = once[1]["image/png"]["looks"].values()
    assert "metadata" not in svg
    plt.close("all")


def test_whole_pixels_keep_the_drawing_s_proportions():
    svg, size = figures.in_pixels(
        '<svg width="72pt" height="36.1pt" viewBox="0 0 72 36.1"><g/></svg>'
    )
    assert size == (96, 48)
    assert svg == '<svg width="96" height="48" viewBox="0 0 72 36.1"><g/></svg>'


def test_a_drawing_without_a_size_is_refused():
    with pytest.raises(ValueError, match="has no height"):
        figures.in_pixels('<svg width="72pt" viewBox="0 0 72 36"></svg>')
