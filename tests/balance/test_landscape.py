"""The norm along the orbit against autograd, its Laplacian by incidence, the saving by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    hat,
    laplacian,
    minimum_norm,
    mlp_group,
    params_of,
    predicted_saving,
    relative_imbalance,
    rescale,
    trace_group,
    weight_norm,
)
from gaugelib.balance import auxiliary, objective
from tests.balance.networks import FIGURE_2, WIRINGS, initialised, wired
from tests.balance.newton import imbalance_of
from tests.graphs import flat, random_graph


def hessian_of(function):
    """Reverse mode twice: forward mode still scripts its decompositions, and warns of it."""
    return torch.func.jacrev(torch.func.grad(function))


cases = {
    "seed": st.integers(0, 10_000),
    "p": st.sampled_from([0.5, 1.0, 2.0, 3.0]),
    "include_bias": st.booleans(),
}


@given(**cases)
def test_the_objective_is_the_norm_of_the_rescaled_network(seed, p, include_bias):
    graph = random_graph(2, 5, 2, seed=seed)
    scales = graph.group.random(generator=torch.Generator().manual_seed(seed))
    there = rescale(graph.params, scales, graph.group)
    expected = weight_norm(there, graph.group, p, include_bias=include_bias) ** p / p
    options = {"include_bias": include_bias}
    assert_close(objective(graph.params, scales.log(), graph.group, p, **options), expected)


@given(**cases)
def test_the_laplacian_is_incidence_times_power_times_incidence(seed, p, include_bias):
    graph = random_graph(2, 5, 2, seed=seed)
    incidence = graph.incidence()
    power = flat(graph.params).abs() ** p
    if not include_bias:
        power[-graph.units :] = 0.0
    expected = incidence @ torch.diag(power) @ incidence.T
    found = laplacian(graph.params, graph.group, p, include_bias=include_bias)
    assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", WIRINGS)
def test_the_hessian_of_the_norm_is_p_times_the_laplacian(name, p):
    model, example = wired(name)
    params, group = params_of(model), trace_group(model, example)
    zero = torch.zeros(group.units).double()
    hessian = hessian_of(lambda x: objective(params, x, group, p))(zero)
    assert_close(hessian, p * laplacian(params, group, p), rtol=1e-10, atol=1e-10)


def test_control_the_hessian_of_the_auxiliary_function_is_not():
    graph = random_graph(2, 5, 2)
    zero = torch.zeros(5).double()
    hessian = hessian_of(lambda x: auxiliary(graph.params, x, graph.group))(zero)
    assert_close(hessian, hessian.diag().diag())  # it separates over units
    assert (hessian - 2 * laplacian(graph.params, graph.group)).abs().max() > 1


def test_a_large_dense_laplacian_is_refused():
    params, group = initialised((2, 5000, 2))
    with pytest.raises(GaugeError, match="5000 units"):
        laplacian(params, group)


# --- the relative imbalance ---


@given(**cases)
def test_the_relative_imbalance_is_what_its_formula_says(seed, p, include_bias):
    graph = random_graph(2, 5, 2, seed=seed)
    found = relative_imbalance(graph.params, graph.group, p, include_bias=include_bias)
    assert_close(found, imbalance_of(graph.params, graph.group, p, include_bias))
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("size", [1e-150, 1e-40, 1e40, 1e150])
def test_the_relative_imbalance_has_no_unit(size):
    graph = random_graph(2, 5, 2)
    there = {name: value * size for name, value in graph.params.items()}
    here = relative_imbalance(graph.params, graph.group, 3.0)
    assert_close(relative_imbalance(there, graph.group, 3.0), here, rtol=1e-12, atol=0)
    assert_close(imbalance_of(there, graph.group, 3.0), here, rtol=1e-12, atol=1e-12)
    # control: the sums of the formula as it is written leave the range of floats
    assert not 0 < there["W"].abs().pow(3).sum() < math.inf or 1e-100 < size < 1e100


# --- the saving that totals predict ---


@pytest.mark.parametrize(
    ("widths", "predicted"), list(zip(FIGURE_2, (0.251, 0.401, 0.598))), ids=["L3", "L5", "L7"]
)
def test_totals_predict_the_saving_of_wide_networks(widths, predicted):
    params, group = initialised(widths)
    ratio = predicted_saving(params, group)
    totals = [value.square().sum().item() for value in params.values()]
    geometric = math.exp(sum(math.log(total) for total in totals) / len(totals))
    assert math.isclose(ratio, geometric / (sum(totals) / len(totals)), rel_tol=1e-12)
    assert abs(ratio - predicted) < 3e-3
    before, *_, after = minimum_norm(params, group).history.objective.tolist()
    assert after / before < ratio < 1.03 * after / before


def test_control_totals_do_not_predict_that_of_uneven_ones():
    params, group = initialised((20, 30, 20, 5), log_std=2.0)
    before, *_, after = minimum_norm(params, group).history.objective.tolist()
    assert predicted_saving(params, group) > 1.5 * after / before


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("name", WIRINGS)
def test_the_prediction_is_the_best_of_one_scale_a_layer(name, p):
    model, example = wired(name)
    params, group = params_of(model), trace_group(model, example)
    ratio = predicted_saving(params, group, p)

    def along(shift):
        sizes = torch.tensor([span.stop - span.start for span in group.layers.values()])
        return objective(params, shift.repeat_interleave(sizes), group, p)

    shift = torch.zeros(len(group.layers), dtype=torch.float64)
    start = along(shift)
    for _ in range(100):  # Newton's method once more, differentiated by autograd
        step = torch.linalg.solve(hessian_of(along)(shift), torch.func.grad(along)(shift))
        shift = shift - step / max(1.0, p * float(step.abs().max()) * 2)
    assert math.isclose(ratio, float(along(shift) / start), rel_tol=1e-10)


def test_without_flow_there_is_no_prediction():
    params = params_of(hat())
    params["2.weight"].zero_()
    with pytest.raises(GaugeError, match="nothing flows"):
        predicted_saving(params, mlp_group(hat()))
