"""At a critical point of the regularised loss, gauge directions are eigenvectors that λ sets."""

import pytest
import torch
from torch.testing import assert_close

from tests.pairing.critical import DECAY, WIRINGS, critical

every = pytest.mark.parametrize("name", WIRINGS)


def residual(made, theta, q):
    """diag|θ|^(2-q) H A_hθ - λq A_hθ, one column for each unit."""
    tangents = made.tangents(theta)
    return theta.abs().pow(2 - q)[:, None] * (made.hessian(theta, q) @ tangents) - (
        DECAY * q * tangents
    )


def gap(made, theta) -> int:
    """How many eigenvalues of the Hessian equal 2λ."""
    values = torch.linalg.eigvalsh(made.hessian(theta, 2.0))
    return int(((values - 2 * DECAY).abs() < 1e-10).sum())


@every
def test_gauge_directions_are_eigenvectors_with_twice_the_decay(name):
    made, end = critical(name, 2.0)
    assert residual(made, end, 2.0).abs().max() <= 1e-10
    units = len(made.incidence)
    assert torch.linalg.matrix_rank(made.tangents(end)) == units
    assert gap(made, end) >= units


@every
@pytest.mark.parametrize("p", [1.0, 1.5, 3.0])
def test_any_exponent_has_the_rate_lambda_p_in_its_own_metric(name, p):
    made, end = critical(name, p)
    assert residual(made, end, p).abs().max() <= 1e-10
    other = made.hessian(end, p) @ made.tangents(end) - DECAY * p * made.tangents(end)
    assert other.abs().max() > 1e-4  # the control: not in another metric


@every
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_away_from_a_critical_point_they_are_not(name, p):
    """What is left over there is what the gradient still holds, -A_h∇ of the regularised loss."""
    made = critical(name, p)[0]
    found = residual(made, made.start, p)
    assert found.abs().max() > 1e-3
    slope = made.slope(made.start, p) * made.start.abs() ** (2 - p)
    assert_close(found, -(made.incidence * slope).T, rtol=0, atol=1e-10)
    if p == 2.0:
        assert gap(made, made.start) == 0


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_control_a_tanh_network_has_no_gap(p):
    made, end = critical("layered", p, torch.tanh)
    assert residual(made, end, p).abs().max() > 0.1
    if p == 2.0:
        assert gap(made, end) == 0
