"""A negative charge is a barrier too: a scalar output weight does not change its sign."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

D, N = 3, 30


class Data:
    """½ mean (Σ v_i σ(⟨w_i, x⟩ + b_i) - y)² with labels at random; biases in the last column."""

    def __init__(self, units, seed, outputs=1):
        rng = np.random.default_rng(seed)
        self.x = np.concatenate([rng.standard_normal((N, D)), np.ones((N, 1))], axis=1)
        self.y = 3 * rng.standard_normal((N, outputs))
        self.W = rng.standard_normal((units, D + 1))
        self.v = rng.standard_normal((units, outputs))

    def slopes(self, W, v):
        z = self.x @ W.T
        h = np.maximum(z, 0)
        error = (h @ v - self.y) / N
        return ((error @ v.T) * (z > 0)).T @ self.x, h.T @ error


def charges(W, v):
    """Δ_h = r_h² - |v_h|²."""
    return (W**2).sum(1) - (v**2).sum(1)


def flow(data, W, v, *, decay=(0.0, 0.0), until=3.0, h=1e-3):
    """Small steps of Euler: (time, W, v) after each."""
    for k in range(round(until / h)):
        by_rows, by_outputs = data.slopes(W, v)
        W, v = W - h * (by_rows + decay[0] * W), v - h * (by_outputs + decay[1] * v)
        yield (k + 1) * h, W, v


def heavy(data, W, v, factor=2.0):
    """Output weights so large that all charges are negative."""
    return W, v / np.linalg.norm(v, axis=1, keepdims=True) * factor * np.linalg.norm(
        W, axis=1, keepdims=True
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_weight_out_keeps_its_sign_and_a_distance_from_zero(seed):
    data = Data(4, seed)
    W, v = heavy(data, data.W / 2, data.v)
    before, sign = charges(W, v), np.sign(v)
    assert (before < 0).all()
    path = list(flow(data, W, v))
    for _, _, there in path:
        assert (np.sign(there) == sign).all()
        # a step of Euler changes Δ by O(h²), so the bound holds up to O(h)
        assert (abs(there[:, 0]) >= np.sqrt(-before) * 0.98).all()
    assert_allclose(charges(*path[-1][1:]), before, rtol=0.05)


@given(seed=st.integers(0, 9999))
def test_the_charge_has_no_slope(seed):
    """⟨w_h, ∂L/∂w_h⟩ = v_h ∂L/∂v_h at every point, so Δ̇ = 0; with decay λ, Δ̇ = -2λΔ."""
    data = Data(3, seed)
    by_rows, by_outputs = data.slopes(data.W, data.v)
    assert_allclose((data.W * by_rows).sum(1), (data.v * by_outputs).sum(1), atol=1e-12)
    decay = 0.3
    W, v = by_rows + decay * data.W, by_outputs + decay * data.v
    rate = -2 * ((data.W * W).sum(1) - (data.v * v).sum(1))
    assert_allclose(rate, -2 * decay * charges(data.W, data.v), atol=1e-11)


@given(seed=st.integers(0, 9999), size=st.floats(0.01, 10))
def test_at_charge_zero_the_weight_falls_no_faster_than_exponentially(seed, size):
    """|∂L/∂v_h| ≤ r_h mean|ℓ'||x|, and r_h ≤ |v_h| if Δ_h ≤ 0."""
    data = Data(3, seed)
    W, v = heavy(data, data.W * size, data.v, factor=1.0)
    assert_allclose(charges(W, v), 0.0, atol=1e-12 * size**2)
    _, by_outputs = data.slopes(W, v)
    error = np.maximum(data.x @ W.T, 0) @ v - data.y
    most = (abs(error[:, 0]) * np.linalg.norm(data.x, axis=1)).mean()
    assert (abs(by_outputs) <= most * abs(v) * (1 + 1e-12)).all()


def test_with_decay_on_all_of_it_the_charge_fades_and_the_sign_stays():
    data = Data(4, 1)
    W, v = heavy(data, data.W / 2, data.v)
    before, sign, decay = charges(W, v), np.sign(v), 0.2
    path = list(flow(data, W, v, decay=(decay, decay), until=4.0, h=5e-4))
    assert all((np.sign(there) == sign).all() for _, _, there in path)
    assert_allclose(charges(*path[-1][1:]), before * np.exp(-8 * decay), rtol=0.05)


# --- controls ---


class Wrong(Data):
    """One unit on one input, and labels of the other sign: y = -σ(x)."""

    def __init__(self):
        self.x = np.concatenate([np.eye(N, 1) * 4 + 0.5, np.zeros((N, D))], axis=1)
        self.y = -self.x[:, :1]


def signs(w, v, steps=None, **options):
    """The sign of the output weight after a run from (w, v)."""
    data = Wrong()
    W, v = np.array([[w, 0, 0, 0]]), np.array([[v]])
    run = list(flow(data, W, v, **options))[:steps]
    return np.sign(run[-1][2][0, 0])


def test_its_sign_is_kept_though_the_labels_ask_for_the_other():
    assert signs(0.5, 0.6, until=60.0, h=0.01) == 1


def test_control_with_a_positive_charge_it_changes_its_sign():
    assert signs(0.6, 0.5, until=60.0, h=0.01) == -1


def test_control_with_decay_on_the_weight_out_alone_it_changes_its_sign():
    assert signs(0.5, 0.6, until=60.0, h=0.01, decay=(0.0, 0.5)) == -1
    assert signs(0.5, 0.6, until=60.0, h=0.01, decay=(0.5, 0.5)) == 1


def test_control_a_large_step_leaps():
    assert signs(0.5, 0.6, until=3.0, h=3.0) == -1


def test_control_momentum_may_carry_it_across():
    data, w, v = Wrong(), np.array([[0.5, 0, 0, 0]]), np.array([[0.6]])
    speed = [0 * w, 0 * v]
    for _ in range(3000):
        slopes = data.slopes(w, v)
        speed = [0.99 * s - 0.01 * g for s, g in zip(speed, slopes)]
        w, v = w + speed[0], v + speed[1]
        if v < 0:
            break
    assert v < 0


def test_control_of_two_weights_out_one_may_change_its_sign():
    """Only their common length is bounded: the pair turns around."""
    data = Data(1, 0, outputs=2)
    data.x = np.abs(data.x)
    data.y = data.x[:, :1] * np.array([[-6.0, 4.0]])
    W, v = np.ones((1, D + 1)) / 2, np.array([[0.3, 1.2]])
    before = charges(W, v)
    assert before < 0
    path = list(flow(data, W, v, until=3.0))
    assert all((there**2).sum() >= -before * 0.98 for _, _, there in path)
    assert path[-1][2][0, 0] < 0
    assert_allclose(charges(*path[-1][1:]), before, atol=0.05)
