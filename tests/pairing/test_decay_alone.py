"""Weight decay alone balances nothing: the log-ratio stays, unless the loss holds the product."""

import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import charge, gradient_flow, incoming_norm, log_ratio, outgoing_norm
from tests.flow.problems import charges, linear, problem
from tests.soft.problems import NETWORKS, network, ratios

DECAY = 0.6


def nothing(params):
    """A loss that pulls nowhere."""
    return 0.0 * sum(value.sum() for value in params.values())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("include_bias", [False, True])
def test_decay_alone_leaves_the_log_ratio(name, p, include_bias):
    _, _, params, group = network(name)
    path = gradient_flow(nothing, params, until=1.0, steps=20, p=p, decay=DECAY, saved=5)
    found = path.map(lambda theta: log_ratio(theta, group, include_bias=include_bias))
    assert_close(found, found[:1].expand_as(found), rtol=0, atol=1e-12)
    assert_close(found[0], ratios(params, group, include_bias))
    assert found.abs().max() > 0.1
    shrunk = {name: math.exp(-DECAY) * value for name, value in params.items()}
    assert_close(path.at(-1), shrunk, rtol=1e-6, atol=1e-12)
    start, end = (charge(path.at(k), group, p) for k in (0, -1))  # the charge does fall
    assert_close(end, math.exp(-DECAY * p) * start, rtol=1e-5, atol=1e-9)


def sides(activation):
    """sinh u along the flow with a loss, the law for it, and the path's losses and products."""
    made = problem(3, 4, 2, activation=activation, size=(0.3, 1.2))
    path = gradient_flow(made.loss, made.params, until=1.0, steps=200, decay=DECAY, saved=11)
    u = path.map(lambda theta: log_ratio(theta, made.group, include_bias=True))
    product = path.map(
        lambda theta: (
            incoming_norm(theta, made.group, include_bias=True) * outgoing_norm(theta, made.group)
        )
    )
    fallen = torch.exp(-2 * DECAY * path.times)[:, None] * charges(made.params, 2.0)
    return u, fallen / (2 * product), product


def test_the_log_ratio_falls_as_the_loss_holds_the_product():
    u, law, product = sides(linear)
    assert_close(u.sinh(), law, rtol=0, atol=1e-8)
    assert (u[0] - u[-1]).abs().max() > 0.1
    # It falls exactly at those units whose product falls more slowly than by decay alone.
    held = product[-1] > math.exp(-2 * DECAY) * product[0]
    assert torch.equal(u[-1].abs() < u[0].abs(), held)
    assert held.any()


def test_control_a_tanh_network_s_log_ratio_does_not_fall_so():
    u, law, _ = sides(torch.tanh)
    assert (u.sinh() - law).abs().max() > 1e-2


@pytest.mark.parametrize("name", NETWORKS)
def test_control_a_decay_that_does_not_match_the_flow_moves_the_log_ratio(name):
    _, _, params, group = network(name)
    params = {n: v.sign() * (1.0 + v.abs()) for n, v in params.items()}  # no weight ends at zero
    path = gradient_flow(nothing, params, until=1.0, steps=20, decay=DECAY, decay_p=1.0, saved=2)
    found = path.map(lambda theta: log_ratio(theta, group))
    assert (found[-1] - found[0]).abs().max() > 1e-2
