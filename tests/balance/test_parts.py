"""Networks that nearly fall apart: their parts show in what a sweep changes.

The oracle for parts is how the networks were made; for the balanced point it is Newton's method.
"""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import minimum_norm, rescale
from gaugelib.balance.solver import sweeps
from gaugelib.balance.solver.parts import MOST, divided
from tests.balance.networks import initialised
from tests.balance.newton import imbalance_of, newton


def coupled(layers, *widths, seed=0, coupling=0.0, log_std=0.0):
    """A chain of blocks of these widths, in an order that no layer shares with the next."""
    width, draw = sum(widths), torch.Generator().manual_seed(seed)
    params, group = initialised((3, *[width] * (layers - 1), 2), seed=seed)
    inside = torch.block_diag(*(torch.ones(n, n, dtype=torch.float64) for n in widths))
    orders = [torch.arange(3), *(torch.randperm(width, generator=draw) for _ in params)]
    orders[layers] = torch.arange(2)
    for k, name in enumerate(params):
        if 0 < k < layers - 1:
            params[name] = params[name] * (inside + coupling * (1 - inside))
        params[name] = params[name][orders[k + 1]][:, orders[k]]
    return rescale(params, group.random(generator=draw, log_std=log_std), group), group


def passes(layers, *widths, tol=1e-6, p=2.0, **how):
    found = minimum_norm(*coupled(layers, *widths, **how), tol=tol, p=p, max_passes=400)
    assert found.converged
    objective = found.history.objective
    assert (objective.diff() <= 1e-12 * objective[:-1]).all()
    return found.passes


COUPLINGS = (0.0, 1e-6, 1e-3, 1e-2)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_halves_are_balanced_in_as_many_passes_at_every_depth(coupling, p):
    for log_std in (0.0, 3.0):
        for layers in (10, 20, 80):
            assert passes(layers, 16, 16, coupling=coupling, p=p, log_std=log_std) <= 14


@pytest.mark.parametrize(
    ("widths", "most"), [((12, 12, 12), 13), ((30, 6), 14), ((8,) * 5, 16), ((6,) * 20, 28)]
)
@pytest.mark.parametrize("coupling", [0.0, 1e-3])
def test_so_are_more_parts_and_uneven_ones(widths, most, coupling):
    for layers in (10, 40):
        assert passes(layers, *widths, coupling=coupling) <= most


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_control_undivided_they_need_more_the_deeper_they_are(coupling, monkeypatch):
    monkeypatch.setattr(sweeps, "divided", lambda *_: None)
    shallow, deep = (passes(layers, 16, 16, coupling=coupling) for layers in (10, 40))
    assert deep > max(2 * shallow, 20)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("widths", [(4, 4), (1, 6, 3), (3, *[1] * (MOST + 2))])
@pytest.mark.parametrize("coupling", [0.0, 1e-3])
def test_it_is_the_balanced_point(widths, coupling, p, seed):
    params, group = coupled(16, *widths, seed=seed, coupling=coupling, log_std=2.0)
    found = minimum_norm(params, group, p=p, tol=1e-12)
    assert found.converged
    assert imbalance_of(found.params, group, p).max() < 2e-12
    assert_close(found.scales.log(), newton(params, group, p), rtol=0, atol=1e-9)


def changes(noise, units=300):
    """What two layers change: the first has parts that move by 0, 1 and 5, and the second none."""
    draw = torch.Generator().manual_seed(0)
    block = torch.tensor([1, 2]).repeat_interleave(units)
    kind = torch.randint(3, block.shape, generator=draw) * (block == 1)
    change = torch.tensor([0.0, 1.0, 5.0])[kind] + noise * torch.randn(len(kind), generator=draw)
    return change.double(), block, kind, block == 1


def test_units_that_move_alike_are_one_part_of_their_layer():
    change, block, kind, first = changes(1e-3)
    parts = divided(change, block, torch.zeros_like(block))
    assert torch.equal(parts[first], kind[first])


def test_a_division_is_never_undone():
    change, block, kind, first = changes(1e-3)
    before = torch.arange(len(block)) % 2
    parts = divided(change, block, before)
    joint = {(int(a), int(b), int(c)) for a, b, c in zip(parts[first], before, kind)}
    assert len(joint) == len({a for a, *_ in joint}) == 6


@pytest.mark.parametrize("noise", [1.0, 10.0])
def test_control_no_parts_are_seen_in_noise(noise):
    change, block, _, _ = changes(noise)
    assert divided(change, block, torch.zeros_like(block)) is None


@pytest.mark.parametrize(("more", "seen"), [(0, True), (1, False)])
def test_a_block_has_only_so_many(more, seen):
    count = MOST + more
    part = torch.arange(count) // 20  # so that no gap is too small beside the range
    change = (torch.arange(count) % 20).double()
    assert (divided(change, torch.ones_like(part), part) is not None) is seen
