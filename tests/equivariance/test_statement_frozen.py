"""One channel of Deep Sets: the sign of a - b is frozen, how long a step must be to leap."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sympy.combinatorics import SymmetricGroup

from gaugelib.equivariance import (
    deep_sets,
    descend,
    equivariant_space,
    natural,
    teacher_gradient,
    teacher_loss,
    trivial,
)
from tests.equivariance import permuted
from tests.equivariance.one_channel import angle, bound, length, loss, slopes, step
from tests.equivariance.sampled import Sampled, channel

number = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-3)
networks = st.tuples(number, number, number)
several = st.integers(2, 6)


def tensors(net, n):
    return deep_sets(*(torch.as_tensor(value, dtype=torch.float64) for value in net), n=n)


# --- the formulas that the rest stands on ---


@given(student=networks, teacher=networks, n=several)
def test_three_numbers_say_what_the_library_says(student, teacher, n):
    W, v = tensors(student, n)
    whole = teacher_gradient(W, v, tensors(teacher, n))
    diag, off, out = slopes(student, teacher, n)
    wanted = channel(diag, off, out, n)
    for value, expected in zip(whole, wanted):
        assert_allclose(value, expected, rtol=1e-11, atol=1e-11)
    value = float(teacher_loss(W, v, tensors(teacher, n)))
    assert_allclose(value, loss(student, teacher, n), rtol=1e-11, atol=1e-11)


def around(count=20000):
    """E over two normal inputs of what is homogeneous of degree 2: E|x|² = 2 times the circle's."""
    turn = 2 * math.pi * (np.arange(count) + 0.5) / count
    return np.stack([np.cos(turn), np.sin(turn)], 1)


@given(student=networks, teacher=networks)
def test_they_are_means_over_the_inputs(student, teacher):
    """By quadrature for n = 2, where the angle is all that there is."""
    x = around()
    z, y = (x @ channel(*net, 2)[0].T for net in (student, teacher))
    error = student[2] * np.maximum(z, 0).sum(1) - teacher[2] * np.maximum(y, 0).sum(1)
    assert_allclose((error**2).mean(), loss(student, teacher, 2), rtol=1e-5, atol=1e-6)
    felt = 2 * student[2] * error * (z[:, 0] > 0)
    diag, off, out = slopes(student, teacher, 2)
    found = [(felt * x[:, 0]).mean(), (felt * x[:, 1]).mean()]
    found.append((2 * error * np.maximum(z[:, 0], 0)).mean())
    assert_allclose(found, [diag, off, out], rtol=1e-3, atol=2e-2)


# --- the inequality ---


@given(student=networks, teacher=networks, n=st.integers(2, 40))
def test_the_pull_on_the_difference_is_bounded_by_the_difference(student, teacher, n):
    diag, off, _ = slopes(student, teacher, n)
    delta = student[0] - student[1]
    rounding = 1e-13 * n * (abs(diag) + abs(off) + 1)
    assert abs(diag - off) <= abs(delta) / bound(student, teacher, n) + rounding


@given(student=networks, teacher=networks, n=st.integers(2, 40))
def test_with_outputs_of_the_teachers_sign_the_bound_needs_no_teacher(student, teacher, n):
    """c c* ≥ 0: then δ(G_ii - G_ij) ≤ ½ n c² δ²."""
    a, b, c = student
    assume(c * teacher[2] > 0)
    diag, off, _ = slopes(student, teacher, n)
    rounding = 1e-13 * n * (abs(diag) + abs(off) + 1)
    assert (a - b) * (diag - off) <= n * c**2 * (a - b) ** 2 / 2 + abs(a - b) * rounding


def test_the_parts_of_the_proof():
    """The swap, the wedge and its probability, by draws."""
    n, rng = 3, np.random.default_rng(0)
    student, teacher = (0.9, 0.2, -1.3), (-0.4, 0.7, 0.8)
    x = rng.standard_normal((1_000_000, n))
    z, y = (x @ channel(*net, n)[0].T for net in (student, teacher))
    error = student[2] * np.maximum(z, 0).sum(1) - teacher[2] * np.maximum(y, 0).sum(1)
    apart = (z[:, 0] > 0) * 1.0 - (z[:, 1] > 0)
    diag, off, _ = slopes(student, teacher, n)
    by_swap = student[2] * (error * apart * (x[:, 0] - x[:, 1])).mean() / 2
    assert_allclose(by_swap, diag - off, rtol=1e-2)
    a, b, _ = student
    phi = angle((a, b), (a, b), n, same=False)
    assert_allclose(abs(apart).mean(), phi / np.pi, rtol=1e-2)
    delta, r = a - b, length(a, b, n)
    assert_allclose(np.sin(phi / 2), math.sqrt(2) * abs(delta) / (2 * r))
    assert (apart * (x[:, 0] - x[:, 1]) * delta >= 0).all()
    for k in range(n):
        mean = (np.maximum(z[:, k], 0) * abs(x[:, 0] - x[:, 1]) * abs(apart)).mean()
        assert mean <= math.sqrt(2) * r * phi / np.pi


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_on_the_spine_its_rate_is_known(n):
    """δ̇ = κδ with κ = n c c*|δ*|/(2π √(n-1) |b|): the teacher drives it away if c c* > 0."""
    b, c, teacher = 0.7, 1.3, (0.4, -1.1, 0.9)
    rate = n * c * teacher[2] * 1.5 / (2 * math.pi * math.sqrt(n - 1) * b)
    for side in (1e-6, -1e-6):
        for spine in (b, -b):
            diag, off, _ = slopes((spine + side, spine, c), teacher, n)
            assert_allclose((off - diag) / side, rate, rtol=1e-4)


# --- many steps ---

TEACHERS = {2: (1.0, 0.3, 1.0), 3: (1.0, 0.0, 1.0), 5: (-0.5, 1.0, 1.0)}


def starts(n, count=50):
    rng = np.random.default_rng(n)
    a, b = rng.standard_normal((2, count)) * 0.7
    return a, b, np.where(np.arange(count) % 5 > 0, 1.0, -0.5 * length(a, b, n))


@pytest.mark.parametrize("n, steps", [(2, 1500), (3, 10_000), (5, 1500)])
def test_ten_thousand_steps_below_the_bound_keep_the_sign(n, steps):
    """Fifty starts; ten of them have c < 0 and r² > c². Each step is 0.1, or 0.9 of the bound."""
    place = starts(n)
    side = np.sign(place[0] - place[1])
    for _ in range(steps):
        place = step(place, TEACHERS[n], n, np.minimum(0.9 * bound(place, TEACHERS[n], n), 0.1))
        assert (np.sign(place[0] - place[1]) == side).all()
    for right in (1, -1):
        good = (side == right * np.sign(TEACHERS[n][0] - TEACHERS[n][1])) & (place[2] > 0)
        assert good.sum() > 8
        solved = loss(tuple(value[good] for value in place), TEACHERS[n], n) < 1e-4
        assert solved.mean() > 0.8 if right == 1 or n == 2 else not solved.any()


def test_the_library_takes_the_same_steps():
    group = SymmetricGroup(3)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    place = starts(3)
    W, v = tensors(place, 3)
    run = descend(W, v, tensors(TEACHERS[3], 3), lr=0.02, steps=400, space=space)
    for _ in range(400):
        place = step(place, TEACHERS[3], 3, 0.02)
    wanted = channel(*place, 3)
    assert_allclose(run.W[-1], wanted[0], atol=1e-9)
    assert_allclose(run.v[-1], wanted[1], atol=1e-9)
    assert_allclose(run.loss[-1], loss(place, TEACHERS[3], 3), atol=1e-9)


def bounds_to_leap(student, teacher, n):
    """The step that brings a - b to zero, in units of the bound; infinite where none does."""
    diag, off, _ = slopes(student, teacher, n)
    leap = (student[0] - student[1]) / (diag - off)
    return np.where(leap > 0, leap / bound(student, teacher, n), np.inf)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_how_close_the_bound_is(n):
    """The shortest leap is π(n - 1)/n bounds: in the limit, and in no draw of 200,000 is it less.

    The limit is c < 0, on the spine, near W = 0, for a teacher with a* + (n - 1)b* = 0.
    """
    sharp = math.pi * (n - 1) / n
    limit = bounds_to_leap((1e-3 + 1e-7, 1e-3, -0.1), (n - 1.0, -1.0, 1.0), n)
    assert_allclose(limit, sharp, rtol=2e-3)
    rng = np.random.default_rng(n)
    size = np.exp(rng.standard_normal((5, 200_000)))
    a, b, s, t, c = rng.standard_normal((5, 200_000)) * size
    least = bounds_to_leap((a, b, c), (s, t, 1.0), n).min()
    assert sharp <= least < 1.15 * sharp


# --- controls ---


def test_control_for_two_inputs_the_other_side_is_a_copy():
    """No trajectory crosses there either; the swap of the units takes one to the other."""
    teacher, (a, b, c) = TEACHERS[2], starts(2)
    here, there = (a, b, abs(c)), (b, a, abs(c))
    for _ in range(1000):
        here, there = step(here, teacher, 2, 0.05), step(there, teacher, 2, 0.05)
        assert_allclose(np.stack(here), np.stack(there)[[1, 0, 2]], atol=1e-11)
    assert ((a > b) != (there[0] > there[1])).all()
    assert (loss(here, teacher, 2) < 1e-6).mean() > 0.8
    for n, same in ((2, True), (3, False)):
        losses = [loss(net, teacher, n) for net in ((a, b, c), (b, a, c))]
        assert np.allclose(*losses) == same


def test_control_a_large_step_leaps():
    rng = np.random.default_rng(1)
    place = (*(rng.standard_normal((2, 400)) * 2), np.full(400, 1.5))
    diag, off, _ = slopes(place, TEACHERS[3], 3)
    leap = (place[0] - place[1]) / (diag - off)
    which = leap > 0
    assert which.sum() > 100
    for part, crosses in ((0.99, False), (1.01, True)):
        after = step(place, TEACHERS[3], 3, part * np.where(which, leap, 0.0))
        crossed = (after[0] - after[1]) * (place[0] - place[1]) < 0
        assert (crossed == (which & crosses)).all()


def test_control_where_c_outweighs_w_with_the_wrong_sign_w_dies():
    """c² > r² and c < 0: the flow reaches W = 0 in finite time, and with it a - b = 0."""
    place, teacher = (0.4, 0.1, -1.0), (1.0, 0.0, 1.0)
    charge = length(*place[:2], 3) ** 2 - place[2] ** 2
    assert charge < 0
    sizes = []
    for _ in range(100):
        place = step(place, teacher, 3, 0.01)
        sizes.append(length(place[0], place[1], 3))
    assert min(sizes) < 0.01
    place = (0.4, 0.1, -0.4)  # r² > c²: c changes its sign instead
    for _ in range(4000):
        place = step(place, teacher, 3, 0.01)
    assert place[2] > 0
    assert place[0] > place[1]


# --- finitely many inputs ---


def hand_over(data, a, b, c, n):
    """Whether all units switch together for every input, by |δ||x_j| < |b||Σx|."""
    return (abs(a - b) * abs(data.x).max(1) < abs(b) * abs(data.x.sum(1))).all()


@given(seed=st.integers(0, 9999), n=st.integers(2, 4), near=st.floats(1e-5, 0.5))
def test_on_finitely_many_inputs_the_difference_stops_before_it_vanishes(seed, n, near):
    rng = np.random.default_rng(seed)
    teacher = channel(*rng.standard_normal(3), n)
    data = Sampled(permuted.all_of(n), "relu", teacher, draws=6, seed=seed)
    b, c = rng.standard_normal(2)
    a = b * (1 + near * abs(data.x.sum(1) / abs(data.x).max(1)).min() * rng.choice([-1, 1]))
    assert hand_over(data, a, b, c, n)
    by_rows, _ = data.slopes(*channel(a, b, c, n))
    assert_allclose(by_rows, by_rows[0, 0], atol=1e-13 * n)


def test_control_before_that_it_moves():
    data = Sampled(permuted.all_of(3), "relu", channel(1.0, 0.0, 1.0, 3), draws=6)
    assert not hand_over(data, 1.0, 0.2, 1.0, 3)
    by_rows, _ = data.slopes(*channel(1.0, 0.2, 1.0, 3))
    assert abs(by_rows[0, 0] - by_rows[0, 1]) > 1e-2
