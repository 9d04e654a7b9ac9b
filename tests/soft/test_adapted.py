"""Log-ratios are coordinates of the whole orbit, and its balanced point names it."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    from_gauge_coordinates,
    gauge_coordinates,
    hat,
    log_ratio,
    mlp_group,
    params_of,
    relative_imbalance,
    rescale,
)
from gaugelib.soft import GaugeCoordinates
from tests.balance.networks import initialised
from tests.balance.newton import newton
from tests.soft.problems import NETWORKS, flat, moved_relative, network, ratios, walk


def drawn(group, seed, log_std=1.0):
    draw = torch.Generator().manual_seed(seed)
    return log_std * torch.randn(group.units, generator=draw, dtype=torch.float64)


# --- the log-ratio ---


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_log_ratio_is_what_its_formula_says(name, include_bias):
    _, _, params, group = network(name)
    found = log_ratio(params, group, include_bias=include_bias)
    assert_close(found, ratios(params, group, include_bias), rtol=1e-12, atol=1e-12)
    gamma = relative_imbalance(params, group, include_bias=include_bias)
    assert_close(found.tanh().abs(), gamma, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_the_log_ratio_has_no_unit(size):
    params, group = initialised((3, 5, 4, 2))
    there = {name: value * size for name, value in params.items()}
    assert_close(log_ratio(there, group), log_ratio(params, group), rtol=1e-12, atol=1e-12)
    assert not ratios(there, group).isfinite().all() or 1e-200 < size < 1e200  # control: by squares


@pytest.mark.parametrize("name", NETWORKS)
def test_a_gauge_moves_it_by_a_matrix_whose_inverse_is_nowhere_negative(name):
    _, _, params, group = network(name)
    zero = torch.zeros(group.units).double()
    jacobian = torch.func.jacrev(lambda a: log_ratio(rescale(params, a.exp(), group), group))(zero)
    assert_close(jacobian, 2 * (torch.eye(group.units).double() - walk(params, group)))
    assert torch.linalg.inv(jacobian).min() > -1e-12


def test_control_a_walk_along_incoming_weights_alone_is_not_that_matrix():
    _, _, params, group = network("layered")
    zero = torch.zeros(group.units).double()
    jacobian = torch.func.jacrev(lambda a: log_ratio(rescale(params, a.exp(), group), group))(zero)
    one_way = walk(params, group).tril() * 2
    assert (jacobian - 2 * (torch.eye(group.units).double() - one_way)).abs().max() > 0.3


# --- there and back ---


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_coordinates_lead_back_to_the_network(name, include_bias):
    _, _, params, group = network(name)
    scrambled = rescale(params, drawn(group, 1).exp(), group)
    coords = gauge_coordinates(scrambled, group, include_bias=include_bias)
    back = from_gauge_coordinates(coords, group)
    assert_close(back, scrambled, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("log_std", [1.0, 5.0, 20.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_coordinate_is_taken_once_without_moving_the_function(name, log_std):
    model, example, params, group = network(name)
    target = drawn(group, 2, log_std)
    coords = gauge_coordinates(params, group)
    there = from_gauge_coordinates(replace(coords, imbalance=target), group)
    assert_close(ratios(there, group), target, rtol=1e-12, atol=1e-12)
    assert moved_relative(model, example, params, there) < 1e-12
    # from another point of the orbit the same one is reached
    other = rescale(coords.representative, drawn(group, 3).exp(), group)
    again = from_gauge_coordinates(GaugeCoordinates(target, other), group)
    assert_close(again, there, rtol=1e-10, atol=0.0)


def test_control_a_tanh_network_moves():
    params, group = initialised((3, 6, 5, 2))
    model = nn.Sequential(*[m for n in ((3, 6), (6, 5)) for m in (nn.Linear(*n), nn.Tanh())])
    model = nn.Sequential(*model, nn.Linear(5, 2)).double()
    for layer in model:
        if isinstance(layer, nn.Linear):
            layer.bias = None
    coords = gauge_coordinates(params, group)
    there = from_gauge_coordinates(replace(coords, imbalance=drawn(group, 2)), group)
    assert moved_relative(model, torch.ones(2, 3).double(), params, there) > 0.05


@pytest.mark.parametrize("name", NETWORKS)
def test_the_representative_is_the_point_of_smallest_norm(name):
    _, _, params, group = network(name)
    expected = rescale(params, newton(params, group).exp(), group)
    for scales in (drawn(group, 1).exp(), drawn(group, 2, 3.0).exp()):
        found = gauge_coordinates(rescale(params, scales, group), group)
        assert_close(found.representative, expected, rtol=1e-11, atol=1e-13)


def test_control_the_smallest_sum_of_absolute_values_is_elsewhere():
    _, _, params, group = network("layered")
    expected = rescale(params, newton(params, group, p=1.0).exp(), group)
    found = gauge_coordinates(params, group).representative
    assert (flat(found) - flat(expected)).abs().max() > 0.05


def test_coordinates_can_be_differentiated():
    params, group = initialised((3, 4, 3, 2))
    coords, steps = gauge_coordinates(params, group), [drawn(group, k) for k in (4, 5)]
    at = coords.imbalance.clone().requires_grad_()
    found = flat(from_gauge_coordinates(replace(coords, imbalance=at), group))
    weights = torch.linspace(-1, 1, len(found)).double()
    (slope,) = torch.autograd.grad(found @ weights, at)
    for step in steps:
        ends = [
            flat(from_gauge_coordinates(replace(coords, imbalance=at.detach() + h * step), group))
            for h in (-1e-5, 1e-5)
        ]
        assert_close(slope @ step, (ends[1] - ends[0]) @ weights / 2e-5, rtol=1e-6, atol=1e-9)


def test_the_representative_has_no_derivative_along_the_orbit():
    params, group = initialised((3, 4, 3, 2))
    step = drawn(group, 4)

    def along(time):
        moved = rescale(params, (time * step).exp(), group)
        return flat(gauge_coordinates(moved, group).representative)

    time = torch.zeros(()).double().requires_grad_()
    (slope,) = torch.autograd.grad(along(time).square().sum(), time)
    assert abs(float(slope)) < 1e-10


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtypes_and_arguments_stay(dtype):
    params, group = initialised((3, 5, 4, 2))
    params = {name: value.to(dtype) for name, value in params.items()}
    before = {name: value.clone() for name, value in params.items()}
    coords = gauge_coordinates(params, group)
    back = from_gauge_coordinates(coords, group)
    assert coords.imbalance.dtype == dtype
    assert all(value.dtype == dtype for value in back.values())
    assert_close(back, params, rtol=8 * torch.finfo(dtype).eps, atol=0.0)
    assert all(torch.equal(params[name], before[name]) for name in params)


# --- what is refused ---


def test_dead_units_are_named():
    params = params_of(hat())
    params["2.weight"][0, 2] = 0.0
    for asked in (log_ratio, gauge_coordinates):
        with pytest.raises(GaugeError, match=r"dead units: 0\[2\]"):
            asked(params, mlp_group(hat()))


def test_a_unit_that_only_dead_ones_read_is_dead():
    params, group = initialised((2, 3, 3, 2))
    params["4.weight"][:, 0] = 0.0  # nothing reads unit 0 of the second layer,
    params["2.weight"][1:, 1] = 0.0  # the only one that reads unit 1 of the first
    with pytest.raises(GaugeError, match=r"dead units: 0\[1\], 2\[0\]"):
        gauge_coordinates(params, group)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nan_and_infinity_are_refused(value):
    params, group = initialised((2, 3, 2))
    coords = gauge_coordinates(params, group)
    far = replace(coords, imbalance=torch.tensor([0.0, value, 0.0]).double())
    with pytest.raises(GaugeError, match=r"u of unit 0\[1\]"):
        from_gauge_coordinates(far, group)
    params["0.weight"][0, 0] = value
    with pytest.raises(GaugeError, match=r"'0.weight' holds NaN or infinity"):
        log_ratio(params, group)


def test_wrong_shapes_restricted_and_large_groups_are_refused():
    params, group = initialised((2, 3, 2))
    coords = gauge_coordinates(params, group)
    with pytest.raises(GaugeError, match=r"shape \(3,\)"):
        from_gauge_coordinates(replace(coords, imbalance=torch.zeros(4)), group)
    with pytest.raises(GaugeError, match="kind 'weight'"):
        log_ratio(params, group.restrict("weight"))
    with pytest.raises(GaugeError, match="5000 units"):
        gauge_coordinates(*initialised((1, 5000, 1)))
