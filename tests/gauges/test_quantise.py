"""Rounding to a few bits, against exact arithmetic number by number."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib import GaugeError
from gaugelib.gauges import quantise
from tests.balance.networks import initialised


def weight(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=draw, dtype=torch.float64)


def by_hand(row, bits):
    """Each number's nearest multiple of the step, exactly, and how far it is from it."""
    levels = 2 ** (bits - 1) - 1
    step = max(map(abs, row), default=Fraction(0)) / levels
    rounded = [round(x / step) * step if step else Fraction(0) for x in row]
    return rounded, step


def exact(value):
    return [Fraction(x) for x in value.reshape(-1).tolist()]


@given(
    st.lists(st.floats(-4, 4), min_size=1, max_size=12),
    st.integers(2, 16),
)
def test_each_weight_goes_to_the_nearest_multiple_of_the_step(numbers, bits):
    value = torch.tensor(numbers, dtype=torch.float64)
    found = exact(quantise(value, bits))
    _, step = by_hand(exact(value), bits)
    for x, there in zip(exact(value), found, strict=True):
        assert abs(there - x) <= step / 2 * (1 + Fraction(1, 2**40))
        whole = there / step if step else Fraction(0)
        assert abs(whole - round(whole)) < Fraction(1, 2**30)
        assert abs(round(whole)) <= 2 ** (bits - 1) - 1


@pytest.mark.parametrize("bits", [2, 3, 4, 8, 12])
@pytest.mark.parametrize("per_channel", [False, True])
def test_it_is_what_exact_arithmetic_gives(bits, per_channel):
    value = weight(4, 3, 2, 2)
    found = quantise(value, bits, per_channel=per_channel)
    rows = [exact(row) for row in value] if per_channel else [exact(value)]
    expected = [float(x) for row in rows for x in by_hand(row, bits)[0]]
    assert found.shape == value.shape
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(found.reshape(-1), expected, rtol=1e-14, atol=0)
    other = quantise(value, bits, per_channel=not per_channel)
    assert not torch.equal(found, other)  # control


def test_the_largest_is_kept_and_no_more_numbers_than_fit_are_used():
    value, even = weight(40, 50), torch.linspace(-1, 1, 2000, dtype=torch.float64)
    for bits in (2, 3, 5):
        assert quantise(value, bits).abs().max() == value.abs().max()
        assert len(quantise(even, bits).unique()) == 2**bits - 1
    rows = quantise(value, 3, per_channel=True)
    assert torch.equal(rows.abs().amax(1), value.abs().amax(1))
    assert torch.equal(rows[7], quantise(value[7], 3))


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_second_time_changes_nothing_and_signs_are_alike(per_channel):
    value = weight(7, 9)
    for bits in (2, 4, 8):
        found = quantise(value, bits, per_channel=per_channel)
        again = quantise(found, bits, per_channel=per_channel)
        torch.testing.assert_close(again, found, rtol=1e-15, atol=0)
        assert torch.equal(quantise(-value, bits, per_channel=per_channel), -found)


def test_zeros_stay_zeros():
    for per_channel in (False, True):
        assert torch.equal(quantise(torch.zeros(2, 3), per_channel=per_channel), torch.zeros(2, 3))
        value = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
        assert torch.equal(quantise(value, 4, per_channel=per_channel), value)
    assert quantise(torch.zeros(0, 3), per_channel=True).shape == (0, 3)
    assert quantise(torch.zeros(3, 0)).shape == (3, 0)
    assert quantise(torch.tensor(-1.5), per_channel=True) == -1.5


def test_units_of_weights_do_not_matter():
    value = weight(5, 6)
    found = quantise(value, 5)
    for power in (-1000, 3, 900):
        scale = 2.0**power
        assert torch.equal(quantise(value * scale, 5), found * scale)
    assert torch.equal(quantise(torch.tensor([5e-324, -5e-324])), torch.tensor([5e-324, -5e-324]))
    thin = torch.tensor([1e-40, 5e-41])  # below float32's normal range
    assert quantise(thin, 2)[0] == thin[0]


def test_dtypes_stay_and_float32_is_rounded_once():
    value = weight(6, 6).float()
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        narrow = value.to(dtype)
        found = quantise(narrow, 4)
        assert found.dtype == dtype
        assert torch.equal(found, quantise(narrow.double(), 4).to(dtype))


def test_a_unit_s_own_dial_commutes_with_rounding_by_rows_and_with_one_step_it_does_not():
    params, group = initialised((3, 4, 2), seed=5)
    a = torch.tensor([8.0, 0.25, 2.0, 1.0], dtype=torch.float64)
    one = params["0.weight"] * a[:, None]
    by_rows = quantise(params["0.weight"], 4, per_channel=True) * a[:, None]
    assert torch.equal(quantise(one, 4, per_channel=True), by_rows)
    assert not torch.equal(quantise(one, 4), quantise(params["0.weight"], 4) * a[:, None])
    last = params["2.weight"] / a  # control: of what flows out a row holds several dials
    assert not torch.equal(
        quantise(last, 4, per_channel=True), quantise(params["2.weight"], 4, per_channel=True) / a
    )
    assert group.units == 4


def test_the_argument_and_its_graph_are_left_alone():
    value = weight(3, 3).requires_grad_()
    before = value.detach().clone()
    assert not quantise(value).requires_grad
    assert torch.equal(value, before)


@pytest.mark.parametrize("bits", [1, 0, -3, 33, 2.0, 8.5, True, "8"])
def test_bits_that_leave_no_steps_are_refused(bits):
    with pytest.raises(GaugeError, match=f"bits must be a whole number from 2 to 32, found {bits}"):
        quantise(torch.ones(2), bits)


@pytest.mark.parametrize(
    "value", [torch.tensor([1]), torch.tensor([1j]), torch.tensor([1.0, torch.nan])]
)
def test_what_is_not_finite_real_floating_point_is_refused(value):
    with pytest.raises(GaugeError, match="must be finite real floating point"):
        quantise(value)
