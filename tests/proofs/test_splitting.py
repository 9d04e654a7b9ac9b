"""The splitting at two equal units, run: against a network with the copy written out, by hand."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import GaugeError, hat, mlp_group, params_of
from gaugelib.proofs import theorem_splitting
from gaugelib.proofs.examples import examples
from gaugelib.proofs.loss import network_of
from gaugelib.proofs.second import STRENGTH, aside, well_fed
from gaugelib.proofs.splitting import RATE
from gaugelib.proofs.twin import twinned
from tests.graphs import Graph, random_graph
from tests.proofs.dense import close, complete_graph, sides
from tests.proofs.looped import Looped, OfAVector
from tests.proofs.traced import traced

sizes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2))
TRACED = ("residual stream", "recurrent")
BROKEN = {
    "activation": (1, 2, 3, 5, 6, 7, 8),
    "seen": (1, 2, 3, 5, 6, 7, 8),
    "unequal": (4, 5, 6, 7, 8),
    "rates": (8,),
}


class Dense(OfAVector):
    """A graph whose last hidden unit is written twice, on one flat vector with dense autograd."""

    def __init__(self, graph: Graph, drop=None) -> None:
        self.drop, last = drop, graph.inputs + graph.hidden - 1
        order = [*range(last + 1), *range(last, graph.units)]  # the copy follows the last unit
        W = graph.params["W"][order][:, order].clone()
        W[:, last : last + 2] /= 2
        params = {"W": W, "b": graph.params["b"][order]}
        self.n = graph.units + 1
        data = well_fed(network_of(graph.params, graph.group))
        looped = Looped(graph, data=data)
        grown = Graph(graph.inputs, graph.hidden + 1, graph.outputs, params, graph.group)
        self.looped = Looped.__new__(Looped)
        self.looped.__dict__ |= looped.__dict__ | {
            "W": W, "b": params["b"], "n": self.n, "hidden": grown.hidden,
            "units": range(graph.inputs, graph.inputs + grown.hidden),
            "x": {(i, j): looped.x[order[i], j] for i, j in W.nonzero().tolist() if j < 2},
        }  # fmt: skip
        flat = torch.cat([W.flatten(), params["b"]])
        self.there, self.here = flat != 0, flat[flat != 0]
        self.M = self.swap(last)
        copied = torch.zeros(self.n, self.n)
        copied[last + 1] = copied[:, last + 1] = 1.0
        alone = torch.zeros(self.n)
        alone[last + 1] = 1.0
        self.of_the_copy = torch.cat([copied.flatten(), alone])[self.there].double()

    def swap(self, last: int):
        """M as a dense matrix over the edges."""
        units = list(range(self.n))
        units[last], units[last + 1] = last + 1, last
        places = torch.arange(self.n**2 + self.n)
        W = places[: self.n**2].view(self.n, self.n)[units][:, units].flatten()
        b = places[self.n**2 :][units]
        whole = torch.eye(self.n**2 + self.n, dtype=torch.float64)[torch.cat([W, b])]
        return whole[self.there][:, self.there]

    def L(self, at):
        flat = torch.zeros(self.n**2 + self.n, dtype=at.dtype).masked_scatter(self.there, at)
        seen = STRENGTH / 2 * (self.of_the_copy * at.pow(2)).sum() if self.drop == "seen" else 0.0
        return self.looped.loss(flat[: self.n**2].view(self.n, self.n), flat[self.n**2 :]) + seen


@given(sizes=sizes, seed=st.integers(0, 10_000))
def test_every_step_holds_on_every_network(sizes, seed):
    graph = complete_graph(sizes, seed)
    assert theorem_splitting(graph.params, graph.group).broken == ()


@given(seed=st.integers(0, 10_000), density=st.floats(0.1, 0.6))
def test_it_holds_whoever_is_dead(seed, density):
    graph = random_graph(2, 4, 2, seed=seed, density=density)
    assert theorem_splitting(graph.params, graph.group).broken == ()


@pytest.mark.parametrize("name", [*examples(), *TRACED])
def test_every_step_holds_on_the_examples_and_on_other_architectures(name):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_splitting(params, group).broken == ()


@pytest.mark.parametrize("drop", BROKEN)
@pytest.mark.parametrize("name", [*examples(), "recurrent"])
def test_control_without_a_hypothesis_the_named_steps_fail_and_only_those(name, drop):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_splitting(params, group, drop=drop).broken == BROKEN[drop]


@pytest.mark.parametrize("drop", [None, "seen", "rates"])
@pytest.mark.parametrize("seed", range(2))
def test_its_numbers_are_those_of_a_network_with_the_copy_written_out(seed, drop):
    graph = complete_graph((2, 3, 2), seed)
    dense, record = Dense(graph, drop), theorem_splitting(graph.params, graph.group, drop=drop)
    slope, H, M = dense.slope(dense.here), dense.hessian(dense.here), dense.M
    N = (torch.eye(len(M), dtype=torch.float64) - M) / 2
    P = torch.eye(len(M), dtype=torch.float64) - N
    assert_close(M @ dense.here, dense.here)
    for number, left, right in ((5, slope, M @ slope), (6, H @ M, M @ H)):
        one, other = sides(record, number)
        gaps = (left - one).abs() + (right - other).abs()
        assert float(gaps.min()) < 1e-10 * float(left.abs().max())
    blocks = (P @ H @ P).pow(2).sum() + (N @ H @ N).pow(2).sum()
    assert close(sides(record, 7)[0], float(H.pow(2).sum()))
    assert close(sides(record, 7)[1], float(blocks))
    rates = RATE * (1 - dense.of_the_copy / 2) if drop == "rates" else RATE
    left = N @ (dense.here - rates * slope)
    assert close(sides(record, 8)[0], float(left.norm()), size=record.steps[7].size)
    if drop is not None:
        assert float(left.norm()) > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_the_spectrum_is_that_of_the_two_blocks(seed):
    dense = Dense(complete_graph((2, 3, 2), seed))
    H, M = dense.hessian(dense.here), dense.M
    signs, axes = torch.linalg.eigh(M)
    blocks = [axes[:, side] for side in (signs > 0, signs < 0)]
    apart = [torch.linalg.eigvalsh(block.T @ H @ block) for block in blocks]
    assert_close(torch.cat(apart).sort().values, torch.linalg.eigvalsh(H))
    assert float((blocks[0].T @ H @ blocks[1]).abs().max()) < 1e-14 * float(H.norm()) * len(H)


@pytest.mark.parametrize("drop", [None, "seen"])
def test_a_hundred_steps_of_descent_stay_where_one_does(drop):
    dense = Dense(complete_graph((2, 3, 2), 0), drop)
    at = dense.here
    for _ in range(100):
        at = at - 0.01 * dense.slope(at)
    away = float((at - dense.M @ at).norm())
    assert float((at - dense.here).norm()) > 0.1
    assert away < 1e-12 if drop is None else away > 1e-3  # control: a loss that sees the copy


@pytest.mark.parametrize("name", [*examples(), *TRACED])
def test_the_copy_moves_no_output_and_the_swap_none_either(name):
    params, group = examples()[name] if name in examples() else traced(name)
    whole = well_fed(network_of(params, group))
    network, swap = twinned(whole, group.units)
    assert_close(network.run(network.theta), whole.run(whole.theta))
    assert torch.equal(swap[swap], torch.arange(len(swap)))
    assert not torch.equal(swap, torch.arange(len(swap)))
    assert torch.equal(network.theta[swap], network.theta)
    near = aside(network)
    assert not torch.equal(near[swap], near)
    assert_close(network.run(near[swap]), network.run(near))


def test_control_units_of_two_kinds_cannot_be_swapped():
    params, group = examples()["random, number 1"]
    network, swap = twinned(well_fed(network_of(params, group)), group.units)
    mixed = replace(
        network, activation=lambda z: torch.cat([z[:, :-1].relu(), z[:, -1:].tanh()], dim=1)
    )
    near = aside(network)
    assert float((mixed.run(near[swap]) - mixed.run(near)).abs().max()) > 0.1


def test_a_unit_that_feeds_itself_is_copied_with_its_circle():
    params, group = traced("recurrent")
    whole = network_of(params, group)
    assert bool((whole.source == whole.target).any())
    for unit in range(1, group.units + 1):
        network, _ = twinned(whole, unit)
        assert_close(network.run(network.theta), whole.run(whole.theta))


def test_both_units_are_drawn_in_one_column():
    record = theorem_splitting(params_of(hat()), mlp_group(hat()))
    assert record.sketch is not None
    assert record.sketch.columns == ((1, 2, 3, 4),)
    assert record.network == "4 hidden units, 8 weights, 3 biases; h₄ copies h₃"
    assert record.steps[4].place.words in [
        f"largest of 6 edges: {edge}"
        for edge in ("x → h₃", "x → h₄", "bias of h₃", "bias of h₄", "h₃ → y", "h₄ → y")
    ]


def test_what_it_cannot_do_is_refused_by_name():
    params, group = params_of(hat()), mlp_group(hat())
    with pytest.raises(GaugeError, match=r"Euclidean lengths, p = 2; found p = 3$"):
        theorem_splitting(params, group, 3.0)
    with pytest.raises(GaugeError, match="1011 parameters that are not 0, the most it takes is"):
        theorem_splitting(*traced("residual convolutions"))
    with pytest.raises(GaugeError, match="one of: 'activation', 'seen', 'unequal', 'rates'; found"):
        theorem_splitting(params, group, drop="homogeneous")


def test_its_parameters_stay_as_they_were():
    params, group = examples()["random, number 1"]
    before = {name: value.clone() for name, value in params.items()}
    for drop in (None, *BROKEN):
        theorem_splitting(params, group, drop=drop)
    assert all(torch.equal(params[name], value) for name, value in before.items())
