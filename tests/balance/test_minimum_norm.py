"""minimum_norm finds the minimum: against Newton's method, from anywhere on the orbit."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    hat,
    load_params_,
    minimum_norm,
    mlp_group,
    params_of,
    rescale,
    trace_group,
    weight_norm,
)
from gaugelib.testing import assert_gauge_invariant
from tests.balance.networks import WIRINGS, chain, initialised, multilayer, wired
from tests.balance.newton import imbalance_of, newton
from tests.graphs import random_graph

METHODS = ["two-level", "alternating", "doubled", "algorithm-1"]


def traced(name):
    model, example = wired(name)
    return params_of(model), trace_group(model, example)


def wandering(seed):
    graph = random_graph(3, 8, 2, seed=seed)
    return graph.params, graph.group


NETWORKS = {
    "chain": lambda: initialised((3, 6, 5, 7, 2), bias=True),
    "one layer": lambda: initialised((3, 6, 2), bias=True),
    "any wiring": lambda: wandering(0),
    **{name: lambda name=name: traced(name) for name in WIRINGS},
}


def assert_monotone(history):
    """No state is above the one before it by more than rounding."""
    rises = history.objective.diff() / history.objective[:-1]
    assert rises.max() <= 1e-14, rises


# --- the same minimum as an independent solver ---


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_minimum_is_newtons(network, p, include_bias):
    params, group = NETWORKS[network]()
    found = minimum_norm(params, group, p=p, tol=1e-12, include_bias=include_bias)
    assert found.converged
    expected = newton(params, group, p, include_bias)
    assert_close(found.scales.log(), expected, rtol=0, atol=1e-8)
    assert_close(found.params, rescale(params, found.scales, group), rtol=1e-14, atol=0)
    assert imbalance_of(found.params, group, p, include_bias).max() < 1e-11
    assert_monotone(found.history)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_method_ends_there_and_never_rises(network, method):
    params, group = NETWORKS[network]()
    found = minimum_norm(params, group, tol=1e-12, method=method, max_passes=5000)
    assert found.converged
    assert_close(found.scales.log(), newton(params, group), rtol=0, atol=1e-8)
    assert_monotone(found.history)


def test_control_another_exponent_has_another_minimum():
    params, group = NETWORKS["chain"]()
    found = minimum_norm(params, group, p=1.0, tol=1e-12)
    assert (found.scales.log() - newton(params, group, 2.0)).abs().max() > 0.01


@pytest.mark.parametrize("seed", range(10))
def test_networks_of_any_wiring(seed):
    params, group = wandering(seed)
    found = minimum_norm(params, group, tol=1e-12)
    assert found.converged
    assert_close(found.scales.log(), newton(params, group), rtol=0, atol=1e-8)


# --- a canonical form ---


@pytest.mark.parametrize("p", [0.25, 1.0, 2.0, 8.0])
@pytest.mark.parametrize("network", NETWORKS)
def test_every_point_of_an_orbit_has_the_same_minimum(network, p):
    params, group = NETWORKS[network]()
    there = minimum_norm(params, group, p=p, tol=1e-12, include_bias=True).params
    draw = torch.Generator().manual_seed(1)
    for _ in range(3):
        elsewhere = rescale(params, group.random(generator=draw, log_std=2.0), group)
        found = minimum_norm(elsewhere, group, p=p, tol=1e-12, include_bias=True)
        assert found.converged
        assert_close(found.params, there, rtol=1e-9, atol=1e-12)


def test_control_another_orbit_has_another():
    params, group = NETWORKS["chain"]()
    there = minimum_norm(params, group, tol=1e-12).params
    params["0.weight"] = params["0.weight"] * 1.01
    assert (
        minimum_norm(params, group, tol=1e-12).params["4.weight"] - there["4.weight"]
    ).abs().max() > 1e-4


@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_balanced_stays(network):
    params, group = NETWORKS[network]()
    once = minimum_norm(params, group, tol=1e-12)
    twice = minimum_norm(once.params, group, tol=1e-12)
    assert twice.converged
    assert twice.passes <= 1.5
    assert_close(twice.scales, torch.ones_like(twice.scales), rtol=0, atol=1e-10)


# --- what is returned ---


@pytest.mark.parametrize("name", WIRINGS)
def test_the_function_stays(name):
    model, example = wired(name)
    found = minimum_norm(params_of(model), trace_group(model, example))
    assert_gauge_invariant(model, example, scales=found.scales)


def test_the_paper_s_chain_by_hand():
    """(8, 1, 1): one step of Algorithm 1 gives norm² 26.46, one doubled step 17, the limit 12."""
    params, group = chain(8.0, 1.0, 1.0)
    one = minimum_norm(params, group, method="algorithm-1", max_passes=1)
    assert_close(one.scales[0].item(), 64 ** (-1 / 8))
    assert_close(one.history.objective[0].item(), 66.0)
    assert_close(weight_norm(one.params, group).square().item(), 26.4558, rtol=1e-5, atol=0)
    doubled = minimum_norm(params, group, method="doubled", max_passes=1)
    assert_close(doubled.history.objective[-1].item(), 17.0)
    found = minimum_norm(params, group, tol=1e-14)
    assert_close(torch.cat(list(found.params.values())).flatten(), torch.full((3,), 2.0).double())
    assert_close(found.history.objective[-1].item(), 12.0)


def test_algorithm_1_stops_as_published():
    """When no scale changes by more than delta; the imbalance is then near tanh(2 p delta)."""
    params, group = initialised((5, 9, 8, 7, 3))
    found = minimum_norm(params, group, method="algorithm-1", tol=1e-4)
    assert found.converged
    steps = [{name: value.clone() for name, value in params.items()}]
    while True:  # the published lines, on the weights
        squares = {name: value.square() for name, value in steps[-1].items()}
        into = torch.cat([squares[f"{k}.weight"].sum(1) for k in (0, 2, 4)])
        out = torch.cat([squares[f"{k}.weight"].sum(0) for k in (2, 4, 6)])
        scales = (out / into) ** (1 / 8)
        steps.append(rescale(steps[-1], scales, group))
        if (scales - 1).abs().max() < 1e-4:
            break
    assert found.passes == len(steps) - 1
    assert_close(found.params, steps[-1], rtol=1e-12, atol=0)
    assert 1e-4 < found.imbalance < 4e-4


def test_history_tells_norm_and_imbalance_of_each_state():
    params, group = initialised((5, 9, 8, 3), bias=True)
    found = minimum_norm(
        params, group, p=1.0, method="algorithm-1", max_passes=4, include_bias=True
    )
    state = params
    for k in range(5):
        assert found.history.passes[k] == k
        gamma = imbalance_of(state, group, 1.0, include_bias=True).max()
        assert_close(found.history.imbalance[k], gamma)
        norm = weight_norm(state, group, 1.0, include_bias=True)
        assert_close(found.history.objective[k], norm)
        state = minimum_norm(
            state, group, p=1.0, method="algorithm-1", max_passes=1, include_bias=True
        ).params
    assert not found.converged


@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_reported_imbalance_is_that_of_the_result(network, tol):
    params, group = NETWORKS[network]()
    found = minimum_norm(params, group, tol=tol)
    measured = imbalance_of(found.params, group).max().item()
    assert found.converged
    assert measured < tol
    # Where the tolerance is loose, sums are made in float32.
    assert abs(found.imbalance - measured) <= (3e-6 if tol >= 1e-4 else 1e-14)


def test_powers_of_two_leave_outputs_bitwise_equal():
    params, group = initialised((5, 9, 8, 7, 3), bias=True, log_std=1.0)
    model = multilayer((5, 9, 8, 7, 3), bias=True)
    load_params_(model, params)
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    before = model(x)
    found = minimum_norm(params, group, exact=True)
    mantissa, _ = torch.frexp(found.scales)
    assert (mantissa == 0.5).all()
    load_params_(model, found.params)
    assert torch.equal(model(x), before)
    best = minimum_norm(params, group).history.objective[-1]
    assert best < found.history.objective[-1] < 1.2 * best
    ratio = found.scales / minimum_norm(params, group).scales
    assert (ratio.log2().abs() <= 0.5 + 1e-6).all()


def test_control_other_scales_change_the_last_digits():
    params, group = initialised((5, 9, 8, 7, 3), bias=True, log_std=1.0)
    model = multilayer((5, 9, 8, 7, 3), bias=True)
    load_params_(model, params)
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    before = model(x)
    load_params_(model, minimum_norm(params, group).params)
    assert not torch.equal(model(x), before)


def test_nothing_given_is_written_to():
    params, group = NETWORKS["convolutional"]()
    copies = {name: value.clone() for name, value in params.items()}
    minimum_norm(params, group)
    for name, value in params.items():
        assert torch.equal(value, copies[name])


def test_results_may_be_written_where_one_likes():
    params, group = NETWORKS["chain"]()
    room = {name: torch.full_like(value, torch.nan) for name, value in params.items()}
    found = minimum_norm(params, group, out=room)
    assert all(found.params[name].data_ptr() == room[name].data_ptr() for name in params)
    assert_close(room, minimum_norm(params, group).params, rtol=0, atol=0)
    with pytest.raises(GaugeError, match="not a parameter's"):
        minimum_norm(params, group, out=params)
    with pytest.raises(GaugeError, match=r"out\['0.weight'\] must be a tensor of shape"):
        minimum_norm(params, group, out={})


# --- arguments ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0.0}, "exponent p"),
        ({"p": float("nan")}, "exponent p"),
        ({"tol": 0.0}, "tol must be"),
        ({"tol": float("nan")}, "tol must be"),
        ({"method": "osborne"}, "method must be one of"),
        ({"max_passes": 0}, "max_passes must be"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(GaugeError, match=message):
        minimum_norm(params_of(hat()), mlp_group(hat()), **options)


def test_bad_parameters_are_refused():
    params, group = params_of(hat()), mlp_group(hat())
    with pytest.raises(GaugeError, match="missing"):
        minimum_norm({}, group)
    with pytest.raises(GaugeError, match="counts only"):
        minimum_norm(params, group.restrict("weight"))
    with pytest.raises(GaugeError, match="must be real floating point"):
        minimum_norm({**params, "0.weight": torch.ones(3, 1, dtype=torch.int64)}, group)
