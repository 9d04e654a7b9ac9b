"""The regularised flow: the charge decays as e^(-λpt), if metric and penalty are paired."""

import pytest
import torch

from gaugelib import gradient_flow
from gaugelib.noether import decayed
from tests.flow.problems import charges, linear, problem

DECAY = 0.3


def regularised(p, q, *, activation=linear, method="rk4", steps=100):
    made = problem(3, 4, 3, 2, activation=activation)
    return gradient_flow(
        made.loss, made.params, until=0.5, steps=steps, p=p, decay=DECAY, decay_p=q, method=method
    )


def missed(path, p):
    """How far the charges with exponent p are from their decay in closed form."""
    found = path.map(lambda theta: charges(theta, p))
    return float((found - decayed(found[0], path.times, p, DECAY)).abs().max())


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0])
def test_the_charge_of_the_paired_flow_decays_exponentially(p):
    path = regularised(p, None)
    assert missed(path, p) <= 1e-8
    start = charges(path.at(0), p)
    assert (start - charges(path.at(-1), p)).abs().max() > 0.1  # the control: it did decay


def test_the_charge_of_the_paired_flow_decays_in_a_network_of_relus():
    assert missed(regularised(1.0, None, activation=torch.relu), 1.0) <= 1e-8


MISMATCHED = pytest.mark.parametrize(("p", "q"), [(1.0, 2.0), (2.0, 1.5), (1.0, 1.5)])


def law_missed(path, moved, fed, factor):
    """Δ with exponent `moved`, and what -λ `factor` times Δ with exponent `fed` makes of it."""
    found = path.map(lambda theta: charges(theta, moved))
    feeds = path.map(lambda theta: charges(theta, fed))
    h = path.times[1] - path.times[0]  # Simpson's rule over 100 intervals
    integral = h / 3 * (feeds[0] + 4 * feeds[1:-1:2].sum(0) + 2 * feeds[2:-1:2].sum(0) + feeds[-1])
    return float((found[-1] - found[0] + DECAY * factor * integral).abs().max())


@MISMATCHED
def test_a_penalty_of_another_exponent_feeds_its_own_charge(p, q):
    """The law: d/dt Δ with exponent p is -λp times Δ with exponent q."""
    path = regularised(p, q)
    assert law_missed(path, p, q, p) <= 1e-8
    assert missed(path, p) > 1e-3  # the control: the closed form of the paired flow fails


@MISMATCHED
def test_control_with_another_factor_or_charge_the_law_of_a_mismatch_fails(p, q):
    path = regularised(p, q)
    for moved, fed, factor in ((p, q, q), (p, p, p), (q, q, p), (q, p, q), (p, q, 1.02 * p)):
        assert law_missed(path, moved, fed, factor) > 1e-4


@MISMATCHED
def test_control_a_tanh_network_does_not_obey_the_law_of_a_mismatch(p, q):
    assert law_missed(regularised(p, q, activation=torch.tanh), p, q, p) > 1e-3


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_a_tanh_network_s_charge_does_not_decay_so(p):
    assert missed(regularised(p, None, activation=torch.tanh, steps=20), p) > 1e-3


def test_control_another_modulation_s_charge_does_not_decay_so():
    assert missed(regularised(2.0, None, steps=20), 1.0) > 1e-3
    assert missed(regularised(1.0, None, steps=20), 2.0) > 1e-3
