"""With `exact`, each scale becomes the nearest power of two, and what is told is what is there."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, minimum_norm, rescale, weight_norm
from tests.balance.networks import initialised
from tests.balance.newton import imbalance_of
from tests.balance.test_minimum_norm import NETWORKS


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("network", NETWORKS)
def test_each_scale_becomes_the_nearest_power_of_two(network, p):
    params, group = NETWORKS[network]()
    far = group.random(generator=torch.Generator().manual_seed(2), log_std=2.0)
    params = rescale(params, far, group)
    free = minimum_norm(params, group, p=p, tol=1e-10)
    found = minimum_norm(params, group, p=p, tol=1e-10, exact=True)
    assert torch.equal(found.scales, torch.exp2(free.scales.log2().round()))
    assert (found.scales != free.scales).any()
    assert all(
        torch.equal(value, rescale(params, found.scales, group)[name])
        for name, value in found.params.items()
    )
    assert_close(found.imbalance, imbalance_of(found.params, group, p).max().item())
    norms = [weight_norm(result.params, group, p).item() for result in (free, found)]
    assert norms[0] < norms[1] < 2**0.5 * norms[0]
    assert_close(found.history.objective[-1] ** (1 / p), torch.tensor(norms[1]).double())


@pytest.mark.parametrize("exponent", [-3, -1, 0, 2])
def test_scales_are_rounded_in_logarithms(exponent):
    """Between 1 and 2 the middle is √2, not 3/2."""
    params, group = NETWORKS["one layer"]()
    units = group.units
    near = torch.tensor([1.40, 1.43, 0.72, 0.70, 1.0, 1.49]).double() * 2.0**exponent
    balanced = minimum_norm(params, group, tol=1e-13).params
    found = minimum_norm(rescale(balanced, 1 / near, group), group, tol=1e-13, exact=True)
    assert units == len(near)
    assert_close(
        found.scales, torch.tensor([1.0, 2.0, 1.0, 0.5, 1.0, 2.0]).double() * 2.0**exponent
    )


def test_exact_refuses_a_gauge_in_which_a_half_precision_weight_loses_digits():
    _, group = initialised((1, 2, 1))
    params = {
        "0.weight": torch.tensor([[2.74e-4], [1.0]], dtype=torch.float16),
        "2.weight": torch.tensor([[1.8e-7, 1.0]], dtype=torch.float16),
    }
    with pytest.raises(GaugeError, match=r"'0\.weight' lose digits"):
        minimum_norm(params, group, exact=True)
    wide = {name: value.double() for name, value in params.items()}
    back = rescale(
        minimum_norm(wide, group, exact=True).params,
        1 / minimum_norm(wide, group, exact=True).scales,
        group,
    )
    assert all(torch.equal(back[name], wide[name]) for name in wide)  # control: float64 loses none
