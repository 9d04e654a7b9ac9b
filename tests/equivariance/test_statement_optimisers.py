"""Momentum and Adam stay on a barrier, but they do not stay on one side of it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.equivariance.one_channel import adam, bound, loss, slopes

N, TEACHER = 3, (1.0, 0.0, 1.0)


def heavy_ball(place, rate, momentum, steps):
    """(a, b) after each step with c = 1, in the inherited metric."""
    speed = 0 * place
    for _ in range(steps):
        diag, off, _ = slopes((*place, 1.0), TEACHER, N)
        speed = momentum * speed - rate * np.stack([diag, off])
        place = place + speed
        yield place


def starts():
    return np.random.default_rng(0).standard_normal((2, 400)) * 2


def crossed(run, place, rate):
    """Which runs leave their side, and whether all steps until then were below the bound."""
    side = np.sign(place[0] - place[1])
    gone, below = side == 0, side != 0
    for after in run:
        below &= gone | (rate < bound((*place, 1.0), TEACHER, N))
        gone |= np.sign(after[0] - after[1]) != side
        place = after
    return gone, below


@pytest.mark.parametrize("b", [0.3, 2.0])
def test_what_starts_on_the_spine_stays_there(b):
    for run in (
        heavy_ball(np.array([b, b]), 0.02, 0.9, 60),
        adam(np.array([b, b]), TEACHER, N, 0.01, 60),
    ):
        *_, end = run
        assert_allclose(end[0], end[1], rtol=1e-9)
        assert abs(end[0] - b) > 0.05


def test_descent_stays_on_its_side():
    """At η, and at the η/(1 - μ) that moves as fast as momentum does in the long run."""
    for rate in (0.02, 0.2):
        gone, below = crossed(heavy_ball(starts(), rate, 0.0, 600), starts(), rate)
        assert below.sum() > 350
        assert not (gone & below).any()


def test_control_momentum_carries_runs_across():
    """It shoots past the minimum along a ray, past W = 0, and comes out on the other side."""
    gone, below = crossed(heavy_ball(starts(), 0.02, 0.9, 600), starts(), 0.02)
    assert below.sum() > 390
    assert 5 < (gone & below).sum() < 60


def test_control_with_momentum_no_rate_is_small_enough():
    """η → 0 with (1 - μ)/√η = ½: θ̈ + θ̇/2 = -∇L crosses, and its steps do at the same time."""
    place, times = np.array([[-4.0], [2.0]]), []
    for root in (0.2, 0.1, 0.05):  # √η is the step of time
        run = list(heavy_ball(place, root**2, 1 - root / 2, round(10 / root)))
        gone, below = crossed(run, place, root**2)
        assert gone.all()
        assert below.all()
        times.append(root * next(k for k, (a, b) in enumerate(run) if a > b))
    assert_allclose(times, times[-1], atol=0.3)


def test_control_adam_carries_a_run_across():
    """From beside the spine: a step of Adam has length η however small the gradient is."""
    place = np.array([[0.013], [0.027]])
    run = list(adam(place, TEACHER, N, 0.003, 800))
    gone, below = crossed(run, place, 0.003)
    assert gone.all()
    assert below.all()
    assert loss((*run[-1], 1.0), TEACHER, N) < 1e-3
    *_, end = heavy_ball(place, 0.1, 0.0, 600)  # descent goes to the trap
    assert_allclose(loss((*end, 1.0), TEACHER, N), 0.02412, atol=1e-4)
