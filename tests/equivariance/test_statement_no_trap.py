"""Which teachers have a global minimum on the other side; and that the others have a trap there."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.equivariance.one_channel import length, loss, overlap, step

number = st.floats(-2, 2).filter(lambda x: abs(x) > 0.05)
several = st.integers(3, 6)


def on_circle(turn, teacher, n):
    """The smallest loss over all r > 0 at r(cos, sin), with c = 1; and B, which must be > 0."""
    a, b = np.cos(turn), np.sin(turn)
    square = n * overlap((a, b), (a, b), n)[0]
    product = n * overlap((a, b), teacher, n)[0]
    fixed = n * overlap(teacher, teacher, n)[0]
    return fixed / 2 - product**2 / (2 * square), product


SIDES = {1: (-3, 1), -1: (1, 5)}  # quarters of π between which sign(a - b) is so


def lowest(teacher, n, side):
    """The smallest loss on a side, off the spine, by a grid that is refined twice."""
    low, high = (quarter * math.pi / 4 for quarter in SIDES[side])
    first, last = low, high
    for _ in range(4):
        turn = np.linspace(low, high, 4001)[1:-1]
        values, product = on_circle(turn, teacher, n)
        assert (product > 0).all()
        k = int(values.argmin())
        low, high = turn[max(k - 2, 0)], turn[min(k + 2, len(turn) - 1)]
    inside = min(turn[k] - first, last - turn[k])
    return float(values[k]), float(turn[k]), inside


@given(student=st.tuples(number, number), teacher=st.tuples(number, number), n=st.integers(2, 6))
def test_along_a_ray_the_loss_is_a_parabola(student, teacher, n):
    turn = math.atan2(student[1], student[0])
    least, product = on_circle(turn, teacher, n)
    assume(product > 1e-6)  # it is 0 if both are on the spine, on opposite ends
    square = n * overlap((math.cos(turn), math.sin(turn)), (math.cos(turn), math.sin(turn)), n)[0]
    best = product / square
    there = (best * math.cos(turn), best * math.sin(turn), 1.0)
    assert_allclose(loss(there, (*teacher, 1.0), n), least, atol=1e-12)
    for other in (0.9, 1.1):
        assert loss((there[0] * other, there[1] * other, 1.0), (*teacher, 1.0), n) > least


@given(b=number, n=several)
def test_without_a_trap_the_other_minimum_is_the_negative(b, n):
    a = -(n - 1) * b
    assert loss((-a, -b, 1.0), (a, b, 1.0), n) <= 1e-12 * b**2
    x = np.random.default_rng(0).standard_normal((50, n))
    z = (a - b) * x + b * x.sum(1, keepdims=True)
    assert_allclose(np.maximum(z, 0).sum(1), np.maximum(-z, 0).sum(1), atol=1e-12 * n)


@given(a=number, b=number, n=several)
def test_with_one_there_is_a_trap_off_the_spine_and_above_zero(a, b, n):
    """Both ends of the half circle, the spine, are maxima; so there is a minimum between them."""
    assume(abs(a - b) > 0.05 and abs(a + (n - 1) * b) > 0.05)
    wrong = -1 if a > b else 1
    value, turn, inside = lowest((a, b), n, wrong)
    assert value > 1e-7
    assert inside > 1e-3
    for quarter in SIDES[wrong]:
        end, _ = on_circle(quarter * math.pi / 4, (a, b), n)
        for by in (1e-3, -1e-3):
            assert on_circle(quarter * math.pi / 4 + by, (a, b), n)[0] < end
    assert lowest((a, b), n, -wrong)[0] < 1e-7
    assert math.cos(turn) != math.sin(turn)


@given(a=number, b=number)
def test_for_two_inputs_there_is_never_one(a, b):
    assert loss((b, a, 1.0), (a, b, 1.0), 2) <= 1e-13


@pytest.mark.parametrize("n", [2, 3, 4])
def test_each_side_has_one_minimum(n):
    """A measurement, for 200 teachers, on a grid; that there is at least one is proved."""
    rng = np.random.default_rng(n)
    turn = np.linspace(-math.pi, math.pi, 3601)[:-1] + 1e-4
    teachers = rng.standard_normal((200, 2))
    apart = abs(teachers[:, 0] - teachers[:, 1]) / length(*teachers.T, n)
    for teacher in teachers[apart > 0.05]:  # nearer to the spine the grid is too coarse
        values, _ = on_circle(turn, teacher, n)
        minima = turn[(values < np.roll(values, 1)) & (values < np.roll(values, -1))]
        assert sorted(np.sign(np.cos(minima) - np.sin(minima))) == [-1, 1]


def test_the_two_minima_of_one_teacher():
    """The teacher a = -1/2, b = 1 on three inputs."""
    right, there, _ = lowest((-0.5, 1.0), 3, -1)
    assert_allclose([right, math.tan(there)], [0.0, -2.0], atol=1e-5)
    wrong, there, _ = lowest((-0.5, 1.0), 3, 1)
    turn = (math.cos(there), math.sin(there))
    size = overlap(turn, (-0.5, 1.0), 3)[0] / overlap(turn, turn, 3)[0]
    assert_allclose([wrong, size * turn[0], size * turn[1]], [0.05428, 1.4780, 0.0115], atol=1e-4)


@pytest.mark.parametrize("a, b", [(1.0, 0.0), (-0.5, 1.0), (1.0, 0.4), (1.0, -0.5)])
def test_no_start_on_the_wrong_side_solves_a_teacher_with_a_trap(a, b):
    """c is trained too, from 1; with a + 2b = 0 every start of both sides solves it: measured."""
    rng = np.random.default_rng(0)
    place = (*(rng.standard_normal((2, 40)) * 0.7), np.ones(40))
    right = (place[0] > place[1]) == (a > b)
    for _ in range(1500):
        place = step(place, (a, b, 1.0), 3, 0.1)
    solved = loss(place, (a, b, 1.0), 3) < 1e-3
    assert solved[right].mean() > 0.8
    assert solved[~right].all() if a + 2 * b == 0 else not solved[~right].any()


def test_control_with_c_negative_there_is_no_global_minimum_at_all():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 1000)) * 2
    least = loss((a, b, -np.ones(1000)), (1.0, 0.2, 1.0), 3).min()
    assert least > 0.5 * loss((1e-9, 1e-9, 0.0), (1.0, 0.2, 1.0), 3)


def test_control_a_teacher_on_the_spine_has_no_other_side():
    """δ* = 0: its minimum is on the spine, next to both sides."""
    for side in (1, -1):
        assert lowest((0.7, 0.7), 3, side)[2] < 1e-2
    assert length(0.7, 0.7, 3) > 0
