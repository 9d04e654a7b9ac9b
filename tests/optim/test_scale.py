"""Rescaling in place."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import mlp_group, params_of, rescale, trace_group
from gaugelib.optim.scale import scale_
from tests.balance.networks import WIRINGS, wired
from tests.optim.problems import network


def copies(params, dtype):
    return {name: value.to(dtype, copy=True) for name, value in params.items()}


@pytest.mark.parametrize(
    ("dtype", "room"), [(torch.float64, 1e-15), (torch.float32, 3e-7), (torch.bfloat16, 1e-2)]
)
@pytest.mark.parametrize("name", WIRINGS)
def test_tensors_are_rescaled_as_the_action_says(name, dtype, room):
    model, example = wired(name)
    params, group = params_of(model), trace_group(model, example)
    scales = group.random(generator=torch.Generator().manual_seed(0))
    found = copies(params, dtype)
    kept = dict(found)
    scale_(found, scales, group)
    expected = rescale(copies(copies(params, dtype), torch.float64), scales, group)
    assert_close(copies(found, torch.float64), expected, rtol=room, atol=0.0)
    assert all(found[n] is kept[n] and found[n].dtype == dtype for n in kept)


def test_some_tensors_may_be_missing():
    model = network((3, 5, 4, 2))
    params, group = params_of(model), mlp_group(model)
    scales = group.random(generator=torch.Generator().manual_seed(0))
    found = {"2.weight": params["2.weight"].clone()}
    scale_(found, scales, group)
    assert_close(found["2.weight"], rescale(params, scales, group)["2.weight"])


def test_scales_whose_ratios_alone_are_in_range_are_applied():
    model = network((3, 5, 4, 2), dtype=torch.float32)
    params, group = params_of(model), mlp_group(model)
    scales = torch.full((9,), 1e60, dtype=torch.float64)
    found = {"2.weight": params["2.weight"].clone()}
    scale_(found, scales, group)
    assert torch.equal(found["2.weight"], params["2.weight"])
    # control: neither factor alone is a number of this precision
    alone = params["2.weight"] * scales[5:, None].to(torch.float32) / scales[:5].to(torch.float32)
    assert alone.isnan().any()
