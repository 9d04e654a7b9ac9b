"""Coordinates lead to the same point from whatever point of the orbit one starts."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import from_gauge_coordinates, gauge_coordinates, log_ratio
from gaugelib.soft import GaugeCoordinates
from tests.balance.test_minimum_norm import NETWORKS


@pytest.mark.parametrize("sign", [-1.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_representative_may_be_any_point_of_the_orbit(network, sign):
    params, group = NETWORKS[network]()
    balanced = gauge_coordinates(params, group)
    wanted = sign * log_ratio(params, group)
    assert wanted.abs().max() > 0.1
    found = from_gauge_coordinates(GaugeCoordinates(wanted, params, False), group)
    expected = from_gauge_coordinates(
        GaugeCoordinates(wanted, balanced.representative, False), group
    )
    assert_close(log_ratio(found, group), wanted, rtol=0, atol=1e-12)
    assert_close(found, expected, rtol=1e-9, atol=0)


def test_control_another_orbit_leads_elsewhere():
    params, group = NETWORKS["chain"]()
    other = {
        name: value * torch.arange(1, 1 + len(value)).to(value).view(-1, *(1,) * (value.dim() - 1))
        for name, value in params.items()
    }
    u = log_ratio(params, group)
    found = [from_gauge_coordinates(GaugeCoordinates(u, p, False), group) for p in (params, other)]
    assert (found[0]["0.weight"] - found[1]["0.weight"]).abs().max() > 0.1
