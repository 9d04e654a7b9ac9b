"""Rescaling in every precision: rounded once, refused by name where the dtype cannot hold it."""

from fractions import Fraction

import pytest
import torch
from torch import nn

from gaugelib import (
    Entry,
    GaugeError,
    GaugeGroup,
    from_gauge_coordinates,
    functional_call,
    gauge_coordinates,
    generator,
    hat,
    mlp_group,
    orbit,
    params_of,
    rescale,
)
from gaugelib.testing import assert_gauge_invariant

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
NARROW = [torch.float16, torch.bfloat16, torch.float32]


def between(value, dtype):
    """One weight from unit 2 into unit 1, and its group."""
    entry = Entry(torch.tensor([1]), torch.tensor([2]))
    group = GaugeGroup(2, {"ab": slice(0, 2)}, {"w": entry}, {"w": torch.Size([1])})
    return {"w": torch.tensor([value], dtype=dtype)}, group


def network(dtype, seed=0, size=1.0):
    draw = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 8))
    params = {
        name: (size * torch.randn(value.shape, generator=draw, dtype=torch.float64)).to(dtype)
        for name, value in model.named_parameters()
    }
    return params, mlp_group(model)


def scales_of(*values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype)


# --- one rounding, in a wider type ---


def _rescale_(params, scales, group):
    full = group.with_ground(scales, ground=1.0)
    for name, value in params.items():
        entry = group.entries[name]
        wide = value.double()  # itself, if it is wide already
        wide.mul_(full[entry.target].to(wide)).div_(full[entry.source].to(wide))
        value.copy_(wide)


def test_a_factor_beyond_the_dtype_does_no_harm_where_the_product_is_within():
    params, group = between(1e-4, torch.float16)
    scales = scales_of(1e3, 1e-3)  # their ratio, 1e6, is infinity in float16
    found = rescale(params, scales, group)["w"]
    assert found.dtype == torch.float16
    assert found.tolist() == pytest.approx([100.0], rel=2**-10)
    assert torch.isinf(params["w"] * (scales[0] / scales[1]).half()).all()  # control


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_entry_is_the_exact_product_rounded_once(dtype):
    params, group = network(dtype)
    scales = group.random(generator=torch.Generator().manual_seed(1))
    found = rescale(params, scales, group)
    eps = Fraction(torch.finfo(dtype).eps)
    rounded_twice = 0
    for row in range(64):
        factor = Fraction(1) / Fraction(scales[row].item())
        before, after = params["2.weight"][0, row], found["2.weight"][0, row]
        exact = Fraction(before.item()) * factor
        # half a unit in the last place; in float64 the ratio and the product round, one each
        allowed = 2 * eps if dtype == torch.float64 else eps / 2 * (1 + Fraction(1, 2**20))
        assert abs(Fraction(after.item()) - exact) <= allowed * abs(exact)
        cast_first = before * (1 / scales[row]).to(dtype)
        rounded_twice += abs(Fraction(cast_first.item()) - exact) > allowed * abs(exact)
    assert (rounded_twice > 0) is (dtype != torch.float64)  # control: the factor cast beforehand


@pytest.mark.parametrize("dtype", NARROW)
def test_the_tangent_and_the_orbit_are_rounded_once_too(dtype):
    params, group = network(dtype)
    wide = {name: value.double() for name, value in params.items()}
    rates = torch.randn(64, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found, exact = generator(params, rates, group), generator(wide, rates, group)
    assert all(torch.equal(found[n], exact[n].to(dtype)) for n in params)
    (found,), (exact,) = (orbit(p, rates, group, scales_of(0.3)) for p in (params, wide))
    assert all(torch.equal(found[n], exact[n].to(dtype)) for n in params)
    cast = (params["2.weight"] * -rates.to(dtype)).eq(generator(params, rates, group)["2.weight"])
    assert not cast.all()  # control


def test_a_rate_beyond_the_dtype_does_no_harm_where_the_velocity_is_within():
    params, group = between(1e-4, torch.float16)
    found = generator(params, scales_of(5e5, -5e5), group)["w"]
    assert found.tolist() == pytest.approx([100.0], rel=2**-10)


def test_gauge_coordinates_lead_back_in_half_precision():
    params, group = network(torch.float16)
    back = from_gauge_coordinates(gauge_coordinates(params, group), group)
    for name, value in params.items():
        torch.testing.assert_close(back[name], value, rtol=3e-3, atol=0)


def test_rescaling_is_differentiable_in_parameters_and_scales():
    params, group = network(torch.float32)
    theta = {name: value.requires_grad_() for name, value in params.items()}
    scales = group.random(generator=torch.Generator().manual_seed(3)).requires_grad_()
    total = sum(value.double().sum() for value in rescale(theta, scales, group).values())
    slope, at_scales = torch.autograd.grad(total, [theta["2.weight"], scales])
    torch.testing.assert_close(slope, (1 / scales).float().expand(8, 64))
    into = params["0.weight"].double().sum(1) + params["0.bias"].double()
    out = params["2.weight"].double().sum(0)
    torch.testing.assert_close(at_scales, into - out / scales**2)


# --- what the dtype cannot hold is refused by name ---

BEYOND = [(torch.float16, 1e6), (torch.bfloat16, 1e39), (torch.float32, 1e39)]


@pytest.mark.parametrize(("dtype", "scale"), BEYOND)
def test_an_entry_that_would_become_infinite_is_refused_by_name(dtype, scale):
    params, group = network(dtype)
    scales = group.identity()
    scales[5] = scale
    message = (
        r"of the 1024 entries of '0\.weight' become infinite: \w+ ends at .*; "
        "use scales closer to 1, or rescale the parameters as float64"
    )
    with pytest.raises(GaugeError, match=message):
        rescale(params, scales, group)
    rescale({n: v.double() for n, v in params.items()}, scales, group)  # the advice holds


@pytest.mark.parametrize(("dtype", "scale"), [(d, 1e-3 / s**1.5) for d, s in BEYOND])
def test_a_weight_that_would_become_zero_is_refused_by_name(dtype, scale):
    params, group = network(dtype)
    params["0.weight"][5, 0] = 0.0  # it was zero before, and does not count
    scales = group.identity()
    scales[5] = scale
    message = (
        r"15 of the 1024 entries of '0\.weight' become zero, which would change the function: "
        r"the smallest number of \w+ is .*; use scales closer to 1, "
        "or rescale the parameters as float64"
    )
    with pytest.raises(GaugeError, match=message):
        rescale(params, scales, group)
    rescale({n: v.double() for n, v in params.items()}, scales, group)  # the advice holds


def test_float64_is_not_sent_to_float64():
    params, group = between(1e300, torch.float64)
    with pytest.raises(GaugeError, match=r"become infinite: .*use scales closer to 1$"):
        rescale(params, scales_of(1e20, 1.0), group)
    with pytest.raises(GaugeError, match="'w' joins units whose scales are so far"):
        rescale(params, scales_of(1e-200, 1e200), group)


# --- scales in another precision, on another graph, of another kind ---


@pytest.mark.parametrize("dtype", NARROW)
def test_scales_are_used_as_they_are_whatever_the_dtype_of_the_model(dtype):
    x = torch.linspace(-1, 3, 17, dtype=torch.float64)[:, None]
    scales = scales_of(0.3, 7.7, 1.9, dtype=dtype)
    assert assert_gauge_invariant(hat(), x, scales=scales) < 1e-14
    group, params = mlp_group(hat()), params_of(hat())
    found, exact = (rescale(params, s, group) for s in (scales, scales.double()))
    assert all(torch.equal(found[n], exact[n]) for n in params)
    # control: where each ratio is rounded to the dtype of the scales, the function moves
    rounded = {**found, "2.weight": params["2.weight"] * (1 / scales).double()}
    f, g = (functional_call(hat(), p, x) for p in (params, rounded))
    assert (f - g).abs().max() > 1e-9


@pytest.mark.parametrize("dtype", NARROW)
def test_directions_and_times_are_used_as_they_are(dtype):
    params, group = params_of(hat()), mlp_group(hat())
    direction, times = scales_of(0.3, -7.7, 1.9, dtype=dtype), scales_of(0.1, 0.7, dtype=dtype)
    pairs = zip(
        orbit(params, direction, group, times),
        orbit(params, direction.double(), group, times.double()),
        strict=True,
    )
    for found, exact in pairs:
        assert all(torch.equal(found[n], exact[n]) for n in params)
    found, exact = (generator(params, d, group) for d in (direction, direction.double()))
    assert all(torch.equal(found[n], exact[n]) for n in params)


def test_whole_numbers_are_no_scales_and_the_message_says_what_to_do():
    with pytest.raises(GaugeError, match=r"found torch\.int64; use scales\.double\(\)"):
        rescale(params_of(hat()), torch.tensor([2, 1, 1]), mlp_group(hat()))


def test_a_direction_that_is_no_tensor_of_the_right_shape_is_refused():
    for bad in ([1.0, 1.0, 1.0], torch.ones(4)):
        with pytest.raises(GaugeError, match=r"shape \(3,\); found"):
            generator(params_of(hat()), bad, mlp_group(hat()))
        with pytest.raises(GaugeError, match=r"shape \(3,\); found"):
            next(orbit(params_of(hat()), bad, mlp_group(hat()), torch.ones(1)))


@pytest.mark.cuda
def test_scales_and_directions_may_lie_on_another_device():
    params, group = params_of(hat().cuda()), mlp_group(hat())
    scales = scales_of(2.0, 0.5, 4.0)
    for moved in (rescale(params, scales, group), generator(params, scales, group)):
        assert all(value.is_cuda for value in moved.values())
    (moved,) = orbit(params, scales.cuda(), group, torch.ones(1))
    assert all(value.is_cuda for value in moved.values())


# --- there and back, bit for bit ---


def there_and_back(dtype, *, exact=False):
    """Ordinary weights, rescaled by powers of two and back; how many entries differ."""
    params, group = network(dtype, size=1e-4 if dtype == torch.float16 else 1.0)
    scales = torch.exp2(torch.arange(64).double() % 7 - 3)
    there = rescale(params, scales, group, exact=exact)
    back = rescale(there, 1 / scales, group)
    return sum(int((back[name] != params[name]).sum()) for name in params)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_powers_of_two_lead_there_and_back_bit_for_bit(dtype):
    assert there_and_back(dtype) == there_and_back(dtype, exact=True) == 0


def test_control_float16_loses_digits_and_exact_refuses():
    assert there_and_back(torch.float16) > 100
    message = (
        r"of the 1024 entries of '0\.weight' lose digits, of which float16 keeps fewer below "
        r"6\.1e-05; use scales closer to 1, or rescale the parameters as float64"
    )
    with pytest.raises(GaugeError, match=message):
        there_and_back(torch.float16, exact=True)


def test_float16_weights_in_the_normal_range_are_kept_bit_for_bit():
    params, group = network(torch.float16)
    params = {name: value.sign() * value.abs().clamp(min=0.01) for name, value in params.items()}
    scales = torch.exp2(torch.arange(64).double() % 7 - 3)
    back = rescale(rescale(params, scales, group, exact=True), 1 / scales, group, exact=True)
    assert all(torch.equal(back[name], params[name]) for name in params)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_refuses_scales_that_are_no_powers_of_two(dtype):
    params, group = params_of(hat()), mlp_group(hat())
    message = r"powers of two; scales\[1\], of layer '0', is 3\.0; round them"
    with pytest.raises(GaugeError, match=message):
        rescale(params, scales_of(2.0, 3.0, 0.5, dtype=dtype), group, exact=True)
    rounded = torch.exp2(torch.log2(scales_of(2.0, 3.0, 0.5, dtype=dtype)).round())
    rescale(params, rounded, group, exact=True)  # the advice holds


def test_the_normal_range_ends_where_the_book_says():
    assert torch.finfo(torch.float16).smallest_normal == pytest.approx(6.1e-5, rel=1e-3)
    wide = [torch.finfo(dtype).smallest_normal for dtype in DTYPES if dtype != torch.float16]
    assert max(wide) < 1e-37
    params, group = between(1679 * 2.0**-24, torch.float16)
    assert params["w"].item() == pytest.approx(1e-4, rel=1e-3)
    halved = rescale(params, scales_of(0.5, 1.0), group)
    assert rescale(halved, scales_of(2.0, 1.0), group)["w"].item() != params["w"].item()
    with pytest.raises(GaugeError, match="lose digits"):
        rescale(params, scales_of(0.5, 1.0), group, exact=True)


@pytest.mark.parametrize("dtype", NARROW)
def test_the_verification_of_a_traced_group_rounds_once_too(dtype):
    params, group = network(dtype)
    scales = group.random(generator=torch.Generator().manual_seed(4))
    exact = rescale(params, scales, group)
    found = {name: value.clone() for name, value in params.items()}
    _rescale_(found, scales, group)
    assert all(torch.equal(found[name], exact[name]) for name in params)
    once = params["2.weight"] * (1 / scales).to(dtype)
    assert not torch.equal(once, exact["2.weight"])  # control: the factor cast beforehand
