"""A figure can be drawn again for a narrow page and for a dark one; its data stay the same."""

import copy
import pickle

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from gaugelib import GaugeError, hat, mlp_group, plot
from gaugelib.plot.style import LOOKS, Look, redrawn

TIMES, VALUES = torch.arange(3.0), torch.tensor([[1.0, -1.0]] * 3)


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def three_panels():
    return plot.charges(TIMES, {"a": VALUES, "b": 2 * VALUES, "c": 3 * VALUES})


def data(figure):
    return [[line.get_ydata().tolist() for line in axes.lines] for axes in figure.axes]


def spot(axes):
    return axes.get_subplotspec().rowspan.start, axes.get_subplotspec().colspan.start


def luminance(colour):
    shares = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in to_rgb(colour)]
    return sum(share * weight for share, weight in zip(shares, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_shows_the_same_data(name):
    figure = three_panels()
    with redrawn(figure, LOOKS[name]) as other:
        assert data(other) == data(figure)


def test_panels_stand_in_a_row_or_in_a_column():
    figure = three_panels()
    assert [spot(axes) for axes in figure.axes] == [(0, 0), (0, 1), (0, 2)]
    with redrawn(figure, Look(narrow=True)) as other:
        assert [spot(axes) for axes in other.axes] == [(0, 0), (1, 0), (2, 0)]
        assert [axes.get_title(loc="left") for axes in other.axes] == ["a", "b", "c"]
        assert other.get_figwidth() == 3.4
        assert other.get_supylabel() == "charges of the hidden units"


def test_dark_lines_are_bright_and_light_ones_are_dim():
    figure = three_panels()
    with redrawn(figure, Look(dark=True)) as other:
        for one, ground in ((figure, "#ffffff"), (other, "#15181c")):
            line = one.axes[0].lines[0].get_color()
            assert contrast(line, ground) > 4.5
    assert contrast(figure.axes[0].lines[0].get_color(), "#15181c") < 3  # the control


@pytest.mark.parametrize("dark", [False, True])
def test_the_signs_of_the_incidence_matrix_are_legible_in_their_cells(dark):
    with redrawn(plot.incidence(mlp_group(hat())), Look(dark=dark)) as figure:
        (image,) = figure.axes[0].images
        for text in figure.axes[0].texts:
            column, row = text.get_position()
            cell = image.cmap(image.norm(image.get_array()[row, column]))
            assert contrast(text.get_color(), cell) >= 4.5


def test_drawing_again_leaves_nothing_behind():
    figure, before = three_panels(), dict(mpl.rcParams)
    for look in LOOKS.values():
        with redrawn(figure, look):
            pass
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == before
    assert data(three_panels()) == data(figure)


def test_a_look_ends_with_its_block_even_if_drawing_fails():
    figure = three_panels()
    with pytest.raises(ZeroDivisionError), redrawn(figure, Look(narrow=True, dark=True)):
        raise ZeroDivisionError
    assert [spot(axes) for axes in three_panels().axes] == [(0, 0), (0, 1), (0, 2)]


def test_a_figure_drawn_by_hand_is_refused():
    refused = pytest.raises(GaugeError, match=r"only a figure that gaugelib\.plot drew")
    with refused, redrawn(plt.figure(), Look(dark=True)):
        pass


def test_a_figure_can_still_be_pickled_and_copied():
    for figure in (pickle.loads(pickle.dumps(three_panels())), copy.copy(three_panels())):
        with redrawn(figure, Look(narrow=True)) as other:
            assert data(other) == data(figure)
