"""Checker of the largest stable step: reference, stub, a hint for each mistake, and the limit."""

import math

import pytest
import torch

from gaugelib import laplacian, log_ratio, soft_penalty
from gaugelib.soft import gauge_coordinates
from tests.balance.networks import initialised
from tests.soft.problems import unit_of


def largest_step(params, group):
    return 1 / torch.linalg.eigvalsh(laplacian(params, group)).max()


def spectral(choose, p=2.0):
    """A step made from the ascending eigenvalues of the Laplacian."""
    return lambda params, group: choose(torch.linalg.eigvalsh(laplacian(params, group, p)))


MISTAKES = [
    (spectral(lambda values: 2 / values[-1]), "not κℒ"),
    (spectral(lambda values: 0.5 / values[-1]), "two over the curvature"),
    (spectral(lambda values: values[-1]), "upside down"),
    (spectral(lambda values: 1 / values[0]), "the fastest one decides"),
    (spectral(lambda values: 1 / values.sum()), "the largest alone"),
    (lambda params, group: 1 / laplacian(params, group).diagonal().max(), "push each other"),
    (spectral(lambda values: 1 / values[-1], p=1.0), "not their sizes"),
    (
        lambda params, group: 2 / (1 + math.cos(math.pi / (len(group.layers) + 1))),
        "multiplicative step",
    ),
    (spectral(lambda values: 1 / values[-1] + 0.1), "for the widths [3, 4, 3, 2]"),
]


def grows(params, group, step):
    """Explicit steps with ηκ = step from a place next to balance: does the imbalance grow?"""

    def distance(theta):
        return float(log_ratio(theta, group).norm())

    direction = torch.linalg.eigh(laplacian(params, group)).eigenvectors[:, -1]
    theta = {
        name: value * rate.exp()
        for (name, value), rate in zip(params.items(), group.spread(1e-5 * direction).values())
    }
    first = distance(theta)
    for _ in range(40):
        slopes = torch.func.grad(soft_penalty)(theta, group)
        theta = {name: theta[name] - step * slopes[name] for name in theta}
    return distance(theta) > first


@pytest.mark.parametrize("widths", [(3, 4, 3, 2), (1, 1, 1, 1), (3, 4, 2)])
def test_the_step_asked_for_is_where_explicit_steps_begin_to_grow(widths):
    params, group = initialised(widths, seed=2, log_std=0.5)
    balanced = gauge_coordinates(params, group).representative
    limit = float(largest_step(balanced, group))
    assert not grows(balanced, group, 0.98 * limit)
    assert grows(balanced, group, 1.02 * limit)


def test_the_step_of_one_unit_with_both_norms_1_is_one_half():
    assert float(largest_step(*unit_of(1.0, 1.0))) == pytest.approx(0.5)
