"""One step towards balance from sums alone: exact where each matrix has rank one."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import mlp_group, rescale
from gaugelib.optim.mean_field import mean_field_step
from gaugelib.optim.totals import Totals
from tests.balance.networks import initialised, multilayer
from tests.balance.newton import edges, imbalance_of

WIDTHS = (5, 7, 6, 4, 3)


def rank_one(p):
    """A layered network whose |W|^p has rank one in each layer."""
    draw = torch.Generator().manual_seed(3)
    model = multilayer(WIDTHS)
    params = {}
    for name, value in model.named_parameters():
        row, column = (torch.rand(n, generator=draw).double() + 0.5 for n in value.shape)
        params[name] = torch.outer(row, column) ** (1 / p)
    return params, mlp_group(model)


def newton_step(params, group, p):
    """The first step of Newton's method on the norm, with the dense Laplacian, edge by edge."""
    n = group.units + 1
    laplacian, slope = torch.zeros(n, n).double(), torch.zeros(n).double()
    for i, j, c in zip(*(x.tolist() for x in edges(params, group, p)), strict=True):
        laplacian[i, i] += c
        laplacian[j, j] += c
        laplacian[i, j] -= c
        laplacian[j, i] -= c
        slope[i] += c
        slope[j] -= c
    return -torch.linalg.solve(laplacian[1:, 1:], slope[1:]) / p


def step_of(params, group, p=2.0, *, coupled=True):
    flows = Totals(params, group, list(params), p, torch.float64)
    into, out = flows.read(params)
    shares = flows.shares() if coupled else 2 * [torch.zeros(0, group.units).double()]
    return mean_field_step(into, out, *shares, p)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_it_is_newtons_step_where_matrices_have_rank_one(p):
    params, group = rank_one(p)
    assert_close(step_of(params, group, p), newton_step(params, group, p), rtol=1e-10, atol=1e-12)


def test_control_without_rank_one_or_couplings_it_is_not():
    params, group = initialised(WIDTHS)
    expected = newton_step(params, group, 2.0)
    assert (step_of(params, group) - expected).abs().max() > 1e-2
    params, group = rank_one(2.0)
    expected = newton_step(params, group, 2.0)
    assert (step_of(params, group, coupled=False) - expected).abs().max() > 1e-2


def test_in_wide_layers_one_step_divides_a_small_imbalance_by_more_than_ten():
    params, group = initialised((60, 300, 200, 120, 10))
    balanced = rescale(params, doubled_steps(params, group), group)
    draw = torch.Generator().manual_seed(0)
    scales = group.random(generator=draw, log_std=1e-3)
    scales[:300] *= 1.002  # a whole layer off: no unit can right that by itself
    near = rescale(balanced, scales, group)
    before = imbalance_of(near, group).max()
    after = [
        imbalance_of(rescale(near, step_of(near, group, coupled=c).exp(), group), group)
        for c in (True, False)
    ]
    assert after[0].max() < before / 10
    assert after[1].max() > before / 10  # control: each unit by itself
    away = rescale(near, (-step_of(near, group)).exp(), group)
    assert imbalance_of(away, group).max() > before  # control: the wrong way


def doubled_steps(params, group):
    """Scales of the minimum, by doubled steps edge by edge."""
    to, out_of, power = edges(params, group, 2.0)
    logs = torch.zeros(group.units + 1).double()
    for _ in range(400):
        flow = power * (2 * (logs[to] - logs[out_of])).exp()
        into, out = (torch.zeros_like(logs).index_add(0, end, flow) for end in (to, out_of))
        logs[1:] += (out / into).log()[1:] / 4
    return logs[1:].exp()


def test_equations_without_a_solution_give_nan():
    none, one = torch.zeros(0, 1).double(), torch.ones(1).double()
    assert mean_field_step(0 * one, 0 * one, none, none, 2.0).isnan().all()
    # a unit that only feeds itself: any scale would do
    assert mean_field_step(one, one, one[None], one[None], 2.0).isnan().all()
