"""The figures of gates and attention show the numbers they are given."""

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt

from gaugelib import GaugeError, plot


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def test_sorted_ratios_rise_from_the_least_to_the_largest_on_a_logarithmic_axis():
    values = torch.tensor([3.0, 0.5, 0.25, 12.0])
    (axes,) = plot.sorted_ratios({"one": values, "two": values / 4}, "ratio").axes
    level, one, two = axes.lines
    assert axes.get_yscale() == "log"
    assert list(level.get_ydata()) == [1.0, 1.0]
    for line, largest in ((one, 12.0), (two, 3.0)):
        heights = [float(y) for y in line.get_ydata()]
        assert heights == sorted(heights)
        assert (heights[0], heights[-1]) == (largest / 48, largest)
    assert [line.get_label() for line in (one, two)] == ["one", "two"]


def test_a_ratio_that_is_not_positive_is_refused_by_name():
    with pytest.raises(GaugeError, match="'one' is not positive"):
        plot.sorted_ratios({"one": torch.tensor([1.0, 0.0])}, "ratio")


def test_curves_of_smoothing_stand_over_their_strengths_and_begin_at_zero():
    curves = {"both": [0.3, 0.1, 0.2], "weights": [0.1, 0.1, 0.2]}
    (axes,) = plot.by_strength([0.0, 0.5, 1.0], curves, "as it was", 0.4).axes
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == list(curves.values())
    assert list(axes.lines[0].get_xdata()) == [0.0, 0.5, 1.0]
    assert list(axes.lines[2].get_ydata()) == [0.4, 0.4]
    assert axes.get_ylim()[0] == 0.0


def test_a_curve_without_an_error_for_each_strength_is_refused_by_name():
    with pytest.raises(GaugeError, match="'both' has 1 errors for 2 strengths"):
        plot.by_strength([0.0, 1.0], {"both": [0.1]}, "as it was", 0.1)
