"""Bad input to the action is refused by name, and the caller's tensors stay untouched."""

import math

import pytest
import torch

from gaugelib import GaugeError, generator, hat, mlp_group, orbit, params_of, rescale
from tests.graphs import random_graph

# --- bad input ---


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_scales_that_are_not_positive_numbers_are_refused_by_layer_and_unit(bad):
    model = hat()
    params = params_of(model)
    kept = {name: value.clone() for name, value in params.items()}
    with pytest.raises(GaugeError, match=rf"scales\[1\], of layer '0', is {bad}"):
        rescale(params, torch.tensor([1.0, bad, 1.0]), mlp_group(model))
    assert all(torch.equal(params[name], kept[name]) for name in params)


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (torch.ones(4), r"shape \(3,\); found \(4,\)"),
        (torch.ones(1, 3), r"shape \(3,\); found \(1, 3\)"),
        (torch.ones(3, dtype=torch.int64), "floating point"),
        ([1.0, 1.0, 1.0], "found list"),
    ],
)
def test_scales_of_another_shape_or_type_are_refused(scales, message):
    with pytest.raises(GaugeError, match=message):
        rescale(params_of(hat()), scales, mlp_group(hat()))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_parameters_that_are_not_numbers_are_refused_by_name(bad):
    params = params_of(hat())
    params["2.weight"][0, 1] = bad
    with pytest.raises(GaugeError, match=r"'2.weight' holds NaN or infinity"):
        rescale(params, torch.ones(3), mlp_group(hat()))


def test_a_restricted_group_measures_but_does_not_act():
    weights_only = mlp_group(hat()).restrict("weight")
    with pytest.raises(GaugeError, match="counts only parameters of kind 'weight'"):
        rescale(params_of(hat()), torch.ones(3), weights_only)
    with pytest.raises(GaugeError, match="counts only"):
        generator(params_of(hat()), torch.ones(3), weights_only)


def test_times_must_be_a_vector():
    with pytest.raises(GaugeError, match="times"):
        next(orbit(params_of(hat()), torch.ones(3), mlp_group(hat()), torch.tensor(1.0)))


def test_the_caller_s_tensors_stay_untouched():
    graph = random_graph(2, 5, 2, seed=6)
    scales = graph.group.random(generator=torch.Generator().manual_seed(6))
    kept = {name: value.clone() for name, value in graph.params.items()}
    asked = scales.clone()
    moved = rescale(graph.params, scales, graph.group)
    generator(graph.params, scales, graph.group)
    assert all(torch.equal(graph.params[name], kept[name]) for name in kept)
    assert torch.equal(scales, asked)
    assert all(moved[name].data_ptr() != graph.params[name].data_ptr() for name in kept)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_each_parameter_keeps_its_dtype(dtype):
    params = {name: value.to(dtype) for name, value in params_of(hat()).items()}
    moved = rescale(params, torch.tensor([2.0, 0.5, 4.0]).double(), mlp_group(hat()))
    assert {value.dtype for value in moved.values()} == {dtype}
    assert moved["2.weight"].tolist() == [[0.5, -4.0, 0.25]]


@pytest.mark.cuda
def test_rescaling_stays_on_the_device():
    model = hat().cuda()
    moved = rescale(params_of(model), torch.tensor([2.0, 0.5, 4.0]).cuda(), mlp_group(model))
    assert all(value.is_cuda for value in moved.values())
    assert moved["2.weight"].tolist() == [[0.5, -4.0, 0.25]]
