"""Theorem 3.4: with metric, penalty and gauge of one exponent, the smallest norm stays smallest."""

import pytest
import torch

from gaugelib import gradient_flow, minimum_norm, relative_imbalance
from tests.balance.newton import newton
from tests.flow.problems import linear, problem

DECAY = 0.3


def path_from(made, gauge, metric, penalty):
    """The regularised flow from the gauge of one exponent."""
    start = minimum_norm(made.params, made.group, p=gauge, tol=1e-14, include_bias=True).params
    return gradient_flow(
        made.loss, start, until=0.5, steps=200, p=metric, decay=DECAY, decay_p=penalty, saved=11
    )


def worst(path, made, gauge) -> float:
    """The largest relative imbalance on the way."""
    found = path.map(lambda s: relative_imbalance(s, made.group, gauge, include_bias=True))
    return float(found.max())


@pytest.mark.parametrize(
    ("p", "activation"), [(1.0, linear), (1.0, torch.relu), (1.5, linear), (2.0, linear)]
)
def test_the_minimum_norm_gauge_is_kept_by_its_own_pair(p, activation):
    made = problem(3, 4, 3, 2, activation=activation)
    path = path_from(made, p, p, p)
    assert worst(path, made, p) <= 1e-10
    end = path.at(-1)
    again = minimum_norm(end, made.group, p=p, tol=1e-9, include_bias=True)
    assert (again.scales - 1).abs().max() <= 1e-9  # nothing was left to do
    assert newton(end, made.group, p, include_bias=True).abs().max() <= 1e-9
    assert max(float((v[-1] - v[0]).abs().max()) for v in path.params.values()) > 0.1


@pytest.mark.parametrize(
    ("gauge", "metric", "penalty"),
    [(1, 1, 2), (1, 2, 2), (1, 2, 1.5), (2, 1, 1), (2, 1, 2), (2, 2, 1.5)],
)
def test_control_another_regulariser_or_another_metric_leaves_it(gauge, metric, penalty):
    made = problem(3, 4, 3, 2, activation=linear)
    path = path_from(made, gauge, metric, penalty)
    assert worst(path, made, gauge) > 1e-3


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_a_tanh_network_leaves_it(p):
    made = problem(3, 4, 3, 2, activation=torch.tanh)
    assert worst(path_from(made, p, p, p), made, p) > 1e-3
