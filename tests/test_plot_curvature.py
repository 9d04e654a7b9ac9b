"""The figures of second-order structure show the numbers they are given, where they belong."""

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt

from gaugelib import plot


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def neuron(w, v):
    return (w * v - 1).square() / 2


def test_the_orbit_is_level_and_the_straight_line_touches_it():
    figure = plot.level_and_curved(neuron, w=2.0, v=0.2, reach=0.9)
    left, right = figure.axes
    orbit, line = (curve.get_ydata() for curve in right.lines[:2])
    middle = len(orbit) // 2
    assert orbit == pytest.approx([neuron(torch.tensor(2.0), torch.tensor(0.2)).item()] * 121)
    assert line[middle] == pytest.approx(orbit[middle])
    # Second difference against -2 g_in w_in = -2 (wv - 1) wv; the control: not that of the orbit.
    step = 0.9 / 60
    bend = (line[middle + 1] - 2 * line[middle] + line[middle - 1]) / step**2
    assert bend == pytest.approx(-2 * (0.4 - 1) * 0.4, rel=1e-3)
    x, y = left.lines[0].get_data()
    assert x * y == pytest.approx([0.4] * 121)


def test_spectra_are_rows_of_marks_with_rings_where_they_are_predicted():
    rows = {"a": torch.tensor([-2.0, 0.5]), "b": torch.tensor([0.0, 0.0, 3.0])}
    (axes,) = plot.spectra(rows, {"b": torch.zeros(2)}).axes
    a, b, rings = axes.lines
    assert [line.get_xdata().tolist() for line in (a, b, rings)] == [[-2, 0.5], [0, 0, 3], [0, 0]]
    assert (set(a.get_ydata()), set(rings.get_ydata())) == ({0}, {1})
    assert [text.get_text() for text in axes.texts] == ["2 ×"]  # rings in one place are counted
    apart = plot.spectra(rows, {"b": torch.tensor([0.0, 3.0])}).axes[0]
    assert not apart.texts


def test_the_axis_of_spectra_has_zero_and_both_signs():
    (axes,) = plot.spectra({"a": torch.tensor([-3.0, 0.0, 0.02])}, {"a": torch.zeros(1)}).axes
    assert axes.get_xscale() == "symlog"
    low, high = axes.get_xlim()
    assert low < -3
    assert high > 0.02


def test_spectra_need_no_prediction_and_no_eigenvalue_but_zero():
    (axes,) = plot.spectra({"a": torch.tensor([1.0, 2.0])}, {}).axes
    assert [line.get_label() for line in axes.lines] == ["measured"]
    (axes,) = plot.spectra({"a": torch.zeros(3)}, {"a": torch.zeros(1)}).axes
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0, 0, 0], [0]]


def test_marks_stand_in_rows_by_kind():
    rows = {"one": {"x": [1.0, 10.0], "y": [2.0]}, "two": {"x": [3.0], "y": [4.0]}}
    (axes,) = plot.marks(rows, "sharpness").axes
    found = [(line.get_xdata().tolist(), round(line.get_ydata()[0])) for line in axes.lines]
    assert found == [([1.0, 10.0], 0), ([2.0], 0), ([3.0], 1), ([4.0], 1)]
    assert len({line.get_marker() for line in axes.lines[:2]}) == 2  # colour is not the only sign
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two"]


def test_a_limit_is_a_level_line_of_its_run():
    runs = {"η = 0.1": ([1.0, 2.0], [3.0, 4.0]), "η = 0.2": ([5.0, 6.0], [7.0, 8.0])}
    left, right = plot.sharpening(runs, {"η = 0.2": 10.0}).axes
    first, second, limit = left.lines
    assert (first.get_ydata().tolist(), second.get_ydata().tolist()) == ([1, 2], [5, 6])
    assert set(limit.get_ydata()) == {10.0}
    assert limit.get_color() == second.get_color()
    assert [line.get_ydata().tolist() for line in right.lines] == [[3, 4], [7, 8]]
