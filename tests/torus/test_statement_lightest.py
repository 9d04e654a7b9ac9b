"""When there is a lightest network, with any columns: linear programs and Newton's method."""

import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch.testing import assert_close

from tests.torus.gates import stacked

seeds = st.integers(0, 100_000)


def drawn(seed: int, units: int = 3, entries: int = 6):
    """Columns with exponents from -2 to 2, and sizes, some of them zero."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randint(-2, 3, (units, entries), generator=draw).double()
    sizes = torch.randn(entries, generator=draw, dtype=torch.float64).exp()
    dead = torch.rand(entries, generator=draw) < 0.15
    return rows, sizes.masked_fill(dead, 0.0)


def combination(columns):
    """Numbers of at least 1 with which the columns add up to zero, or `None`."""
    matrix = columns.numpy()
    found = linprog(
        [0.0] * matrix.shape[1], A_eq=matrix, b_eq=[0.0] * len(matrix), bounds=(1, None)
    )
    return torch.from_numpy(found.x) if found.status == 0 else None


def runaway(columns):
    """Dials by which no column grows and all together fall by 1, or `None`."""
    matrix = columns.numpy()
    found = linprog(
        [0.0] * len(matrix), A_ub=matrix.T, b_ub=[0.0] * matrix.shape[1],
        A_eq=matrix.sum(1)[None], b_eq=[-1.0], bounds=(None, None),
    )  # fmt: skip
    return torch.from_numpy(found.x) if found.status == 0 else None


def norm(columns, sizes, alpha, p=2.0):
    return (sizes**p * torch.exp(p * columns.T @ alpha)).sum() / p


def lightest(columns, sizes, alpha, p=2.0):
    """Newton's method with halved steps, in the span of the columns."""
    for _ in range(200):
        there = sizes**p * torch.exp(p * columns.T @ alpha)
        slope, curvature = columns @ there, p * (columns * there) @ columns.T
        move = -torch.linalg.pinv(curvature, rtol=1e-13, hermitian=True) @ slope
        if slope.abs().max() < 1e-12 * there.sum():
            break
        while norm(columns, sizes, alpha + move, p) > norm(columns, sizes, alpha, p):
            move = move / 2
            if move.norm() < 1e-14:
                return alpha
        alpha = alpha + move
    return alpha


@given(seed=seeds)
def test_there_is_a_lightest_if_and_only_if_a_positive_combination_of_the_columns_vanishes(seed):
    rows, sizes = drawn(seed)
    alive = rows[:, sizes > 0]
    positive, falling = combination(alive), runaway(alive)
    assert (positive is None) != (falling is None)
    if positive is not None:
        assert (alive @ positive).abs().max() < 1e-7 * positive.sum()
        alpha = lightest(alive, sizes[sizes > 0], torch.zeros(len(rows)).double())
        there = (sizes[sizes > 0] * torch.exp(alive.T @ alpha)) ** 2
        assert (alive @ there).abs().max() < 1e-8 * there.sum()


@given(seed=seeds)
def test_the_lightest_is_unique_and_its_dials_up_to_the_kernel(seed):
    rows, sizes = drawn(seed)
    alive, there = rows[:, sizes > 0], sizes[sizes > 0]
    assume(combination(alive) is not None)
    start = torch.randn(len(rows), generator=torch.Generator().manual_seed(seed)).double() / 2
    one = lightest(alive, there, torch.zeros(len(rows)).double())
    two = lightest(alive, there, start)
    assert_close(alive.T @ one, alive.T @ two, rtol=1e-5, atol=1e-5)


@given(seed=seeds)
def test_where_there_is_none_a_dial_makes_it_lighter_for_ever(seed):
    rows, sizes = drawn(seed)
    alive, there = rows[:, sizes > 0], sizes[sizes > 0]
    falling = runaway(alive)
    assume(falling is not None)
    norms = [float(norm(alive, there, t * falling)) for t in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert sorted(norms, reverse=True) == norms
    assert len(set(norms)) == len(norms)


def test_control_a_combination_that_is_zero_at_one_entry_is_not_enough():
    columns = torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]).double()
    weights = torch.tensor([1.0, 1.0, 0.0]).double()
    assert (columns @ weights).abs().max() == 0
    assert combination(columns) is None
    sizes = torch.ones(3).double()
    down = torch.tensor([0.0, -1.0]).double()
    assert norm(columns, sizes, 9 * down) < norm(columns, sizes, 5 * down)


def test_control_the_dials_themselves_are_not_unique():
    columns = torch.tensor([[1.0, -1.0], [2.0, -2.0]]).double()
    sizes = torch.tensor([1.0, 3.0]).double()
    one = lightest(columns, sizes, torch.zeros(2).double())
    other = one + torch.tensor([2.0, -1.0]).double()
    assert_close(norm(columns, sizes, one), norm(columns, sizes, other))


def test_the_gates_by_hand_have_one():
    from tests.torus.gates import dense, flat

    net = stacked()
    assert combination(dense(net.group)) is not None
    silent = flat(net.params)
    silent[-1] = 0.0  # one weight of many behind the second gate: still a lightest
    assert combination(dense(net.group)[:, silent != 0]) is not None
    silent[-6:] = 0.0  # nothing behind it: none
    assert combination(dense(net.group)[:, silent != 0]) is None
