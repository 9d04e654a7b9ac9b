"""Where noise moves the gauge: an identity for every run, and a mirror flow on one orbit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp
from scipy.optimize import minimize
from torch import nn

from tests.gauges.bowls import case, flat, incidence, lowest, moved

seeds = st.integers(0, 9999)


def descent(here, steps, rate, decay, rng, size=2):
    """Charges before each step (steps + 1, units) and B(g ⊙ g) of each step, on random batches."""
    B, params = incidence(here.group), dict(here.params)
    names = list(here.group.entries)
    charges, forces = [B @ flat(params, here.group) ** 2], []
    for _ in range(steps):
        leaves = {n: params[n].detach().requires_grad_() for n in names}
        batch = rng.choice(len(here.x), size, replace=False)
        grads = torch.autograd.grad(here.losses(leaves)[batch].mean(), [leaves[n] for n in names])
        pairs = zip(names, grads, strict=True)
        params = {n: (1 - rate * decay) * params[n].detach() - rate * g for n, g in pairs}
        forces.append(B @ flat(dict(zip(names, grads, strict=True)), here.group) ** 2)
        charges.append(B @ flat(params, here.group) ** 2)
    return np.array(charges), np.array(forces)


def residual(charges, forces, rate, decay):
    """λ(2-ηλ)/η mean Δ + (Δ_T - Δ_0)/(η²T) - mean B(g ⊙ g)."""
    steps = len(forces)
    mean = decay * (2 - rate * decay) / rate * charges[:-1].mean(0)
    return mean + (charges[-1] - charges[0]) / (rate**2 * steps) - forces.mean(0)


@given(seed=seeds, rate=st.sampled_from([0.05, 0.01]), decay=st.sampled_from([0.0, 0.1, 1.0]))
def test_every_run_obeys_the_identity(seed, rate, decay):
    here = case((3, 4, 3, 2), seed)
    charges, forces = descent(here, 12, rate, decay, np.random.default_rng(seed))
    size = abs(charges).max() / rate**2
    assert_allclose(residual(charges, forces, rate, decay), 0, atol=1e-12 * size)


def test_control_the_leading_order_of_its_constant_is_not_exact():
    here, rate, decay = case((3, 4, 3, 2), 1), 0.05, 1.0
    charges, forces = descent(here, 12, rate, decay, np.random.default_rng(1))
    wrong = decay * rate * decay / rate * charges[:-1].mean(0)  # 2λ/η less λ(2-ηλ)/η
    assert abs(residual(charges, forces, rate, decay) + wrong).max() > 1e-2


def test_control_a_network_of_tanh_does_not_obey_it():
    here = case((3, 4, 3, 2), 1, activation=nn.Tanh)
    charges, forces = descent(here, 12, 0.05, 0.0, np.random.default_rng(1))
    assert abs(residual(charges, forces, 0.05, 0.0)).max() > 1.0


def test_the_step_of_the_mean_charge_is_that_of_the_mean_squares():
    """Over all batches of one step, by enumeration."""
    here, rate, decay = case((3, 4, 2), 3), 0.1, 0.5
    B, theta = incidence(here.group), flat(here.params, here.group)
    g = here.slopes()
    after = np.mean([B @ ((1 - rate * decay) * theta - rate * one) ** 2 for one in g], axis=0)
    c = (g**2).mean(0)
    assert_allclose(after, (1 - rate * decay) ** 2 * (B @ theta**2) + rate**2 * (B @ c))
    variance = g.var(0)  # the control: the raw second moment, not the variance
    wrong = (1 - rate * decay) ** 2 * (B @ theta**2) + rate**2 * (B @ variance)
    assert abs(after - wrong).max() > 1e-4


# --- on one orbit ---


class Orbit:
    """R, F and Φ = F/2 + μR along the orbit of a network, c of single examples."""

    def __init__(self, seed, mu):
        here = case((3, 4, 3, 2), seed, examples=12)
        self.here, self.B, self.mu = here, incidence(here.group), mu
        self.theta, self.c = flat(here.params, here.group), (here.slopes() ** 2).mean(0)

    def weights(self, alpha):
        return self.theta**2 * np.exp(2 * (alpha @ self.B))

    def noise(self, alpha):
        return self.c * np.exp(-2 * (alpha @ self.B))

    def height(self, alpha):
        return self.noise(alpha).sum() / 2 + self.mu * self.weights(alpha).sum() / 2

    def distance(self, best, alpha):
        """R(α*) - R(α) - <∇R(α), α* - α>, with the charge for ∇R."""
        gap = self.weights(best).sum() / 2 - self.weights(alpha).sum() / 2
        return gap - (self.B @ self.weights(alpha)) @ (best - alpha)

    def velocity(self, _, alpha):
        """dΔ/dτ = Bc - μΔ, solved for the motion of α: dΔ = 2 B diag(θ²) Bᵀ dα."""
        pull = self.B @ self.noise(alpha) - self.mu * (self.B @ self.weights(alpha))
        return np.linalg.solve(2 * (self.B * self.weights(alpha)) @ self.B.T, pull)

    def best(self):
        """Of Φ, by scipy."""
        found = minimize(self.height, np.zeros(len(self.B)), method="BFGS", options={"gtol": 1e-9})
        return found.x

    def run(self, start, until, points=None):
        return solve_ivp(self.velocity, (0, until), start, "LSODA", points, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("seed", [5, 9])
@pytest.mark.parametrize("mu", [0.0, 0.3, 10.0])
def test_from_every_start_the_noise_leads_to_one_gauge(seed, mu):
    orbit = Orbit(seed, mu)
    best = orbit.best()
    if mu == 0:
        assert_allclose(best, lowest(orbit.B, orbit.c, -2.0), atol=1e-5)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        start = best + rng.standard_normal(len(best))
        path = orbit.run(start, 1e5 if mu == 0 else 40 / mu)
        heights = np.array([orbit.height(alpha) for alpha in path.y.T])
        assert (np.diff(heights) <= 1e-7 * heights[:-1]).all()
        assert_allclose(path.y[:, -1], best, atol=1e-4)


@pytest.mark.parametrize("mu", [0.0, 0.3])
def test_as_fast_as_it_is_said_to(mu):
    orbit = Orbit(5, mu)
    best = orbit.best()
    start = best + np.random.default_rng(0).standard_normal(len(best))
    times = np.geomspace(0.01, 30, 25)
    path, before = orbit.run(start, 30, times), orbit.distance(best, start)
    for time, alpha in zip(times, path.y.T, strict=True):
        assert time * (orbit.height(alpha) - orbit.height(best)) <= before
        assert orbit.distance(best, alpha) <= before * np.exp(-mu * time) * (1 + 1e-6) + 1e-9


def test_decay_leads_from_the_gradient_s_gauge_to_that_of_the_norm():
    gradient, norm = Orbit(5, 0.0).best(), lowest(Orbit(5, 0.0).B, Orbit(5, 0.0).theta ** 2, 2.0)
    gaps = [np.linalg.norm(Orbit(5, mu).best() - gradient) for mu in (1e-4, 1e-1, 1e1, 1e6)]
    assert gaps[0] < 1e-2 < gaps[1] < gaps[2] < gaps[3]
    assert_allclose(Orbit(5, 1e6).best(), norm, atol=1e-3)


def test_at_the_end_the_squared_gradients_balance_at_the_point_itself():
    orbit = Orbit(9, 0.0)
    end = moved(orbit.here.params, orbit.best(), orbit.here.group)
    c = (orbit.here.slopes(end) ** 2).mean(0)
    assert_allclose(orbit.B @ c, 0, atol=1e-4 * c.sum())


def test_control_noise_on_one_side_only_leads_nowhere():
    orbit = Orbit(5, 0.0)
    orbit.c = np.where(orbit.B[0] < 0, 0.0, orbit.c)  # nothing out of the first unit is noisy
    path = orbit.run(np.zeros(len(orbit.B)), 1e4, [1e2, 1e3, 1e4])
    assert (np.diff(path.y[0]) > 0.3).all()


def test_control_without_noise_on_the_targets_nothing_moves():
    """Labels that the network itself gives: every gradient is zero."""
    here = case((3, 4, 2), 0)
    taught = type(here)(here.model, here.params, here.group, here.x, here.outputs(here.params))
    charges, forces = descent(taught, 20, 0.1, 0.0, np.random.default_rng(0))
    assert (charges == charges[0]).all()
    assert (forces == 0).all()


# --- measured: descent with noise on the targets ---


def noisy(d, o, ratio, steps, rate=0.05, runs=300, seed=0, full=False):
    """Median r²/s² of one linear unit that learns x ↦ v*(w*·x) from noisy targets."""
    rng = np.random.default_rng(seed)
    w, v = rng.standard_normal((runs, d)), rng.standard_normal((runs, o))
    w *= (ratio**0.25 / np.linalg.norm(w, axis=1))[:, None]
    v *= (ratio**-0.25 / np.linalg.norm(v, axis=1))[:, None]
    w_star, v_star = w.copy(), v.copy()
    for _ in range(steps):
        x = rng.choice([-1.0, 1.0], (runs, d))
        noise = 0.0 if full else rng.standard_normal((runs, o))
        hidden, wanted = (w * x).sum(1), (w_star * x).sum(1)
        error = v * hidden[:, None] - v_star * wanted[:, None] - noise
        by_w, by_v = (error * v).sum(1)[:, None] * x, error * hidden[:, None]
        w, v = w - rate * by_w, v - rate * by_v
    return np.median((w**2).sum(1) / (v**2).sum(1))


@pytest.mark.parametrize(("d", "o"), [(6, 1), (1, 4)])
def test_descent_with_noisy_targets_ends_near_d_over_o_from_both_sides(d, o):
    for start in (8.0 * d / o, d / o / 8.0):
        assert_allclose(noisy(d, o, start, 2500), d / o, rtol=0.2)


def test_control_without_the_noise_it_stays():
    assert_allclose(noisy(6, 1, 48.0, 200, full=True), 48.0)
