"""Simultaneous steps: with m the longest column's norm, up to 1/(mp) none raises the norm."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import minimum_norm
from tests.torus.gates import NETWORKS, dense, stacked

exponents = st.sampled_from([0.5, 1.0, 2.0, 3.0])


def ratio(rows: torch.Tensor, powers: torch.Tensor, exponent: float, p: float) -> float:
    """How much |theta|_p^p is multiplied by in one step of all units with this exponent."""
    into, out = rows.clamp(min=0) @ powers, (-rows).clamp(min=0) @ powers
    moved = powers * (p * exponent * (rows.T @ (out / into).log())).exp()
    return float(moved.sum() / powers.sum())


def harsh(name: str, seed: int, sigma: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Q and log-normal |theta|^p, of weights alone."""
    net = NETWORKS[name](seed=seed)
    rows = dense(net.group)
    draw = torch.Generator().manual_seed(seed)
    return rows, (sigma * torch.randn(rows.shape[1], generator=draw, dtype=torch.float64)).exp()


drawn = st.builds(
    harsh, st.sampled_from([*NETWORKS]), st.integers(0, 9999), st.sampled_from([0.3, 1.0, 3.0, 6.0])
)


@given(drawn=drawn, p=exponents)
def test_every_step_up_to_the_doubled_one_goes_down(drawn, p):
    rows, powers = drawn
    longest = float(rows.abs().sum(0).max())
    assert ratio(rows, powers, 1 / (2 * longest * p), p) < 1.0
    assert ratio(rows, powers, 1 / (longest * p), p) <= 1.0 + 1e-12


def products(factors: int) -> torch.Tensor:
    """Q of two products on each other, of so many activations each, one unit for each of them."""
    one = torch.eye(2 * factors).double()
    first, second = one[:factors], one[factors:]
    return torch.cat([first, second - first.sum(0), -second.sum(0, keepdim=True)]).T


@pytest.mark.parametrize(
    ("exponent", "factors", "sigma"), [(1 / 2, 2, 3.0), (1 / 4, 5, 3.0), (1 / 4, 5, 6.0)]
)
def test_control_the_exponents_for_edges_raise_the_norm_on_stacked_products(
    exponent, factors, sigma
):
    """The doubled step for edges on two gates, where m = 3; the published one only from m = 5 on.

    For 1/4 is at most 1/m before that: on two gates it is safe. With five factors each, m is 6.
    """
    rows, draw = products(factors), torch.Generator().manual_seed(0)
    longest = float(rows.abs().sum(0).max())
    assert longest == factors + 1
    worst = {exponent: 0.0, 1 / longest: 0.0}
    for _ in range(2000):
        powers = (sigma * torch.randn(rows.shape[1], generator=draw).double()).exp()
        worst = {e: max(w, ratio(rows, powers, e, 1.0)) for e, w in worst.items()}
    assert worst[exponent] > 1.2
    assert worst[1 / longest] <= 1.0 + 1e-12


@pytest.mark.parametrize("method", ["algorithm-1", "doubled"])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_methods_by_simultaneous_steps_go_down_to_the_same_minimum(method, p):
    net = stacked(seed=5)
    draw = torch.Generator().manual_seed(5)
    params = {
        n: v.sign() * (3 / p * torch.randn(v.shape, generator=draw, dtype=torch.float64)).exp()
        for n, v in net.params.items()
    }
    found = minimum_norm(params, net.group, p=p, method=method, tol=1e-7)
    assert found.converged
    assert (found.history.objective.diff() <= 1e-12 * found.history.objective[1:]).all()
    best = minimum_norm(params, net.group, p=p, tol=1e-12)
    assert (found.scales / best.scales).log().abs().max() < 1e-4
    rows = dense(net.group)
    first = minimum_norm(params, net.group, p=p, method=method, tol=1e-7, max_passes=2)
    powers = torch.cat([v.abs().pow(p).reshape(-1) for v in params.values()])
    share = {"algorithm-1": 0.5, "doubled": 1.0}[method]
    expected = ratio(rows, powers, share / (3 * p), p)
    assert abs(first.history.objective[1] / first.history.objective[0] - expected) < 1e-9
