"""The minimum norm where columns are longer than edges: SciPy's minimum over a dense Q, its
uniqueness, and what it does not depend on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch.testing import assert_close

from gaugelib import GaugeError, imbalance, minimum_norm, relative_imbalance, rescale
from gaugelib.balance import objective
from gaugelib.balance.landscape import laplacian
from gaugelib.group import Combined
from tests.graphs import random_graph
from tests.torus.gates import NETWORKS, Gated, dense, flat, reglu, stacked

networks = st.builds(
    lambda name, seed: NETWORKS[name](seed=seed), st.sampled_from([*NETWORKS]), st.integers(0, 9999)
)
exponents = st.sampled_from([1.0, 2.0, 3.0])


def counted(net: Gated, params, p: float, include_bias: bool = False) -> np.ndarray:
    """|theta|^p, 0 where an entry does not count."""
    kinds = {"weight", "bias"} if include_bias else {"weight"}
    kept = {n: float(e.kind in kinds) for n, e in net.group.entries.items()}
    return flat({n: kept[n] * value.abs().double().pow(p) for n, value in params.items()}).numpy()


def least(net: Gated, p: float, include_bias: bool = False) -> float:
    """The logarithm of the least sum of powers on the orbit, by quasi-Newton steps on it."""
    rows, powers = dense(net.group).numpy(), counted(net, net.params, p, include_bias)

    def value_and_slope(alpha):
        moved = powers * np.exp(p * rows.T @ alpha)
        return np.log(moved.sum()), p * rows @ moved / moved.sum()

    start = np.zeros(len(rows))
    return minimize(value_and_slope, start, jac=True, method="BFGS", options={"gtol": 1e-10}).fun


@given(net=networks, p=exponents, biases=st.booleans())
def test_it_is_the_minimum_that_scipy_finds(net: Gated, p, biases):
    found = minimum_norm(net.params, net.group, p=p, tol=1e-10, include_bias=biases)
    assert found.converged
    assert not found.dead_names
    there = np.log(counted(net, found.params, p, biases).sum())
    assert abs(there - least(net, p, biases)) <= 1e-9
    assert_close(net.loss(found.params), net.loss(net.params), rtol=1e-9, atol=1e-12)


@given(net=networks, p=exponents)
def test_balanced_by_the_definition_with_q(net: Gated, p):
    found = minimum_norm(net.params, net.group, p=p, tol=1e-9)
    rows, powers = dense(net.group).numpy(), counted(net, found.params, p)
    gammas = np.abs(rows @ powers) / (np.abs(rows) @ powers)
    assert gammas.max() <= 1.01e-9
    assert_close(imbalance(found.params, net.group, p), torch.from_numpy(rows @ powers))
    before = np.abs(rows @ counted(net, net.params, p)) / (
        np.abs(rows) @ counted(net, net.params, p)
    )
    assert before.max() > 1e-2  # the control
    assert_close(relative_imbalance(net.params, net.group, p), torch.from_numpy(before))


@given(net=networks, seed=st.integers(0, 99), spread=st.floats(0.1, 4.0))
def test_the_lightest_parameters_are_the_same_from_anywhere_on_the_orbit(net: Gated, seed, spread):
    scales = net.group.random(generator=torch.Generator().manual_seed(seed), log_std=spread)
    here = minimum_norm(net.params, net.group, tol=1e-13)
    there = minimum_norm(rescale(net.params, scales, net.group), net.group, tol=1e-13)
    assert_close(flat(there.params), flat(here.params), rtol=1e-8, atol=1e-10)
    assert_close(there.scales * scales, here.scales, rtol=1e-8, atol=1e-10)  # no kernel here


def test_alpha_is_unique_up_to_the_kernel_of_q():
    """Without counted weights in the gate, only the sum of gate and up is seen by any weight."""
    net = reglu()
    entries = dict(net.group.entries)
    entries["gate.weight"] = replace(entries["gate.weight"], kind="fixed")
    both = net.group.combined.units[:, :1]  # type: ignore[union-attr]
    entries["up.weight"] = replace(entries["up.weight"], target=torch.arange(9, 13)[:, None])
    group = replace(net.group, entries=entries)
    starts = [torch.ones(8).double(), torch.ones(8).double()]
    starts[1][both[:, 0] - 1] = 3.0  # along the kernel: gate up, up-projection down
    starts[1][4:] = 1 / 3
    found = [minimum_norm(rescale(net.params, a, group), group, tol=1e-13) for a in starts]
    assert not found[0].dead_names
    for name in ("up.weight", "down.weight"):
        assert_close(found[1].params[name], found[0].params[name])
    ratio = (found[1].scales * starts[1] / found[0].scales).log()
    rows = dense(group)[:, torch.tensor(counted(replace(net, group=group), net.params, 1.0) > 0)]
    assert_close(rows.T @ ratio, torch.zeros(rows.shape[1]).double(), rtol=0, atol=1e-9)
    assert ratio.abs().max() > 0.1  # and it is not zero


def in_another_basis(net: Gated, seed: int) -> Gated:
    """The same torus, its rows mixed within layers by whole numbers of determinant 1."""
    n, more = net.group.units, net.group.combined
    draw = torch.Generator().manual_seed(seed)
    mixed = torch.randint(-1, 2, (n, n), generator=draw).double().triu(1)
    if net.group.shapes.get("g2") is not None:  # entries of the second gate join the two layers
        mixed[: n // 2, n // 2 :] = 0.0
    rows = torch.eye(n).double() + mixed
    old = torch.zeros(more.count, n + 1).double()
    old.scatter_add_(1, more.units, more.powers)
    powers = torch.cat([rows, old[:, 1:] @ rows])
    units = torch.arange(1, n + 1).expand_as(powers).clone().masked_fill_(powers == 0, 0)
    shift = lambda index: torch.where(index > 0, index + n, 0)  # noqa: E731
    entries = {
        name: replace(e, target=shift(e.target), source=shift(e.source))
        for name, e in net.group.entries.items()
    }
    return replace(net, group=replace(net.group, entries=entries, combined=Combined(units, powers)))


@given(net=networks, seed=st.integers(0, 99), p=exponents)
def test_the_minimiser_does_not_depend_on_the_basis(net: Gated, seed, p):
    other = in_another_basis(net, seed)
    found, again = (minimum_norm(n.params, n.group, p=p, tol=1e-12) for n in (net, other))
    assert_close(flat(again.params), flat(found.params), rtol=1e-6, atol=1e-9)
    assert imbalance(again.params, net.group, p).abs().max() <= 1e-9 * found.history.objective[-1]


def test_control_other_rows_are_another_torus():
    net = reglu()
    powers = net.group.combined.powers.clone()  # type: ignore[union-attr]
    powers[:, 0] = 2.0
    other = replace(net.group, combined=replace(net.group.combined, powers=powers))
    found = [minimum_norm(net.params, group, tol=1e-12) for group in (net.group, other)]
    assert (flat(found[0].params) - flat(found[1].params)).abs().max() > 1e-2


@given(seed=st.integers(0, 9999), p=exponents, hidden=st.integers(2, 6))
def test_edges_in_the_longer_solver_are_balanced_as_by_the_edge_solver(seed, p, hidden):
    graph = random_graph(2, hidden, 2, seed=seed, density=0.7)
    one = Combined(torch.tensor([[1]]), torch.ones(1, 1).double())  # a node that nothing joins
    longer = replace(graph.group, combined=one)
    edges = minimum_norm(graph.params, graph.group, p=p, tol=1e-11)
    found = minimum_norm(graph.params, longer, p=p, tol=1e-11)
    assert found.dead_names == edges.dead_names
    assert_close(found.scales, edges.scales, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_weights_of_any_size_are_balanced(name, size):
    net = NETWORKS[name](seed=2)
    first = next(iter(net.params))
    params = net.params | {first: net.params[first] * size}
    found = minimum_norm(params, net.group, p=3.0, tol=1e-9)
    assert found.converged
    rows = dense(net.group)
    logs = flat(found.params).abs().log()
    weights = torch.tensor(counted(net, net.params, 1.0) > 0)
    kept = logs[weights]
    for row in rows[:, weights]:  # all powers are 1 or -1, whose logarithm is 0
        into = (3 * kept[row > 0] + row[row > 0].log()).logsumexp(0)
        out = (3 * kept[row < 0] + (-row[row < 0]).log()).logsumexp(0)
        assert abs(float(into - out)) <= 1e-8


@pytest.mark.parametrize("name", NETWORKS)
def test_the_options_are_those_of_the_edge_solver(name):
    net = NETWORKS[name](seed=4)
    single = {n: value.float() for n, value in net.params.items()}
    found = minimum_norm(single, net.group, tol=1e-5)
    assert found.converged
    assert found.params[next(iter(single))].dtype == torch.float32
    exact = minimum_norm(net.params, net.group, exact=True)
    assert torch.equal(exact.scales.log2(), exact.scales.log2().round())
    assert torch.equal(net.loss(exact.params), net.loss(net.params))
    few = minimum_norm(net.params, net.group, tol=1e-14, max_passes=3)
    assert not few.converged
    assert few.passes <= 3
    room = {n: torch.empty_like(value) for n, value in net.params.items()}
    lent = minimum_norm(net.params, net.group, out=room)
    assert all(lent.params[n].data_ptr() == room[n].data_ptr() for n in room)
    far = minimum_norm(net.params, net.group, tol=1e-3)
    near = minimum_norm(net.params, net.group, tol=1e-13)
    error = (far.scales / near.scales).log().abs().max()
    assert 0.5 * error <= far.last_correction <= 2 * error
    assert (far.history.objective.diff() <= 0).all()
    assert len(far.history.passes) > 1


def test_balancing_unit_after_unit_is_refused():
    net = reglu()
    with pytest.raises(GaugeError, match="no closed form here; use 'two-level'"):
        minimum_norm(net.params, net.group, method="alternating")
    broken = net.params | {"gate.bias": net.params["gate.bias"] * torch.nan}
    for biases in (False, True):
        with pytest.raises(GaugeError, match=r"gate.bias.*NaN"):
            minimum_norm(broken, net.group, include_bias=biases)


@given(net=networks, p=exponents)
def test_the_laplacian_is_the_curvature_of_the_norm(net: Gated, p):
    rows, powers = dense(net.group), torch.from_numpy(counted(net, net.params, p))
    assert_close(laplacian(net.params, net.group, p), rows @ powers.diag() @ rows.T)
    zero = torch.zeros(net.group.units).double()
    hessian = torch.autograd.functional.hessian(
        lambda a: objective(net.params, a, net.group, p), zero
    )
    assert_close(hessian, p * laplacian(net.params, net.group, p))


def test_columns_of_three_units_are_met():
    assert dense(stacked().group).abs().sum(0).max() == 3.0
