"""Proposition "Resting points of a sample": off the kinks a critical point is a local minimum."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from gaugelib.equivariance import deep_sets, descend, teacher_gradient, teacher_loss

SEEDS = st.integers(0, 2**32 - 1)
SIZES = {"n": st.integers(1, 4), "d": st.integers(1, 3), "seed": SEEDS}
INPUTS = 40


def loss(W, v, x, y):
    return 0.5 * np.mean((np.maximum(x @ W.T, 0) @ v - y) ** 2)


def slopes(W, v, x, y):
    z = x @ W.T
    missed = np.maximum(z, 0) @ v - y
    inner = (missed[:, None] * (z > 0) * v).T @ x / len(x)
    return inner, np.maximum(z, 0).T @ missed / len(x)


def features(W, x):
    """What the outputs are linear in: each input, where a unit is active on it."""
    return np.concatenate([(x @ w > 0)[:, None] * x for w in W], axis=1)


def critical(n, d, seed):
    """Weights and data at which the loss is critical and not zero: what is missed is orthogonal."""
    draw = np.random.default_rng(seed)
    W, x = draw.normal(size=(n, d)), draw.normal(size=(INPUTS, d))
    v = np.sign(draw.normal(size=n)) * np.exp(0.3 * draw.normal(size=n))
    basis, _ = np.linalg.qr(features(W, x))
    missed = draw.normal(size=INPUTS)
    missed -= basis @ (basis.T @ missed)
    return W, v, x, np.maximum(x @ W.T, 0) @ v - missed, draw


def nearby(W, v, x, draw, count=200):
    """Weights so near that no unit switches on any input."""
    room = (np.abs(x @ W.T) / np.linalg.norm(x, axis=1)[:, None]).min()
    for _ in range(count):
        dW, dv = draw.normal(size=W.shape), draw.normal(size=v.shape)
        size = 0.5 * room * draw.random() / np.linalg.norm(dW)
        yield W + size * dW, v + size * dv


@given(**SIZES)
def test_a_critical_point_is_a_local_minimum(n, d, seed):
    W, v, x, y, draw = critical(n, d, seed)
    here = loss(W, v, x, y)
    assert all(np.abs(slope).max() < 1e-13 for slope in slopes(W, v, x, y))
    assert here > 0.01
    assert all(loss(*there, x, y) >= here - 1e-14 for there in nearby(W, v, x, draw))


@given(**SIZES)
def test_near_by_it_is_a_convex_function_of_the_products(n, d, seed):
    W, v, x, y, draw = critical(n, d, seed)
    gram = features(W, x)
    for U, u in nearby(W, v, x, draw, count=5):
        outputs = gram @ (u[:, None] * U).ravel()
        assert np.isclose(loss(U, u, x, y), 0.5 * np.mean((outputs - y) ** 2), rtol=1e-12)


def saddle():
    """A unit with nothing behind it: critical, for what is missed is orthogonal to its output."""
    draw = np.random.default_rng(3)
    x = draw.normal(size=(INPUTS, 2))
    W, v = np.array([[1.0, 0.5]]), np.zeros(1)
    z = np.maximum(x @ W[0], 0)
    missed = x[:, 1] - z * (z @ x[:, 1]) / (z @ z)
    return W, v, x, -missed, draw


def test_control_a_unit_without_a_weight_behind_may_sit_on_a_saddle():
    W, v, x, y, draw = saddle()
    assert all(np.abs(slope).max() < 1e-14 for slope in slopes(W, v, x, y))
    assert min(loss(*there, x, y) for there in nearby(W, v, x, draw)) < loss(W, v, x, y) - 1e-9


def test_control_where_inputs_lie_on_every_kink_the_trap_is_a_saddle():
    teacher = deep_sets(-0.5, 1.0)
    run = descend(*deep_sets(1.4780, 0.01155), teacher, lr=0.2, steps=400)
    W, v = run.W[-1], run.v[-1]
    assert all(slope.abs().max() < 1e-9 for slope in teacher_gradient(W, v, teacher))
    point = torch.cat([W.ravel(), v])
    moved = point + 1e-5 * torch.cat([torch.eye(12), -torch.eye(12)]).to(point)
    dW, dv = teacher_gradient(moved[:, :9].view(-1, 3, 3), moved[:, 9:], teacher)
    slope = torch.cat([dW.flatten(1), dv], dim=1)
    curvature, directions = torch.linalg.eigh((slope[:12] - slope[12:]) / 2e-5)
    assert curvature[0] < -0.03
    assert curvature[1] > -1e-6
    ahead = point + 0.05 * directions[:, 0]
    assert teacher_loss(ahead[:9].view(3, 3), ahead[9:], teacher) < run.loss[-1] - 5e-5


@given(seed=SEEDS)
def test_control_on_a_kink_a_point_where_all_derivatives_seem_zero_may_lie_on_a_slope(seed):
    draw = np.random.default_rng(seed)
    x, w = draw.normal(size=(8, 2)), draw.normal(size=2)
    w -= x[0] * (w @ x[0]) / (x[0] @ x[0])  # the first input is on the kink
    missed = np.zeros(8)
    missed[0] = -1.0  # only there is something missed: the output is too small
    y = np.maximum(x @ w, 0) - missed
    along = x[0] / np.linalg.norm(x[0])
    losses = [
        loss((w + s * along)[None], np.ones(1), x, y) for s in (-1e-4, 1e-4, -1e-5, 1e-5, 0.0)
    ]
    inner, _ = slopes(w[None], np.ones(1), x[1:], y[1:])
    assert np.abs(inner).max() < 1e-12  # without that input all is at rest
    assert min(losses) < losses[-1] - 1e-7
