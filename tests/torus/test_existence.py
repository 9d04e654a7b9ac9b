"""A minimum exists where a positive combination of the columns vanishes; else units are dead."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import null_space
from scipy.optimize import linprog
from torch.testing import assert_close

from gaugelib import minimum_norm
from gaugelib.balance.solver.prepare import dead_units
from gaugelib.group import Combined
from tests.graphs import random_graph
from tests.torus.gates import NETWORKS, Gated, dense, flat, reglu


def thinned(name: str, seed: int, kept: float) -> Gated:
    """Some entries are 0, and now and then a whole row or column."""
    net = NETWORKS[name](seed=seed)
    draw = torch.Generator().manual_seed(seed)
    params = {}
    for key, value in net.params.items():
        there = torch.rand(value.shape, generator=draw) < kept
        if value.dim() == 2:
            there &= torch.rand(value.shape[0], 1, generator=draw) < kept
            there &= torch.rand(1, value.shape[1], generator=draw) < kept
        params[key] = value * there
    return replace(net, params=params)


networks = st.builds(
    thinned, st.sampled_from([*NETWORKS]), st.integers(0, 9999), st.sampled_from([0.6, 0.8, 0.95])
)


def present(net: Gated) -> np.ndarray:
    """The column of each counted entry that is not 0, one by one, as columns."""
    kinds = {n: e.kind == "weight" for n, e in net.group.entries.items()}
    kept = flat({n: (v != 0) & kinds[n] for n, v in net.params.items()})
    return dense(net.group)[:, kept].numpy()


def positive(columns: np.ndarray) -> np.ndarray:
    """Which columns have t_e > 0 in some t >= 0 with sum t_e q_e = 0: the largest t tells."""
    count = columns.shape[1]
    if not count:
        return np.ones(0, dtype=bool)
    gain = np.concatenate([-np.ones(count), np.zeros(count)])  # t is min(t, 1) and the rest
    both, zero = np.hstack([columns, columns]), np.zeros(len(columns))
    limits = [(0.0, 1.0)] * count + [(0.0, None)] * count
    return linprog(gain, A_eq=both, b_eq=zero, bounds=limits).x[:count] > 0.5


def moved(columns: np.ndarray, kept: np.ndarray) -> list[int]:
    """Units without any entry, and those that some v moves that lets the norm fall for ever."""
    free, still = null_space(columns[:, kept].T), null_space(columns.T)
    inner = null_space(np.hstack([still, np.zeros((len(columns), 1))]).T) if still.size else None
    both = free if inner is None else free @ null_space(still.T @ free)
    lonely = np.abs(columns).sum(1) == 0
    return [h for h in range(len(columns)) if lonely[h] or np.abs(both[h]).max(initial=0) > 1e-7]


@given(net=networks)
def test_dead_units_are_those_that_the_definition_says(net: Gated):
    columns = present(net)
    kept = positive(columns)
    found = dead_units(net.params, net.group, net.group.counted(include_bias=False)).tolist()
    lonely = np.flatnonzero(np.abs(columns).sum(1) == 0).tolist()
    assert found == (lonely if kept.all() else moved(columns, kept))
    live = np.delete(columns, found, axis=0)
    assert positive(live).all()  # with these held there is a minimum


@given(net=networks)
def test_with_the_dead_held_all_others_are_balanced(net: Gated):
    found = minimum_norm(net.params, net.group, tol=1e-9, max_passes=5000)
    assert found.converged
    assert torch.equal(found.scales[found.dead], torch.ones(len(found.dead)).double())
    live = np.delete(np.arange(net.group.units), found.dead.tolist())
    kinds = {n: float(e.kind == "weight") for n, e in net.group.entries.items()}
    powers = flat({n: v.square() * kinds[n] for n, v in found.params.items()})
    rows = dense(net.group)[live]
    gammas = (rows @ powers).abs() / (rows.abs() @ powers)
    assert not len(live) or gammas.max() <= 1.01e-9
    assert_close(net.loss(found.params), net.loss(net.params), rtol=1e-8, atol=1e-10)


def test_control_a_dial_that_runs_away_lowers_the_norm_for_ever():
    net = reglu()
    net.params["down.weight"][:, 1] = 0.0  # gate and up of the second place: units 2 and 6
    found = minimum_norm(net.params, net.group)
    assert found.dead_names == ("hidden[1]", "hidden[5]")
    norms = []
    for far in (0.0, 5.0, 10.0, 15.0):
        direction = torch.zeros(8).double()
        direction[[1, 5]] = -far
        moved = {n: v * net.group.spread(direction)[n].exp() for n, v in net.params.items()}
        norms.append(sum(float(v.square().sum()) for n, v in moved.items() if "weight" in n))
    assert norms == sorted(norms, reverse=True)
    gate = reglu()
    gate.params["gate.weight"][2] = 0.0  # a gate that nothing feeds: its up has no place either
    assert minimum_norm(gate.params, gate.group).dead_names == ("hidden[2]", "hidden[6]")
    alive = reglu()
    alive.params["gate.weight"][2, 1:] = 0.0  # one weight is enough
    assert not minimum_norm(alive.params, alive.group).dead_names


@given(seed=st.integers(0, 9999), hidden=st.integers(2, 7), density=st.floats(0.2, 0.9))
def test_of_edges_they_are_the_units_on_no_path_from_an_input_to_an_output(seed, hidden, density):
    graph = random_graph(2, hidden, 2, seed=seed, density=density)
    one = Combined(torch.tensor([[1]]), torch.ones(1, 1).double())
    longer = replace(graph.group, combined=one)
    names = graph.group.counted(include_bias=False)
    expected = dead_units(graph.params, graph.group, names)
    assert torch.equal(dead_units(graph.params, longer, names), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_without_any_weight_all_are_dead(name):
    net = NETWORKS[name]()
    nothing = {n: torch.zeros_like(value) for n, value in net.params.items()}
    found = minimum_norm(nothing, net.group)
    assert len(found.dead) == net.group.units
    assert torch.equal(flat(found.params), flat(nothing))
    assert found.scales.eq(1).all()
