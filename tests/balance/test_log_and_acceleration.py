"""What a run notes on its way, and how it looks ahead from its last steps."""

import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib.balance.solver.anderson import Anderson
from gaugelib.balance.solver.found import Log


def noted():
    log = Log()
    for passes, objective, bound in ((0.0, 9.0, math.inf), (1.0, 7.0, 0.5), (2.0, 6.0, 0.0)):
        log.note(passes, objective, bound)
    return log


def test_a_bound_on_half_a_log_ratio_is_noted_as_the_imbalance_it_allows():
    r"""$|in - out|/(in + out) = \tanh|\frac12\log(in/out)|$."""
    log = noted()
    assert (log.passes, log.objective) == ([0.0, 1.0, 2.0], [9.0, 7.0, 6.0])
    assert math.isnan(log.imbalance[0])
    ratio = math.exp(2 * 0.5)
    assert_close(log.imbalance[1:], [(ratio - 1) / (ratio + 1), 0.0])


def test_another_run_goes_on_where_the_first_ended():
    log, other = Log(), noted()
    log.note(0.0, 5.0, 0.1)
    log.extend(other, 3.0, 2.0)
    assert log.passes == [0.0, 3.0, 4.0, 5.0]
    assert log.objective == [5.0, 18.0, 14.0, 12.0]
    assert log.imbalance[2:] == other.imbalance[1:]
    assert (other.passes, other.objective) == ([0.0, 1.0, 2.0], [9.0, 7.0, 6.0])


@pytest.mark.parametrize(("passes", "kept"), [(0.0, 0), (1.0, 1), (1.5, 2), (2.0, 2), (9.0, 3)])
def test_what_is_measured_replaces_what_was_noted_then_or_later(passes, kept):
    log = noted()
    log.close(passes, 5.5, 0.25)
    assert log.passes == [*(0.0, 1.0, 2.0)[:kept], passes]
    assert log.objective == [*(9.0, 7.0, 6.0)[:kept], 5.5]
    assert log.imbalance[-1] == 0.25
    assert len(log.imbalance) == len(log.passes)


def affine(size, seed=0):
    draw = torch.Generator().manual_seed(seed)
    matrix = torch.randn(size, size, generator=draw, dtype=torch.float64) * 0.3
    fixed = torch.randn(size, generator=draw, dtype=torch.float64)
    return lambda x: fixed + matrix @ (x - fixed), fixed


def run(step, size, depth, steps):
    memory, x, guesses = Anderson(depth), torch.zeros(size).double(), []
    for _ in range(steps):
        image = step(x)
        guesses.append(memory.propose(image, image - x))
        x = image
    return memory, guesses


@pytest.mark.parametrize("size", [1, 2, 3])
def test_an_affine_map_is_solved_by_as_many_residuals_as_it_has_dimensions(size):
    step, fixed = affine(size)
    _, guesses = run(step, size, depth=5, steps=size + 1)
    assert guesses[0] is None
    assert_close(guesses[-1], fixed, rtol=1e-5, atol=1e-5)
    if size > 1:  # the control: one residual fewer does not do
        assert (guesses[-2] - fixed).abs().max() > 1e-3


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_point_is_the_combination_with_the_smallest_residual(depth):
    step, _ = affine(6, seed=1)
    xs = [torch.zeros(6).double()]
    for _ in range(6):
        xs.append(step(xs[-1]))
    memory, guesses = run(step, 6, depth, 6)
    images, residuals = torch.stack(xs[1:]), torch.stack(xs[1:]) - torch.stack(xs[:-1])
    images, residuals = images[-depth - 1 :], residuals[-depth - 1 :]
    differences = residuals[-1] - residuals[:-1]
    mix = torch.linalg.lstsq(differences.T, residuals[-1]).solution
    expected = images[-1] - mix @ (images[-1] - images[:-1])
    assert_close(guesses[-1], expected, rtol=1e-6, atol=1e-8)
    assert len(memory.images) == len(memory.residuals) == depth + 1


@pytest.mark.parametrize(("grown", "forgets"), [(1.9, False), (2.1, True)])
def test_a_residual_twice_as_long_as_the_last_makes_it_forget(grown, forgets):
    memory, one = Anderson(3), torch.tensor([1.0, 0.0]).double()
    assert memory.propose(one, one) is None
    assert (memory.propose(one, grown * one.flip(0)) is None) is forgets
    assert len(memory.images) == (1 if forgets else 2)


def test_what_is_not_finite_is_not_proposed():
    memory, one = Anderson(3), torch.ones(2).double()
    memory.propose(one, one)
    assert memory.propose(one * math.nan, one.flip(0) * 0.5) is None


def test_equal_residuals_propose_the_image_itself():
    memory, one = Anderson(3), torch.ones(2).double()
    memory.propose(one, one)
    assert_close(memory.propose(3 * one, one), 3 * one)
