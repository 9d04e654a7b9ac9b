"""The layer correction: the best common scale of each block, and what it does to balanced units."""

import math
import random

import numpy as np
import pytest
from torch.testing import assert_close

from gaugelib.balance.solver.correction import Quotient

RESIDUAL = [(1, 0), (2, 1), (2, 0), (3, 2), (3, 1), (0, 3), (0, 1)]
WITH_A_LOOP = [*RESIDUAL, (2, 2)]
# Block 4 has no bonds, as one whose units carry nothing.
WITH_AN_IDLE_BLOCK = [(1, 0), (2, 1), (3, 1), (0, 2), (0, 3)]
CASES = {
    "chain": ([(1, 0), (2, 1), (3, 2), (0, 3)], 4),
    "chain in another order": ([(0, 3), (2, 1), (1, 0), (3, 2)], 4),
    "chain in another numbering": ([(3, 0), (1, 3), (2, 1), (0, 2)], 4),
    "residual": (RESIDUAL, 4),
    "loop": (WITH_A_LOOP, 4),
    "idle block": (WITH_AN_IDLE_BLOCK, 5),
    "two chains": ([(1, 0), (0, 1), (2, 0), (0, 2)], 3),
    "parallel bonds": ([(1, 0), (1, 0), (2, 1), (0, 2)], 3),
    "chain beside a cycle": ([(1, 0), (0, 1), (3, 2), (2, 3)], 4),
}


def drawn(ends, seed, log_std=2.0):
    draw = random.Random(seed)
    return [math.exp(draw.gauss(0, log_std)) for _ in ends]


def flows(ends, totals, shift, blocks):
    into, out = [0.0] * blocks, [0.0] * blocks
    for (to, source), total in zip(ends, totals):
        flow = total * math.exp(shift[to] - shift[source]) if to != source else 0.0
        into[to] += flow
        out[source] += flow
    return into, out


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", [name for name in CASES if name != "chain beside a cycle"])
def test_what_flows_into_each_block_flows_out_of_it(case, seed):
    ends, blocks = CASES[case]
    totals = drawn(ends, seed)
    shift = Quotient(ends, blocks).shift(totals)
    into, out = flows(ends, totals, shift, blocks)
    assert shift[0] == 0.0
    assert_close(into[1:], out[1:], rtol=1e-9, atol=1e-12)
    if case == "idle block":
        assert shift[4] == 0.0


def test_control_without_the_shift_it_does_not():
    ends, blocks = CASES["residual"]
    into, out = flows(ends, drawn(ends, 0), [0.0] * blocks, blocks)
    assert max(abs(a - b) for a, b in zip(into[1:], out[1:])) > 0.1


def test_blocks_far_out_of_balance_are_reached_by_cut_steps():
    ends, blocks = CASES["residual"]
    totals = drawn(ends, 1, log_std=12.0)
    shift = Quotient(ends, blocks).shift(totals)
    into, out = flows(ends, totals, shift, blocks)
    assert_close(into[1:], out[1:], rtol=1e-6, atol=0)


def test_where_no_minimum_exists_nothing_moves():
    """A cycle apart from the ground can move as a whole: its equations are singular."""
    ends, blocks = CASES["chain beside a cycle"]
    assert Quotient(ends, blocks).shift([1.0, 4.0, 2.0, 2.0])[0] == 0.0


@pytest.mark.parametrize(
    ("case", "paths"),
    [
        ("chain", [[0, 1, 2, 3]]),
        ("chain in another order", [[2, 1, 3, 0]]),
        ("chain in another numbering", [[0, 1, 2, 3]]),
        ("residual", [None]),
        ("idle block", [None]),
        ("two chains", [[0, 1], [2, 3]]),
        ("parallel bonds", [None]),
        ("chain beside a cycle", [[0, 1], None]),
    ],
)
def test_a_path_goes_once_through_all_bonds_of_its_part(case, paths):
    assert Quotient(*CASES[case]).paths == paths


@pytest.mark.parametrize("case", CASES)
def test_parts_share_no_block_and_leave_out_no_bond(case):
    ends, blocks = CASES[case]
    parts = Quotient(ends, blocks).components
    assert sorted(bond for part in parts for bond in part) == list(range(len(ends)))
    touched = [{block for bond in part for block in ends[bond]} - {0} for part in parts]
    assert sum(map(len, touched)) == len(set().union(*touched))


def test_what_one_part_carries_does_not_move_another():
    ends, blocks = CASES["two chains"]
    one, other = (Quotient(ends, blocks).shift([8.0, 2.0, *rest]) for rest in ((1, 4), (9, 1)))
    assert one[1] == other[1] != 0.0
    assert one[2] != other[2]


def test_a_block_that_only_feeds_itself_stays():
    assert Quotient([(1, 0), (0, 1), (2, 2)], 3).shift([4.0, 1.0, 5.0])[2] == 0.0


def test_chains_in_closed_form():
    """All totals become their geometric mean."""
    ends, blocks = CASES["chain in another order"]
    totals = [8.0, 0.5, 3.0, 2.0]
    shift = Quotient(ends, blocks).shift(totals)
    moved = [t * math.exp(shift[to] - shift[source]) for t, (to, source) in zip(totals, ends)]
    assert_close(moved, [24.0 ** (1 / 4)] * 4)


@pytest.mark.parametrize("case", ["chain", "residual", "loop", "two chains"])
def test_no_balanced_unit_is_disturbed_beyond_reach(case):
    """A unit that was balanced may have all its flow on any one bond in, and any one out."""
    ends, blocks = CASES[case]
    draw = random.Random(3)
    shift = np.array([0.0, *(draw.gauss(0, 1) for _ in range(blocks - 1))])
    worst = 0.0
    for block in range(1, blocks):
        into = [shift[block] - shift[s] for to, s in ends if to == block]
        out = [shift[to] - shift[block] for to, s in ends if s == block]
        worst = max(worst, *(abs(a - b) / 2 for a in into for b in out))
    assert worst <= Quotient(ends, blocks).reach(shift) <= 2 * abs(shift).max()


def test_no_shift_reaches_nothing():
    ends, blocks = CASES["residual"]
    assert Quotient(ends, blocks).reach(np.zeros(blocks)) == 0.0
