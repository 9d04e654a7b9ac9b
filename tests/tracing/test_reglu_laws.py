"""The book's laws hold for a transformer with ReGLU, whose group is traced.

A gate multiplies two activations, so the columns of Q are longer than an edge; the oracle is the
matrix Q written by hand. The controls have SiLU for the gate's ReLU, which keeps no scale there.
"""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from gaugelib import (
    charge,
    gradient_flow,
    minimum_norm,
    relative_imbalance,
    rescale,
    trace_group,
    ward_residual,
)
from gaugelib.gradient import gradient
from gaugelib.noether import decayed, step_drift
from tests.flow.problems import linear
from tests.tracing.reglu import flat, matrix, newton, problem

DECAY, UNTIL = 0.3, 0.3
UNITS = 3 * 4 + 2 + 1 + 3 + 3


@pytest.fixture(scope="module")
def group():
    made = problem()
    return trace_group(made.model, made.ids)


def rows(group):
    """Q as the group has it, unit by unit, shape (units, m)."""
    unit = torch.eye(group.units, dtype=torch.float64)
    return torch.stack([flat(group.spread(row)) for row in unit])


def change(group):
    """The matrix C with Q of the group = C Q by hand, shape (units, generators)."""
    solved = torch.linalg.lstsq(matrix().T, rows(group).T)
    assert_close(solved.solution.T @ matrix(), rows(group), rtol=0, atol=1e-12)
    return solved.solution.T


def test_the_traced_group_is_the_one_by_hand(group):
    assert group.units == len(matrix()) == UNITS
    assert torch.linalg.cond(change(group)) < 100.0
    assert rows(group).sum(0).min() == -2.0  # an edge's column adds up to 1, 0 or -1


def test_collect_is_q_by_hand(group):
    values = problem(seed=1).params
    assert_close(group.collect(values), change(group) @ matrix() @ flat(values))


def test_ward_identity(group):
    made = problem()
    found = ward_residual(made.loss, made.params, group, relative=True)
    assert found.shape == (UNITS,)
    assert found.max() <= 1e-12
    slopes = gradient(made.loss, made.params)
    by_hand = matrix() @ (flat(made.params) * flat(slopes))
    assert by_hand.abs().max() <= 1e-14


def test_control_the_identity_fails_at_the_gates_of_silu_and_only_there(group):
    made = problem(F.silu)
    terms = flat(made.params) * flat(gradient(made.loss, made.params))
    left = (matrix() @ terms).abs() / (matrix().abs() @ terms.abs())
    gates = torch.zeros(UNITS, dtype=torch.bool)
    gates[-6::2] = True
    assert left[gates].min() > 1e-2
    assert left[~gates].max() <= 1e-12
    assert ward_residual(made.loss, made.params, group, relative=True).max() > 1e-2


def one_step(act, lr=0.3, weight_decay=0.2):
    """Parameters before, gradients, and parameters after a step of SGD."""
    made = problem(act)
    leaves = {name: value.clone().requires_grad_() for name, value in made.params.items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=lr, weight_decay=weight_decay)
    made.loss(leaves).backward()
    grads = {name: value.grad.clone() for name, value in leaves.items()}
    optimizer.step()
    return made.params, grads, {name: value.detach() for name, value in leaves.items()}


@pytest.mark.parametrize("weight_decay", [0.0, 0.2])
def test_one_step_moves_the_charge_by_the_squared_gradients_exactly(group, weight_decay):
    before, grads, after = one_step(F.relu, weight_decay=weight_decay)
    shrunk = (1 - 0.3 * weight_decay) ** 2 * charge(before, group)
    law = shrunk + step_drift(grads, group, 0.3)
    assert_close(charge(after, group), law, rtol=0, atol=1e-12)
    assert (charge(after, group) - charge(before, group)).abs().max() > 1e-3


def test_control_with_silu_one_step_moves_it_otherwise(group):
    before, grads, after = one_step(F.silu, weight_decay=0.0)
    missed = charge(after, group) - charge(before, group) - step_drift(grads, group, 0.3)
    assert missed.abs().max() > 1e-3


def flow(act, p, params=None, steps=40, decay_p=None):
    made = problem(act)
    return gradient_flow(
        made.loss, params or made.params, until=UNTIL, steps=steps, p=p, decay=DECAY,
        decay_p=decay_p, saved=3,
    )  # fmt: skip


def missed(path, p):
    """How far the charges by hand are from their decay in closed form."""
    found = path.map(lambda theta: matrix() @ flat(theta).abs() ** p)
    return float((found - decayed(found[0], path.times, p, DECAY)).abs().max())


# A gate without any activation is smooth, and has the group of ReLU's.
PAIRS = pytest.mark.parametrize(("p", "act"), [(1.0, F.relu), (2.0, linear)])


@PAIRS
def test_the_charge_of_the_paired_flow_decays_exponentially(group, p, act):
    path = flow(act, p)
    assert missed(path, p) <= 1e-8
    start, end = (charge(path.at(k), group, p) for k in (0, -1))
    assert_close(end, decayed(start, UNTIL, p, DECAY), rtol=0, atol=1e-7)
    assert (start - end).abs().max() > 0.1


def test_control_neither_silu_nor_another_penalty_obeys_it():
    assert missed(flow(F.silu, 2.0, steps=20), 2.0) > 1e-3
    assert missed(flow(F.relu, 2.0, steps=20, decay_p=1.5), 2.0) > 1e-3


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_minimum_norm_is_newtons_from_every_gauge(group, p):
    made = problem()
    lightest = newton(made.params, p)
    for seed in range(3):
        scales = group.random(generator=torch.Generator().manual_seed(seed))
        start = rescale(made.params, scales, group) if seed else made.params
        found = minimum_norm(start, group, p=p, tol=1e-12, include_bias=True)
        assert_close(flat(found.params).abs() ** p, lightest, rtol=1e-9, atol=1e-12)
        assert_close(made.loss(found.params), made.loss(made.params), rtol=1e-12, atol=0)
        assert relative_imbalance(found.params, group, p, include_bias=True).max() <= 1e-9
    assert lightest.sum() < 0.99 * (flat(made.params).abs() ** p).sum()


def test_control_newtons_minimum_leaves_no_charge_and_another_point_does():
    params = problem().params
    assert (matrix() @ newton(params, 2.0)).abs().max() < 1e-10
    assert (matrix() @ flat(params).square()).abs().max() > 0.1


@PAIRS
def test_the_minimum_norm_is_kept_by_its_own_pair(group, p, act):
    start = minimum_norm(problem().params, group, p=p, tol=1e-14, include_bias=True).params
    path = flow(act, p, params=start)
    worst = path.map(lambda theta: relative_imbalance(theta, group, p, include_bias=True)).max()
    assert worst <= 1e-10
    assert max(float((v[-1] - v[0]).abs().max()) for v in path.params.values()) > 0.05


def test_control_another_penalty_leaves_it(group):
    start = minimum_norm(problem().params, group, p=2.0, tol=1e-14, include_bias=True).params
    path = flow(F.relu, 2.0, params=start, steps=20, decay_p=1.5)
    assert relative_imbalance(path.at(-1), group, 2.0, include_bias=True).max() > 1e-3
