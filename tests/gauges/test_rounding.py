"""The error of rounding and its gauge, against loops, another solver and a bound from duality."""

import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, functional_call, params_of, rescale, trace_group
from gaugelib.gauges import gauss_newton_diagonal, quantise, rounding_error, rounding_gauge
from tests.balance.networks import WIRINGS, initialised, multilayer, wired
from tests.gauges.convex import drawn
from tests.gauges.other_solvers import by_slsqp, constraints, dual_bound

TOL = 1e-3


def problem(name="layered", seed=0):
    """Parameters and sensitivities of several sizes, and the group."""
    if name in ("layered", "small"):
        widths = (3, 5, 4, 2) if name == "layered" else (2, 4, 3, 2)
        params, group = initialised(widths, seed=seed, log_std=0.7, bias=True)
    else:
        model, example = wired(name, seed)
        params, group = params_of(model), trace_group(model, example)
    return params, drawn(group, seed), group


def moved(given, a):
    params, sensitivity, group = given
    return rescale(params, a, group), rescale(sensitivity, a**-2, group), group


def rows_of(value, per_channel):
    return list(value) if per_channel else [value]


def by_hand(params, sensitivity, group, bits, per_channel):
    total = 0.0
    for name, entry in group.entries.items():
        if entry.kind != "weight":
            continue
        pairs = zip(rows_of(params[name], per_channel), rows_of(sensitivity[name], per_channel))
        for row, felt in pairs:
            step = max(abs(x) for x in row.reshape(-1).tolist()) / (2 ** (bits - 1) - 1)
            total += sum(step**2 / 12 * t for t in felt.reshape(-1).tolist())
    return total


def bound(params, sensitivity, group, bits=8):
    """What no gauge goes below: each weight has a step of its own."""
    names = group.counted(False)
    whole = sum(float((params[n].double() ** 2 * sensitivity[n]).sum()) for n in names)
    return whole / 12 / (2 ** (bits - 1) - 1) ** 2


# --- the error ---


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("name", ["layered", *WIRINGS])
def test_it_is_the_sum_over_layers_written_out(name, per_channel):
    given = problem(name)
    for bits in (2, 8):
        found = rounding_error(*given, bits=bits, per_channel=per_channel)
        assert found.shape == ()
        assert found.dtype == torch.float64
        assert float(found) == pytest.approx(by_hand(*given, bits, per_channel), rel=1e-12)
        other = by_hand(*given, bits, not per_channel)  # control: one step for all is coarser
        assert float(found) != pytest.approx(other, rel=1e-3)


def test_it_is_what_rounding_errors_of_that_size_do_to_the_outputs():
    """Uniform errors, drawn: the outputs' mean squared error, which small steps make exact."""
    model, bits = multilayer((3, 6, 4, 2)), 12
    params, group = initialised((3, 6, 4, 2), seed=1)
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(20, 3, generator=draw, dtype=torch.float64)
    felt = gauss_newton_diagonal(lambda t, some: functional_call(model, t, (some,)), params, x)
    expected, before = rounding_error(params, felt, group, bits=bits), model_at(model, params, x)
    found = []
    for _ in range(200):
        noisy = {}
        for name, value in params.items():
            step = value.abs().max() / (2 ** (bits - 1) - 1)
            noise = torch.rand(value.shape, generator=draw, dtype=torch.float64) - 0.5
            noisy[name] = value + step * noise
        found.append((model_at(model, noisy, x) - before).square().sum(1).mean())
    assert float(torch.stack(found).mean() / expected) == pytest.approx(1, abs=0.15)
    assert expected != rounding_error(params, felt, group, bits=bits - 1)  # control: four times it
    few = {name: quantise(value, 12) for name, value in params.items()}  # and one true rounding
    assert 0.1 < float((model_at(model, few, x) - before).square().sum(1).mean() / expected) < 10


def model_at(model, params, x):
    return functional_call(model, params, (x,)).detach()


@pytest.mark.parametrize("name", ["layered", "residual", "convolutional"])
def test_its_logarithm_is_convex_along_the_orbit_and_stays_above_the_bound(name):
    given = problem(name)
    draw = torch.Generator().manual_seed(2)
    for per_channel in (False, True):

        def log_error(alpha, per_channel=per_channel):
            there = moved(given, alpha.exp())
            assert bound(*there) == pytest.approx(bound(*given), rel=1e-9)
            value = rounding_error(*there, per_channel=per_channel)
            assert value >= bound(*given)
            return float(value.log())

        for _ in range(20):
            units = given[2].units
            one, other = torch.randn(2, units, generator=draw, dtype=torch.float64)
            mean = (log_error(one) + log_error(other)) / 2
            assert log_error((one + other) / 2) <= mean + 1e-12


def test_with_a_step_for_each_row_a_unit_s_own_dial_cancels():
    params, group = initialised((3, 5, 2), seed=2)
    sensitivity, a = drawn(group), torch.linspace(1, 3, 5).double()
    first = {**sensitivity, "2.weight": torch.zeros(2, 5).double()}
    given = params, first, group
    for per_channel in (False, True):
        before = rounding_error(*given, per_channel=per_channel)
        after = rounding_error(*moved(given, a), per_channel=per_channel)
        same = float(after) == pytest.approx(float(before), rel=1e-12)
        assert same is per_channel


# --- its gauge ---


def log_of(given, per_channel, a):
    """log E without 1 / 12 levels²."""
    found = rounding_error(*moved(given, a), per_channel=per_channel, bits=2)
    return float(found.log()) + math.log(12)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("name", ["small", "tied"])
def test_it_is_as_low_as_another_solver_goes_on_another_form_of_the_problem(name, per_channel):
    given = problem(name)
    least = by_slsqp(given, per_channel)
    a = rounding_gauge(*given, per_channel=per_channel)
    found = log_of(given, per_channel, a)
    assert least - 1e-6 <= found <= least + TOL
    assert log_of(given, per_channel, torch.ones_like(a)) > least + 0.02  # control: it has moved
    fine = rounding_gauge(*given, per_channel=per_channel, tol=1e-5)
    assert least - 1e-6 <= log_of(given, per_channel, fine) <= least + 1e-5


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("name", ["layered", "convolutional"])
def test_duality_shows_that_no_gauge_is_lower_by_more_than_a_few_per_cent(name, per_channel):
    given = problem(name)
    a = rounding_gauge(*given, per_channel=per_channel, tol=1e-4)
    rows, count, logs, _, matrix = constraints(given, per_channel)
    sizes, zeros = logs + matrix @ a.log(), torch.zeros(count, dtype=torch.float64)
    tops = zeros.scatter_reduce(0, rows, sizes, "amax", include_self=False)
    shares = (2e4 * math.log(len(rows)) * (sizes - tops[rows])).exp()
    shares = shares / zeros.index_add(0, rows, shares)[rows]
    found, bound = log_of(given, per_channel, a), dual_bound(given, per_channel, shares)
    assert bound - 1e-9 <= found <= bound + 0.03
    even = 1 / torch.bincount(rows, minlength=count).double()[rows]
    assert dual_bound(given, per_channel, even) < found - 0.2  # control: other weights show less


@pytest.mark.parametrize("per_channel", [False, True])
def test_no_gauge_near_it_is_better_by_more_than_the_tolerance(per_channel):
    given = problem("convolutional")
    a = rounding_gauge(*given, per_channel=per_channel)
    best, draw = log_of(given, per_channel, a), torch.Generator().manual_seed(0)
    assert best < log_of(given, per_channel, torch.ones_like(a)) - 0.01
    assert best > math.log(12 * bound(*given, bits=2))
    for size in (1e-3, 1e-2, 1e-1, 1.0):
        for _ in range(10):
            noise = torch.randn(a.shape, generator=draw, dtype=torch.float64)
            assert log_of(given, per_channel, a * (size * noise).exp()) > best - TOL


def test_from_another_gauge_it_is_as_low():
    given = problem()
    a = given[2].random(generator=torch.Generator().manual_seed(4))
    there = moved(given, a)
    lows = [log_of(p, False, rounding_gauge(*p, tol=1e-4)) for p in (given, there)]
    assert lows[0] == pytest.approx(lows[1], abs=1e-4)


def test_the_scale_of_a_whole_layer_changes_nothing_and_is_left():
    params, group = initialised((3, 5, 2), seed=3)
    given = params, drawn(group), group
    three = 3 * group.identity()
    assert log_of(given, False, three) == pytest.approx(log_of(given, False, three / 3), abs=1e-12)
    assert abs(float(rounding_gauge(*given).log().sum())) < 1e-6


def test_units_without_a_path_keep_their_scale():
    params, sensitivity, group = problem()
    params["2.weight"][:, 1] = 0.0
    a = rounding_gauge(params, sensitivity, group)
    assert a[1] == 1.0
    assert (a != 1.0).sum() == group.units - 1


def test_where_nothing_is_rounded_or_felt_nothing_moves():
    params, sensitivity, group = problem()
    zeros = {name: torch.zeros_like(value) for name, value in params.items()}
    for given in ((params, zeros, group), (zeros, sensitivity, group)):
        assert rounding_error(*given) == 0
        assert_close(rounding_gauge(*given), group.identity(), rtol=0, atol=0)
    params["0.weight"].zero_()  # control: then only the layers behind it are left
    assert rounding_error(params, sensitivity, group) > 0
    alone, group = initialised((3, 2))
    assert len(rounding_gauge(alone, drawn(group), group)) == 0


def test_float32_is_taken_as_it_is_and_arguments_stay():
    params, sensitivity, group = problem()
    single = {name: value.float() for name, value in params.items()}
    wide = {name: value.double() for name, value in single.items()}
    before = [{n: v.clone() for n, v in part.items()} for part in (single, sensitivity)]
    assert torch.equal(
        rounding_gauge(single, sensitivity, group), rounding_gauge(wide, sensitivity, group)
    )
    assert rounding_error(single, sensitivity, group) == rounding_error(wide, sensitivity, group)
    assert_close([single, sensitivity], before, rtol=0, atol=0)


@pytest.mark.parametrize("asked", [rounding_error, rounding_gauge])
def test_what_does_not_fit_is_refused(asked):
    params, sensitivity, group = problem()
    name = "2.weight"

    def refused(match, **changes):
        given = {"params": params, "sensitivity": sensitivity, "group": group, **changes}
        with pytest.raises(GaugeError, match=match):
            asked(**given)

    refused(
        r"a sensitivity must not be negative, found -1 in '2\.weight'",
        sensitivity={**sensitivity, name: -torch.ones_like(sensitivity[name])},
    )
    refused("missing", sensitivity={name: sensitivity[name]})
    refused("missing", params={name: params[name]})
    refused("must have shape", sensitivity={**sensitivity, name: sensitivity[name].T})
    refused("holds NaN", params={**params, name: params[name] * torch.nan})
    refused("finite real", sensitivity={**sensitivity, name: sensitivity[name] * torch.inf})
    if asked is rounding_gauge:
        refused("kind 'weight'", group=group.restrict("weight"))
        refused("tol must be", tol=0.0)
    else:
        refused("bits must be", bits=1)
