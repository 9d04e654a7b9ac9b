"""The figures of staying on a page show the numbers they are given."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from gaugelib import GaugeError
from gaugelib.plot.staying import bowls, distances_from_page


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def test_distances_stand_over_their_steps_and_zero_at_the_floor():
    runs = {"plain": ([0, 1, 10], [0.0, 1e-7, 1e-6]), "sorted": ([0, 1, 10], [0.0, 0.0, 0.0])}
    (axes,) = distances_from_page(runs).axes
    plain, exact = axes.lines
    assert plain.get_xdata() == pytest.approx([1, 10])
    assert plain.get_ydata() == pytest.approx([1e-7, 1e-6])
    assert set(exact.get_ydata()) == {1e-17}
    assert axes.get_yticklabels()[0].get_text() == "0"
    assert axes.get_ylim()[0] < 1e-17
    assert [line.get_label() for line in axes.lines] == list(runs)


def test_a_run_without_steps_is_refused_by_name():
    with pytest.raises(GaugeError, match="lonely"):
        distances_from_page({"lonely": ([0], [0.0])})


def test_bowls_show_curvatures_of_both_signs_and_the_exact_one():
    (axes,) = bowls([1e-3, 0.1], {"200": [0.16, -0.06]}, -0.066).axes
    assert axes.lines[1].get_ydata() == pytest.approx([0.16, -0.06])
    assert set(axes.lines[2].get_ydata()) == {-0.066}
    low, high = axes.get_ylim()
    assert low < -0.066
    assert high > 0.16


@pytest.mark.parametrize(("runs", "floor"), [({}, 1e-17), ({"a": ([1], [0.0])}, 0.0)])
def test_no_runs_and_a_floor_that_no_logarithm_has_are_refused(runs, floor):
    with pytest.raises(GaugeError, match="needs a run, and floor > 0"):
        distances_from_page(runs, floor=floor)
