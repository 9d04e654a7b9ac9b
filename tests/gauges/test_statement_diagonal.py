"""When the Hessian's diagonal cannot be negative: each path uses the parameter at most once."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import nn
from torch.func import functional_call, jacrev
from torch.nn.functional import cross_entropy


def hessian(function):
    return jacrev(jacrev(function))


def built(kind):
    """A network with piecewise linear activations that uses no parameter twice on a path."""
    if kind == "convolutional":
        return nn.Sequential(
            nn.Conv1d(1, 2, 3), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4, 3)
        )
    activation = {"relu": nn.ReLU(), "leaky": nn.LeakyReLU(0.3), "hard": nn.Hardtanh()}[kind]
    return nn.Sequential(nn.Linear(6, 4), activation, nn.Linear(4, 3), activation, nn.Linear(3, 3))


def squared(f, y):
    return ((f - torch.eye(3).double()[y]) ** 2).sum(-1) / 2


def entropy(f, y):
    return cross_entropy(f, y, reduction="none")


def curvatures(model, ell, seed, shape=(6,), examples=7):
    """(H, Gauss-Newton) of the mean loss over all parameters, dense, at random ones."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {name: value.shape for name, value in model.named_parameters()}
    sizes = [int(np.prod(s)) for s in shapes.values()]
    theta = torch.randn(sum(sizes), generator=draw, dtype=torch.float64)
    x = torch.randn((examples, *shape), generator=draw, dtype=torch.float64)
    y = torch.randint(3, (examples,), generator=draw)

    def outputs(flat):
        parts = flat.split(sizes)
        params = {n: p.reshape(s) for (n, s), p in zip(shapes.items(), parts, strict=True)}
        return functional_call(model, params, (x,))

    H = hessian(lambda flat: ell(outputs(flat), y).mean())(theta)
    f, J = outputs(theta), jacrev(outputs)(theta)
    bend = torch.stack(
        [hessian(lambda one, label=y[i]: ell(one[None], label[None]).sum())(f[i]) for i in range(7)]
    )
    return H.detach().numpy(), torch.einsum("nai,nab,nbj->ij", J, bend, J).numpy() / examples


@pytest.mark.parametrize("kind", ["relu", "leaky", "hard", "convolutional"])
@pytest.mark.parametrize("ell", [squared, entropy])
@pytest.mark.parametrize("seed", range(3))
def test_the_diagonal_is_that_of_gauss_newton_and_not_negative(kind, ell, seed):
    shape = (1, 6) if kind == "convolutional" else (6,)
    H, G = curvatures(built(kind), ell, seed, shape)
    assert_allclose(np.diag(H), np.diag(G), rtol=1e-9, atol=1e-12)
    assert np.diag(H).min() >= -1e-12
    assert_allclose(np.trace(H), np.trace(G), rtol=1e-9)


def test_the_matrices_differ_all_the_same_and_the_hessian_is_indefinite():
    H, G = curvatures(built("relu"), squared, 0)
    assert abs(H - G).max() > 0.1
    assert np.linalg.eigvalsh(H).min() < -0.1
    assert np.linalg.eigvalsh(G).min() > -1e-12


# --- controls ---


@given(w=st.floats(0.1, 3), x=st.floats(0.1, 3), y=st.floats(-20, 20))
def test_control_a_weight_used_twice_on_a_path_can_have_a_negative_one(w, x, y):
    """f = relu(w relu(w x)): 6w²x² - 2xy, negative for y > 3w²x; Gauss-Newton has 4w²x²."""

    def loss(weight):
        return (torch.relu(weight * torch.relu(weight * x)) - y) ** 2 / 2

    found = float(hessian(loss)(torch.tensor(w, dtype=torch.float64)))
    assert_allclose(found, 6 * w**2 * x**2 - 2 * x * y, rtol=1e-9, atol=1e-9)
    assert (found < -1e-9) == (6 * w**2 * x**2 - 2 * x * y < -1e-9)


def test_control_one_that_a_dial_moves():
    """x → p, A, B, A, q: u feeds v, v feeds u, u feeds v. H = 6A²t² - 2ty with t = qBp."""
    p, b, q, y = 1.0, 0.5, 2.0, 4.0

    def loss(a):
        h = torch.relu(a * torch.tensor(p))
        return (q * torch.relu(a * torch.relu(b * h)) - y) ** 2 / 2

    found = float(hessian(loss)(torch.tensor(1.0)))
    assert_allclose(found, 6 - 8)
    dial = 3.0  # of v: A is multiplied, B and q divided
    h = dial * torch.relu(torch.tensor(p))
    moved = q / dial * torch.relu(dial * torch.relu(b / dial * h))
    assert_allclose(float(moved), q * b * p)


def test_control_a_population_crosses_kinks():
    """f = v relu(x + b), x uniform on (-1, 1), y = 1: v²/2 - v/2 < 0, though no example has < 0."""
    x, v, step = np.linspace(-1, 1, 200001), 0.5, 0.05

    def loss(b):
        return ((v * np.maximum(x + b, 0) - 1) ** 2).mean() / 2

    found = (loss(step) - 2 * loss(0.0) + loss(-step)) / step**2
    assert_allclose(found, v**2 / 2 - v / 2, atol=1e-3)
    each = np.where(x > 0, v**2, 0.0)
    assert each.min() == 0.0
    assert_allclose(each.mean(), v**2 / 2, atol=1e-3)


def test_control_a_curved_activation():
    model = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))
    H, G = curvatures(model, squared, 0)
    assert abs(np.diag(H) - np.diag(G)).max() > 0.1
    assert np.diag(H).min() < -0.01


def test_control_a_loss_that_is_not_convex():
    def capped(f, y):
        return torch.log1p(squared(f, y))

    H, G = curvatures(built("relu"), capped, 2)
    assert_allclose(np.diag(H), np.diag(G), rtol=1e-8, atol=1e-12)
    assert np.diag(H).min() < -1e-4
