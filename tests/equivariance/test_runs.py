"""Descents of small equivariant networks: the engine that measured them, and what is stored."""

import math
import sys

import pytest
import torch

from gaugelib import GaugeError
from gaugelib.equivariance import deep_sets, teacher_gradient, teacher_loss
from gaugelib.equivariance.runs import stored_run, stored_runs, wilson
from tools.rerun_stored import two_symmetries as experiment

engine, relaxed = (sys.modules[name] for name in ("deep_sets_channels", "relaxed_networks"))
RUNS = stored_runs()


def networks(n, m=2, runs=4):
    draw = torch.Generator().manual_seed(n)
    a, b, c = torch.randn(3, runs, m, generator=draw, dtype=torch.float64)
    return a, b, c, engine.Channels(a - b, b, c)


def whole(a, b, c, n):
    """The same networks with all their weights: one block of n units for each channel."""
    W, v = deep_sets(a, b, c, n)
    return W.flatten(1, 2), v.flatten(1)


# --- the engine ---


@pytest.mark.parametrize("n", [2, 3, 4])
def test_loss_and_slopes_of_channels_are_those_of_the_whole_network(n):
    a, b, c, net = networks(n)
    loss, slopes = engine.loss_and_slopes(n, net, engine.teacher(-0.5, 1.0))
    W, v = whole(a, b, c, n)
    goal = deep_sets(-0.5, 1.0, 1.0, n)
    torch.testing.assert_close(loss, teacher_loss(W, v, goal))
    first, last = teacher_gradient(W, v, goal)
    first = first.view(4, 2, n, n)
    torch.testing.assert_close(slopes.b, first[..., 0, 1])
    torch.testing.assert_close(slopes.delta, first[..., 0, 0] - first[..., 0, 1])
    torch.testing.assert_close(slopes.c, last.view(4, 2, n)[..., 0])


@pytest.mark.parametrize("shared", experiment.SHARED)
def test_raw_slopes_are_those_of_autograd_through_the_shared_numbers(shared):
    a, b, c, net = networks(3)
    slopes = engine.loss_and_slopes(3, net, engine.teacher(1.0, 0.4))[1]
    moved = engine.raw(3, slopes, shared)
    first = (a if shared == "a, b" else a - b).clone().requires_grad_()
    b, c = b.clone().requires_grad_(), c.clone().requires_grad_()
    W, v = whole(first if shared == "a, b" else first + b, b, c, 3)
    teacher_loss(W, v, deep_sets(1.0, 0.4)).sum().backward()
    torch.testing.assert_close(moved.delta, first.grad - b.grad if shared == "a, b" else first.grad)
    torch.testing.assert_close(moved.b, b.grad)
    torch.testing.assert_close(moved.c, c.grad)
    inherited = slopes.delta
    assert (moved.delta - inherited).abs().min() > 1e-3  # control: another metric


@pytest.mark.parametrize("inputs", [0, 7])
def test_slopes_without_constraint_are_those_of_differences(inputs):
    draw = torch.Generator().manual_seed(5)
    W, v = (x.expand(3, *x.shape) for x in deep_sets(1.0, 0.4))
    data = relaxed.Sample(W, v, inputs, draw) if inputs else relaxed.Population(W, v)
    W, v = torch.randn(3, 3, 4, generator=draw, dtype=torch.float64).split([3, 1], -1)
    v = v[..., 0]
    step = 1e-6 * torch.randn(3, 3, 4, generator=draw, dtype=torch.float64)
    dW, dv = step[..., :3], step[..., 3]
    first, last = data.slopes(W, v)
    expected = (first * dW).sum((-2, -1)) + (last * dv).sum(-1)
    found = (data.loss(W + dW, v + dv) - data.loss(W - dW, v - dv)) / 2
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-12)


def test_a_large_sample_has_nearly_the_loss_of_infinitely_many_inputs():
    W, v = (x.expand(2, *x.shape) for x in deep_sets(1.0, 0.4))
    sample = relaxed.Sample(W, v, 20000, torch.Generator().manual_seed(0))
    other = 0.5 * W + 0.3, v
    exact = relaxed.Population(W, v).loss(*other)
    assert sample.loss(*other) == pytest.approx(exact, rel=0.03)


def test_a_page_is_known_by_its_permutation_in_any_gauge():
    W, v = deep_sets(torch.tensor([1.4, -0.3], dtype=torch.float64), 0.1)
    for k, order in enumerate(relaxed.ORDERS):
        P = torch.eye(3, dtype=torch.float64)[:, list(order)]
        dial = torch.tensor([2.0, 0.5, 3.0], dtype=torch.float64)
        far = relaxed.away(dial[:, None] * (P @ W), v / dial)
        assert far[:, k].max() < 1e-12
        assert far[:, [j for j in range(6) if j != k]].min() > 0.1


# --- what is stored ---


def test_every_measurement_is_stored_once():
    assert RUNS.keys() == experiment.MEASURE.keys()
    for part, (name, _, values) in experiment.MEASURE.items():
        assert {row[name] for row in RUNS[part]} == set(values)
        keys = [
            tuple(str(row.get(k)) for k in KEYS if not (part == "width" and k == "rate"))
            for row in RUNS[part]
        ]
        assert len(set(keys)) == len(keys)


KEYS = ("n", "goal", "side", "channels", "weights", "rate", "shared", "inputs", "noise", "start")


def test_no_sign_changes_and_one_side_decides_where_n_is_three():
    for row in RUNS["starts"]:
        assert row["crossed"] == 0
        trapped = row["n"] == 3 and row["side"] == "wrong" and row["goal"] != [1.0, -0.5]
        assert row["solved"][-1] == (0 if trapped else row["runs"])
        assert trapped == (row["loss"][0] > 1e-3)


def test_every_teacher_has_one_minimum_on_each_side_and_the_second_is_shallow():
    row = stored_run("minima", goal="all")
    assert set(row["count"]) == {2}
    assert max(row["depth"]) < 0.024
    # the second costs nothing where a + 2b = 0, and where a = b there are no sides
    free = [math.degrees(math.atan2(math.sqrt(2) * b, a)) for a, b in ((2, -1), (1, 1))]
    for angle, depth in zip(row["angle"], row["depth"]):
        far = min(abs((angle - spot + 90) % 180 - 90) for spot in free)
        assert far > 2.5 or depth < 1e-3


@pytest.mark.parametrize("n", [3, 2, 4])
def test_the_second_minimum_is_the_teacher_if_n_is_two_or_its_rows_have_sum_zero(n):
    for a, b in experiment.TEACHERS:
        least, second = stored_run("minima", n=n, goal=[a, b])["minima"]
        assert least[2] < 1e-6
        assert (second[2] < 1e-6) == (n == 2 or a + (n - 1) * b == 0)
        loss = teacher_loss(*deep_sets(*second[:2], 1.0, n), deep_sets(a, b, 1.0, n))
        assert float(loss) == pytest.approx(second[2], abs=2e-5)


def test_no_step_below_the_bound_crosses_and_large_ones_do():
    for row in RUNS["leaps"]:
        assert row["within"] == 0
        assert (row["crossed"] > 0) == (row["rate"] > 0.4)


def test_with_infinitely_many_inputs_every_trap_is_a_saddle_and_on_a_sample_none():
    for row in RUNS["relaxed"]:
        if row["start"] == "curvature":
            assert (max(row["least"]) < -0.01) == (row["inputs"] == 0)
            assert row["inputs"] == 0 or min(row["least"]) > -1e-6
        elif row["inputs"] == 0:
            assert row["solved"][-1] == row["runs"]


def test_with_fixed_output_weights_a_run_is_solved_if_a_channel_begins_on_the_right_side():
    for row in RUNS["width"]:
        assert row["solved"][-1] == row["solved_right"] + row["solved_wrong"]
        if row["weights"] == "fixed":
            assert (row["solved_right"], row["solved_wrong"]) == (row["right"], 0)
            assert row["solved"][0] <= row["solved"][1]
    two, three = (stored_run("width", channels=m, weights="trained") for m in (2, 3))
    assert two["solved_wrong"] == 0  # the control: trained weights fail, and from m = 3 on replace
    assert two["solved_right"] < two["right"]
    assert three["solved_wrong"] > 0


def test_three_channels_on_the_other_side_hold_the_teacher():
    """Σσ(z) = Σσ(-z) + Σz, and Σz is a multiple of σ(Σx) - σ(-Σx)."""
    a, b = -0.5, 1.0
    linear = (a + 2 * b) / 3  # of each of the three equal units of a channel on the barrier
    pairs = torch.tensor([[-a, -b], [1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    net = engine.channels(pairs[None])._replace(c=torch.tensor([[1.0, linear, -linear]]).double())
    loss, _ = engine.loss_and_slopes(3, net, engine.teacher(a, b))
    assert abs(float(loss)) < 1e-14
    assert (net.delta >= 0).all()
    two = engine.Channels(*(value[:, :2] for value in net))
    assert float(engine.loss_and_slopes(3, two, engine.teacher(a, b))[0]) > 0.1  # control


def test_plain_sharing_crosses_both_ways():
    for row in RUNS["sharing"]:
        right = row["side"] == "right"
        there = row["runs"] - row["across"] if right else row["across"]
        assert there - 2 <= row["solved"][-1] <= there  # two are still on their way
    for shared in experiment.SHARED:
        rows = [row for row in RUNS["sharing"] if row["shared"] == shared]
        assert {row["side"] for row in rows if row["across"] > 0} == {"right", "wrong"}


def test_what_is_asked_for_must_be_one_row():
    assert stored_run("leaps", goal=[1.0, 0.0], rate=0.5)["runs"] == 200
    for part, what in (("leaps", {"rate": 0.5}), ("leaps", {"rate": 7.0}), ("bounds", {})):
        with pytest.raises(GaugeError, match=f"asked for one row of '{part}'"):
            stored_run(part, **what)


@pytest.mark.parametrize(("solved", "runs"), [(0, 20), (3, 20), (10, 20), (20, 20), (99, 200)])
def test_the_ends_of_wilsons_interval_are_shares_that_the_count_is_z_deviations_from(solved, runs):
    share, low, high = wilson(solved, runs)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(1.96 * math.sqrt(end * (1 - end) / runs))
    mirrored = wilson(runs - solved, runs)
    assert mirrored == (pytest.approx(1 - share), pytest.approx(1 - high), pytest.approx(1 - low))


@pytest.mark.parametrize(("solved", "runs"), [(-1, 5), (6, 5), (0, 0)])
def test_a_count_that_cannot_be_is_refused(solved, runs):
    with pytest.raises(GaugeError, match="solved must be from 0 to the number of runs"):
        wilson(solved, runs)


@pytest.mark.parametrize("z", [0.0, -1.0, math.nan, math.inf])
def test_a_quantile_that_cannot_be_is_refused(z):
    with pytest.raises(GaugeError, match="z must be finite and > 0"):
        wilson(1, 3, z)
