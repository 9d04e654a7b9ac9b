"""Weights before a normalisation: ⟨w, ∇_wL⟩ = 0, H w = -∇L, sharpness as |w|⁻²; and with an ε."""

import itertools

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.testing import assert_close

from tests.curvature.vector import flat, second, slope, slope_and_products, unflat

D, WIDTH, K, N = 4, 5, 2, 20
DRAW = torch.Generator().manual_seed(0)
X = torch.randn(N, D, generator=DRAW, dtype=torch.float64)
Y = torch.randn(N, K, generator=DRAW, dtype=torch.float64)
LIKE = {  # w, whose product is normalised, and u, the rest
    "w": torch.randn(WIDTH, D, generator=DRAW, dtype=torch.float64),
    "gain": 1.0 + 0.3 * torch.randn(WIDTH, generator=DRAW, dtype=torch.float64),
    "shift": 0.3 * torch.randn(WIDTH, generator=DRAW, dtype=torch.float64),
    "last": torch.randn(K, WIDTH, generator=DRAW, dtype=torch.float64),
}
THETA, M = flat(LIKE), WIDTH * D  # the first M entries are w


def over(z, dims, centre, eps):
    z = z - z.mean(dims, keepdim=True) if centre else z
    return z / (z.square().mean(dims, keepdim=True) + eps).sqrt()


NORMS = {  # by hand: what is averaged over
    "batch": lambda z, eps: over(z, 0, True, eps),
    "layer": lambda z, eps: over(z, 1, True, eps),
    "root mean square": lambda z, eps: over(z, 1, False, eps),
    "weight": lambda z, eps: z,  # the weight itself is divided by its length
}
norms = pytest.mark.parametrize("norm", NORMS)


def loss_of(norm, act=torch.relu):
    """L(θ; ε)."""

    def loss(theta, eps):
        made = unflat(theta, LIKE)
        w = made["w"]
        if norm == "weight":
            w = w / (w.square().sum() + eps).sqrt()
        z = NORMS[norm](X @ w.T, eps) * made["gain"] + made["shift"]
        return (act(z) @ made["last"].T - Y).square().mean()

    return loss


def at(eps):
    return torch.tensor(eps, dtype=torch.float64)


def longer(theta, factor):
    return torch.cat([factor * theta[:M], theta[M:]])


def only_w(theta):
    return torch.cat([theta[:M], torch.zeros(len(theta) - M).double()])


# --- without ε ---


@norms
def test_the_gradient_is_orthogonal_and_the_hessian_turns_it_round(norm):
    loss = lambda theta: loss_of(norm)(theta, at(0.0))  # noqa: E731
    gradient, products = slope_and_products(loss, THETA, only_w(THETA)[:, None])
    size = float(gradient.abs().max())
    assert size > 1e-3
    assert abs(THETA[:M] @ gradient[:M]) <= 1e-12 * float((THETA * gradient)[:M].abs().sum())
    product = products[:, 0]
    assert_close(product[:M], -gradient[:M], rtol=1e-12, atol=1e-12 * size)  # H_ww w = -∇_w
    assert product[M:].abs().max() <= 1e-12 * size  # H_uw w = 0
    assert (product[:M] - gradient[:M]).abs().max() > 0.1 * size  # the control: a wrong sign


@norms
@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_the_sharpness_falls_with_the_square_of_the_length(norm, factor):
    loss = lambda theta: loss_of(norm)(theta, at(0.0))  # noqa: E731
    here, there = second(loss, THETA), second(loss, longer(THETA, factor))
    size = float(here.abs().max())
    assert_close(factor**2 * there[:M, :M], here[:M, :M], rtol=1e-11, atol=1e-12 * size)
    assert_close(factor * there[M:, :M], here[M:, :M], rtol=1e-11, atol=1e-12 * size)
    assert_close(there[M:, M:], here[M:, M:], rtol=1e-11, atol=1e-12 * size)
    sharpest = [torch.linalg.eigvalsh(part[:M, :M])[-1] for part in (here, there)]
    assert_close(sharpest[1], sharpest[0] / factor**2, rtol=1e-11, atol=0.0)
    assert float((there - here / factor**2).abs().max()) > 1e-2  # the control: not all of H


MODULES = {  # PyTorch's own
    "batch": lambda eps: nn.BatchNorm1d(6, eps=eps),
    "layer": lambda eps: nn.LayerNorm(6, eps=eps),
    "group": lambda eps: nn.GroupNorm(2, 6, eps=eps),
    "root mean square": lambda eps: nn.RMSNorm(6, eps=eps),
}


def with_module(kind, eps, bias, training=True):
    """A network around one of them; the loss, θ, and which entries enter the normalisation."""
    model = nn.Sequential(
        nn.Linear(D, 6, bias=bias), MODULES[kind](eps), nn.ReLU(), nn.Linear(6, K)
    )
    model = model.double().train(training)
    draw = torch.Generator().manual_seed(3)
    params = {
        name: torch.randn(value.shape, generator=draw, dtype=torch.float64)
        for name, value in model.named_parameters()
    }

    def loss(theta):
        buffers = {name: value.clone() for name, value in model.named_buffers()}
        return (
            (functional_call(model, {**unflat(theta, params), **buffers}, (X,)) - Y).square().mean()
        )

    enters = flat({k: torch.full_like(v, float(k.startswith("0."))) for k, v in params.items()})
    return loss, flat(params), enters


def left_over(loss, theta, enters):
    """⟨w, ∇_wL⟩ and HAθ + A∇L, both relative to the gradient of w."""
    gradient, products = slope_and_products(loss, theta, (enters * theta)[:, None])
    size = (enters * gradient).norm()
    first = abs(theta @ (enters * gradient)) / (theta * enters).norm() / size
    return float(first), float((products[:, 0] + enters * gradient).norm() / size)


@pytest.mark.parametrize("kind", MODULES)
def test_with_the_layers_of_pytorch(kind):
    """The bias before the layer belongs to w."""
    none = 1e-200 if kind == "batch" else 0.0  # zero is refused there, and this adds nothing
    assert max(left_over(*with_module(kind, none, True))) <= 1e-12


@pytest.mark.parametrize("kind", ["layer", "group", "root mean square"])
def test_control_without_the_bias_before_the_layer_it_fails(kind):
    loss, theta, enters = with_module(kind, 0.0, True)
    enters[D * 6 : D * 6 + 6] = 0.0
    assert left_over(loss, theta, enters)[1] > 1e-2


def test_control_with_statistics_that_are_kept_there_is_no_invariance():
    assert min(left_over(*with_module("batch", 0.0, False, training=False))) > 1e-2


def test_control_without_a_normalisation_there_is_none():
    loss = lambda theta: (X @ theta[:M].view(WIDTH, D).T).relu().square().mean()  # noqa: E731
    enters = torch.cat([torch.ones(M), torch.zeros(len(THETA) - M)]).double()
    assert min(left_over(loss, THETA, enters)) > 0.1


# --- with ε ---


def eps_rates(norm, eps):
    """dL/dε and d∇L/dε."""
    loss = loss_of(norm)
    leaf, number = THETA.clone().requires_grad_(), at(eps).requires_grad_()
    gradient, by_eps = torch.autograd.grad(loss(leaf, number), (leaf, number), create_graph=True)
    return gradient.detach(), by_eps.detach(), torch.autograd.grad(by_eps, leaf)[0]


@norms
@pytest.mark.parametrize("eps", [1e-5, 1e-2, 0.5])
def test_what_is_left_over_is_the_derivative_by_epsilon(norm, eps):
    loss = lambda theta: loss_of(norm)(theta, at(eps))  # noqa: E731
    gradient, by_eps, turned = eps_rates(norm, eps)
    product = slope_and_products(loss, THETA, only_w(THETA)[:, None])[1][:, 0]
    size = float(gradient.abs().max())
    assert_close(THETA[:M] @ gradient[:M], -2 * eps * by_eps, rtol=1e-9, atol=1e-12 * size)
    left = product + only_w(gradient)  # H_ww w + ∇_wL, and H_uw w
    assert_close(left, -2 * eps * turned, rtol=1e-9, atol=1e-12 * size)
    if eps > 1e-3:
        assert abs(THETA[:M] @ gradient[:M]) > 1e-4 * size  # the control: no longer orthogonal
        assert left.abs().max() > 1e-4 * size


@norms
def test_the_derivative_by_epsilon_is_that_of_differences(norm):
    loss, eps, step = loss_of(norm), 0.3, 1e-4
    _, by_eps, turned = eps_rates(norm, eps)
    ends = [loss(THETA, at(eps + s)) for s in (step, -step)]
    slopes = [slope(lambda v, s=s: loss(v, at(eps + s)), THETA) for s in (step, -step)]
    assert_close(by_eps, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-8)
    assert_close(turned, (slopes[0] - slopes[1]) / (2 * step), rtol=1e-6, atol=1e-8)


@norms
@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0])
def test_a_longer_weight_has_a_smaller_epsilon(norm, factor):
    loss, eps = loss_of(norm), 0.04
    here = second(lambda theta: loss(theta, at(eps / factor**2)), THETA)
    there = second(lambda theta: loss(theta, at(eps)), longer(THETA, factor))
    assert_close(loss(longer(THETA, factor), at(eps)), loss(THETA, at(eps / factor**2)))
    size = float(here.abs().max())
    assert_close(factor**2 * there[:M, :M], here[:M, :M], rtol=1e-11, atol=1e-12 * size)
    same = second(lambda theta: loss(theta, at(eps)), THETA)  # the control: with the same ε
    assert (factor**2 * there - same)[:M, :M].abs().max() > 1e-5 * size


@pytest.mark.parametrize("kind", MODULES)
def test_with_the_layers_of_pytorch_the_rest_is_of_the_size_of_epsilon(kind):
    found = [left_over(*with_module(kind, eps, False))[1] for eps in (1e-3, 1e-5, 1e-7)]
    assert found[0] > 1e-6
    for more, less in itertools.pairwise(found):
        assert 50 < more / less < 200
