"""In flat coordinates every modulated flow is plain gradient flow."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import GaugeError, gradient_flow
from gaugelib.flow import flat_coordinates, from_flat_coordinates
from tests.flow.problems import charges, linear, problem


@given(
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=5),
    p=st.floats(0.3, 4.0),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_flat_coordinates_lead_back(values, p, dtype):
    theta = {"w": torch.tensor([v if abs(v) > 1e-3 else 0.0 for v in values], dtype=dtype)}
    flat = flat_coordinates(theta, p)
    assert flat["w"].dtype == dtype
    assert torch.equal(flat["w"].sign(), theta["w"].sign())
    near = 1e-4 if dtype == torch.float32 else 1e-12
    assert_close(from_flat_coordinates(flat, p)["w"], theta["w"], rtol=near, atol=0)
    by_hand = [math.copysign(2 / p * abs(v) ** (p / 2), v) for v in theta["w"].tolist()]
    assert_close(flat["w"], torch.tensor(by_hand, dtype=dtype), rtol=near, atol=0)


def ends(p, q):
    """End of the flow with exponent p, and of plain gradient flow in coordinates made with q."""
    made = problem(3, 4, 2, activation=linear)
    path = gradient_flow(made.loss, made.params, until=0.5, steps=50, p=p)
    plain = gradient_flow(
        lambda flat: made.loss(from_flat_coordinates(flat, q)),
        flat_coordinates(made.params, q),
        until=0.5,
        steps=50,
    )
    return path.at(-1), from_flat_coordinates(plain.at(-1), q)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0])
def test_flat_coordinates_turn_every_flow_into_gradient_flow(p):
    modulated, plain = ends(p, p)
    for name, value in modulated.items():
        assert_close(plain[name], value, rtol=0, atol=1e-9)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_the_charge_is_a_difference_of_squares_of_flat_coordinates(p):
    made = problem(3, 4, 3, 2)
    squares = charges(flat_coordinates(made.params, p), 2.0)
    assert_close(p**2 / 4 * squares, charges(made.params, p), rtol=1e-12, atol=1e-13)
    other = charges(flat_coordinates(made.params, p + 0.1), 2.0)  # the control
    assert (p**2 / 4 * other - charges(made.params, p)).abs().max() > 1e-2


def test_control_coordinates_of_another_exponent_do_not():
    modulated, plain = ends(1.0, 1.5)
    assert max(float((plain[n] - v).abs().max()) for n, v in modulated.items()) > 1e-2


def test_coordinates_of_what_is_not_finite_are_refused():
    for change in (flat_coordinates, from_flat_coordinates):
        with pytest.raises(GaugeError, match="'w' holds NaN"):
            change({"v": torch.ones(2), "w": torch.tensor([1.0, math.nan])}, 1.0)
        with pytest.raises(GaugeError, match="found 0"):
            change({"w": torch.ones(2)}, 0.0)
    with pytest.raises(GaugeError, match=r"leaves the range of torch.float32"):
        from_flat_coordinates({"w": torch.tensor([1e30])}, 0.5)
