"""H(g_aθ) = D⁻¹ H(θ) D⁻¹: rank and signature stay, trace and largest eigenvalue do not."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.curvature.critical import found
from tests.curvature.vector import layered, network, second, slope
from tests.flow.problems import problem
from tests.tracing.zoo import build

NAMES = ("mlp", "conv1d", "channel shuffle", "mixing", "recurrent", "tied autoencoder", "gated")


def moved(theta, incidence, seed, log_std=0.5):
    """Some point of the orbit, and the diagonal of D."""
    draw = torch.Generator().manual_seed(seed)
    logs = log_std * torch.randn(len(incidence), generator=draw, dtype=torch.float64)
    factors = (logs @ incidence).exp()
    return factors * theta, factors


def of_zoo(name):
    """A loss of the outputs, θ and B."""
    net = network(*build(name))
    draw = torch.Generator().manual_seed(1)
    targets = torch.randn(len(net.outputs(net.theta)), generator=draw, dtype=torch.float64)
    return net.squares(targets), net.theta, net.incidence()


def mlp(kind=torch.relu, seed=0):
    loss, theta, tangents = layered(problem(3, 5, 4, 2, activation=kind, seed=seed))
    return loss, theta, (tangents / theta[:, None]).T


def signature(matrix):
    """How many eigenvalues are negative, zero and positive."""
    values = torch.linalg.eigvalsh(matrix)
    bound = 1e-12 * values.abs().max()
    return [int(part.sum()) for part in (values < -bound, values.abs() <= bound, values > bound)]


@pytest.mark.parametrize("name", NAMES)
def test_the_hessian_is_divided_by_both_factors(name):
    loss, theta, incidence = of_zoo(name)
    there, factors = moved(theta, incidence, 0)
    assert_close(slope(loss, there), slope(loss, theta) / factors, rtol=1e-11, atol=1e-12)
    before, after = second(loss, theta), second(loss, there)
    expected = before / torch.outer(factors, factors)
    assert (after - expected).abs().max() <= 1e-12 * expected.abs().max()
    assert (after - before).abs().max() > 1e-2 * before.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_by_powers_of_two_bit_by_bit(name):
    """Nothing is rounded, so the two matrices are equal."""
    loss, theta, incidence = of_zoo(name)
    draw = torch.Generator().manual_seed(5)
    powers = torch.randint(-3, 4, (len(incidence),), generator=draw).double() @ incidence
    factors = 2.0**powers
    after = second(loss, factors * theta)
    assert torch.equal(after, second(loss, theta) / torch.outer(factors, factors))


@given(seed=st.integers(0, 9999), spread=st.floats(0.0, 0.7))
def test_rank_and_signature_stay(seed, spread):
    loss, theta, tangents = layered(problem(2, 3, 2, 1, seed=seed % 7))
    incidence = (tangents / theta[:, None]).T
    there, factors = moved(theta, incidence, seed, spread)
    after = second(loss, there)
    assert signature(after) == signature(second(loss, theta))
    # by Sylvester's law in one line: the same matrix between two others
    back = after * torch.outer(factors, factors)
    assert_close(back, second(loss, theta), rtol=0, atol=1e-12 * float(back.abs().max()))


@pytest.mark.parametrize("name", ["mlp", "conv1d", "recurrent", "gated"])
def test_at_a_critical_point_the_zeros_stay_and_the_sharpness_does_not(name):
    at = found(name)
    there, _ = moved(at.theta, at.made.incidence(), 3)
    after = second(at.loss, there)
    assert signature(after) == signature(at.hessian) == [0, at.units, len(there) - at.units]
    sharpest = [torch.linalg.eigvalsh(matrix)[-1] for matrix in (at.hessian, after)]
    assert (sharpest[1] / sharpest[0]).log().abs() > 0.01
    assert (after.trace() / at.hessian.trace()).log().abs() > 0.01
    assert at.loss(there) < 1e-25  # and it is the same function


def test_the_largest_eigenvalue_has_no_bound_on_an_orbit():
    """A weight e with H_ee > 0 and B_he ≠ 0: dividing it by 2^k multiplies H_ee by 4^k."""
    loss, theta, incidence = mlp()
    before = second(loss, theta)
    assert int(((incidence * before.diagonal()).abs().sum(1) > 0).sum()) >= 7  # not idle
    for unit in range(len(incidence)):
        touching = (incidence[unit] != 0) * before.diagonal()
        if touching.max() <= 0:  # idle
            continue
        edge = int(touching.argmax())
        for k in (0, 3, 10, 20):
            factors = 2.0 ** (-k * incidence[unit, edge] * incidence[unit])
            largest = torch.linalg.eigvalsh(second(loss, factors * theta))[-1]
            assert largest >= 4.0**k * before[edge, edge] * (1 - 1e-12)


def test_control_a_weight_that_touches_no_unit_keeps_its_curvature():
    loss, theta, incidence = mlp()
    there, _ = moved(theta, incidence, 1, 1.0)
    free = (incidence == 0).all(dim=0)  # the biases of the outputs
    assert int(free.sum()) == 2
    before, after = second(loss, theta), second(loss, there)
    assert_close(after[free][:, free], before[free][:, free], rtol=1e-12, atol=1e-13)


def test_control_tanh_is_not_congruent():
    loss, theta, incidence = mlp(torch.tanh)
    there, factors = moved(theta, incidence, 0)
    expected = second(loss, theta) / torch.outer(factors, factors)
    assert (second(loss, there) - expected).abs().max() > 0.05 * expected.abs().max()


def test_control_a_similar_matrix_is_another():
    """D H D⁻¹ would keep the eigenvalues, and D H D is the wrong way round."""
    loss, theta, incidence = mlp()
    there, factors = moved(theta, incidence, 0)
    before, after = second(loss, theta), second(loss, there)
    for wrong in (factors[:, None] / factors[None, :], torch.outer(factors, factors)):
        assert (after - before * wrong).abs().max() > 0.1 * after.abs().max()
