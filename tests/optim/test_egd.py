"""Exponentiated gradient descent: the update as written, and what follows from it."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import EGD, GaugeError, charge, imbalance, params_of
from tests.balance.networks import initialised, multilayer

KINDS = [torch.float64, torch.float32]


def drawn(seed, dtype=torch.float64, shape=(6, 5)):
    draw = torch.Generator().manual_seed(seed)
    value, grad = (torch.randn(shape, generator=draw, dtype=dtype) for _ in range(2))
    parameter = nn.Parameter(value)
    parameter.grad = grad
    return parameter


def by_hand(value, grad, lr, decay, sign=lambda w: math.copysign(1.0, w)):
    """Eq. (40), number by number, in float64."""
    new = [
        w * math.exp(-lr * sign(w) * g - lr * decay)
        for w, g in zip(value.flatten().tolist(), grad.flatten().tolist(), strict=True)
    ]
    return torch.tensor(new, dtype=torch.float64).reshape(value.shape)


def off(found, expected):
    """Largest relative difference, in units of the last place."""
    far = (found.double() - expected).abs() / expected.abs()
    return float(far.max()) / torch.finfo(found.dtype).eps


@pytest.mark.parametrize("dtype", KINDS)
def test_one_step_is_the_written_update(dtype):
    parameter = drawn(0, dtype)
    expected = by_hand(parameter.detach(), parameter.grad, 0.3, 0.02)
    EGD([parameter], lr=0.3, weight_decay=0.02).step()
    assert off(parameter.detach(), expected) < 3


@pytest.mark.parametrize(
    "sign", [lambda w: 1.0, lambda w: -math.copysign(1.0, w), lambda w: w / (1 + abs(w))]
)
def test_control_other_signs_give_another_update(sign):
    parameter = drawn(0)
    expected = by_hand(parameter.detach(), parameter.grad, 0.3, 0.02, sign)
    EGD([parameter], lr=0.3, weight_decay=0.02).step()
    assert off(parameter.detach(), expected) > 1e10


def test_large_parameters_are_updated_whole():
    parameter = drawn(1, torch.float32, (700, 500))  # several pieces
    value, grad = parameter.detach().clone(), parameter.grad.clone()
    EGD([parameter], lr=0.3, weight_decay=0.02).step()
    expected = value.double() * (-0.3 * (value.double().sign() * grad.double() + 0.02)).exp()
    assert off(parameter.detach(), expected) < 4
    assert torch.equal(parameter.grad, grad)


@pytest.mark.parametrize("shape", [(), (7,), (3, 2, 2, 2), (0, 3)])
def test_parameters_of_any_shape_are_updated(shape):
    parameter = drawn(2, shape=shape)
    expected = by_hand(parameter.detach(), parameter.grad, 0.3, 0.0)
    EGD([parameter], lr=0.3).step()
    assert_close(parameter.detach(), expected, rtol=1e-15, atol=0.0)


def test_a_parameter_that_is_not_contiguous_is_updated_in_place():
    base = drawn(3).detach()
    parameter = nn.Parameter(base.t())
    parameter.grad = torch.ones_like(parameter)
    expected = by_hand(parameter.detach(), parameter.grad, 0.3, 0.0)
    EGD([parameter], lr=0.3).step()
    assert_close(base.t(), expected, rtol=1e-15, atol=0.0)


def test_no_sign_ever_changes_and_zero_stays_zero():
    draw = torch.Generator().manual_seed(4)
    parameter = nn.Parameter(torch.tensor([1.0, -1.0, 0.0, -0.0, 1e-3, -1e-3]).double())
    signs, optimizer = parameter.detach().sign(), EGD([parameter], lr=0.5, weight_decay=0.1)
    plain = parameter.detach().clone()
    for _ in range(300):
        parameter.grad = torch.randn(6, generator=draw, dtype=torch.float64)
        plain = plain - 0.5 * parameter.grad
        optimizer.step()
    assert torch.equal(parameter.detach().sign(), signs)
    assert not torch.equal(plain.sign(), signs)  # control: gradient descent


def test_without_gradient_weights_decay_exponentially():
    parameter = nn.Parameter(torch.tensor([3.0, -2.0]).double())
    optimizer = EGD([parameter], lr=0.1, weight_decay=0.5)
    for _ in range(40):
        parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    expected = math.exp(-0.1 * 0.5 * 40) * torch.tensor([3.0, -2.0]).double()
    assert_close(parameter.detach(), expected, rtol=1e-13, atol=0.0)


def test_a_group_of_biases_need_not_decay():
    weight, bias, unused = drawn(5), drawn(6, shape=(4,)), nn.Parameter(torch.ones(2))
    expected = (
        by_hand(weight.detach(), weight.grad, 0.2, 0.3),
        by_hand(bias.detach(), bias.grad, 0.1, 0.0),
    )
    biases = {"params": [bias, unused], "lr": 0.1, "weight_decay": 0.0}
    EGD([{"params": [weight]}, biases], lr=0.2, weight_decay=0.3).step()
    assert_close((weight.detach(), bias.detach()), expected, rtol=1e-14, atol=0.0)
    assert unused.tolist() == [1.0, 1.0]  # it has no gradient


# --- its charge ---


def drift(optimizer_of, eta, p=1.0):
    """How far one step moves the charge, for a loss that sees outputs only."""
    params, group = initialised((3, 6, 5, 2), seed=2)
    model = multilayer((3, 6, 5, 2))
    model.load_state_dict(params)
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.randn(8, n, generator=draw, dtype=torch.float64) for n in (3, 2))
    (model(x) - y).square().mean().backward()
    optimizer_of(model.parameters(), lr=eta).step()
    return (imbalance(params_of(model), group, p) - imbalance(params, group, p)).norm()


def test_one_step_moves_the_charge_of_l1_at_second_order():
    ratio = float(drift(EGD, 0.02) / drift(EGD, 0.01))
    assert 3.8 < ratio < 4.2


def left_over(eta, decay, half=0.5, shrunk=True):
    """What one step with decay leaves of Δ' − e^(−ηλ) (Δ + η²/2 B(|θ| ⊙ (∇L)²))."""
    params, group = initialised((3, 6, 5, 2), seed=2)
    model = multilayer((3, 6, 5, 2))
    model.load_state_dict(params)
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.randn(8, n, generator=draw, dtype=torch.float64) for n in (3, 2))
    (model(x) - y).square().mean().backward()
    bend = group.collect({n: w.detach().abs() * w.grad**2 for n, w in model.named_parameters()})
    EGD(model.parameters(), lr=eta, weight_decay=decay).step()
    before, after = (charge(p, group, 1.0) for p in (params, params_of(model)))
    factor = math.exp(-eta * decay) if shrunk else 1.0
    return float((after - factor * (before + half * eta**2 * bend)).norm())


def test_one_step_with_decay_moves_the_charge_as_its_expansion_says():
    ratio = left_over(0.02, 0.3) / left_over(0.01, 0.3)
    assert 7.5 < ratio < 8.5  # what is left is of third order


@pytest.mark.parametrize("wrong", [{"half": 1.0}, {"shrunk": False}])
def test_control_without_the_factor_or_the_half_more_is_left(wrong):
    assert left_over(0.02, 0.3, **wrong) / left_over(0.01, 0.3, **wrong) < 5


def test_control_gradient_descent_or_another_charge_moves_at_first_order():
    for optimizer, p in ((torch.optim.SGD, 1.0), (EGD, 2.0)):
        ratio = float(drift(optimizer, 2e-4, p) / drift(optimizer, 1e-4, p))
        assert 1.9 < ratio < 2.1


# --- as an optimizer of torch ---


def test_a_closure_is_evaluated_once_with_gradients():
    parameter = nn.Parameter(torch.tensor([2.0]).double())
    optimizer = EGD([parameter], lr=0.1)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        calls.append(float(loss.detach()))
        return loss

    assert optimizer.step(closure).detach() == 4.0
    assert calls == [4.0]
    assert_close(parameter.detach(), torch.tensor([2 * math.exp(-0.4)]).double())


def test_schedules_and_states_work():
    parameter = drawn(7)
    optimizer = EGD([parameter], lr=0.4, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    expected = by_hand(parameter.detach(), parameter.grad, 0.4, 0.1)
    expected = by_hand(expected, parameter.grad, 0.2, 0.1)
    optimizer.step()
    schedule.step()
    other = EGD([parameter], lr=9.0)
    other.load_state_dict(optimizer.state_dict())
    other.step()
    assert_close(parameter.detach(), expected, rtol=1e-14, atol=0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "lr must be a finite number >= 0, found -1.0"),
        ({"lr": math.nan}, "lr must be"),
        ({"lr": math.inf}, "lr must be"),
        ({"weight_decay": -1e-9}, "weight_decay must be"),
    ],
)
def test_a_rate_out_of_range_is_refused(options, message):
    with pytest.raises(GaugeError, match=message):
        EGD([drawn(0)], **options)
    with pytest.raises(GaugeError, match=message):
        EGD([{"params": [drawn(0)], **options}])


def test_complex_parameters_and_sparse_gradients_are_refused():
    with pytest.raises(GaugeError, match=r"real floating point, found torch\.complex64"):
        EGD([nn.Parameter(torch.ones(2, dtype=torch.complex64))])
    table = nn.Embedding(4, 3, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(GaugeError, match=r"shape \(4, 3\) is sparse"):
        EGD(table.parameters()).step()


@pytest.mark.cuda
def test_the_update_on_cuda_is_that_of_the_cpu():
    there, here = drawn(8, torch.float32), drawn(8, torch.float32)
    there = nn.Parameter(there.detach().cuda())
    there.grad = here.grad.cuda()
    for parameter in (there, here):
        EGD([parameter], lr=0.3, weight_decay=0.02).step()
    assert_close(there.detach().cpu(), here.detach())


def test_without_a_learning_rate_it_takes_the_papers():
    assert EGD([nn.Parameter(torch.ones(1))]).defaults == {"lr": 0.1, "weight_decay": 0.0}
