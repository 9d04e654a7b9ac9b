"""The Hessian times a direction, against the dense Hessian and finite differences."""

import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from gaugelib import GaugeError, functional_call, hessian, params_of
from gaugelib.curvature import HessianProduct, hessian_product, hessian_trace, sharpness
from gaugelib.gradient import gradient
from tests.flow.problems import problem
from tests.tracing.zoo import build, loss_of

# torch.func, which the dense oracle stands on, has no rule for the others
DENSE = ["mlp", "cnn", "channel shuffle", "resnet", "tied autoencoder", "attention by hand"]


def direction_like(params, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.randn(v.shape, generator=draw).to(v) for name, v in params.items()}


def flat(values):
    return torch.cat([value.flatten() for value in values.values()])


@pytest.mark.parametrize("name", DENSE)
def test_the_product_is_that_of_the_dense_hessian(name):
    model, example = build(name)
    params, loss = params_of(model), loss_of(model, example)
    direction = direction_like(params)
    found = hessian_product(loss, params, direction)
    assert {n: v.shape for n, v in found.items()} == {n: v.shape for n, v in params.items()}
    expected = hessian(loss, params) @ flat(direction)
    assert_close(flat(found), expected, rtol=1e-11, atol=1e-11 * float(expected.abs().max()))


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_the_product_is_the_derivative_of_the_gradient(activation):
    given = problem(3, 5, 4, 2, activation=activation, seed=1)
    direction, step = direction_like(given.params), 1e-6

    def slope(by):
        moved = {n: value + by * direction[n] for n, value in given.params.items()}
        return flat(gradient(given.loss, moved))

    numeric = (slope(step) - slope(-step)) / (2 * step)
    found = flat(hessian_product(given.loss, given.params, direction))
    assert_close(found, numeric, rtol=1e-6, atol=1e-7)
    assert (found + numeric).norm() > 0.1 * numeric.norm()  # control: the wrong sign


def test_control_the_hessian_of_another_loss_is_another():
    given, other = problem(3, 5, 2, seed=1), problem(3, 5, 2, seed=2)
    direction = direction_like(given.params)
    found = flat(hessian_product(given.loss, given.params, direction))
    assert (found - hessian(other.loss, given.params) @ flat(direction)).norm() > 0.1 * found.norm()


def test_products_are_those_of_a_symmetric_matrix():
    model, example = build("resnet")
    params = params_of(model)
    product = HessianProduct(loss_of(model, example), params)
    one, two = direction_like(params, 1), direction_like(params, 2)
    left, right = flat(one) @ flat(product(two)), flat(two) @ flat(product(one))
    assert_close(left, right, rtol=1e-11, atol=1e-12)


def test_a_vector_is_a_direction_written_in_one_row():
    given = problem(3, 4, 2)
    product, direction = HessianProduct(given.loss, given.params), direction_like(given.params)
    assert torch.equal(product.of_vector(flat(direction)), flat(product(direction)))
    assert product.size == len(flat(direction))


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), ()])
def test_a_vector_of_another_shape_is_refused(shape):
    product = HessianProduct(lambda p: p["w"].square().sum(), {"w": torch.ones(3)})
    with pytest.raises(GaugeError, match=r"must have shape \(3,\), found"):
        product.of_vector(torch.ones(shape))


def test_the_product_is_zero_where_the_gradient_is_constant():
    params = {"a": torch.tensor([2.0]), "b": torch.tensor([3.0, 4.0]), "c": torch.tensor(5.0)}
    ones = {name: torch.ones_like(value) for name, value in params.items()}
    found = hessian_product(lambda p: p["a"].sum() * 7 + p["b"].prod(), params, ones)
    assert found == {"a": torch.tensor([0.0]), "b": pytest.approx([1.0, 1.0]), "c": 0.0}
    linear = hessian_product(lambda p: p["a"].sum() + p["b"].sum(), params, ones)
    assert all(not value.any() for value in linear.values())


def test_what_is_left_out_is_held_fixed_and_a_frozen_parameter_counts():
    given = problem(3, 4, 2)
    dense, names = hessian(given.loss, given.params), list(given.params)
    part = {"0.weight": given.params["0.weight"].clone().requires_grad_(False)}
    direction = direction_like(part)
    found = hessian_product(lambda p: given.loss({**given.params, **p}), part, direction)
    assert names[0] == "0.weight"
    assert_close(flat(found), dense[:12, :12] @ flat(direction), rtol=1e-12, atol=1e-12)


def test_the_loss_is_evaluated_once_so_dropout_is_drawn_once():
    model = nn.Sequential(nn.Linear(3, 20), nn.Dropout(0.5), nn.Tanh(), nn.Linear(20, 1)).double()
    x, calls = torch.randn(5, 3, dtype=torch.float64), []

    def loss(theta):
        calls.append(1)
        return functional_call(model, theta, (x,)).square().mean()

    params = params_of(model)
    direction, product = direction_like(params), HessianProduct(loss, params)
    first, second = flat(product(direction)), flat(product(direction))
    assert torch.equal(first, second)
    assert len(calls) == 1
    drawn_anew = flat(hessian_product(loss, params, direction))
    assert not torch.allclose(first, drawn_anew)  # control


def test_nothing_is_written_and_gradients_may_be_off():
    given = problem(3, 4, 2)
    params = {name: value.clone().requires_grad_() for name, value in given.params.items()}
    direction = direction_like(given.params)
    with torch.no_grad():
        found = hessian_product(given.loss, params, direction)
    assert not any(value.requires_grad for value in found.values())
    for name, value in params.items():
        assert value.grad is None
        assert torch.equal(value, given.params[name])


def test_float32_agrees_with_float64_to_its_digits():
    model, example = build("cnn")
    params = params_of(model)
    direction = direction_like(params)
    wide = flat(hessian_product(loss_of(model, example), params, direction))
    model, example = build("cnn", torch.float32)
    narrow = {name: value.float() for name, value in direction.items()}
    found = flat(hessian_product(loss_of(model, example), params_of(model), narrow))
    assert found.dtype == torch.float32
    assert (found.double() - wide).norm() < 1e-4 * wide.norm()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("0.bias"), r"missing \['0.bias'\], unknown \[\]"),
        (lambda d: d.update(x=torch.zeros(1)), r"unknown \['x'\]"),
        (lambda d: d.update({"0.bias": torch.zeros(3)}), r"shape \(4,\), found \(3,\)"),
        (lambda d: d["0.bias"].fill_(torch.inf), "direction of '0.bias' holds NaN or infinity"),
    ],
)
def test_a_direction_that_does_not_fit_is_refused(change, message):
    given = problem(3, 4, 2)
    direction = direction_like(given.params)
    change(direction)
    with pytest.raises(GaugeError, match=message):
        hessian_product(given.loss, given.params, direction)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p: p["w"], r"shape \(\), found \(2,\)"),
        (lambda p: torch.zeros(()), "none of the parameters"),
        (lambda p: p["w"].log().sum(), "gradient with respect to 'w' holds NaN"),
        (lambda p: p["w"].pow(1.5).sum(), "Hessian times a direction holds NaN or infinity at 'w'"),
    ],
)
def test_a_loss_without_a_second_derivative_is_refused(loss, message):
    params = {"w": torch.tensor([0.0, 1.0])}
    with pytest.raises(GaugeError, match=message):
        hessian_product(loss, params, {"w": torch.ones(2)})


@pytest.mark.parametrize("params", [{}, {"w": torch.zeros(0)}])
def test_no_parameters_are_refused(params):
    with pytest.raises(GaugeError, match="there are no parameters"):
        hessian_product(lambda p: torch.zeros((), requires_grad=True) * 2, params, params)


class OnlyOnce(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        return 2 * grad * ctx.saved_tensors[0]


def test_an_operation_that_torch_differentiates_only_once_is_refused():
    params = {"w": torch.ones(2)}
    with pytest.raises(GaugeError, match=r"an operation of the loss twice: .*once_differentiable"):
        hessian_product(lambda p: OnlyOnce.apply(p["w"]).square().sum(), params, params)


def test_fused_attention_is_differentiated_twice():
    x = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0)).double()
    params = {"w": torch.randn(8, 8, generator=torch.Generator().manual_seed(1)).double()}

    def by(attention):
        return lambda p: attention(x @ p["w"], x, x).square().sum()

    def by_hand(q, k, v):
        return (q @ k.transpose(1, 2) / 8**0.5).softmax(-1) @ v

    direction = direction_like(params)
    found = hessian_product(by(scaled_dot_product_attention), params, direction)["w"]
    expected = hessian(by(by_hand), params) @ flat(direction)
    assert_close(found.flatten(), expected, rtol=1e-11, atol=1e-12)


def test_parameters_that_were_changed_under_a_kept_graph_are_refused():
    params = {"w": torch.ones(2)}
    product = HessianProduct(lambda p: p["w"].pow(3).sum(), params)
    params["w"].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product(params)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.bool])
@pytest.mark.parametrize("of", [gradient, HessianProduct, sharpness, hessian_trace])
def test_parameters_that_are_no_real_numbers_are_refused(of, dtype):
    params = {"w": torch.ones(3, dtype=dtype)}
    with pytest.raises(GaugeError, match=f"'w' must be of a real floating dtype.*{dtype}"):
        of(lambda p: p["w"].abs().float().square().sum(), params)


def test_a_complex_loss_is_refused():
    with pytest.raises(GaugeError, match="must be real, found torch"):
        HessianProduct(lambda p: p["w"].sum() + 0j, {"w": torch.ones(3)})


def test_in_inference_mode_the_cause_is_told():
    params = {"w": torch.ones(3)}
    with torch.inference_mode(), pytest.raises(GaugeError, match="takes no derivatives"):
        gradient(lambda p: p["w"].square().sum(), params)
    with torch.inference_mode():
        made_there = {"w": torch.ones(3)}
    with pytest.raises(GaugeError, match="clone the parameters outside"):
        HessianProduct(lambda p: p["w"].square().sum(), made_there)
    clone = {"w": made_there["w"].clone()}
    assert gradient(lambda p: p["w"].square().sum(), clone)["w"].tolist() == [2.0] * 3
