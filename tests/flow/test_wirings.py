"""Conservation, decay and the step law where a unit is used twice: skips, shared weights, images.

The charges are written out for each wiring; the flow knows nothing of groups.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import charge, gradient_flow, trace_group
from gaugelib.gradient import gradient
from tests.flow.wirings import WIRINGS, charges_by_hand, problem_of
from tests.graphs import POINTS, flat, random_graph

every = pytest.mark.parametrize("name", WIRINGS)
sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))


@every
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
def test_the_charge_of_any_wiring_is_what_flows_in_minus_what_flows_out(name, p):
    params, _, model, example = problem_of(name)
    group = trace_group(model, example)
    weights = {key: value if "weight" in key else 0 * value for key, value in params.items()}
    for counted, biases in ((params, True), (weights, False)):
        found = charge(params, group, p, include_bias=biases).sort().values
        by_hand = charges_by_hand(name, counted, p).sort().values  # in any order of the units
        assert_close(found, by_hand, rtol=1e-12, atol=1e-12)
        assert found.diff().min() > 0
    chain = charges_by_hand(name, params, p, tied=False).sort().values  # the control
    assert (found - chain).abs().max() > 1e-2


def path_of(name, p, method="rk4", decay=0.0):
    params, loss, _, _ = problem_of(name)
    return gradient_flow(
        loss, params, until=0.01, steps=20, p=p, decay=decay, method=method, saved=2
    )


def missed(name, path, p, *, kept=1.0, tied=True):
    """How far the charges at the end are from a share of those at the beginning."""
    start, end = (charges_by_hand(name, path.at(k), p, tied=tied) for k in (0, -1))
    return float((end - kept * start).abs().max())


@every
@pytest.mark.parametrize(
    ("p", "method", "near"),
    [(1, "euler", 1e-13), (1, "rk4", 1e-13), (1.5, "rk4", 1e-6), (2, "rk4", 1e-6)],
)
def test_the_flow_of_any_wiring_conserves_its_charges(name, p, method, near):
    path = path_of(name, p, method)
    assert missed(name, path, p) <= near
    assert missed(name, path, 3.0) > 1e-4  # the control: another charge


@given(sizes=sizes, seed=st.integers(0, 9999), density=st.sampled_from([1.0, 0.6]))
def test_the_flow_of_any_feedforward_graph_conserves_its_charges(sizes, seed, density):
    """Every unit may feed every later one; the charges by the dense incidence matrix."""
    graph = random_graph(*sizes, seed=seed, density=density)

    def loss(theta):
        return graph(theta, POINTS[:, : graph.inputs]).square().log1p().mean()

    path = gradient_flow(loss, graph.params, until=0.1, steps=4, p=1.0, method="euler", saved=2)
    start, end = (flat(path.at(k)) for k in (0, -1))
    charges = graph.incidence() @ torch.stack([start.abs(), end.abs()], dim=1)
    assert_close(charges[:, 1], charges[:, 0], rtol=0, atol=1e-12)
    assert_close(charge(path.at(-1), graph.group, 1.0), charges[:, 1], rtol=0, atol=1e-12)
    assert (end - start).abs().max() > 1e-6


@every
@pytest.mark.parametrize("p", [1, 2])
def test_control_the_charge_of_one_use_of_a_unit_is_not_conserved(name, p):
    assert missed(name, path_of(name, p), p, tied=False) > 1e-3


@every
@pytest.mark.parametrize("p", [1, 1.5, 2])
def test_the_charges_of_any_wiring_decay_by_the_pairing(name, p):
    path, kept = path_of(name, p, decay=2.0), math.exp(-2.0 * p * 0.01)
    assert missed(name, path, p, kept=kept) <= 1e-6
    for other in (1.0, math.exp(-2.0 * 0.01 * (3 - p)) if p != 1.5 else 0.9, kept**1.1):
        assert missed(name, path, p, kept=other) > 1e-3  # the controls


@every
def test_one_step_moves_the_charges_of_any_wiring_by_the_squared_gradients(name):
    params, loss, _, _ = problem_of(name)
    grads, lr, decay = gradient(loss, params), 0.1, 0.2
    after = {key: (1 - lr * decay) * value - lr * grads[key] for key, value in params.items()}

    def law(factor, squares, tied=True):
        charges = charges_by_hand(name, params, 2, tied=tied)
        return factor * charges + squares * lr**2 * charges_by_hand(name, grads, 2, tied=tied)

    kept = (1 - lr * decay) ** 2
    assert_close(charges_by_hand(name, after, 2), law(kept, 1.0), rtol=0, atol=1e-12)
    for wrong in (law(kept, 1.01), law(kept, -1.0), law(1 - lr * decay, 1.0)):
        assert (charges_by_hand(name, after, 2) - wrong).abs().max() > 1e-6  # the controls
    chain = charges_by_hand(name, after, 2, tied=False) - law(kept, 1.0, tied=False)
    assert chain.abs().max() > 1e-3
