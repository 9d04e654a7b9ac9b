"""The oracle of the minimum: exact on chains, balanced on all, and an end in any case."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from gaugelib import minimum_norm, params_of, rescale, trace_group
from tests.balance.networks import UNEVEN_CHAIN, UNEVEN_NETWORK, chain, initialised, layered
from tests.balance.newton import edges, imbalance_of, listed, newton

exponents = st.floats(0.5, 16.0)


def left(params, group, p, log_scales, dead=()):
    """The imbalance of live units after rescaling, without leaving the range of floats."""
    to, out_of, size = listed(params, group, include_bias=False)
    x = torch.cat([log_scales.new_zeros(1), log_scales])
    logs = (p * (size.log() + x[to] - x[out_of])).tolist()
    worst = 0.0
    for unit in set(range(1, group.units + 1)) - {1 + int(d) for d in dead}:
        into, out = ([v for v, k in zip(logs, at.tolist()) if k == unit] for at in (to, out_of))
        top = max(into + out)
        sums = [math.fsum(math.exp(v - top) for v in values) for values in (into, out)]
        worst = max(worst, abs(sums[0] - sums[1]) / sum(sums))
    return worst


@given(powers=st.lists(st.floats(-300, 300), min_size=2, max_size=9), p=exponents)
def test_a_chain_is_balanced_where_all_weights_are_their_geometric_mean(powers, p):
    params, group = chain(*(10.0**power for power in powers))
    logs = [params[name].log().item() for name in params]
    mean = math.fsum(logs) / len(logs)
    expected = [math.fsum(mean - one for one in logs[: k + 1]) for k in range(group.units)]
    expected = torch.tensor(expected, dtype=torch.float64)
    assert_close(newton(params, group, p), expected, rtol=1e-12, atol=1e-10)


@given(
    widths=st.lists(st.integers(1, 7), min_size=3, max_size=9),
    seed=st.integers(0, 100_000),
    log_std=st.sampled_from([0.0, 1.0, 10.0, 40.0]),
    density=st.sampled_from([1.0, 0.7, 0.3]),
    p=exponents,
)
def test_it_balances_every_network(widths, seed, log_std, density, p):
    params, group = initialised(widths, seed=seed, log_std=log_std, density=density)
    # Who is dead is no matter of sizes.
    dead = minimum_norm({name: (w != 0).double() for name, w in params.items()}, group).dead
    assert left(params, group, p, newton(params, group, p, dead=dead), dead) < 1e-9


@pytest.mark.parametrize(("matrices", "p"), [(UNEVEN_CHAIN, 3.0), (UNEVEN_NETWORK, 8.0)])
def test_it_balances_where_flows_differ_by_twenty_orders(matrices, p):
    params, group = layered(*matrices)
    assert left(params, group, p, newton(params, group, p)) < 1e-12


def test_control_the_laplacian_of_such_a_chain_is_singular_in_floats():
    params, group = layered(*UNEVEN_CHAIN)
    to, out_of, power = edges(params, group, 3.0)
    hessian = torch.zeros(4, 4).double()
    for i, j, sign in ((to, to, 1), (out_of, out_of, 1), (to, out_of, -1), (out_of, to, -1)):
        hessian.index_put_((i, j), sign * power, accumulate=True)
    assert torch.linalg.matrix_rank(hessian[1:, 1:]) < 3


def test_components_do_not_see_each_other():
    """Two chains side by side, 600 orders apart."""
    params, group = layered(
        [[1e-150, 0.0], [0.0, 1e150]], [[1e-148, 0.0], [0.0, 1e148]], [[1e-149, 0.0], [0.0, 1e152]]
    )
    log = newton(params, group, 2.0)
    for k, weights in enumerate(((1e-150, 1e-148, 1e-149), (1e150, 1e148, 1e152))):
        alone = newton(*chain(*weights), 2.0)
        assert_close(log[k::2], alone, rtol=1e-14, atol=0)


def test_a_loop_stronger_than_what_passes_through_it_is_solved():
    """Two tied units that feed each other a million times more than they are fed."""

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.shared = nn.Linear(1, 2, bias=False), nn.Linear(2, 2, bias=False)
            self.last = nn.Linear(2, 1, bias=False)

        def forward(self, x):
            x = self.first(x)  # the sum ties the units of both uses
            return self.last(torch.relu(self.shared(x + torch.relu(self.shared(x)))))

    model = Recurrent().double()
    group, params = trace_group(model, torch.ones(2, 1).double()), params_of(model)
    params["first.weight"] = torch.tensor([[1.0], [2.0]]).double()
    params["shared.weight"] = torch.tensor([[0.0, 3e3], [1e3, 0.0]]).double()
    params["last.weight"] = torch.tensor([[3.0, 0.5]]).double()
    found = newton(params, group, 2.0)
    assert imbalance_of(rescale(params, found.exp(), group), group).max() < 1e-14
    # Control: an imbalance of a millionth would not do, for scales that are off by a thousandth.
    assert left(params, group, 2.0, found + 1e-3) < 1e-6


def test_it_says_so_where_there_is_no_minimum():
    params, group = initialised((2, 3, 2))
    params["0.weight"][1] = 0.0
    with pytest.raises(AssertionError, match="has no balance"):
        newton(params, group)
    assert newton(params, group, dead=[1])[1] == 0.0


def test_it_says_so_where_it_does_not_arrive():
    params, group = initialised((2, 3, 3, 2), log_std=3.0)
    with pytest.raises(AssertionError, match="did not arrive"):
        newton(params, group, steps=2)
    assert newton(params, group).isfinite().all()
