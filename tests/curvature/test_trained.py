"""The sharpness of trained networks: what is stored, and what it says."""

import itertools
import math

import pytest
import torch

from gaugelib import GaugeError, hessian_trace
from gaugelib.curvature import gauge_share, trained_pairs, trained_sharpness
from tools.rerun_stored import trained_sharpness as experiment

ROWS = trained_sharpness()["rows"]
NETWORKS = ("convolutional", "residual")


def of(network, loss, way):
    return [r for r in ROWS if (r["network"], r["loss"], r["way"]) == (network, loss, way)]


def test_every_run_is_stored_once_and_measured_at_the_common_loss():
    stored = [experiment.Run(*(row[name] for name in experiment.Run._fields)) for row in ROWS]
    assert stored == experiment.runs()
    for row in ROWS:
        until = experiment.UNTIL[row["loss"]]
        assert 0.9 * until < row["value"] < until


def on_few_images(network, loss):
    task = experiment.Task(network, loss)
    task.inputs, task.labels = task.inputs[:6], task.labels[:6]
    draw = torch.Generator().manual_seed(0)
    params = {
        name: w + torch.randn(w.shape, generator=draw, dtype=w.dtype) / 20
        for name, w in task.start("uneven 0.5", 1).items()
    }
    return task, params


def exact_trace(task, params):
    return float(hessian_trace(task.loss, params, probes=2000).value)


@pytest.mark.parametrize("loss", ["cross-entropy", "squared"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_trace_by_gradients_of_the_outputs_is_that_of_the_hessian(network, loss):
    task, params = on_few_images(network, loss)
    assert experiment.trace(task, params) == pytest.approx(exact_trace(task, params), rel=1e-10)


def test_control_with_a_tanh_unit_it_is_not():
    task, params = on_few_images("convolutional", "cross-entropy")
    task.model[1] = torch.nn.Tanh()
    assert experiment.trace(task, params) != pytest.approx(exact_trace(task, params), rel=1e-3)


def test_the_stored_sharpness_is_reached_again_by_hand():
    task = experiment.Task("convolutional", "cross-entropy")
    (row,) = (row for row in of("convolutional", "cross-entropy", "large") if row["seed"] == 0)
    params = list(task.start("large", 0).values())
    velocity = [torch.zeros_like(w) for w in params]

    def slopes(points):
        loss = task.loss(dict(zip(task.group.shapes, points)))
        return torch.autograd.grad(loss, points, create_graph=True)

    for _ in range(row["steps"]):
        points = [w.requires_grad_() for w in params]
        velocity = [0.9 * v + g.detach() for v, g in zip(velocity, slopes(points))]
        params = [w.detach() - 0.16 * v for w, v in zip(params, velocity)]
    points = [w.requires_grad_() for w in params]
    kept = slopes(points)
    vector, size = [torch.ones_like(w) for w in points], 1.0
    for _ in range(100):
        vector = [v / size for v in vector]
        vector = torch.autograd.grad(kept, points, vector, retain_graph=True)
        size = math.sqrt(sum(float(v.square().sum()) for v in vector))
    assert size == pytest.approx(row["sharpness"][0], rel=1e-5)
    assert size != pytest.approx(row["sharpness"][1], rel=1e-2)  # control: in the common gauge


def test_uneven_starts_are_the_same_function():
    task = experiment.Task("residual", "cross-entropy")
    even, uneven = (task.start(way, 3) for way in ("small", "uneven 1"))
    here, there = (task.outputs(params, task.inputs[:5]) for params in (even, uneven))
    torch.testing.assert_close(here, there, rtol=1e-9, atol=1e-9)
    assert any((even[name] - uneven[name]).abs().max() > 0.1 for name in even)


def test_pairs_are_seed_by_seed_or_two_seeds_of_one_way():
    network, loss = "convolutional", "cross-entropy"
    small, large = (of(network, loss, way) for way in ("small", "large"))
    pairs = trained_pairs(network, loss, "small", "large", "trace")
    for (own, common), a, b in zip(pairs, small, large, strict=True):
        assert math.exp(own) == pytest.approx(a["trace"][0] / b["trace"][0], rel=1e-12)
        assert math.exp(common) == pytest.approx(a["trace"][1] / b["trace"][1], rel=1e-12)
    swapped = trained_pairs(network, loss, "large", "small", "trace")
    assert swapped == [(pytest.approx(-own), pytest.approx(-common)) for own, common in pairs]
    same = trained_pairs(network, loss, "small", "small")
    for (own, _), (a, b) in zip(same, itertools.combinations(small, 2), strict=True):
        assert math.exp(own) == pytest.approx(a["sharpness"][0] / b["sharpness"][0], rel=1e-12)


# --- what the page says ---


@pytest.mark.parametrize("measure", ["sharpness", "trace"])
@pytest.mark.parametrize("loss", ["cross-entropy", "squared"])
@pytest.mark.parametrize("network", NETWORKS)
def test_what_large_steps_make_flatter_is_not_gauge(network, loss, measure):
    pairs = trained_pairs(network, loss, "small", "large", measure)
    if loss == "cross-entropy":
        assert all(own > 0.2 and common > 0.2 for own, common in pairs)
    assert sum(common for _, common in pairs) / len(pairs) > 0.5
    assert 0.0 < gauge_share(pairs) < 0.15


@pytest.mark.parametrize("network", NETWORKS)
def test_an_uneven_start_leaves_a_network_sharper_than_its_minimum_norm_and_an_even_one_not(
    network,
):
    for way, sharper in (("uneven 1", True), ("small", False)):
        for row in of(network, "cross-entropy", way):
            own, common = row["sharpness"]
            assert (own > 1.1 * common) == sharper
            assert sharper or common > own > 0.85 * common


@pytest.mark.parametrize("orbit", trained_sharpness()["orbits"], ids=lambda o: o["network"])
def test_on_the_orbit_sharpness_is_least_near_the_minimum_norm(orbit):
    middle = orbit["sharpness"][orbit["t"].index(0.0)]
    assert min(orbit["sharpness"]) == middle
    assert min(orbit["sharpness"][0], orbit["sharpness"][-1]) > 4 * middle


def test_the_share_is_signed_and_refused_without_a_difference():
    assert gauge_share([(1.0, 2.0)]) == -1.0
    assert gauge_share([(-1.0, 1.0), (3.0, 3.0)]) == 0.5
    for none in ([], [(0.0, 1.0)]):
        with pytest.raises(GaugeError, match="no two networks differ"):
            gauge_share(none)


@pytest.mark.parametrize(
    "wrong",
    [
        ("transformer", "cross-entropy", "small", "large"),
        ("residual", "squared", "small", "uneven 1"),
        ("residual", "squared", "small", "large", "error"),
    ],
)
def test_what_was_not_measured_is_refused(wrong):
    with pytest.raises(GaugeError, match=r"measured are the sharpness and the trace .*, found '"):
        trained_pairs(*wrong)
