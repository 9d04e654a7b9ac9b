"""Penalties lift zero modes: a decay to 2λ, a soft penalty to 2κ times the Laplacian's spectrum."""

from functools import cache

import pytest
import torch
from torch.testing import assert_close

from gaugelib import soft_penalty
from tests.curvature.critical import (
    DECAY,
    SEEDS,
    farthest,
    found,
    largest,
    newtons,
    noisy,
    pulled,
    teacher,
)
from tests.curvature.vector import second, slope
from tests.pairing.critical import WIRINGS
from tests.soft.problems import laplacian_by_hand

every = pytest.mark.parametrize("name", SEEDS)
by_newton = pytest.mark.parametrize("name", WIRINGS)
SOFT = 0.1


def penalties(made, decay, strength):
    def penalty(theta):
        params = made.params(theta)
        return decay / 2 * theta.square().sum() + soft_penalty(
            params, made.group, strength=strength
        )

    return penalty


def spectrum(made):
    """Of the Laplacian, edge by edge, biases counted."""
    return torch.linalg.eigvalsh(laplacian_by_hand(made.params(made.theta), made.group, True))


@every
def test_a_decay_lifts_them_to_twice_its_strength(name):
    at, pull = pulled(name), penalties(teacher(name), DECAY, 0.0)
    steep = slope(lambda theta: at.loss(theta) + pull(theta), at.theta).abs().max()
    assert steep <= 1e-12 * max(1.0, float(at.loss(at.theta)))
    assert at.loss(at.theta) > 1e-5
    hessian = at.hessian + second(pull, at.theta)
    moved = hessian @ at.tangents - 2 * DECAY * at.tangents
    assert moved.abs().max() <= 1e-8 * DECAY * at.tangents.abs().max()
    values = torch.linalg.eigvalsh(hessian)
    assert int(((values / (2 * DECAY) - 1).abs() <= 1e-8).sum()) == at.units
    assert int(((values / DECAY - 1).abs() <= 1e-8).sum()) == 0  # the control: λ itself


@every
def test_a_soft_penalty_leaves_the_rest_of_the_spectrum(name):
    at = found(name)
    both = at.hessian + second(penalties(at.made, 0.0, SOFT), at.theta)
    rest = torch.linalg.eigvalsh(at.hessian)[at.units :]
    expected = torch.cat([rest, 2 * SOFT * spectrum(at.made)]).sort().values
    assert_close(torch.linalg.eigvalsh(both), expected, rtol=0, atol=1e-12 * largest(both))
    wrong = torch.cat([rest, SOFT * spectrum(at.made)]).sort().values  # the control
    assert (torch.linalg.eigvalsh(both) - wrong).abs().max() > 1e-6 * largest(both)


@every
def test_with_both_the_numbers_add_up(name):
    at, pull = pulled(name), penalties(teacher(name), DECAY, SOFT)
    steep = slope(lambda theta: at.loss(theta) + pull(theta), at.theta).abs().max()
    assert steep <= 1e-12 * max(1.0, float(at.loss(at.theta)))
    both = at.hessian + second(pull, at.theta)
    others = torch.linalg.qr(at.tangents, mode="complete")[0][:, at.units :]
    rest = torch.linalg.eigvalsh(others.T @ at.hessian @ others) + DECAY
    expected = torch.cat([rest, 2 * DECAY + 2 * SOFT * spectrum(at.made)]).sort().values
    assert_close(torch.linalg.eigvalsh(both), expected, rtol=0, atol=1e-12 * largest(both))


@cache
def settled(name):
    """Balanced, from where Newton's method for a small decay has not far to go."""
    made = noisy(name)
    soft = made.soft(0.1)
    return newtons(lambda v: made.loss(v) + soft(v), made.start)


@by_newton
@pytest.mark.parametrize(("decay", "strength"), [(1e-5, 0.0), (0.0, 0.1), (1e-5, 0.1)])
def test_the_same_where_newton_ends(name, decay, strength):
    made, free = noisy(name), noisy(name).loss
    soft = made.soft(strength)
    pays = lambda v: free(v) + decay / 2 * v.square().sum() + soft(v)  # noqa: E731
    end = newtons(pays, settled(name))
    assert slope(pays, end).abs().max() < 1e-12
    assert free(end) > 1e-4
    assert (made.incidence @ end.square()).abs().max() < 1e-10  # it is balanced,
    assert (made.incidence @ made.start.square()).abs().max() > 0.1  # as the start is not
    tangents = made.tangents(end)
    mu = torch.linalg.eigvalsh(tangents.T @ tangents)
    values = torch.linalg.eigvalsh(second(pays, end))
    expected = 2 * decay + 2 * strength * mu
    assert farthest(values, expected) <= 1e-8 * float(expected.min())
    assert_close(slope(free, end), -decay * end, rtol=0, atol=1e-12)


def test_control_a_decay_of_the_weights_alone_gives_no_eigenvalue():
    """Biases count: M, the projector on what decays, makes H v = 2λ M v of it."""
    made = noisy("layered")
    decayed = torch.ones(len(made.start)).double()
    decayed[-6:] = 0.0  # three hidden biases and three of the outputs
    pays = lambda v: made.loss(v) + 1e-4 * (decayed * v.square()).sum()  # noqa: E731
    end = newtons(pays, made.start)
    assert slope(pays, end).abs().max() < 1e-12
    hessian, tangents = second(pays, end), made.tangents(end)
    assert_close(hessian @ tangents, 4e-4 * decayed[:, None] * tangents, rtol=0, atol=1e-12)
    assert farthest(torch.linalg.eigvalsh(hessian), torch.full((3,), 4e-4)) > 1e-7


def test_control_a_soft_penalty_without_the_biases_leaves_the_orbit():
    made = teacher("mlp")
    part = lambda theta: soft_penalty(made.params(theta), made.group, include_bias=False)  # noqa: E731
    tangents = (made.incidence() * made.theta).T
    off = slope(part, made.theta)
    along = tangents @ torch.linalg.lstsq(tangents, off).solution
    assert (off - along).abs().max() > 0.01
