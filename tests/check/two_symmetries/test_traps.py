"""Checker of teachers without a trap: answers, and what they are of."""

import pytest
import torch

from gaugelib import check
from gaugelib.check.two_symmetries.traps import _teachers


def no_trap(a, b, n):
    return n == 2 or a + (n - 1) * b == 0


REFERENCES = {"no_trap": no_trap}
MISTAKES = {
    "no_trap": [
        (lambda a, b, n: a + 2 * b == 0, "for n = 3 it is a + 2b"),
        (lambda a, b, n: n == 2 or a + 2 * b == 0, "right for n = 2 and for n = 3"),
        (lambda a, b, n: a + (n - 1) * b == 0, "n = 2 is forgotten:"),
        (lambda a, b, n: n == 2 or a + n * b == 0, "only the n − 1 others"),
        (lambda a, b, n: a + n * b == 0, "; and n = 2 is forgotten"),
        (lambda a, b, n: n == 2 or (n - 1) * a + b == 0, "have changed places"),
        (lambda a, b, n: n == 2 or a - b + (n - 1) * b == 0, "and not δ"),
        (lambda a, b, n: n == 2, "one half of it"),
        (lambda a, b, n: a == b, "lies on the barrier"),
        (lambda a, b, n: True, "most teachers have a trap"),
        (lambda *teacher: not no_trap(*teacher), "turned round"),
        (lambda a, b, n: n == 2 or a == (n - 1) * b, "the minus sign"),
        (lambda a, b, n: a * b < 0, "more than that"),
        (lambda a, b, n: a == 0, "you say "),
    ],
}


def outputs(x, a, b):
    return torch.relu((a - b) * x + b * x.sum(1, keepdim=True)).sum(1)


def apart(a, b, n, x):
    """The least loss on the other side of the teacher's barrier, on a grid of directions.

    Along a ray from 0 the loss is a parabola, of which the least value is known.
    """
    y, angles = outputs(x, a, b), torch.linspace(0, 2 * torch.pi, 721).double()
    least = y.square().mean()
    for p, q in zip(angles.cos(), angles.sin()):
        if (p - q) * (a - b) < 0:
            f = outputs(x, p, q)
            share = (f * y).mean().clamp(min=0) ** 2 / f.square().mean()
            least = torch.minimum(least, y.square().mean() - share)
    return float(least / y.square().mean())


@pytest.mark.parametrize("teacher", [(1.0, -0.5, 3), (0.75, -0.25, 4), (1.0, 0.25, 2)])
def test_without_a_trap_the_other_side_comes_as_near_as_the_grid_does(teacher):
    assert no_trap(*teacher)
    x = torch.randn(2000, teacher[2], generator=torch.Generator().manual_seed(0)).double()
    x = torch.cat([x, x.flip(1)])  # for two inputs in both orders
    assert apart(*teacher, x) < 1e-4


@pytest.mark.parametrize("teacher", [(1.0, 0.0, 3), (-0.5, 1.0, 3), (1.0, -0.5, 4), (1.0, 0.25, 3)])
def test_control_with_a_trap_the_other_side_keeps_away(teacher):
    assert not no_trap(*teacher)
    x = torch.randn(2000, teacher[2], generator=torch.Generator().manual_seed(0)).double()
    assert apart(*teacher, x) > 1e-3


def test_the_global_minimum_of_the_other_side_is_the_teacher_upside_down():
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(outputs(x, 0.75, -0.25), outputs(x, -0.75, 0.25))
    pair = x[:, :2]
    torch.testing.assert_close(outputs(pair, 1.0, 0.25), outputs(pair, 0.25, 1.0))
    assert (outputs(x, 1.0, 0.25) - outputs(x, -1.0, -0.25)).abs().max() > 0.1


def test_teachers_are_such_that_an_equation_holds_exactly_or_not_at_all():
    teachers = _teachers()
    assert all(a != b and (8 * a).is_integer() and (8 * b).is_integer() for a, b, n in teachers)
    assert 0.2 < sum(no_trap(*teacher) for teacher in teachers) / len(teachers) < 0.6


def test_a_truth_of_another_type_is_one():
    assert check.no_trap(lambda *teacher: torch.tensor(no_trap(*teacher)))
    assert "say True or False" in check.no_trap(lambda a, b, n: a + (n - 1) * b).message
