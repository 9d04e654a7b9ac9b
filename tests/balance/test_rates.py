r"""The rate is geometry: for every width, weight and p, a cosine of the depth alone.

The linearised sweep is a random walk on the network, killed at inputs and outputs. Where units are
balanced, layer-constant vectors are an invariant subspace, on which it is the walk on a path.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import laplacian, minimum_norm
from tests.balance.networks import initialised
from tests.graphs import random_graph

RATES = {
    "algorithm-1": lambda layers: math.cos(math.pi / (2 * layers)) ** 2,
    "doubled": lambda layers: math.cos(math.pi / layers),
    "alternating": lambda layers: math.cos(math.pi / layers) ** 2,
}


def network(layers):
    widths = (4, 9, 6, 8, 5, 7, 6, 3)
    return initialised((*widths[:layers], 3), seed=layers, log_std=0.5)


def measured_rate(history):
    """Contraction of the imbalance in a pass, over its last clear digits."""
    clear = (history.imbalance < 1e-7) & (history.imbalance > 1e-11)
    logs, passes = history.imbalance[clear].log(), history.passes[clear]
    return ((logs[-1] - logs[0]) / (passes[-1] - passes[0])).exp().item()


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("layers", [3, 5, 7])
@pytest.mark.parametrize("method", RATES)
def test_sweeps_contract_by_a_cosine_of_the_depth(method, layers, p):
    params, group = network(layers)
    found = minimum_norm(params, group, p=p, method=method, tol=1e-12)
    assert abs(measured_rate(found.history) - RATES[method](layers)) < 1e-3


def test_control_two_levels_do_not_know_the_depth():
    for layers in (3, 7):
        params, group = network(layers)
        rate = measured_rate(minimum_norm(params, group, tol=1e-12).history)
        assert rate < 0.25


def skipping_rate(seed, size):
    """The rate of Algorithm 1 in three hidden layers, with weights past a layer of some size."""
    graph = random_graph(2, 9, 2, seed=seed)
    layer = torch.tensor([0] * 2 + [1] * 3 + [2] * 3 + [3] * 3 + [4] * 2)
    ahead = layer[:, None] - layer[None, :]
    graph.params["W"].mul_((ahead == 1) + size * (ahead == 2))
    return measured_rate(
        minimum_norm(graph.params, graph.group, method="algorithm-1", tol=1e-12).history
    )


@pytest.mark.parametrize("seed", range(3))
def test_control_where_weights_skip_a_layer_the_rate_depends_on_the_weights(seed):
    layered, some, more = (skipping_rate(seed, size) for size in (0.0, 0.3, 1.0))
    assert layered == pytest.approx(RATES["algorithm-1"](4), abs=1e-3)
    assert more < some - 0.01 < layered - 0.02
    for layers in range(1, 6):
        assert min(abs(rate - RATES["algorithm-1"](layers)) for rate in (some, more)) > 1e-3


def walk(params, group, p):
    """P = I - Deg^-1 Laplacian: from unit to unit, killed at inputs and outputs."""
    matrix = laplacian(params, group, p)
    return torch.eye(group.units).double() - matrix / matrix.diagonal()[:, None]


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("layers", [2, 3, 5, 7])
def test_the_walk_of_a_balanced_network_has_a_half_wave_over_its_layers(layers, p):
    params, group = network(layers)
    balanced = minimum_norm(params, group, p=p, tol=1e-13).params
    half_wave = torch.cat(
        [
            math.sin(math.pi * depth / layers) * torch.ones(span.stop - span.start).double()
            for depth, span in enumerate(group.layers.values(), start=1)
        ]
    )
    rate = math.cos(math.pi / layers)
    assert_close(walk(balanced, group, p) @ half_wave, rate * half_wave, rtol=0, atol=1e-10)
    values = torch.linalg.eigvals(walk(balanced, group, p))
    assert_close(values.abs().max().item(), rate, rtol=0, atol=1e-10)


def test_control_off_balance_the_walk_has_another_rate():
    params, group = network(5)
    radius = torch.linalg.eigvals(walk(params, group, 2.0)).abs().max().item()
    assert abs(radius - math.cos(math.pi / 5)) > 1e-3


def test_the_slow_mode_is_what_the_layer_correction_removes():
    """Late in alternating sweeps the error is the half-wave, equal within each layer."""
    params, group = network(7)
    best = minimum_norm(params, group, tol=1e-13).scales.log()
    error = minimum_norm(params, group, method="alternating", tol=1e-6).scales.log() - best
    for depth, span in enumerate(group.layers.values(), start=1):
        shape = error[span] / error.abs().max()
        assert shape.std() < 1e-3
        wave = math.sin(math.pi * depth / 7)
        assert abs(shape.mean().abs().item() - wave) < 0.25
