"""One solver for every gauge: Newton's minimum, what balances there, and what is refused."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    balance_coefficients,
    functional_call,
    minimum_norm,
    rescale,
    trace_group,
)
from gaugelib.gauges import gauss_newton_diagonal, gradient_square
from tests.balance.networks import WIRINGS, chain, initialised, layered, wired
from tests.gauges.convex import drawn, flat, incidence, newton

EXPONENTS = [2.0, 1.0, 0.3, -1.0, -2.0, -7.0]
TINY = 1e-12


def group_of(name):
    if name == "layered":
        return initialised((3, 6, 5, 2), bias=True)[1]
    return trace_group(*wired(name))


def balanced(coefficients, group, exponent, **options):
    return balance_coefficients(coefficients, group, exponent=exponent, tol=TINY, **options)


# --- the minimum ---


@pytest.mark.parametrize("name", ["layered", *WIRINGS])
@pytest.mark.parametrize("include_bias", [True, False])
def test_one_solver_finds_newtons_minimum_in_every_gauge(name, include_bias):
    group = group_of(name)
    coefficients, names = drawn(group), group.counted(include_bias)
    matrix, values = incidence(group, names), flat(coefficients, names)
    for exponent in EXPONENTS:
        found = balanced(coefficients, group, exponent, include_bias=include_bias)
        expected = newton(matrix, values, exponent)
        assert_close(found.scales.log(), expected, rtol=0, atol=1e-8)
        assert found.converged
        there = values * (exponent * (matrix @ expected)).exp()
        assert_close(flat(found.params, names), there, rtol=1e-7, atol=0)
    # control: with the other sign it is another gauge
    assert (found.scales.log() + expected).abs().max() > 1e-2


def test_the_other_sign_of_the_exponent_inverts_the_scales():
    group = group_of("residual")
    one, other = (balanced(drawn(group), group, k) for k in (1.5, -1.5))
    assert_close(one.scales * other.scales, group.identity(), rtol=1e-10, atol=0)
    assert_close(one.params, other.params, rtol=1e-10, atol=0)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
def test_powers_of_the_weights_give_the_minimum_norm_gauge(p):
    params, group = initialised((4, 7, 6, 3), bias=True)
    powers = {name: value.abs().pow(p) for name, value in params.items()}
    found = balanced(powers, group, p, include_bias=False)
    norm = minimum_norm(params, group, p=p, tol=TINY)
    assert_close(found.scales, norm.scales, rtol=1e-9, atol=0)
    assert_close(rescale(params, found.scales, group), norm.params, rtol=1e-9, atol=0)


def test_the_last_correction_is_that_of_the_scales():
    params, group = initialised((4, 7, 6, 3))
    found = {k: balance_coefficients(params_abs(params), group, exponent=k) for k in (1.0, -4.0)}
    assert_close(found[-4.0].last_correction, found[1.0].last_correction / 4)


def params_abs(params):
    return {name: value.abs() for name, value in params.items()}


# --- what balances there ---


def problem():
    params, group = initialised((3, 7, 5, 2), bias=True, seed=3)
    model = torch.nn.Sequential(*_layers((3, 7, 5, 2)))
    draw = torch.Generator().manual_seed(4)
    x = torch.randn(40, 3, generator=draw, dtype=torch.float64)
    y = torch.randn(40, 2, generator=draw, dtype=torch.float64)

    def squared(theta, batch):
        rows = functional_call(model, theta, (x[batch],)) - y[batch]
        return rows.square().sum(1).mean() / 2

    def outputs(theta):
        return functional_call(model, theta, (x,))

    return params, group, squared, outputs


def _layers(widths):
    for fan_in, fan_out in itertools.pairwise(widths):
        yield torch.nn.Linear(fan_in, fan_out, dtype=torch.float64)
        if fan_out != widths[-1]:
            yield torch.nn.ReLU()


def gamma(coefficients, group):
    into, out = group.totals(coefficients)
    live = into + out > 0  # some unit may never be active
    return float(((into - out).abs() / (into + out))[live].max())


@pytest.mark.parametrize("kind", ["gradients", "curvature"])
def test_at_the_network_there_the_coefficients_measured_anew_balance(kind):
    params, group, squared, outputs = problem()

    def measure(theta):
        if kind == "curvature":
            return gauss_newton_diagonal(outputs, theta)
        return gradient_square(squared, theta, torch.arange(40).split(4))

    at = measure(params)
    found = balanced(at, group, -2.0)
    assert gamma(at, group) > 0.1
    anew = measure(rescale(params, found.scales, group))
    assert gamma(anew, group) < 1e-9
    assert_close(anew, found.params, rtol=1e-9, atol=1e-12)
    assert sum(flat(anew, anew)) < sum(flat(at, at))
    # control: coefficients that followed as weights do would be balanced elsewhere
    wrong = balanced(at, group, 2.0)
    assert gamma(measure(rescale(params, wrong.scales, group)), group) > 0.1


# --- where there is a minimum, and whether one only ---


def test_a_unit_of_which_no_coefficient_counts_keeps_its_scale_and_the_rest_balance():
    """The sum is smallest there, if not only there: such a unit does not hurt."""
    coefficients, group = layered([[2.0], [0.0]], [[8.0, 0.0]])
    found = balanced(coefficients, group, -2.0)
    assert found.dead_names == ("0[1]",)
    assert_close(found.scales, torch.tensor([2.0**-0.5, 1.0], dtype=torch.float64))
    matrix, values = incidence(group, group.shapes), flat(coefficients, group.shapes)
    for other in (-3.0, 5.0):  # nothing depends on it
        alpha = torch.tensor([float(found.scales[0].log()), other], dtype=torch.float64)
        assert_close(values @ (-2 * matrix @ alpha).exp(), torch.tensor(8.0).double())
    assert_close(sum(flat(found.params, group.shapes)), torch.tensor(8.0).double())


def test_control_with_coefficients_in_and_none_out_the_sum_falls_without_end():
    coefficients, group = layered([[2.0], [1.0]], [[8.0, 0.0]])
    found = balanced(coefficients, group, -2.0)
    assert found.dead_names == ("0[1]",)
    assert found.scales[1] == 1
    assert_close(sum(flat(found.params, group.shapes)), torch.tensor(9.0).double())
    matrix, values = incidence(group, group.shapes), flat(coefficients, group.shapes)
    alpha = torch.tensor([float(found.scales[0].log()), 20.0], dtype=torch.float64)
    assert values @ (-2 * matrix @ alpha).exp() < 8 + 1e-9


def test_with_no_coefficient_at_all_nothing_moves():
    group = group_of("dense")
    zeros = {name: torch.zeros(shape) for name, shape in group.shapes.items()}
    found = balanced(zeros, group, -2.0)
    assert_close(found.scales, group.identity(), rtol=0, atol=0)
    assert len(found.dead) == group.units
    assert found.converged


# --- numbers of any size and kind ---


@pytest.mark.parametrize("unit", [1e-250, 1e-30, 1e30, 1e250])
def test_the_unit_of_the_coefficients_does_not_matter(unit):
    group = group_of("layered")
    coefficients = drawn(group)
    scaled = {name: value * unit for name, value in coefficients.items()}
    one, other = balanced(coefficients, group, -2.0), balanced(scaled, group, -2.0)
    assert_close(one.scales, other.scales, rtol=1e-9, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
def test_other_dtypes_are_taken_as_the_float64_they_are(dtype):
    group = group_of("layered")
    whole = {n: (4 * v).round().clamp(1, 90).to(dtype) for n, v in drawn(group).items()}
    wide = {name: value.double() for name, value in whole.items()}
    before = {name: value.clone() for name, value in whole.items()}
    found = balanced(whole, group, -2.0)
    assert torch.equal(found.scales, balanced(wide, group, -2.0).scales)
    assert all(value.dtype == torch.float64 for value in found.params.values())
    assert_close(whole, before, rtol=0, atol=0)


def test_a_negative_zero_is_a_zero():
    coefficients, group = layered([[2.0], [-0.0]], [[8.0, -0.0]])
    found = balanced(coefficients, group, -2.0)
    assert found.dead_names == ("0[1]",)
    assert not any(bool(torch.signbit(value).any()) for value in found.params.values())


def test_a_graph_of_coefficients_that_could_be_differentiated_is_left_alone():
    group = group_of("layered")
    coefficients = {n: v.requires_grad_() * 1.0 for n, v in drawn(group).items()}
    found = balanced(coefficients, group, -2.0)
    assert not found.scales.requires_grad
    assert not any(value.requires_grad for value in found.params.values())


# --- what is refused ---


def test_a_negative_coefficient_is_refused_by_name_where_it_counts():
    coefficients, group = initialised((3, 4, 2), bias=True)
    coefficients = params_abs(coefficients)
    coefficients["0.bias"][1] = -0.25
    with pytest.raises(GaugeError, match=r"must not be negative, found -0\.25 in '0\.bias'"):
        balance_coefficients(coefficients, group, exponent=-2)
    balance_coefficients(coefficients, group, exponent=-2, include_bias=False)  # control


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1j])
def test_what_is_no_finite_real_number_is_refused(value):
    coefficients, group = chain(1.0, 2.0)
    coefficients["2.weight"] = torch.full((1, 1), value)
    with pytest.raises(GaugeError, match=r"finite real number; '2\.weight' holds others"):
        balance_coefficients(coefficients, group, exponent=-2)


@pytest.mark.parametrize("exponent", [0, 0.0, math.nan, math.inf, -math.inf])
def test_exponents_that_move_nothing_are_refused(exponent):
    coefficients, group = chain(1.0, 2.0)
    with pytest.raises(GaugeError, match="exponent must be a finite number other than 0"):
        balance_coefficients(coefficients, group, exponent=exponent)


@pytest.mark.parametrize("exponent", [1e-4, -1e-4, 1e-310, -5e-324])
def test_scales_out_of_range_are_refused(exponent):
    coefficients, group = chain(1.0, 2.0)
    with pytest.raises(GaugeError, match=r"at unit 0\[0\] is 1\.41; .* too near to 0"):
        balance_coefficients(coefficients, group, exponent=exponent)
    balance_coefficients(coefficients, group, exponent=1e-2)  # control: 2^50
    even, group = chain(2.0, 2.0)
    assert balance_coefficients(even, group, exponent=exponent).scales == 1


def test_other_names_shapes_and_restricted_groups_are_refused():
    coefficients, group = initialised((3, 4, 2), bias=True)
    coefficients = params_abs(coefficients)
    with pytest.raises(GaugeError, match="only parameters of kind 'weight'"):
        balance_coefficients(coefficients, group.restrict("weight"), exponent=-2)
    short = {name: value for name, value in coefficients.items() if name != "0.bias"}
    with pytest.raises(GaugeError, match=r"missing \['0\.bias'\]"):
        balance_coefficients(short, group, exponent=-2)
    turned = {**coefficients, "0.weight": coefficients["0.weight"].T}
    with pytest.raises(GaugeError, match=r"must have shape \(4, 3\), found \(3, 4\)"):
        balance_coefficients(turned, group, exponent=-2)
    with pytest.raises(GaugeError, match="tol"):
        balance_coefficients(coefficients, group, exponent=-2, tol=0.0)
