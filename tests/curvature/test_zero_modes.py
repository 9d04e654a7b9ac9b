"""Zero modes: at a critical point the orbit's tangents are null vectors of H.

An eigenvalue counts as zero below 1e-12 of the largest. Eigenvalues scale with the loss, so there
is no absolute zero; rounding moves them by at most the rounding of H (Weyl), some 1e-15 of the
largest; the least of the others is above 1e-9 of it, so any bound in between gives the same count.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from gaugelib import laplacian
from tests.curvature.critical import (
    SEEDS,
    found,
    jacobian,
    largest,
    missed,
    newtons,
    noisy,
    teacher,
    zeros,
)
from tests.curvature.vector import layered, network, second, slope
from tests.flow.problems import linear, problem
from tests.pairing.critical import WIRINGS
from tests.soft.problems import laplacian_by_hand
from tests.tracing.zoo import build

every = pytest.mark.parametrize("name", SEEDS)
by_newton = pytest.mark.parametrize("name", WIRINGS)


def rank(jac) -> int:
    """By singular values, whose squares are the eigenvalues of the Hessian where L = 0."""
    return int(torch.linalg.matrix_rank(jac, rtol=1e-10))


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


def test_units_tied_inversely_are_zero_modes_that_the_group_counts():
    """The decoder of the tied autoencoder is W': a row of W times a, what is read by 1/a."""
    draw = torch.Generator().manual_seed(0)
    x = 2 * torch.randn(60, 3, generator=draw, dtype=torch.float64)
    made = replace(network(*build("tied autoencoder", seed=29)), x=x)
    hessian = second(made.squares(made.outputs(made.theta)), made.theta)
    assert made.group.units == 5 + 4
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
