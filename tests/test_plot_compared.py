"""The figures of networks rounded, pruned and averaged show the numbers they are given."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from gaugelib import GaugeError
from gaugelib.plot.compared import by_gauge, pruned, segments
from gaugelib.plot.style import LOOKS, redrawn

ROWS = {
    "as trained": {"per layer": (97.0, 0.5), "per row": (97.5, 0.25)},
    "random": {"per layer": (10.0, 1.0), "per row": (73.0, 2.0)},
}


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def marks(axes):
    return [line for line in axes.lines if line.get_marker() not in ("None", "")]


def test_each_mark_stands_at_its_mean_in_its_row_with_two_standard_errors_to_each_side():
    figure = by_gauge({"8 bits": ROWS, "4 bits": ROWS}, "accuracy in %")
    axes = figure.axes[0]
    bars = [line for line in axes.lines if line not in marks(axes)]
    assert [line.get_xdata()[0] for line in marks(axes)] == [97.0, 97.5, 10.0, 73.0]
    assert [list(bar.get_xdata()) for bar in bars[::2]] == [[96.0, 98.0], [8.0, 12.0]]
    assert [round(float(line.get_ydata()[0])) for line in marks(axes)] == [0, 0, 1, 1]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(ROWS)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["8 bits", "4 bits"]
    high, low = axes.get_ylim()  # the first gauge is on top
    assert high > low


@pytest.mark.parametrize("panels", [{}, {"8": ROWS, "4": {"as trained": ROWS["as trained"]}}])
def test_panels_with_other_gauges_and_no_panels_are_refused(panels):
    with pytest.raises(GaugeError, match="same gauges"):
        by_gauge(panels, "accuracy")


def test_on_a_logarithmic_axis_only_powers_of_ten_are_named():
    errors = {"as trained": {"per layer": (0.2, 0.01)}, "random": {"per layer": (0.9, 0.01)}}
    figure = by_gauge({"3 bits": errors, "2 bits": errors}, "error", log=True)
    figure.canvas.draw()
    one, other = figure.axes
    assert one.get_xscale() == "log"
    assert one.get_xlim() == other.get_xlim()
    assert not any(label.get_text() for label in one.get_xticklabels(minor=True))


def test_curves_of_pruning_stand_over_their_shares_and_each_has_a_look_of_its_own():
    ways = {f"way {k}": [(90.0 - k, 1.0), (50.0 - k, 2.0)] for k in range(8)}
    (axes,) = pruned([0.5, 0.9], ways, "accuracy in %").axes
    for k, line in enumerate(axes.lines):
        assert list(line.get_xdata()) == [0.5, 0.9]
        assert list(line.get_ydata()) == [90.0 - k, 50.0 - k]
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == len(ways)
    assert [line.get_label() for line in axes.lines] == list(ways)


@pytest.mark.parametrize("ways", [{}, {"short": [(1.0, 0.0)]}])
def test_a_way_without_a_pair_for_each_share_is_refused_by_name(ways):
    with pytest.raises(GaugeError, match="short" if ways else "each way needs 2"):
        pruned([0.5, 0.9], ways, "accuracy")


def test_segments_show_the_losses_of_each_way():
    panels = {"two starts": {"plain": [0.1, 0.5, 0.1], "matched": [0.1, 0.2, 0.1]}}
    (axes,) = segments([0.0, 0.5, 1.0], panels).axes
    assert [list(line.get_ydata()) for line in axes.lines] == list(panels["two starts"].values())
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_shows_the_same_marks(name):
    figure = by_gauge({"8 bits": ROWS}, "accuracy in %")
    with redrawn(figure, LOOKS[name]) as other:
        (here,), (there,) = figure.axes, other.axes
        assert [m.get_xdata()[0] for m in marks(here)] == [m.get_xdata()[0] for m in marks(there)]
