"""What goes wrong with numbers, and must not: dead units, ranges, precision, NaN."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    hat,
    minimum_norm,
    mlp_group,
    params_of,
    relative_imbalance,
    rescale,
    trace_group,
    weight_norm,
)
from tests.balance.networks import DEEP, WIRINGS, initialised, wired
from tests.balance.newton import imbalance_of, newton
from tests.graphs import random_graph

METHODS = ["two-level", "alternating", "doubled", "algorithm-1"]

# --- dead units ---


@pytest.mark.parametrize("method", METHODS)
def test_dead_units_are_named_kept_and_left_out(method):
    params, group = initialised((3, 6, 5, 4, 2), bias=True)
    params["0.weight"][2] = 0.0  # nothing in
    params["4.weight"][:, 1] = 0.0  # nothing out
    found = minimum_norm(params, group, tol=1e-10, method=method, max_passes=3000)
    assert found.converged
    assert found.dead.tolist() == [2, 7]
    assert found.dead_names == ("0[2]", "2[1]")
    assert "left at scale 1: 0[2], 2[1]" in repr(found)
    assert (found.scales[found.dead] == 1.0).all()
    expected = newton(params, group, dead=found.dead)
    assert_close(found.scales.log(), expected, rtol=0, atol=1e-8)


def test_death_spreads():
    """A unit that is fed by a dead one alone is dead, and so is one that feeds it alone."""
    params, group = initialised((2, 3, 3, 3, 2))
    params["0.weight"][0] = 0.0
    params["2.weight"][0, 1:] = 0.0
    assert minimum_norm(params, group).dead.tolist() == [0, 3]
    params["6.weight"][:, 2] = 0.0
    params["4.weight"][:2, 1] = 0.0
    found = minimum_norm(params, group, tol=1e-12)
    assert found.dead.tolist() == [0, 3, 4, 8]
    assert found.converged
    assert_close(found.scales.log(), newton(params, group, dead=found.dead), rtol=0, atol=1e-8)


def test_a_network_may_be_all_dead():
    params, group = initialised((2, 3, 3, 2))
    params["2.weight"].zero_()
    found = minimum_norm(params, group)
    assert found.dead.tolist() == list(range(6))
    assert found.converged
    assert_close(found.params, params, rtol=0, atol=0)


def test_a_cycle_of_tied_units_without_input_is_dead():
    """Every one of them has weights in and out, and yet lies on no path."""

    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.shared = nn.Linear(2, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.last = nn.Linear(3, 1, bias=False)

        def forward(self, x):
            return self.last(torch.relu(self.shared(torch.relu(self.first(x)) + 0.0)))

    class Recurrent(Loop):
        def forward(self, x):
            x = torch.relu(self.first(x))
            # the sum ties the units of both uses; without it, each use adds the same log-scale
            return self.last(torch.relu(self.shared(x + torch.relu(self.shared(x)))))

    model = Recurrent().double()
    group, params = trace_group(model, torch.ones(2, 2).double()), params_of(model)
    assert group.units == 3
    params["first.weight"][1:] = 0.0  # the second and third feed each other, and nobody else
    params["shared.weight"][1:, 0] = 0.0
    params["shared.weight"][0, 1:] = 0.0
    found = minimum_norm(params, group, tol=1e-12)
    assert found.dead.tolist() == [1, 2]
    assert found.converged


@pytest.mark.parametrize("seed", range(8))
def test_dead_is_who_lies_on_no_path(seed):
    graph = random_graph(2, 7, 2, seed=seed, density=0.25)
    weights = graph.params["W"] != 0

    def reach(start, step):
        seen = set(start)
        while new := {j for i in seen for j in step(i)} - seen:
            seen |= new
        return seen

    fed = reach(range(2), lambda j: weights[:, j].nonzero().flatten().tolist())
    heard = reach(range(9, 11), lambda i: weights[i].nonzero().flatten().tolist())
    expected = [h for h in range(7) if not {h + 2} <= (fed & heard)]
    found = minimum_norm(graph.params, graph.group, tol=1e-11)
    assert found.dead.tolist() == expected
    assert found.converged
    reference = newton(graph.params, graph.group, dead=expected)
    assert_close(found.scales.log(), reference, rtol=0, atol=1e-8)


# --- NaN and infinity ---


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["0.weight", "2.weight", "4.weight", "0.bias"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_by_name(value, name, method):
    params, group = initialised((3, 5, 4, 2), bias=True)
    params[name].view(-1)[1] = value
    with pytest.raises(GaugeError, match=f"'{name}' holds NaN or infinity"):
        minimum_norm(params, group, method=method)


@pytest.mark.parametrize("name", WIRINGS)
def test_what_is_not_finite_is_found_on_any_wiring(name):
    model, example = wired(name)
    group = trace_group(model, example)
    for where in group.entries:
        params = params_of(model)
        params[where].view(-1)[0] = math.nan
        with pytest.raises(GaugeError, match="holds NaN"):
            minimum_norm(params, group)


# --- ranges ---


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("p", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("size", [1e-35, 1e-20, 1e20, 1e35, 1e-200, 1e200])
def test_powers_may_leave_the_range_of_floats(size, p, dtype):
    if dtype == torch.float32 and not 1e-36 < size < 1e36:
        dtype = torch.float64
        size = size**1.4  # 1e±280
    params, group = initialised((4, 6, 5, 3))
    expected = newton(params, group, p)
    given = {name: (value * size).to(dtype) for name, value in params.items()}
    found = minimum_norm(given, group, p=p, tol=1e-6)
    assert found.converged
    assert_close(found.scales.log(), expected, rtol=0, atol=1e-5)
    assert all(value.dtype == dtype for value in found.params.values())


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("size", [1e-200, 1e200])
@pytest.mark.parametrize("name", WIRINGS)
def test_powers_may_leave_the_range_on_any_wiring(name, size, include_bias):
    model, example = wired(name)
    params, group = params_of(model), trace_group(model, example)
    far = {name: value * size for name, value in params.items()}
    found = minimum_norm(far, group, tol=1e-11, include_bias=include_bias)
    assert found.converged
    expected = newton(params, group, include_bias=include_bias)
    assert_close(found.scales.log(), expected, rtol=0, atol=1e-8)
    gamma = relative_imbalance(found.params, group, include_bias=include_bias).max().item()
    assert_close(found.imbalance, gamma, rtol=0, atol=1e-13)


@pytest.mark.parametrize("p", [1.0, 4.0])
def test_layers_may_be_far_apart(p):
    params, group = initialised((4, 6, 5, 7, 3))
    expected = newton(params, group, p)
    shift = torch.zeros(group.units).double()
    for span, power in zip(group.layers.values(), (80.0, -60.0, 40.0)):
        shift[span] = power * math.log(10)
    far = rescale(params, shift.exp(), group)
    found = minimum_norm(far, group, p=p, tol=1e-10)
    assert found.converged
    assert_close(found.scales.log(), expected - shift, rtol=0, atol=1e-8)
    assert (found.history.objective.diff() <= 0).sum() >= len(found.history.objective) - 2


def test_a_scale_that_no_float_holds_is_refused():
    params, group = initialised((4, 6, 5, 7, 3))
    for name, power in zip(params, (-290, -290, 290, 290)):
        params[name] *= 10.0**power
    with pytest.raises(GaugeError, match="outside the range of float64"):
        minimum_norm(params, group)


def test_underflow_is_not_death():
    """Squares vanish in float32 and float64, the weights do not."""
    for dtype, size in ((torch.float32, 1e-30), (torch.float64, 1e-200)):
        params = {name: value.to(dtype) for name, value in params_of(hat()).items()}
        params["0.weight"][1] *= size
        found = minimum_norm(params, mlp_group(hat()))
        assert len(found.dead) == 0
        assert found.converged
        assert_close(found.scales[1].square().item(), 2 / size, rtol=1e-5, atol=0)


# --- precision ---


@pytest.mark.parametrize("method", METHODS)
def test_float32_reaches_the_default_tolerance(method):
    params, group = initialised((20, 60, 50, 40, 10))
    params = {name: value.to(torch.float32) for name, value in params.items()}
    found = minimum_norm(params, group, method=method)
    assert found.converged
    limit = 1e-6 if method != "algorithm-1" else 1e-5
    assert imbalance_of(found.params, group).max() < limit


@pytest.mark.parametrize("method", ["two-level", "alternating", "doubled"])
@pytest.mark.parametrize(
    ("dtype", "floor"), [(torch.float32, 1e-6), (torch.float16, 1e-2), (torch.bfloat16, 1e-1)]
)
def test_what_precision_cannot_reach_is_not_claimed(dtype, floor, method):
    params, group = initialised((20, 60, 50, 40, 10))
    params = {name: value.to(dtype) for name, value in params.items()}
    found = minimum_norm(params, group, tol=1e-12, method=method)
    assert not found.converged
    assert "NOT converged" in repr(found)
    assert found.passes < 400
    measured = imbalance_of(found.params, group).max().item()
    assert_close(found.imbalance, measured, rtol=1e-6, atol=0)
    assert 1e-12 < measured < floor


def test_float16_keeps_its_dtype_and_converges_where_it_can():
    params, group = initialised((20, 60, 50, 10))
    params = {name: value.half() for name, value in params.items()}
    found = minimum_norm(params, group, tol=2e-3)
    assert found.converged
    assert all(value.dtype == torch.float16 for value in found.params.values())
    assert imbalance_of(found.params, group).max() < 2e-3


# --- an end in any case ---


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("max_passes", [1, 2, 7])
def test_passes_are_bounded_and_the_verdict_is_honest(max_passes, method):
    params, group = initialised((4, 9, 8, 7, 6, 5, 3), log_std=1.0)
    found = minimum_norm(params, group, tol=1e-14, method=method, max_passes=max_passes)
    assert not found.converged
    assert max_passes <= found.passes < max_passes + 0.6
    measured = imbalance_of(found.params, group).max().item()
    assert_close(found.imbalance, measured, rtol=1e-9, atol=1e-15)


def test_the_imbalance_understates_the_error_of_deep_networks():
    """Which is why the last correction is reported as well."""
    params, group = initialised(DEEP)
    best = minimum_norm(params, group, tol=1e-13).scales.log()
    sweeps = minimum_norm(params, group, method="alternating", tol=1e-3)
    assert sweeps.converged
    error = (sweeps.scales.log() - best).abs().max().item()
    assert error > 5 * sweeps.imbalance
    two = minimum_norm(params, group, tol=1e-3)
    assert (two.scales.log() - best).abs().max().item() < two.last_correction


def test_weights_from_a_unit_to_itself_count_in_the_norm_and_move_nothing():
    """A residual convolution ties its outputs to its inputs: x + conv(x)."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.conv = nn.Conv2d(2, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
            self.head = nn.Conv2d(4, 3, 1)

        def forward(self, x):
            x = self.stem(x)
            return self.head(torch.relu(x + self.conv(x)))

    model, image = Block().double(), torch.ones(1, 2, 5, 5, dtype=torch.float64)
    draw = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, generator=draw)
    group, params = trace_group(model, image), params_of(model)
    found = minimum_norm(params, group, tol=1e-10)
    assert found.converged
    total = weight_norm(found.params, group) ** 2
    torch.testing.assert_close(found.history.objective[-1], total)
    assert relative_imbalance(found.params, group).max() < 1e-9
