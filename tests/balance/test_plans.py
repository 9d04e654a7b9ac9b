"""Plans say of every entry which units it joins, and an order in which blocks can be balanced."""

import itertools

import pytest
import torch
from torch.testing import assert_close

from gaugelib import Entry, GaugeGroup, minimum_norm, weight_norm
from gaugelib.balance.solver.blocks import FIXED, Blocks, as_run, ends_of, incidences_of
from gaugelib.balance.solver.plan import plan_of
from tests.balance.networks import chain, initialised
from tests.balance.newton import newton
from tests.balance.test_minimum_norm import NETWORKS
from tests.balance.test_readings import looped

CPU = torch.device("cpu")


def ragged():
    """Layers out of order, with units that no layer names, and columns that share their units."""
    draw = torch.Generator().manual_seed(0)
    sizes = {"a": (4, 5), "b": (6, 3), "c": (3, 2, 2), "d": (2, 2), "e": (2, 2), "one": ()}
    square = torch.tensor([[1, 2], [3, 4]])
    entries = {
        "a": Entry(torch.tensor([[2], [1], [7], [7]]), torch.tensor([[0, 3, 3, 4, 0]])),
        "b": Entry(
            torch.randint(0, 9, (6, 3), generator=draw), torch.randint(0, 9, (6, 3), generator=draw)
        ),
        "c": Entry(torch.tensor([1, 2, 3])[:, None, None], torch.tensor([5, 6])),
        "d": Entry(square, 4 + square),
        "e": Entry(square[:, :1], square[1:]),
        "one": Entry(torch.tensor(8), torch.tensor(3)),
    }
    params = {n: torch.randn(s, generator=draw, dtype=torch.float64) for n, s in sizes.items()}
    layers = {"late": slice(5, 7), "early": slice(0, 3)}
    return params, GaugeGroup(8, layers, entries, {n: v.shape for n, v in params.items()})


GROUPS = {**NETWORKS, "loops": looped, "ragged": ragged}
DEAD = {"nobody dead": None, "some dead": torch.tensor([0, 2])}


def listed(where):
    return torch.arange(where.start, where.stop) if isinstance(where, slice) else where


def units_of(end, blocks, count):
    """The unit of each line of an end, dead ones as the ground."""
    if end.block == FIXED:
        return torch.zeros(count, dtype=torch.int64)
    members = blocks.members[end.block - 1][listed(end.units)]
    assert len(members.unique()) == len(members)
    return members if end.repeats is None else members[end.repeats]


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("name", GROUPS)
def test_a_strip_joins_what_its_entries_join(name, dead):
    params, group = GROUPS[name]()
    blocks = Blocks(group, dead, CPU)
    alive = torch.arange(group.units + 1)
    if dead is not None:
        alive[1 + dead] = 0
    strips = [
        (entry, incidence)
        for parameter, entry in group.entries.items()
        for incidence in incidences_of(parameter, entry, params[parameter].shape, blocks)
    ]
    for entry, incidence in strips:
        ends = ends_of(entry, max(1, params[incidence.name].dim()), CPU)
        parts = (index[incidence.part] if len(index) > 1 else index for index in ends)
        full = [alive[index].expand(incidence.shape) for index in parts]
        if incidence.dims is None:
            to, out_of = (index.reshape(-1) for index in full)
            assert incidence.rows == len(to)
        else:
            order = [
                *incidence.dims,
                *(d for d in range(len(incidence.shape)) if d not in incidence.dims),
            ]
            to, out_of = (index.permute(order).reshape(incidence.rows, -1) for index in full)
        seen = torch.zeros_like(to)
        for row, column in incidence.pairs:
            lines = torch.arange(len(to))[row.lines]
            targets = units_of(row, blocks, len(lines))
            if incidence.dims is None:
                sources = units_of(column, blocks, len(lines))
                moved = targets != sources
                assert torch.equal(lines, torch.arange(len(to))[column.lines])
                assert torch.equal(targets[moved], to[lines][moved])
                assert torch.equal(sources[moved], out_of[lines][moved])
                assert bool((moved | (to[lines] == out_of[lines])).all())
                seen[lines] += 1
                continue
            across = torch.arange(to.shape[1])[column.lines]
            sources = units_of(column, blocks, len(across))
            assert torch.equal(to[lines][:, across], targets[:, None].expand(-1, len(across)))
            assert torch.equal(out_of[lines][:, across], sources.expand(len(lines), -1))
            seen[lines[:, None], across] += 1
        assert bool((seen == 1).all())


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("name", GROUPS)
def test_blocks_hold_every_live_unit_once(name, dead):
    _, group = GROUPS[name]()
    blocks = Blocks(group, dead, CPU)
    gone = set() if dead is None else set((1 + dead).tolist())
    units = torch.cat(blocks.members).tolist()
    assert sorted(units) == [u for u in range(1, group.units + 1) if u not in gone]
    assert blocks.sizes == [0, *map(len, blocks.members)]
    numbers, places = blocks.locate(torch.arange(group.units + 1))
    for unit, (number, place) in enumerate(zip(numbers.tolist(), places.tolist())):
        assert (number == FIXED) == (unit == 0 or unit in gone)
        if number:
            assert blocks.members[number - 1][place] == unit
    for layer in group.layers.values():
        living = {u for u in range(layer.start + 1, layer.stop + 1) if u not in gone}
        assert any(set(members.tolist()) == living for members in blocks.members)


@pytest.mark.parametrize("coloured", [True, False])
@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("name", GROUPS)
def test_no_weight_joins_two_blocks_of_a_colour(name, dead, coloured):
    _, group = GROUPS[name]()
    plan = plan_of(group, list(group.entries), dead, CPU, coloured=coloured)
    colour = {b: k for k, blocks in enumerate(plan.colours) for b in blocks}
    ends = {(a.block, b.block) for incidence in plan.incidences for a, b in incidence.pairs}
    joined = {(a, b) for a, b in ends if a != b and FIXED not in (a, b)}
    if coloured:
        assert all(colour[a] != colour[b] for a, b in joined)
        near = {a: {c for pair in joined if a in pair for c in pair} - {a} for a in colour}
        for a, number in colour.items():  # no colour is skipped without need
            assert set(range(number)) <= {colour[c] for c in near[a]}
    else:
        assert len(plan.colours) == 1
    position = 1
    for block in itertools.chain(*plan.colours):
        assert plan.ranges[block].start == position
        position = plan.ranges[block].stop
    assert position == 1 + len(plan.units)
    if dead is None:
        assert sorted(plan.units.tolist()) == list(range(1, group.units + 1))


def loops(group):
    plan = plan_of(group, list(group.entries), None, CPU, coloured=True)
    return plan.cyclic, set(plan.looped)


def test_cycles_and_loops_are_found_and_nothing_else_is():
    assert loops(chain(1.0, 2.0, 3.0, 4.0)[1]) == (False, set())
    assert loops(NETWORKS["dense"]()[1]) == (False, set())
    assert loops(looped()[1]) == (True, {"W"})
    entries = {
        "up": Entry(torch.tensor([2]), torch.tensor([1])),
        "down": Entry(torch.tensor([1]), torch.tensor([2])),
    }
    shapes = {name: torch.Size((1,)) for name in entries}
    layers = {"a": slice(0, 1), "b": slice(1, 2)}
    assert loops(GaugeGroup(2, layers, entries, shapes)) == (True, set())
    once = GaugeGroup(2, layers, {"up": entries["up"]}, {"up": shapes["up"]})
    assert loops(once) == (False, set())


def test_the_layers_of_a_chain_get_two_colours():
    """Even and odd, however many there are."""
    for weights in range(2, 7):
        _, group = chain(*range(1, weights + 1))
        plan = plan_of(group, list(group.entries), None, CPU, coloured=True)
        layers = list(range(1, weights))
        assert plan.colours == tuple(tuple(c) for c in (layers[::2], layers[1::2]) if c)


def test_a_plan_is_made_once_for_each_question():
    _, group = NETWORKS["chain"]()
    names = list(group.entries)
    one = plan_of(group, names, None, CPU, coloured=True)
    assert plan_of(group, names, None, CPU, coloured=True) is one
    assert plan_of(group, names[1:], None, CPU, coloured=True) is not one
    assert plan_of(group, names, None, CPU, coloured=False) is not one


RUNS = {(3, 4, 5): slice(3, 6), (2,): slice(2, 3)}


@pytest.mark.parametrize("places", [*RUNS, (1, 3), (2, 1), (), (1, 1)])
def test_places_that_follow_one_another_are_a_slice(places):
    index = torch.tensor(places, dtype=torch.int64)
    found = as_run(index)
    assert found == RUNS[places] if places in RUNS else found is index


def test_dead_units_are_named_by_layer_and_place():
    params, group = initialised((3, 4, 5, 6, 2))
    names = [f"{layer}[{k}]" for layer, s in group.layers.items() for k in range(s.stop - s.start)]
    for unit in range(1, group.units + 1):
        cut = {name: value.clone() for name, value in params.items()}
        for name, entry in group.entries.items():
            cut[name][(entry.target == unit).expand(cut[name].shape)] = 0.0
        found = minimum_norm(cut, group)
        assert found.dead.tolist() == [unit - 1]
        assert found.dead_names == (names[unit - 1],)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("method", ["two-level", "alternating", "doubled", "algorithm-1"])
def test_units_in_any_order_end_in_newtons_minimum(method, p):
    """Rows and columns that skip units, repeat them, or take them backwards."""
    params, group = ragged()
    everyone, ground = torch.arange(1, 9), torch.tensor([0])
    entries = {**group.entries, "in": Entry(everyone, ground), "out": Entry(ground, everyone)}
    ends = {"in": torch.linspace(1, 2, 8).double(), "out": torch.linspace(3, 1, 8).double()}
    params = {**params, **ends}
    shapes = {name: value.shape for name, value in params.items()}
    group = GaugeGroup(8, group.layers, entries, shapes)
    found = minimum_norm(params, group, p=p, tol=1e-11, method=method, max_passes=2000)
    assert found.converged
    assert_close(found.scales.log(), newton(params, group, p), rtol=0, atol=1e-8)
    back = minimum_norm(params, group, p=p, tol=1e-11, method=method, max_passes=1)
    assert weight_norm(found.params, group, p) < weight_norm(back.params, group, p)
