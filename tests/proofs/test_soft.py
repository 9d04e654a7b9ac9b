"""The theorem of soft gauge fixing, run: against dense matrices, quotients and a minimiser."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import GaugeError, hat, mlp_group, params_of, rescale, soft_penalty, soft_step
from gaugelib.proofs import theorem_soft
from gaugelib.proofs.degenerate import without_weights
from gaugelib.proofs.examples import examples
from gaugelib.proofs.loss import network_of
from gaugelib.proofs.penalised import STRENGTH, Penalised
from gaugelib.soft import soft_flow
from tests.balance.newton import newton
from tests.graphs import random_graph
from tests.proofs.dense import close, complete_graph, sides, unit_in
from tests.proofs.looped import Looped
from tests.proofs.traced import MODELS, traced

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
powers = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])
BROKEN = {
    "homogeneous": (2, 3, 4, 7, 8),
    "log": (1, 2, 3, 4, 7, 8),
    "bias": (1, 2, 3, 4, 7, 8),
    "dead": (6,),
}


class Dense:
    """The penalised flow of a graph on one flat vector, with a dense incidence matrix."""

    def __init__(self, graph, p=2.0, drop=None) -> None:
        self.looped = Looped(graph, torch.tanh if drop == "homogeneous" else torch.relu)
        self.n, self.p, self.drop = graph.units, p, drop
        self.here = torch.cat([graph.params["W"].flatten(), graph.params["b"]])
        self.there = self.here != 0
        self.all = graph.incidence()
        counts = torch.ones_like(self.here)
        counts[self.n**2 :] = drop != "bias"
        self.B = self.all * counts

    def powers(self, at):
        return torch.where(self.there, at.abs() ** self.p, 0.0)

    def delta(self, at):
        return self.B @ self.powers(at)

    def S(self, at):
        if self.drop != "log":
            return STRENGTH / (2 * self.p) * self.delta(at).pow(2).sum()
        into, out = self.B.clamp(min=0) @ self.powers(at), self.B.clamp(max=0) @ -self.powers(at)
        return STRENGTH / 2 * ((into / out).log() / self.p).pow(2).sum()

    def pair(self, at):
        return at[: self.n**2].view(self.n, self.n), at[self.n**2 :]

    def L(self, at):
        return self.looped.loss(*self.pair(at))

    def outputs(self, at):
        return self.looped.run(*self.pair(at))

    def slope(self, function):
        at = self.here.clone().requires_grad_()
        return torch.where(self.there, torch.autograd.grad(function(at), at)[0], 0.0)

    def speed(self, function):
        """Down one function, with the factor of the flow."""
        return torch.where(self.there, -(self.here.abs() ** (2 - self.p)), 0.0) * self.slope(
            function
        )

    def quotient(self, function, velocity, step=1e-6):
        ends = [function(self.here + sign * step * velocity) for sign in (1, -1)]
        return (ends[0] - ends[1]) / (2 * step)

    def laplacian(self):
        return self.B * self.powers(self.here) @ self.B.T


@given(sizes=sizes, seed=st.integers(0, 10_000), p=powers)
def test_every_step_holds_on_every_living_network(sizes, seed, p):
    graph = complete_graph(sizes, seed)
    assert theorem_soft(graph.params, graph.group, p).broken == ()


@given(seed=st.integers(0, 10_000), density=st.floats(0.1, 0.6), p=powers)
def test_what_a_network_with_dead_units_lacks_is_the_last_rate_alone(seed, density, p):
    graph = random_graph(2, 6, 2, seed=seed, density=density)
    if not bool((graph.params["W"] != 0).any()):
        return
    assert theorem_soft(graph.params, graph.group, p).broken in ((), (6,))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_every_step_holds_on_the_examples_and_on_other_architectures(name, p):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_soft(params, group, p).broken == ()


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("drop", BROKEN)
@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_control_without_a_hypothesis_the_named_steps_fail_and_only_those(name, drop, p):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_soft(params, group, p, drop=drop).broken == BROKEN[drop]


@pytest.mark.parametrize("drop", [None, "homogeneous", "log", "bias"])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(2))
def test_its_numbers_are_those_of_dense_matrices_and_of_autograd(seed, p, drop):
    graph = complete_graph((2, 5, 2), seed)
    dense, record = Dense(graph, p, drop), theorem_soft(graph.params, graph.group, p, drop=drop)
    fall, push = -dense.speed(dense.L), -dense.speed(dense.S)
    assert float((push - sides(record, 1)[0]).abs().min()) < 1e-10 * float(push.abs().max())
    work, size = dense.slope(dense.L) * push, record.steps[1].size
    assert close(sides(record, 2)[0], float(work.sum()), size=size)
    delta, laplacian = dense.delta(dense.here), dense.laplacian()
    unit = unit_in(record.steps[3].place.words)
    assert close(sides(record, 4)[1], float(-p * STRENGTH * (laplacian @ delta)[unit - 1]))
    rates = torch.linalg.eigvalsh(laplacian)
    assert close(sides(record, 5)[0], float(rates[0] * delta @ delta))
    assert close(sides(record, 5)[1], float(delta @ laplacian @ delta))
    assert close(sides(record, 7)[1], float(-(dense.slope(dense.L) * fall).sum()))
    both = dense.slope(dense.L) * fall + dense.slope(dense.S) * push
    assert close(sides(record, 8)[1], float(-both.sum()))


@pytest.mark.parametrize("drop", [None, "homogeneous", "log", "bias"])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(2))
def test_its_rates_are_difference_quotients_along_the_flow(seed, p, drop):
    graph = complete_graph((2, 5, 2), seed)
    for value in graph.params.values():
        value += value.sign() / 2  # far from 0, where the flow of p = 3 is fast
    dense, record = Dense(graph, p, drop), theorem_soft(graph.params, graph.group, p, drop=drop)
    push = dense.speed(dense.S)
    velocity = dense.speed(dense.L) + push
    moved = dense.quotient(dense.outputs, push)
    size = max(1.0, float(moved.abs().max()))
    assert float((moved - sides(record, 3)[0]).abs().min()) < 1e-6 * size
    if drop is not None:
        assert abs(sides(record, 3)[0]) > 1e-3
    unit = unit_in(record.steps[3].place.words)
    wanted = {
        4: dense.quotient(lambda at: dense.delta(at)[unit - 1], velocity),
        7: dense.quotient(dense.L, velocity),
        8: dense.quotient(lambda at: dense.L(at) + dense.S(at), velocity),
    }
    for number, rate in wanted.items():
        assert sides(record, number)[0] == pytest.approx(float(rate), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("drop", ["log", "bias"])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_the_nearest_tangent_is_that_of_least_squares_and_misses(drop, p):
    graph = complete_graph((2, 5, 2), 0)
    dense, record = Dense(graph, p, drop), theorem_soft(graph.params, graph.group, p, drop=drop)
    here, push = dense.here, -dense.speed(dense.S)
    tangents = (dense.all * here)[:, dense.there].T
    weights = here[dense.there].abs() ** (p / 2 - 1)  # the flow's own measure of length
    found = torch.linalg.lstsq(
        weights[:, None] * tangents, (weights * push[dense.there])[:, None]
    ).solution
    nearest = (tangents @ found)[:, 0]
    pull, tangent = sides(record, 1)
    missed = (push[dense.there] - pull).abs() + (nearest - tangent).abs()
    assert float(missed.min()) < 1e-9 * float(push.abs().max())
    assert abs(pull - tangent) > 1e-3


@pytest.mark.parametrize("drop", ["log", "bias"])
def test_its_penalties_are_those_of_the_library(drop):
    graph = complete_graph((2, 5, 2), 0)
    network = network_of(graph.params, graph.group)
    counts = ~network.bias | (drop != "bias")
    found = Penalised(network, 2.0, counts, on_ratios=drop == "log").penalty(network.theta)
    wanted = soft_penalty(
        graph.params, graph.group, kind="log-ratio" if drop == "log" else "imbalance",
        strength=STRENGTH, include_bias=drop != "bias",
    )  # fmt: skip
    assert_close(found, wanted)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("seed", range(2))
def test_in_the_end_is_the_balanced_network_of_newtons_method(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    record = theorem_soft(graph.params, graph.group, p)
    log = newton(graph.params, graph.group, p, include_bias=True)
    graph.params.update(rescale(graph.params, log.exp(), graph.group))
    slowest = torch.linalg.eigvalsh(Dense(graph, p).laplacian())[0]
    assert sides(record, 6)[1] == pytest.approx(float(slowest), rel=1e-7)


def test_in_the_end_the_flow_of_the_penalty_is_there():
    graph = complete_graph((2, 5, 2), 0)
    record = theorem_soft(graph.params, graph.group)
    flow = soft_flow(
        graph.params, graph.group, until=200.0, steps=4000, strength=STRENGTH, include_bias=True
    )
    graph.params.update(flow.at(len(flow) - 1))
    slowest = torch.linalg.eigvalsh(Dense(graph).laplacian())[0]
    assert sides(record, 6)[1] == pytest.approx(float(slowest), rel=1e-6)


def test_control_with_a_dead_unit_the_slowest_rate_falls_below_all_bounds():
    graph = complete_graph((2, 5, 2), 0)
    params = without_weights(graph.params, graph.group, 5, outgoing=True)
    slowest, left = [], []
    for steps in (0, 500, 1500, 4500):
        for _ in range(steps):
            params = soft_step(params, graph.group, strength=STRENGTH, lr=0.2, include_bias=True)
        graph.params.update(params)
        dense = Dense(graph)
        slowest.append(float(torch.linalg.eigvalsh(dense.laplacian())[0]))
        left.append(float(dense.delta(dense.here).norm()))
    assert slowest[0] > 5 * slowest[1] > 10 * slowest[2] > 20 * slowest[3] > 0
    assert left[2] / left[3] < 5  # as 1/t, at three times the time: no exponential


@pytest.mark.parametrize("density", [0.3, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_square_of_the_imbalance_is_a_sum_over_edges_whoever_is_dead(seed, density):
    dense = Dense(random_graph(2, 6, 2, seed=seed, density=density))
    delta = dense.delta(dense.here)
    assert_close(dense.powers(dense.here) @ (dense.B.T @ delta), delta @ delta)


def minimum(dense: Dense) -> torch.Tensor:
    """Where a quasi-Newton method ends that goes down L + S."""
    at = dense.here.clone().requires_grad_()
    search = torch.optim.LBFGS(
        [at], max_iter=4000, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        search.zero_grad()
        total = dense.L(torch.where(dense.there, at, 0.0)) + dense.S(at)
        total.backward()
        return total

    search.step(closure)
    return torch.where(dense.there, at.detach(), 0.0)


@pytest.mark.parametrize("drop", [None, "homogeneous"])
@pytest.mark.parametrize("seed", range(3))
def test_a_minimiser_of_the_sum_ends_at_a_balanced_critical_point_of_the_loss(seed, drop):
    dense = Dense(complete_graph((1, 1, 1), seed), drop=drop)
    at = minimum(dense)
    dense.here = at
    total = dense.slope(lambda x: dense.L(x) + dense.S(x))
    assert float(total.norm()) < 1e-7
    rests = float(dense.slope(dense.L).norm()), float(dense.delta(at).norm())
    if drop is None:
        assert max(rests) < 1e-6
    else:  # control: with tanh the two pulls hold each other
        assert min(rests) > 1e-4


def test_control_a_readers_dead_unit_is_named():
    params, group = params_of(hat()), mlp_group(hat())
    params["2.weight"][0, 1] = 0.0
    record = theorem_soft(params, group)
    assert record.broken == (6,)
    assert record.steps[5].place.words == "on no path: h₂"
    assert record.steps[5].place.units == (2,)
    assert record.steps[5].right.value == 0.0


def test_at_a_balanced_network_it_is_rounding_that_is_compared():
    graph = complete_graph((2, 5, 2), 0)
    log = newton(graph.params, graph.group, 2.0, include_bias=True)
    at = rescale(graph.params, log.exp(), graph.group)
    assert theorem_soft(at, graph.group).broken == ()


def test_without_biases_there_is_none_to_leave_out():
    params, group = params_of(hat()), mlp_group(hat())
    params["0.bias"].zero_()
    assert theorem_soft(params, group).drops == ("homogeneous", "log", "dead")
    with pytest.raises(GaugeError, match="one of: 'homogeneous', 'log', 'dead'; found 'bias'"):
        theorem_soft(params, group, drop="bias")


def test_its_parameters_stay_as_they_were():
    params, group = examples()["random, number 1"]
    before = {name: value.clone() for name, value in params.items()}
    for drop in (None, *BROKEN):
        theorem_soft(params, group, drop=drop)
    assert all(torch.equal(params[name], value) for name, value in before.items())
