"""Theorem 3.4, run: the law of decay against dense autograd and a solver, and what it assumes."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import gradient_flow, hat, mlp_group, params_of, rescale
from gaugelib.balance import imbalance
from gaugelib.proofs import theorem_pairing
from gaugelib.proofs.examples import examples
from gaugelib.proofs.loss import network_of
from gaugelib.proofs.pairing import DECAY
from tests.balance.newton import newton
from tests.proofs.dense import close, complete_graph, sides, unit_in
from tests.proofs.looped import Looped
from tests.proofs.traced import MODELS, traced

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
powers = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])
BROKEN = {
    "homogeneous": (1, 4, 5, 6),
    "exponent": (2, 3, 4, 5, 6, 7),
    "bias": (2, 3, 4, 5, 6, 7),
    "frozen": (3, 4, 5, 6, 7),
}


@given(sizes=sizes, seed=st.integers(0, 10_000), p=powers)
def test_every_step_holds_on_every_living_network(sizes, seed, p):
    graph = complete_graph(sizes, seed)
    assert theorem_pairing(graph.params, graph.group, p).broken == ()


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_every_step_holds_on_the_examples_and_on_other_architectures(name, p):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_pairing(params, group, p).broken == ()


def velocity(looped: Looped, at, p: float, q: float) -> list[torch.Tensor]:
    """The regularised flow by hand: the derivative of |θ|^q/q is sgn(θ)|θ|^(q-1)."""
    return [
        torch.where(
            x == 0, 0.0, -(x.abs() ** (2 - p)) * (g + DECAY * x.sign() * x.abs() ** (q - 1))
        )
        for x, g in zip(at, looped.slopes(at), strict=True)
    ]


@pytest.mark.parametrize(("p", "q", "drop"), [(1, 1, None), (2, 2, None), (2, 1, "exponent")])
@pytest.mark.parametrize("seed", range(3))
def test_its_rates_are_difference_quotients_along_the_flow(seed, p, q, drop):
    graph = complete_graph((2, 5, 2), seed)
    looped, record = Looped(graph), theorem_pairing(graph.params, graph.group, p, drop=drop)
    here, step = (looped.W, looped.b), 5e-4

    def along(time):  # two stages: right to second order in time
        first = velocity(looped, here, p, q)
        middle = looped.stepped(first, time / 2)
        return looped.stepped(velocity(looped, middle, p, q), time)

    for number, order in ((4, 1), (5, 2)):
        unit = unit_in(record.steps[number - 1].place.words)
        before, now, after = (
            looped.charge(at, p, unit) for at in (along(-step), here, along(step))
        )
        quotient = (after - before) / (2 * step)
        if order == 2:
            quotient = (after - 2 * now + before) / step**2
        scale = looped.charge(here, p, unit)
        assert sides(record, number)[0] == pytest.approx(quotient, rel=1e-3, abs=1e-4)
        assert close(sides(record, number)[1], (-DECAY * p) ** order * scale)
    assert record.broken == (() if drop is None else BROKEN[drop])


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_solver_finds_the_exponential_that_the_derivatives_promise(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    network = network_of(graph.params, graph.group)
    trajectory = gradient_flow(
        lambda theta: network.loss(theta["theta"]), {"theta": network.theta},
        until=0.02, steps=400, p=p, decay=DECAY,
    )  # fmt: skip
    start, end = (
        network.collect(trajectory.at(k)["theta"].abs() ** p) for k in (0, len(trajectory) - 1)
    )
    size = float(network.theta.abs().pow(p).sum())
    wanted = math.exp(-DECAY * p * 0.02) * start
    torch.testing.assert_close(end, wanted, rtol=0, atol=1e-6 * size)
    assert float((end - start).abs().max()) > 1e-4 * size  # control: it did move


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_its_balanced_network_is_that_of_newtons_method_with_biases(p):
    graph = complete_graph((2, 5, 2), 1)
    record = theorem_pairing(graph.params, graph.group, p, drop="exponent")
    log = newton(graph.params, graph.group, p, include_bias=True)
    at = rescale(graph.params, log.exp(), graph.group)
    assert float(imbalance(at, graph.group, p, include_bias=True).abs().max()) < 1e-9
    # A penalty with exponent q gives −λp Δ with exponent q.
    unit = unit_in(record.steps[5].place.words)
    q = 1.0 if p == 2 else 2.0
    wanted = -DECAY * p * float(imbalance(at, graph.group, q, include_bias=True)[unit - 1])
    assert sides(record, 6)[0] == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("drop", BROKEN)
@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_without_a_hypothesis_the_named_steps_fail_and_only_those(name, drop, p):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_pairing(params, group, p, drop=drop).broken == BROKEN[drop]


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
def test_decay_alone_shrinks_both_sides_at_the_rate_lambda_p(p):
    params, group = examples()["random, number 1"]
    record = theorem_pairing(params, group, p)
    assert all(close(side, -DECAY * p) for side in sides(record, 7))


def test_control_a_dead_unit_has_no_balanced_network():
    params, group = params_of(hat()), mlp_group(hat())
    params["2.weight"][0, 2] = 0.0
    record = theorem_pairing(params, group)
    assert record.broken == (6,)
    assert record.steps[5].place.units == (3,)
