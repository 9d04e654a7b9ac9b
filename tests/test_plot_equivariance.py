"""The figures of equivariant networks show the numbers they are given, where they belong."""

import math

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt

from gaugelib import GaugeError, plot
from gaugelib.plot.style import LOOKS, redrawn


@pytest.fixture(autouse=True)
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


def bowl(x, y):
    return (x - 1).square() + (y + 0.5).square()


def plane(**options):
    ways = [torch.tensor([[0.0, 0.0], [1.0, -0.5]]), torch.tensor([[1.5, 1.0], [1.2, 0.0]])]
    minima = {"teacher": (1.0, -0.5), "trap": (-1.0, 0.25)}
    return plot.landscape(bowl, minima, ways, barrier=(1.0, 1.0), **options)


def test_a_landscape_has_the_barrier_the_descents_with_their_starts_and_the_minima():
    (axes,) = plane(names=("a", "b")).axes
    barrier, first, start, second, _, teacher, trap = axes.lines
    assert barrier.get_xdata() == pytest.approx(barrier.get_ydata())
    assert min(barrier.get_xdata()) < axes.get_xlim()[0] < axes.get_xlim()[1]
    assert list(map(tuple, first.get_xydata())) == [(0, 0), (1, -0.5)]
    assert list(map(tuple, start.get_xydata())) == [(0, 0)]
    assert second.get_xydata()[-1] == pytest.approx([1.2, 0.0])
    places = {line.get_label(): tuple(line.get_xydata()[0]) for line in (teacher, trap)}
    assert places == {"teacher": (1.0, -0.5), "trap": (-1.0, 0.25)}
    assert teacher.get_marker() != trap.get_marker()  # colour is not the only sign
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")


def test_contours_are_those_of_the_loss_at_equal_steps_of_its_root():
    (axes,) = plane().axes
    (contours,) = axes.collections
    for level, path in zip(contours.levels[:8], contours.get_paths()):
        x, y = (torch.from_numpy(value) for value in path.vertices.T)
        inside = (x.abs() < 1.9) & (y.abs() < 1.9)
        assert bowl(x, y)[inside] == pytest.approx([level] * int(inside.sum()), rel=0.05, abs=1e-3)
    roots = torch.tensor(contours.levels).double().sqrt().diff()
    assert roots == pytest.approx([float(roots[0])] * len(roots), rel=1e-2)


def test_a_landscape_shows_the_square_that_is_asked_for():
    (axes,) = plane(middle=(0.5, 0.0), reach=1.5).axes
    assert axes.get_xlim() == (-1.0, 2.0)
    assert axes.get_ylim() == (-1.5, 1.5)
    assert axes.get_aspect() == 1.0


def test_a_circle_is_in_degrees_and_has_a_line_for_each_direction_of_the_barrier():
    angles = torch.linspace(0, 2 * math.pi, 73)
    ends = [math.pi / 4, 5 * math.pi / 4]
    (axes,) = plot.circle(angles, {"one": angles.cos(), "two": angles.sin()}, ends).axes
    one, two, *lines = axes.lines
    assert one.get_xdata().tolist() == pytest.approx(torch.rad2deg(angles).tolist())
    assert two.get_ydata().tolist() == pytest.approx(angles.sin().tolist())
    assert [line.get_xdata()[0] for line in lines] == pytest.approx([45, 225])
    assert list(axes.get_xticks()) == [0, 90, 180, 270, 360]
    assert len({line.get_label() for line in lines if line.get_label() == "barrier"}) == 1


ROWS = {
    "fixed": {1: (0.5, 0.4, 0.6), 2: (0.75, 0.7, 0.9)},
    "trained": {1: (0.5, 0.4, 0.6), 2: (1.0, 0.9, 1.0)},
}


def test_shares_have_their_intervals_and_the_expected_ones_a_line():
    (axes,) = plot.shares(ROWS, {"1 - 2⁻ᵐ": {1: 0.5, 2: 0.75}}, xlabel="channels").axes
    for each, box in zip(ROWS.values(), axes.containers, strict=True):
        data, _, (bars,) = box
        assert data.get_ydata().tolist() == [share for share, _, _ in each.values()]
        assert [round(x) for x in data.get_xdata()] == [1, 2]
        ends = [tuple(segment[:, 1]) for segment in bars.get_segments()]
        assert ends == [pytest.approx((low, high)) for _, low, high in each.values()]
    expected = axes.lines[-1]
    assert expected.get_ydata().tolist() == [0.5, 0.75]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]
    apart = [box[0].get_xdata()[0] for box in axes.containers]
    assert apart[0] != apart[1]  # one interval does not hide another


def test_shares_over_decades_stand_on_a_logarithmic_axis():
    rows = {"on a sample": {50: (0.1, 0.0, 0.3), 1000: (0.9, 0.7, 1.0)}}
    (axes,) = plot.shares(rows, {}, xlabel="inputs").axes
    assert axes.get_xscale() == "log"
    assert axes.containers[0][0].get_xdata().tolist() == [50, 1000]
    near = plot.shares({"x": {50: (0.1, 0.0, 0.3), 100: (0.9, 0.7, 1.0)}}, {}, xlabel="inputs")
    assert near.axes[0].get_xscale() == "linear"  # the control


@pytest.mark.parametrize("name", LOOKS)
def test_each_figure_is_drawn_in_every_look(name):
    circle = plot.circle(torch.linspace(0, 1, 5), {"one": torch.ones(5)}, [0.5])
    for figure in (plane(), circle, plot.shares(ROWS, {}, xlabel="channels")):
        with redrawn(figure, LOOKS[name]) as other:
            assert len(other.axes[0].lines) == len(figure.axes[0].lines)


def flat(x, y):
    return x * 0 + y * 0


ANGLES = torch.linspace(0, math.pi, 9)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot.landscape(bowl, {}, [], barrier=(0.0, 0.0)), r"must not be \(0, 0\)"),
        (lambda: plane(reach=0.0), "reach > 0, found .* and 0"),
        (lambda: plot.landscape(flat, {}, [], barrier=(1.0, 1.0)), "not the same everywhere"),
        (lambda: plot.landscape(lambda x, y: y / flat(x, y), {}, [], barrier=(1, 1)), "be finite"),
        (lambda: plot.circle(ANGLES, {}, []), "a circle needs losses"),
        (lambda: plot.circle(ANGLES[:1], {"a": ANGLES[:1]}, []), "angles that ascend"),
        (lambda: plot.circle(1000 * ANGLES, {"a": ANGLES}, []), "at most three turns"),
        (lambda: plot.shares({}, {}, xlabel="n"), "shares need rows"),
        (lambda: plot.shares({"a": {}}, {}, xlabel="n"), "each of them a place"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_leaves_no_figure(draw, message):
    with pytest.raises(GaugeError, match=message):
        draw()
    assert plt.get_fignums() == []


def test_descents_and_losses_may_carry_gradients():
    way = torch.zeros(2, 2, requires_grad=True)
    plot.landscape(lambda x, y: bowl(x, y) + way.sum(), {}, [way], barrier=(1.0, 1.0))
    plot.circle(ANGLES, {"a": ANGLES.clone().requires_grad_()}, [1.0])
