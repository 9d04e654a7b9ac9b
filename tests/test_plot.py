"""Figures show the numbers they are given, and refuse what they cannot draw."""

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt

from gaugelib import GaugeError, hat, mlp_group, plot


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def test_the_incidence_picture_shows_the_matrix_of_the_hat():
    figure = plot.incidence(mlp_group(hat()))
    (axes,) = figure.axes
    expected = [
        [1, 0, 0, 1, 0, 0, -1, 0, 0, 0],
        [0, 1, 0, 0, 1, 0, 0, -1, 0, 0],
        [0, 0, 1, 0, 0, 1, 0, 0, -1, 0],
    ]
    assert axes.images[0].get_array().tolist() == expected
    assert [text.get_text() for text in axes.texts].count("+1") == 6
    assert axes.get_xticklabels()[6].get_text() == "2.weight[0, 0]"


def test_a_large_network_has_no_incidence_picture():
    large = torch.nn.Sequential(torch.nn.Linear(9, 9), torch.nn.ReLU(), torch.nn.Linear(9, 9))
    with pytest.raises(GaugeError, match="found 180"):
        plot.incidence(mlp_group(large))


def test_along_an_orbit_everything_is_relative_to_the_start():
    scales = torch.tensor([-1.0, 0.0, 1.0])
    figure = plot.along_orbit(scales, {"norm": [8.0, 4.0, 2.0]})
    assert figure.axes[0].lines[0].get_ydata().tolist() == [2.0, 1.0, 0.5]


@pytest.mark.parametrize(
    ("scales", "values", "message"),
    [([1.0, 2.0], [1.0, 1.0], "hold 0"), ([0.0, 1.0], [1.0, 0.0], "'norm' must be positive")],
)
def test_what_cannot_be_compared_is_refused(scales, values, message):
    with pytest.raises(GaugeError, match=message):
        plot.along_orbit(torch.tensor(scales), {"norm": values})


def test_twins_lie_on_each_other():
    x = torch.linspace(0, 1, 5)
    figure = plot.twins(x, {"first": x, "second": x}, 0 * x, {"first": x + 1, "second": x + 2})
    left, right = figure.axes
    _, first, second = left.lines
    assert first.get_linewidth() > second.get_linewidth()
    assert right.get_yscale() == "log"
    (key,) = figure.legends  # above both panels: it hides no curve and serves both
    assert [text.get_text() for text in key.get_texts()] == ["to be learnt", "first", "second"]
    assert [line.get_color() for line in right.lines] == [first.get_color(), second.get_color()]


def test_every_charge_has_a_line_in_each_panel_and_panels_share_a_scale():
    times, values = torch.arange(3.0), torch.tensor([[1.0, -1.0]] * 3)
    figure = plot.charges(times, {"flow": values, "steps": 5 * values})
    left, right = figure.axes
    assert [line.get_ydata()[0] for line in left.lines] == [1.0, -1.0]
    assert left.get_ylim() == right.get_ylim()


def test_a_straight_line_shows_an_order_and_no_drift_at_all_is_refused():
    steps = torch.tensor([0.1, 0.05])
    (axes,) = plot.drift_orders(steps, {"Euler": steps}).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    with pytest.raises(GaugeError, match="'exact' must be positive"):
        plot.drift_orders(steps, {"exact": 0 * steps})


def test_drifts_are_named():
    (axes,) = plot.drifts({"Adam": torch.tensor([0.1, 0.2])}).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Adam"]


def test_the_style_ends_with_its_block():
    before = mpl.rcParams["axes.spines.top"]
    with plot.style():
        assert not mpl.rcParams["axes.spines.top"]
    assert mpl.rcParams["axes.spines.top"] == before


def test_decays_are_drawn_by_size_on_a_logarithmic_axis():
    values = torch.tensor([[1.0, -4.0], [0.5, -2.0]])
    figure = plot.decays(torch.tensor([0.0, 1.0]), {"p = 1": values})
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert [line.get_ydata().tolist() for line in axes.lines] == [[1.0, 0.5], [4.0, 2.0]]


def test_the_curvatures_nearest_to_twice_the_decay_are_ringed():
    spectra = [torch.tensor([0.2, 3.0, 0.2]), torch.tensor([5.0, 0.4, 0.4])]
    axes = plot.curvatures([0.1, 0.2], spectra, units=2).axes[0]
    ringed = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in ringed] == [
        pytest.approx([0.2, 0.2]),
        pytest.approx([0.4, 0.4]),
    ]
    with pytest.raises(GaugeError, match=r"an eigenvalue at λ = 0\.1 is not positive"):
        plot.curvatures([0.1], [torch.tensor([-1.0, 2.0])], units=1)


def test_arms_are_drawn_against_the_rate_with_their_mean():
    values = torch.tensor([[4.0, 1.0], [2.0, 3.0]])
    axes = plot.against_rates([0.1, 0.2], {"loss": {"never": values}}, "loss").axes[0]
    assert axes.lines[0].get_ydata().tolist() == [3.0, 2.0]
    assert axes.lines[0].get_label() == "never fixed"
