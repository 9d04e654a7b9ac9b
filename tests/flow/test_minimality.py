"""Theorem 3.3: a network of smallest norm stays so, if no hidden bias is trained uncounted."""

import pytest
import torch

from gaugelib import gradient_flow, minimum_norm, relative_imbalance
from tests.flow.problems import linear, problem


def worst(made, p, *, include_bias=False, biases="zero", train=False):
    """Largest relative imbalance on the way from the minimum-norm gauge."""
    params = dict(made.params)
    for name in made.hidden_biases:
        params[name] = torch.zeros_like(params[name]) if biases == "zero" else params[name]
    start = minimum_norm(params, made.group, p=p, tol=1e-14, include_bias=include_bias).params
    frozen = [] if train else made.hidden_biases
    path = gradient_flow(made.loss, start, until=0.5, steps=100, p=p, frozen=frozen, saved=11)
    found = path.map(lambda s: relative_imbalance(s, made.group, p, include_bias=include_bias))
    assert found[0].max() <= 1e-13
    went = max(float((v[-1] - v[0]).abs().max()) for v in path.params.values())
    assert went > 0.05  # it did learn
    return float(found.max())


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
def test_minimality_is_preserved_with_hidden_biases_frozen_at_zero(p):
    made = problem(3, 4, 3, 2, activation=linear)
    assert worst(made, p) <= 1e-9


@pytest.mark.parametrize(("p", "bound"), [(1.0, 1e-12), (2.0, 1e-5)])
def test_minimality_is_preserved_in_a_network_of_relus(p, bound):
    assert worst(problem(3, 4, 3, 2), p) <= bound  # for p = 2 what the kinks cost Runge-Kutta


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_minimality_is_preserved_with_trained_biases_that_are_counted(p):
    made = problem(3, 4, 3, 2, activation=linear)
    assert worst(made, p, include_bias=True, biases="kept", train=True) <= 1e-9


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_trained_biases_that_are_not_counted_break_it(p):
    made = problem(3, 4, 3, 2, activation=linear)
    assert worst(made, p, biases="kept", train=True) > 1e-2


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("include_bias", [False, True])
def test_control_biases_frozen_elsewhere_than_at_zero_break_it(p, include_bias):
    made = problem(3, 4, 3, 2, activation=linear)
    assert worst(made, p, biases="kept", include_bias=include_bias) > 1e-2
