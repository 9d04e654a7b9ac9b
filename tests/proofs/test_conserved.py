"""Lemma 3.1, run: its numbers are those of dense autograd, its steps hold, its drops break it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import GaugeError, hat, mlp_group, params_of, rescale
from gaugelib.proofs import lemma_conserved
from gaugelib.proofs.examples import examples
from tests.proofs.dense import close, complete_graph, sides, unit_in
from tests.proofs.looped import Looped
from tests.proofs.traced import MODELS, traced

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
powers = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])
BROKEN = {
    "homogeneous": (1, 2, 3, 6),
    "modulation": (4, 5, 6, 7),
    "bias": (5, 6, 7),
    "frozen": (4, 5, 6, 7),
}


@given(sizes=sizes, seed=st.integers(0, 10_000), p=powers)
def test_every_step_holds_on_every_network(sizes, seed, p):
    graph = complete_graph(sizes, seed)
    assert lemma_conserved(graph.params, graph.group, p).broken == ()


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_every_step_holds_on_the_examples_and_on_other_architectures(name, p):
    params, group = examples()[name] if name in examples() else traced(name)
    assert lemma_conserved(params, group, p).broken == ()


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_its_numbers_are_those_of_dense_autograd_and_of_loops(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    looped, record = Looped(graph), lemma_conserved(graph.params, graph.group, p)
    W, b = looped.slopes()
    work = looped.W * W, looped.b * b
    outputs = looped.run(looped.W, looped.b)
    assert all(close(side, float(outputs[outputs.abs().argmax()])) for side in sides(record, 1))
    turned = unit_in(record.steps[0].text)
    assert torch.allclose(looped.run(*looped.turned(turned, 2.0)), outputs, rtol=1e-12)
    assert close(sides(record, 2)[0], 0.0, size=1.0)
    unit = unit_in(record.steps[2].place.words)
    assert all(map(close, sides(record, 3), (looped.into(work, unit), looped.out(work, unit))))
    unit = unit_in(record.steps[4].place.words)
    assert all(close(side, -p * looped.into(work, unit)) for side in sides(record, 5))
    assert close(sides(record, 6)[0], 0.0, size=record.steps[5].size)
    moved = torch.cat([work[0][looped.W != 0], work[1][looped.b != 0]])
    most = float(-p * moved[moved.abs().argmax()])
    assert all(close(side, most) for side in sides(record, 4))


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_last_step_is_the_drift_of_one_step_of_euler(seed, p):
    graph = complete_graph((2, 5, 2), seed)
    for value in graph.params.values():
        value += value.sign()  # far from 0, where a step would change a sign
    looped, record = Looped(graph), lemma_conserved(graph.params, graph.group, p)
    unit = unit_in(record.steps[6].place.words)
    here = looped.W, looped.b
    velocity = [
        torch.where(at == 0, 0.0, -(at.abs() ** (2 - p)) * slope)
        for at, slope in zip(here, looped.slopes(), strict=True)
    ]
    step = 0.1 if p == 2 else 1e-3  # for p = 2 there are no higher orders
    drift = [
        looped.charge(looped.stepped(velocity, time), p, unit) - looped.charge(here, p, unit)
        for time in (step, -step)
    ]
    found = sum(drift) / (2 * step**2)
    assert sides(record, 7)[0] == pytest.approx(found, rel=1e-4, abs=1e-7)
    if p == 2:
        assert drift[0] == pytest.approx(step**2 * sides(record, 7)[1], rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_flow_of_gradient_descent_moves_the_charge_with_exponent_1(seed):
    graph = complete_graph((2, 5, 2), seed)
    looped = Looped(graph)
    record = lemma_conserved(graph.params, graph.group, 1.0, drop="modulation")
    unit, step = unit_in(record.steps[5].place.words), 1e-6
    velocity = [-g for g in looped.slopes()]
    ends = [looped.charge(looped.stepped(velocity, t), 1.0, unit) for t in (step, -step)]
    assert sides(record, 6)[0] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_with_tanh_the_derivative_along_the_dial_is_a_difference_quotient(seed):
    graph = complete_graph((2, 5, 2), seed)
    looped = Looped(graph, torch.tanh)
    record = lemma_conserved(graph.params, graph.group, drop="homogeneous")
    unit, step = unit_in(record.steps[1].place.words), 1e-5
    ends = [float(looped.loss(*looped.turned(unit, 1 + sign * step))) for sign in (1, -1)]
    found = sides(record, 2)[0]
    assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)
    assert abs(found) > 1e-4
    assert close(sides(record, 3)[0] - sides(record, 3)[1], found)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("drop", BROKEN)
@pytest.mark.parametrize("name", [*examples(), *MODELS])
def test_without_a_hypothesis_the_named_steps_fail_and_only_those(name, drop, p):
    params, group = examples()[name] if name in examples() else traced(name)
    found = lemma_conserved(params, group, p, drop=drop).broken
    # With exponent 1 a straight step keeps the charge, whatever its direction.
    assert found == tuple(k for k in BROKEN[drop] if p != 1 or k != 7)


def test_without_biases_there_is_none_to_leave_out_or_to_freeze():
    params, group = params_of(hat()), mlp_group(hat())
    params["0.bias"].zero_()
    assert lemma_conserved(params, group).drops == ("homogeneous", "modulation")
    with pytest.raises(GaugeError, match="one of: 'homogeneous', 'modulation'; found 'bias'"):
        lemma_conserved(params, group, drop="bias")


def test_a_gauge_changes_the_charges_and_not_the_outputs():
    params, group = traced("residual convolutions")
    scales = 2.0 ** torch.randint(-2, 3, (group.units,), generator=torch.Generator().manual_seed(0))
    one, two = (
        lemma_conserved(theta, group) for theta in (params, rescale(params, scales.double(), group))
    )
    assert sides(one, 1) == sides(two, 1)
    assert two.broken == ()
    assert sides(one, 7) != sides(two, 7)


def test_biases_that_are_left_out_or_frozen_are_where_it_breaks():
    params, group = examples()["the hat"]
    record = lemma_conserved(params, group, drop="frozen")
    assert record.steps[3].place.words.startswith("worst of 8 edges: bias of h")
    assert sides(record, 4)[0] == 0.0
    assert record.steps[5].place.units[0] in (2, 3)  # the first unit has no bias


def test_its_parameters_stay_as_they_were():
    params, group = examples()["random, number 1"]
    before = {name: value.clone() for name, value in params.items()}
    for drop in (None, *BROKEN):
        lemma_conserved(params, group, drop=drop)
    assert all(torch.equal(params[name], value) for name, value in before.items())
