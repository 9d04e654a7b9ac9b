"""Networks that fall into parts: found by following weights, and each part of a layer a block.

The oracle for parts is `scipy.sparse.csgraph`, on the edges listed one by one; for the balanced
point it is Newton's method.
"""

import pytest
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch.testing import assert_close

from gaugelib import minimum_norm, rescale
from gaugelib.balance.solver.components import MOST, components_of
from gaugelib.balance.solver.plan import plan_of
from gaugelib.balance.solver.read import conductances_of
from gaugelib.balance.solver.state import State
from tests.balance.networks import initialised
from tests.balance.newton import imbalance_of, listed, newton

CPU = torch.device("cpu")


def divided(layers, *widths, seed=0, coupling=0.0):
    """A chain whose layers fall into blocks of these widths; `coupling` times the other weights."""
    width = sum(widths)
    params, group = initialised((3, *[width] * (layers - 1), 2), seed=seed)
    inside = torch.block_diag(*(torch.ones(n, n, dtype=torch.float64) for n in widths))
    for name in list(params)[1:-1]:
        params[name] = params[name] * (inside + coupling * (1 - inside))
    return params, group


def state_of(params, group):
    names = [name for name, entry in group.entries.items() if entry.kind == "weight"]
    plan = plan_of(group, names, None, CPU, coloured=True)
    return State(plan, conductances_of(params, group, plan, 2.0, torch.float64)), plan


def found_parts(params, group):
    state, plan = state_of(params, group)
    parts = components_of(state)
    return parts, plan, state


def listed_parts(params, group, plan):
    """The same by edges: which units of the plan hang together without the ground."""
    to, out_of, size = listed(params, group, include_bias=False)
    inner = (to > 0) & (out_of > 0)
    edges = coo_array(
        (size[inner].numpy(), (to[inner].numpy(), out_of[inner].numpy())),
        shape=(group.units + 1,) * 2,
    )
    count, label = connected_components(edges, directed=False)
    return count - 1, label[plan.units.numpy()]  # the ground is a part of its own


DIVIDED = {
    "halves": (6, 4, 4),
    "uneven": (5, 1, 7, 3),
    "as many as are told apart": (3, *[1] * MOST),
    "more, the first large": (3, 20, *[1] * (MOST + 4)),
}


@pytest.mark.parametrize("case", DIVIDED)
def test_units_of_a_part_hang_together(case):
    params, group = divided(*DIVIDED[case])
    parts, plan, _ = found_parts(params, group)
    count, label = listed_parts(params, group, plan)
    pairs = {(int(a), int(b)) for a, b in zip(parts[1:], label)}
    told_apart = {(a, b) for a, b in pairs if a < MOST - 1}
    assert len(told_apart) == len({a for a, _ in told_apart}) == min(count, MOST - 1)
    assert len({b for _, b in pairs}) == count


def test_control_one_weight_across_makes_one_part():
    params, group = divided(6, 4, 4)
    params["4.weight"][0, 7] = 1e-9
    assert found_parts(params, group)[0] is None


def test_whole_networks_and_crumbs_are_left_as_they_are():
    assert found_parts(*initialised((3, 8, 8, 2)))[0] is None
    assert found_parts(*divided(4, *[1] * (2 * MOST)))[0] is None


def test_looking_costs_a_pass_at_most_and_little_where_weights_are_dense():
    *_, state = found_parts(*divided(6, 4, 4, 4))
    assert 0.0 < state.passes <= 1.0
    *_, state = found_parts(*initialised((20, 600, 600, 600, 10)))
    assert 0.0 < state.passes < 0.2


@pytest.mark.parametrize("widths", [(4, 4), (4, 4, 4), (2, 5)])
def test_passes_do_not_grow_with_depth(widths):
    shallow, deep = (
        minimum_norm(*divided(layers, *widths), tol=1e-6).passes for layers in (20, 80)
    )
    assert deep <= shallow + 3 <= 24


def test_control_with_weak_coupling_they_do():
    """Parts that almost fall apart are one part: here nothing is gained, and the book says so."""
    shallow, deep = (
        minimum_norm(*divided(layers, 4, 4, coupling=1e-3), tol=1e-6).passes for layers in (20, 80)
    )
    assert deep > 3 * shallow


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("case", [(24, 4, 4), (24, 1, 6, 3), (16, 3, *[1] * (MOST + 2))])
def test_it_is_the_balanced_point(case, p, seed):
    params, group = divided(*case, seed=seed)
    far = group.random(generator=torch.Generator().manual_seed(seed), log_std=2.0)
    params = rescale(params, far, group)
    found = minimum_norm(params, group, p=p, tol=1e-12)
    assert found.converged
    assert found.passes > 10  # so that it was looked at
    assert imbalance_of(found.params, group, p).max() < 2e-12
    assert_close(found.scales.log(), newton(params, group, p), rtol=0, atol=1e-9)
