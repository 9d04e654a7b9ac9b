"""Zero modes: at a critical point the orbit's tangents are null vectors of H, and penalties lift.

An eigenvalue counts as zero below 1e-12 of the largest. Eigenvalues scale with the loss, so there
is no absolute zero; rounding moves them by at most the rounding of H (Weyl), some 1e-15 of the
largest; the least of the others is above 1e-9 of it, so any bound in between gives the same count.
"""

from fractions import Fraction
from functools import cache

import pytest
import torch
from torch.testing import assert_close

from gaugelib import laplacian, soft_penalty
from tests.curvature.critical import (
    DECAY,
    SEEDS,
    ZERO,
    found,
    jacobian,
    missed,
    newtons,
    noisy,
    pulled,
    teacher,
)
from tests.curvature.vector import layered, network, second, slope
from tests.flow.problems import linear, problem
from tests.pairing.critical import WIRINGS
from tests.soft.problems import laplacian_by_hand
from tests.tracing.zoo import build

every = pytest.mark.parametrize("name", SEEDS)
by_newton = pytest.mark.parametrize("name", WIRINGS)


def zeros(matrix) -> int:
    """The eigenvalues that are zero; no other comes near."""
    size = torch.linalg.eigvalsh(matrix).abs()
    count = int((size <= ZERO * size.max()).sum())
    assert int((size <= 1e3 * ZERO * size.max()).sum()) == count
    return count


def rank(jac) -> int:
    """By singular values, whose squares are the eigenvalues of the Hessian where L = 0."""
    return int(torch.linalg.matrix_rank(jac, rtol=1e-10))


def farthest(values, expected) -> float:
    """The largest distance of an expected number from an eigenvalue, each used once."""
    left, worst = values.tolist(), 0.0
    for number in expected.tolist():
        nearest = min(left, key=lambda value: abs(value - number))
        left.remove(nearest)
        worst = max(worst, abs(nearest - number))
    return worst


def largest(matrix) -> float:
    return float(torch.linalg.matrix_norm(matrix, 2))


# --- (i) zero modes ---


@every
def test_a_student_equal_to_its_teacher_has_as_many_as_units(name):
    at = found(name)
    assert len(at.theta) - rank(jacobian(name)) == at.units
    assert zeros(at.hessian) == at.units
    assert (at.hessian @ at.tangents).abs().max() <= 1e-12 * largest(at.hessian)
    assert torch.linalg.matrix_rank(at.tangents) == at.units


@every
def test_so_has_a_critical_point_with_loss(name):
    """It need be no minimum: H has negative eigenvalues here."""
    at = missed(name)
    assert at.loss(at.theta) > 0.1
    assert slope(at.loss, at.theta).abs().max() <= 1e-12
    assert zeros(at.hessian) == at.units
    assert torch.linalg.eigvalsh(at.hessian)[0] < -1e-6 * largest(at.hessian)


@by_newton
def test_so_has_a_minimum_that_newton_finds(name):
    made = noisy(name)
    end = newtons(made.loss, made.start)
    hessian = second(made.loss, end)
    assert slope(made.loss, end).abs().max() < 1e-12
    assert made.loss(end) > 1e-4
    assert torch.linalg.eigvalsh(hessian)[0] > -1e-14
    assert zeros(hessian) == len(made.incidence)
    assert (hessian @ made.tangents(end)).abs().max() < 1e-12
    # the control: where it began is not critical
    assert (second(made.loss, made.start) @ made.tangents(made.start)).abs().max() > 1e-3
    assert zeros(second(made.loss, made.start)) == 0


@every
def test_the_gram_matrix_of_the_tangents_is_the_laplacian(name):
    made, tangents = teacher(name), found(name).tangents
    params = made.params(made.theta)
    assert_close(tangents.T @ tangents, laplacian_by_hand(params, made.group, True))
    assert_close(tangents.T @ tangents, laplacian(params, made.group, 2.0, include_bias=True))


def test_in_whole_numbers_the_rank_is_exact():
    """Elimination with fractions in the Jacobian of a ReLU network with whole weights."""
    into = torch.tensor([[2, -1, 1], [-1, 3, 0], [1, 1, -2]]).double()  # the last column: biases
    out = torch.tensor([[1, -2, 3], [2, 1, -1]]).double()
    grid = torch.cartesian_prod(torch.arange(-3, 4), torch.arange(-3, 4)).double()
    x = torch.cat([grid, torch.ones(len(grid), 1).double()], dim=1)
    x = x[((x @ into.T) != 0).all(dim=1)]  # off the kinks

    def outputs(first, last):
        return ((x @ first.T).relu() @ last.T).reshape(-1)

    jac = torch.cat(
        [part.flatten(1) for part in torch.func.jacrev(outputs, argnums=(0, 1))(into, out)], dim=1
    )
    assert exact_rank(jac.tolist()) == 15 - 3
    lone = torch.cat([jac[:, :3], jac[:, 9:10], jac[:, 12:13]], dim=1)  # one unit alone
    assert exact_rank(lone.tolist()) == 5 - 1
    assert exact_rank(lone[:, 1:].tolist()) == 4  # the control: a held weight leaves no orbit


def exact_rank(rows) -> int:
    rows = [[Fraction(int(value)) for value in row] for row in rows]
    found = 0
    for column in range(len(rows[0])):
        pivot = next((k for k in range(found, len(rows)) if rows[k][column] != 0), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        top = rows[found]
        for k in range(found + 1, len(rows)):
            if rows[k][column] != 0:
                share = rows[k][column] / top[column]
                rows[k] = [a - share * b for a, b in zip(rows[k], top)]
        found += 1
    return found


def test_another_symmetry_adds_its_own():
    """3-4-2 without biases and without ReLU: matrices of rank 2 have 6 dimensions, so 20 - 6."""
    made = problem(3, 4, 2, activation=linear)
    _, theta, _ = layered(made)
    live = torch.cat([torch.ones(12), torch.zeros(4), torch.ones(8), torch.zeros(2)]).bool()
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).double()

    def outputs(weights):
        return (x @ weights[:12].view(4, 3).T @ weights[12:].view(2, 4).T).reshape(-1)

    weights = theta[live]
    assert zeros(second(lambda w: (outputs(w) - outputs(weights)).square().mean(), weights)) == 14


def test_control_units_tied_inversely_are_zero_modes_that_the_group_does_not_count():
    """The decoder of the tied autoencoder is W': a row of W times a, what is read by 1/a."""
    made = network(*build("tied autoencoder", seed=29))
    draw = torch.Generator().manual_seed(0)
    object.__setattr__(made, "x", 2 * torch.randn(60, 3, generator=draw, dtype=torch.float64))
    hessian = second(made.squares(made.outputs(made.theta)), made.theta)
    assert made.group.units == 5
    assert zeros(hessian) == 5 + 4


def test_control_a_tanh_network_has_none():
    made = problem(3, 5, 2, activation=torch.tanh, examples=60)
    _, theta, tangents = layered(made)
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0)).double()

    def outputs(vector, activation):
        first, bias, last, end = vector.split([15, 5, 10, 2])
        return activation(x @ first.view(5, 3).T + bias) @ last.view(2, 5).T + end

    for activation, count in ((torch.tanh, 0), (torch.relu, 5)):
        target = outputs(theta, activation)
        hessian = second(lambda v: (outputs(v, activation) - target).square().mean(), theta)  # noqa: B023
        assert zeros(hessian) == count
    assert (hessian @ tangents).abs().max() < 1e-13


@pytest.mark.parametrize("name", ["mlp", "conv1d", "recurrent"])
def test_control_a_point_that_is_not_critical_has_none(name):
    made = teacher(name)
    draw = torch.Generator().manual_seed(4)
    targets = torch.randn(len(jacobian(name)), generator=draw, dtype=torch.float64)
    hessian = second(made.squares(targets), made.theta)
    assert (hessian @ (made.incidence() * made.theta).T).abs().max() > 1e-2
    assert zeros(hessian) == 0


def test_control_a_piece_that_touches_no_input_has_dependent_tangents():
    made = problem(2, 2, 2, 1)
    for name, keep in (("0.weight", [1, 0]), ("0.bias", [1, 0]), ("2.bias", [1, 0])):
        made.params[name].mul_(
            torch.tensor(keep).double().view(-1, *[1] * (made.params[name].dim() - 1))
        )
    made.params["2.weight"].mul_(torch.eye(2).double())
    made.params["4.weight"][0, 1] = 0.0
    tangents = layered(made)[2]
    assert torch.linalg.matrix_rank(tangents) == 3  # four units, two of which see only each other


# --- (ii) a weight decay, (iii) a soft penalty, (iv) both ---

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
