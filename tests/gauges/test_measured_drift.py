"""What is stored on drift and on a fair choice obeys the chapter's laws, and can be made again."""

import math
import pathlib
import sys
from functools import cache, partial

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from gaugelib import GaugeError
from gaugelib.gauges import measured, measured_rows
from gaugelib.gauges.trained import drift_curves
from gaugelib.plot import drift as figures

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benchmarks"))
import label_noise
import optimiser_drift
import which_gauge_drift
import which_gauge_fair

TASKS = [(depth, loss) for depth in which_gauge_fair.SIZES for loss in which_gauge_fair.LOSSES]
STUDENTS = which_gauge_drift.STUDENTS
digits = cache(optimiser_drift.Digits)
drift_rows = partial(measured_rows, "drift")


def fair_task(depth="3 layers", loss="cross-entropy"):
    return measured_rows("fair", "tasks", depth=depth, loss=loss)[0]


@pytest.mark.parametrize("name", ["SGD, decay", "signSGD"])
def test_the_first_epoch_can_be_made_again(name):
    (row,) = drift_rows("digits", name=name, start="He")
    run = optimiser_drift.Run(*(row[field] for field in optimiser_drift.Run._fields))
    again = optimiser_drift.trained(run._replace(epochs=1), digits())
    for quantity, curve in again["curves"].items():
        stored = row["curves"][quantity]["mean"]
        assert curve["mean"] == pytest.approx(stored[:2], rel=2e-3, abs=1e-4)


def test_the_way_of_noise_can_be_made_again():
    (row,) = drift_rows("orbits", rate=0.01)
    names = ("inputs", "outputs", "rate", "decay", "start")
    span = row["every"] * row["rate"] ** 2
    again = label_noise.orbit(*(row[n] for n in names), STUDENTS, 1, span=span, marks=1)
    assert again["mean"] == pytest.approx(row["mean"][:2], abs=2e-4)
    assert again["flow"] == pytest.approx(row["flow"][:2], abs=2e-4)


def test_the_norms_and_traces_of_hes_starts_can_be_made_again():
    task = which_gauge_fair.Task(which_gauge_fair.SIZES["3 layers"], "cross-entropy")
    weights = which_gauge_fair.he(task.sizes, which_gauge_fair.SEEDS)
    stored = fair_task()["starts"]["He"]
    norm = which_gauge_fair.total(weights, square=True)
    trace = which_gauge_fair.total(which_gauge_fair.gauss_newton(weights, task.inputs, task.loss))
    assert which_gauge_fair.mean_and_error(norm) == pytest.approx(stored["norm"], rel=1e-4)
    assert which_gauge_fair.mean_and_error(trace) == pytest.approx(stored["trace"], rel=1e-4)


def test_on_every_row_the_terms_of_the_step_add_up_to_the_charge():
    for row in drift_rows("digits"):
        ledger = row["ledger"]
        assert ledger["off"] < 1e-11
        for k in range(2):
            whole = sum(ledger[name][k] for name in ("kept", "first", "second"))
            assert whole == pytest.approx(ledger["charge"][k], rel=1e-3, abs=1e-4)


def test_descent_has_no_first_order_term():
    for row in drift_rows("digits", rule="plain"):
        assert max(row["ledger"]["rms"]["first"]) < 1e-14


def test_control_every_other_optimiser_has_one():
    for row in drift_rows("digits"):
        if row["rule"] != "plain":
            assert min(row["ledger"]["rms"]["first"]) > 0.01


def test_the_terms_of_heavy_ball_are_in_the_proportion_of_its_law():
    for row in drift_rows("digits", rule="momentum"):
        ledger = row["ledger"]
        for first, second in zip(ledger["first"], ledger["second"]):
            assert first / second == pytest.approx(2 * 0.9 / (1 - 0.9), rel=0.02)


def test_signs_second_order_term_stays_below_the_counts_of_edges():
    steps, counts = 30 * (1437 // 32), (64 - 128, 128 - 10)
    for row in drift_rows("digits", rule="sign"):
        for second, count in zip(row["ledger"]["second"], counts):
            assert 0.7 < second / (row["rate"] ** 2 * steps * count) < 1


def test_noise_brings_each_layer_near_the_gradients_balance():
    for row in drift_rows("equilibria", decay=0.0):
        log, error = row["log ratio"]
        assert abs(log - math.log(row["predicted"])) < 4 * row["rate"] + 4 * error
        if row["inputs"] != row["outputs"]:  # the control: not the balance of norms
            assert abs(log) > 100 * error


def test_half_the_step_halves_what_a_finite_step_adds():
    for wide in drift_rows("equilibria", decay=0.0, rate=0.02):
        same = {n: wide[n] for n in ("inputs", "outputs", "decay")}
        (narrow,) = drift_rows("equilibria", rate=0.01, **same)
        off = [row["log ratio"][0] - math.log(row["predicted"]) for row in (wide, narrow)]
        assert 1.5 < off[0] / off[1] < 3


def test_from_every_gauge_noise_moves_near_the_averaged_motion_and_nearer_with_half_the_step():
    for row in drift_rows("orbits", rate=0.005):
        assert farthest(row) < 0.07
        assert abs(row["mean"][-1] - row["flow"][-1]) < 0.02
    (narrow,) = drift_rows("orbits", rate=0.005, decay=0.0, start=-1.0)
    (wide,) = drift_rows("orbits", rate=0.01, decay=0.0, start=-1.0)
    assert 1.5 < farthest(wide) / farthest(narrow) < 3


def farthest(row):
    return max(abs(seen - said) for seen, said in zip(row["mean"], row["flow"]))


def test_labels_drawn_anew_balance_gradients_and_unbalance_norms():
    gradients = drift_curves("gradient 2", start="minimum norm")
    norms = drift_curves("gamma 2", start="minimum norm")
    _, noisy, _ = gradients["SGD, noisy labels"]
    assert noisy[0] > 0.9
    assert noisy[-1] < 0.3
    assert norms["SGD, noisy labels"][1][-1] > 0.7
    _, clean, _ = gradients["SGD"]  # the control: without that noise there is hardly any drift
    assert clean[-1] > 0.7
    assert norms["SGD"][1][-1] < 0.02


def test_decay_holds_the_charge_at_the_offset_of_the_law():
    for row in drift_rows("equilibria", decay=0.0025):
        miss, error = row["miss"]
        assert abs(miss) < 4 * error
        assert abs(row["charge"][0]) > 5 * row["charge"][1]


@pytest.mark.parametrize(("inputs", "outputs", "decay"), [(12, 2, 0.0), (2, 8, 0.01)])
def test_the_averaged_motion_is_scipys_and_rests_where_the_formula_says(inputs, outputs, decay):
    noise, rate = label_noise.NOISE**2, 0.01

    def charge_speed(u):  # of r² - s², at rs = 1
        r, s = math.exp(u), math.exp(-u)
        return noise / 2 * (inputs * s - outputs * r) - 2 * decay / rate * (r - s)

    def speed(_, y):
        return [charge_speed(y[0]) / (2 * math.cosh(y[0]))]

    times = [0.0, 0.5, 1.0, 2.0]
    found = label_noise.mirror_flow(inputs, outputs, rate, decay, -0.5, times)
    exact = solve_ivp(speed, (0, 2), [-0.5], t_eval=times, rtol=1e-10, atol=1e-12).y[0]
    assert found == pytest.approx(exact.tolist(), abs=1e-6)
    rest = brentq(charge_speed, -5, 5, xtol=1e-13)
    predicted = label_noise.predicted_ratio(inputs, outputs, rate, decay)
    assert predicted == pytest.approx(math.exp(2 * rest), rel=1e-9)
    wrong = label_noise.predicted_ratio(inputs, outputs, rate, decay + 0.01)
    assert abs(wrong / predicted - 1) > 0.1


@pytest.mark.parametrize(("depth", "loss"), TASKS)
def test_each_gauge_has_the_least_of_what_it_is_named_after(depth, loss):
    starts = fair_task(depth, loss)["starts"]
    for quantity, best in (
        ("norm", "minimum norm"), ("noise", "minimum gradient"), ("trace", "minimum trace"),
    ):  # fmt: skip
        assert min(starts, key=lambda name: starts[name][quantity][0]) == best


def test_what_is_not_stored_is_refused_by_name():
    with pytest.raises(GaugeError, match="no curve 'colour'"):
        drift_curves("colour", start="He")
    for name in ("drift", "fair"):
        assert measured(name)["provenance"]["command"].endswith(f"which_gauge_{name}.py")


@pytest.fixture
def _agg():
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.mark.usefixtures("_agg")
def test_the_figures_show_the_numbers_they_are_given():
    way = ([0.0, 1.0], [0.1, 0.4], [0.1, 0.5])
    (axes,) = figures.noise_orbits({"no decay": ([way], 0.9)}).axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[0.1, 0.5], [0.1, 0.4], [0.9, 0.9]]
    lines = {str(k): ([0, 30], [k, k + 1], [0.1, 0.2]) for k in range(9)}
    (axes,) = figures.optimiser_curves({"layer": lines}, "imbalance γ").axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[k, k + 1] for k in range(9)]
    (axes,) = figures.fair_rates([0.1, 0.2], {"He": [0.0, None]}, "3 layers").axes
    assert list(axes.lines[0].get_ydata()) == [1.0]


def test_the_relative_imbalance_of_units_without_values_is_left_out():
    nothing = torch.tensor([[float("nan"), 0.2, 0.4]])
    assert float(optimiser_drift.middle(nothing)) == pytest.approx(0.3)
