"""Squared gradients and two diagonals, against loops, dense matrices and closed forms."""

import pytest
import torch
from torch import nn
from torch.autograd.functional import hessian as dense_hessian
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from gaugelib import GaugeError, functional_call, mlp_group, params_of, rescale
from gaugelib.gauges import gauss_newton_diagonal, gradient_square, hessian_diagonal
from tests.balance.networks import Tied, multilayer, wired

WIDTHS = (4, 6, 5, 3)


class Pooled(nn.Module):
    """Convolutions, normalised in evaluation, pooled by maxima and by means."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.two, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

    def forward(self, x):
        x = torch.relu(self.norm(self.one(x)))
        x = torch.relu(self.two(nn.functional.max_pool2d(x, 2)))
        return self.last(x.mean((2, 3)))


def models(name):
    """A model, inputs for it, and classes."""
    draw = torch.Generator().manual_seed(1)
    shape = {"convolutional": (5, 2, 6, 6), "pooled": (5, 2, 8, 8)}.get(name, (5, 4))
    x = torch.randn(shape, generator=draw, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        if name == "pooled":
            model = Pooled().double().eval()
        elif name in ("layered", "float32"):
            model = multilayer(WIDTHS, bias=True)
        elif name == "tanh":
            model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
        elif name == "PReLU":  # torch has no rule to map it over examples
            model = nn.Sequential(nn.Linear(4, 6), nn.PReLU(6), nn.Linear(6, 3)).double()
        else:
            model = wired(name)[0]
    outputs = model(x).shape[1]
    return model, x, torch.arange(5) % outputs


def by_examples(model, x, loss):
    """The diagonal from the Jacobian of each example, row by row, and the loss's own Hessian."""
    params = dict(model.named_parameters())
    total = {name: torch.zeros_like(value) for name, value in params.items()}
    for example in x:
        f = model(example[None])[0]
        slopes = [torch.autograd.grad(one, list(params.values()), retain_graph=True) for one in f]
        inner = torch.eye(len(f)).double()
        if loss == "cross-entropy":
            inner = dense_hessian(lambda g: cross_entropy(g, torch.tensor(0)), f.detach())
        for j, name in enumerate(params):
            rows = torch.stack([slope[j] for slope in slopes])
            total[name] += torch.einsum("i...,ij,j...->...", rows, inner, rows) / len(x)
    return {name: value.detach() for name, value in total.items()}


# --- squared gradients ---


@pytest.mark.parametrize("size", [1, 2, 5])
def test_it_is_the_mean_of_the_squares_batch_by_batch(size):
    model, x, y = models("layered")
    batches = torch.arange(5).split(size)

    def loss(theta, rows):
        return cross_entropy(functional_call(model, theta, (x[rows],)), y[rows])

    found = gradient_square(loss, params_of(model), batches)
    for name, value in model.named_parameters():
        each = []
        for rows in batches:
            (slope,) = torch.autograd.grad(cross_entropy(model(x[rows]), y[rows]), value)
            each.append(slope.square())
        assert_close(found[name], torch.stack(each).mean(0), rtol=1e-12, atol=1e-16)
    if size == 1:  # control: it is not the square of the mean
        whole = gradient_square(loss, params_of(model), [torch.arange(5)])
        assert (found["0.weight"] - whole["0.weight"]).abs().max() > 1e-3


def test_its_sum_is_the_mean_squared_norm_of_the_gradient_and_follows():
    model, x, y = models("layered")
    group = mlp_group(model)

    def loss(theta, rows):
        return cross_entropy(functional_call(model, theta, (x[rows],)), y[rows])

    params, a = params_of(model), group.random(generator=torch.Generator().manual_seed(0))
    found = gradient_square(loss, params, torch.arange(5).split(1))
    there = gradient_square(loss, rescale(params, a, group), torch.arange(5).split(1))
    assert_close(there, rescale(found, a**-2, group), rtol=1e-10, atol=1e-14)
    assert abs(float(sum(v.sum() for v in there.values()) / sum_of(found)) - 1) > 0.1


def sum_of(values):
    return sum(value.sum() for value in values.values())


def test_batches_may_come_from_an_iterator_and_nothing_is_written():
    model, x, _ = models("layered")
    params = params_of(model)
    before = {name: value.clone() for name, value in params.items()}

    def loss(theta, example):
        return functional_call(model, theta, (example[None],)).sum()

    found = gradient_square(loss, params, iter(x))
    assert_close(found, gradient_square(loss, params, list(x)), rtol=0, atol=0)
    assert_close(params, before, rtol=0, atol=0)
    assert all(value.grad is None for value in model.parameters())
    single = {name: value.float() for name, value in params.items()}
    model.float()
    found32 = gradient_square(loss, single, x.float())
    assert found32["0.weight"].dtype == torch.float64
    assert_close(found32, found, rtol=1e-4, atol=1e-6)


def test_no_batches_are_refused():
    with pytest.raises(GaugeError, match="there are no batches"):
        gradient_square(lambda theta, x: theta["w"].sum(), {"w": torch.ones(2)}, [])
    with pytest.raises(GaugeError, match="depends on none of the parameters"):
        gradient_square(lambda theta, x: x.sum(), {"w": torch.ones(2)}, [torch.ones(1)])


# --- the Hessian's diagonal ---


@pytest.mark.parametrize("name", ["layered", "tanh", "tied", "residual", "pooled"])
def test_it_is_the_diagonal_of_the_dense_hessian(name):
    model, x, y = models(name)
    params = params_of(model)

    def loss(theta):
        return cross_entropy(functional_call(model, theta, (x,)), y)

    found = hessian_diagonal(loss, params)
    for key, value in params.items():
        block = dense_hessian(lambda v, key=key: loss({**params, key: v}), value)
        block = block.reshape(value.numel(), value.numel())
        assert_close(found[key], block.diagonal().view(value.shape), rtol=1e-10, atol=1e-14)


def test_a_weight_used_twice_on_a_path_can_have_a_negative_entry():
    """f = w relu(w x) at w = x = 1 and y = 10: (2w)² + 2(w² - y) = 4 - 18."""
    params = {"w": torch.ones(1, dtype=torch.float64)}

    def loss(theta):
        return ((theta["w"] * torch.relu(theta["w"]) - 10).square() / 2).sum()

    assert float(hessian_diagonal(loss, params)["w"]) == pytest.approx(-14)
    curved = gauss_newton_diagonal(lambda theta: (theta["w"] * theta["w"].relu())[None], params)
    assert float(curved["w"]) == pytest.approx(4)
    apart = {"w": params["w"], "v": params["w"]}  # control: two weights

    def untied(theta):
        return ((theta["w"] * torch.relu(theta["v"]) - 10).square() / 2).sum()

    assert all(float(value) == 1.0 for value in hessian_diagonal(untied, apart).values())


# --- Gauss and Newton's ---


@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
@pytest.mark.parametrize(
    "name", ["layered", "tanh", "PReLU", "tied", "residual", "dense", "convolutional", "pooled"]
)
def test_it_is_what_the_jacobians_give_example_by_example(name, loss):
    model, x, _ = models(name)
    expected = by_examples(model, x, loss)
    params = params_of(model)
    whole = gauss_newton_diagonal(
        lambda theta: functional_call(model, theta, (x,)), params, loss=loss
    )
    each = gauss_newton_diagonal(
        lambda theta, some: functional_call(model, theta, (some,)), params, x, loss=loss
    )
    for found in (whole, each):
        assert list(found) == list(params)
        assert_close(found, expected, rtol=1e-10, atol=1e-14)
        assert all(bool((value >= 0).all()) for value in found.values())
    # control: the squares of sums over outputs are something else
    assert_not_close(by_examples(model, x, "squared"), by_examples(model, x, "cross-entropy"))


def assert_not_close(one, other):
    with pytest.raises(AssertionError):
        assert_close(one, other, rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", ["layered", "residual", "convolutional", "pooled"])
def test_with_piecewise_linear_activations_it_is_the_hessians(name):
    model, x, y = models(name)
    assert_close(*both(model, x, y), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ["tanh", "tied"])
def test_control_bent_activations_and_weights_used_twice_add_to_it(name):
    assert_not_close(*both(*models(name)))


def both(model, x, y):
    def loss(theta):
        return cross_entropy(functional_call(model, theta, (x,)), y)

    def outputs(theta, some):
        return functional_call(model, theta, (some,))

    params = params_of(model)
    curved = gauss_newton_diagonal(outputs, params, x, loss="cross-entropy")
    return hessian_diagonal(loss, params), curved


def test_what_is_held_at_a_time_changes_nothing(monkeypatch):
    model, x, _ = models("layered")

    def outputs(theta, some=x):
        return functional_call(model, theta, (some,))

    params = params_of(model)
    one = gauss_newton_diagonal(outputs, params, x)
    monkeypatch.setattr("gaugelib.gauges.gauss_newton._ROOM", 1)
    assert_close(gauss_newton_diagonal(outputs, params, x), one, rtol=1e-13, atol=1e-16)
    assert_close(gauss_newton_diagonal(outputs, params), one, rtol=1e-13, atol=1e-16)


def test_float32_is_summed_in_float64():
    model, x, _ = models("layered")
    wide = by_examples(model, x, "squared")
    model.float()
    found = gauss_newton_diagonal(
        lambda theta, some: functional_call(model, theta, (some,)), params_of(model), x.float()
    )
    assert all(value.dtype == torch.float64 for value in found.values())
    assert_close(found, wide, rtol=1e-4, atol=1e-6)


def test_what_it_cannot_take_is_refused():
    params, x = {"w": torch.ones(2)}, torch.ones(3, 2)

    def refused(match, outputs, *args, **options):
        with pytest.raises(GaugeError, match=match):
            gauss_newton_diagonal(outputs, params, *args, **options)

    refused(r"loss must be one of", lambda theta: theta["w"][None], loss="absolute")
    refused(r"shape \(examples, outputs\), found \(2,\)", lambda theta: theta["w"])
    refused(r"found float", lambda theta: 1.0)
    refused(r"found \(1, 2\)", lambda theta, some: theta["w"][None], x[:0])
    refused(r"found \(1, 0\)", lambda theta, some: theta["w"][None, :0], x)
    refused(r"found \(3, 2\)", lambda theta, some: x * theta["w"], x)
    refused(r"depends on none of the parameters", lambda theta, some: some, x)
    refused(r"gradient .* holds NaN", lambda theta, some: (theta["w"] - 1).sqrt() * some, x)
    params = {"w": torch.ones(2, dtype=torch.int64)}
    refused(r"real floating dtype", lambda theta, some: theta["w"] * some, x)


def test_progress_is_shown_where_it_is_asked_for(capsys):
    model, x, y = models("layered")

    def loss(theta, rows=None):
        return cross_entropy(functional_call(model, theta, (x,)), y)

    for show in (False, True):
        gradient_square(loss, params_of(model), [0], progress=show)
        hessian_diagonal(loss, params_of(model), progress=show)
        gauss_newton_diagonal(
            lambda theta: functional_call(model, theta, (x,)), params_of(model), progress=show
        )
        text = capsys.readouterr().err
        assert all((word in text) is show for word in ("gradients", "diagonal", "derivatives"))


def test_the_tied_model_is_tied():
    assert isinstance(models("tied")[0], Tied)
