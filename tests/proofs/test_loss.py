"""The network that a group describes, run: its outputs, its gradient, and what is refused."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.testing import assert_close

from gaugelib import Entry, GaugeError, GaugeGroup, hat, mlp_group, params_of, rescale
from gaugelib.proofs.edges import edges_of
from gaugelib.proofs.examples import examples
from gaugelib.proofs.loss import in_words, network_of, rate
from tests.graphs import random_graph
from tests.proofs.looped import Looped
from tests.proofs.traced import MODELS, traced


@pytest.mark.parametrize("activation", [torch.relu, torch.tanh])
@pytest.mark.parametrize("density", [0.4, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_it_runs_as_unit_by_unit_in_networks_of_any_wiring(seed, density, activation):
    graph = random_graph(2, 6, 2, seed=seed, density=density)
    looped, network = Looped(graph, activation), network_of(graph.params, graph.group, activation)
    assert_close(network.run(network.theta), looped.run(looped.W, looped.b))
    assert_close(network.loss(network.theta), looped.loss(looped.W, looped.b))
    W, b = looped.slopes()
    wanted = torch.cat([W[looped.W != 0], b[looped.b != 0]])
    assert_close(network.slopes(network.theta), wanted)


@pytest.mark.parametrize("widths", [(3, 4, 1), (2, 3, 5, 4, 2)])
def test_given_a_models_own_data_it_gives_the_models_own_outputs(widths):
    draw = torch.Generator().manual_seed(0)
    layers = [nn.Linear(i, o, dtype=torch.float64) for i, o in pairwise(widths)]
    model = nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())][:-1])
    network = network_of(params_of(model), mlp_group(model))
    x = torch.randn(8, widths[0], generator=draw, dtype=torch.float64)
    ones = torch.ones(8, sum(widths[1:]), dtype=torch.float64)
    own = replace(network, inputs=torch.cat([x.repeat(1, widths[1]), ones], dim=1))
    with torch.no_grad():
        wanted = functional_call(model, params_of(model), (x,)).sum(1)
    assert_close(own.run(own.theta), wanted)


@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_no_gauge_moves_its_outputs_and_none_its_data(name):
    params, group = examples()[name] if name in examples() else traced(name)
    powers = torch.randint(-3, 4, (group.units,), generator=torch.Generator().manual_seed(2))
    moved = rescale(params, 2.0 ** powers.double(), group)
    one, two = network_of(params, group), network_of(moved, group)
    assert torch.equal(one.run(one.theta), two.run(two.theta))
    assert torch.equal(one.inputs, two.inputs)
    assert torch.equal(one.loss(one.theta), two.loss(two.theta))
    assert_close(one.moved(2.0 ** powers.double()).theta, two.theta)
    assert float(one.run(one.theta).abs().max()) > 0


@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_control_with_tanh_a_gauge_moves_its_outputs(name):
    params, group = examples()[name] if name in examples() else traced(name)
    network = network_of(params, group, torch.tanh)
    doubled = network.moved(torch.full((group.units,), 2.0, dtype=torch.float64))
    before, after = network.run(network.theta), network.run(doubled.theta)
    assert float((after - before).abs().max()) > 1e-4 * float(before.abs().max())


@pytest.mark.parametrize("name", MODELS)
def test_its_gradient_is_a_difference_quotient(name):
    params, group = traced(name)
    network = network_of(params, group)
    draw = torch.Generator().manual_seed(0)
    towards = torch.randn(network.theta.shape, generator=draw, dtype=torch.float64)
    step = 1e-6
    ends = [float(network.loss(network.theta + sign * step * towards)) for sign in (1, -1)]
    slope = float(network.slopes(network.theta) @ towards)
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


def test_a_rate_is_a_difference_quotient():
    theta, velocity = torch.tensor([2.0, -1.0, 3.0]).double(), torch.tensor([1.0, 4.0, -2.0])
    found = rate(lambda at: torch.stack([at.prod(), at[0] ** 3]), theta, velocity.double())
    # d(xyz) = yz dx + xz dy + xy dz
    assert found.tolist() == [-3.0 + 24.0 + 4.0, 12.0]


def test_layers_take_as_many_rounds_as_they_are_and_circles_some_more():
    for name, (params, group) in examples().items():
        network = network_of(params, group)
        assert (network.rounds, network.circular) == (1 if name == "the hat" else 2, False)
    params, group = traced("residual stream")  # input → stream → block → stream → output
    network = network_of(params, group)
    assert (network.rounds, network.circular) == (3, True)
    words = in_words(edges_of(params, group, 2.0), network)
    assert words == "14 hidden units, 100 weights, 24 biases, p = 2, round its circles 3 times"


def test_every_weight_of_a_circle_is_felt():
    params, group = traced("residual stream")
    network = network_of(params, group, lambda z: z)  # no unit sleeps
    assert bool((network.slopes(network.theta).abs() > 1e-8).all())


def test_a_weight_from_a_unit_to_itself_turns_with_no_dial():
    params, group = traced("recurrent")
    network = network_of(params, group)
    loops = (network.source == network.target) & (network.source > 0)
    assert int(loops.sum()) == 4
    ones = torch.ones_like(network.theta)
    assert network.collect(torch.where(loops, ones, 0.0)).tolist() == [0.0] * 4
    assert network.edge(int(loops.nonzero()[0]), "largest of 2").edges == ()


def test_parameters_that_are_zero_are_no_edges():
    params, group = params_of(hat()), mlp_group(hat())
    network = network_of(params, group)  # the first bias and the bias of the output are 0
    assert in_words(edges_of(params, group, 1.0), network) == (
        "3 hidden units, 6 weights, 2 biases, p = 1"
    )
    places = [network.edge(k, "worst of 8").words for k in (0, 3, 7)]
    ends = ["x → h₁", "bias of h₂", "h₃ → y"]
    assert places == [f"worst of 8 edges: {end}" for end in ends]


def test_a_network_that_says_nothing_has_a_loss_that_is_level():
    params, group = params_of(hat()), mlp_group(hat())
    params["2.weight"].zero_()
    network = network_of(params, group)
    assert torch.equal(network.run(network.theta), torch.zeros(8).double())
    assert not bool(network.slopes(network.theta).any())


def test_what_cannot_be_run_is_refused_by_name():
    params, group = params_of(hat()), mlp_group(hat())
    with pytest.raises(GaugeError, match=r"'0\.bias' holds NaN or infinity"):
        network_of({**params, "0.bias": torch.full((3,), torch.nan)}, group)
    with pytest.raises(GaugeError, match="leaves the range of float64"):
        network_of({name: 1e200 * value for name, value in params.items()}, group)
    with pytest.raises(GaugeError, match="missing"):
        network_of({}, group)
    index, none = torch.zeros(1, dtype=torch.int64), torch.zeros(1)
    for units in (0, 5000):
        large = GaugeGroup(units, {}, {"w": Entry(index, index)}, {"w": none.shape})
        with pytest.raises(GaugeError, match=f"1 to 4096 hidden units is run, found {units}"):
            network_of({"w": none}, large)
