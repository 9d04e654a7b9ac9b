"""What is read piece by piece is what is there: powers, sums, and logarithms of sums.

The oracle lists the entries one by one. Pieces are made small, so that small tensors have many.
"""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import Entry, GaugeGroup, minimum_norm, rescale
from gaugelib.balance.solver import powers
from gaugelib.balance.solver.powers import pieces, power_into, reduced
from gaugelib.balance.solver.prepare import dead_units, log_totals, start_within_range
from gaugelib.balance.solver.unit_sums import UnitSums
from gaugelib.balance.solver.write import write_rescaled
from gaugelib.optim.totals import Totals
from tests.balance.newton import edges
from tests.balance.test_minimum_norm import NETWORKS, wandering

SHAPES = [(7, 5), (1, 50), (30, 1), (5,), (3, 2, 2), (4, 3, 1, 2), (12, 1), (13, 1)]


def drawn(shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.fixture(params=[1, 12])
def piece(request, monkeypatch):
    monkeypatch.setattr(powers, "PIECE", request.param)
    return request.param


@pytest.mark.parametrize("shape", SHAPES)
def test_pieces_are_rows_in_order_as_many_as_fit(shape, piece):
    value = drawn(shape)
    found = pieces(value)
    assert torch.equal(torch.cat([value[where] for where in found]), value)
    rows = max(1, piece // value[0].numel())
    sizes = [where.stop - where.start for where in found]
    assert sizes == [*(rows for _ in sizes[:-1]), sizes[-1]]
    assert 1 <= sizes[-1] <= rows
    assert pieces(torch.zeros(0, 3)) == []


def test_an_accelerator_reads_more_at_once(piece):
    assert pieces(torch.empty(100, 3, device="meta")) == [slice(0, 100)]
    assert len(pieces(torch.empty(1 << 13, 1 << 13, device="meta"))) == 4


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, 4.0, 8.0, 0.7, 16.0])
def test_powers_are_those_of_python(p, narrow):
    value = drawn((6, 4), dtype=torch.float32 if narrow else torch.float64)
    kept, out = value.clone(), torch.full((6, 4), torch.nan).double()
    expected = [[abs(x) ** p for x in row] for row in value.tolist()]
    assert_close(
        power_into(value, p, out), torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=0
    )
    assert torch.equal(value, kept)


@pytest.mark.parametrize("kept", [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("shifted", [False, True])
def test_sums_are_taken_along_what_entries_share(kept, shifted, piece):
    value = drawn((5, 4, 3))
    shape = tuple(n if d in kept else 1 for d, n in enumerate(value.shape))
    shift = drawn(shape, 1) if shifted else None
    expected = value.abs() ** 3 * (shift.exp() if shifted else 1.0)
    summed = reduced(value, 3.0, torch.float64, shift, shape)
    assert_close(summed, expected.sum_to_size(shape))


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 1, 3), (6,), (3, 2, 2, 2)])
def test_tallies_count_each_entry_at_its_unit(shape, piece):
    """Whichever dimensions the index of units runs along."""
    value = drawn(shape).abs()
    for kept in itertools.product([False, True], repeat=len(shape)):
        ends = tuple(n if k else 1 for n, k in zip(shape, kept))
        end = torch.randint(0, 4, ends, generator=torch.Generator().manual_seed(1))
        tally, total = UnitSums(end, value), torch.zeros(4).double()
        for where in pieces(value):
            tally.add(value[where], where)
        tally.into(total)
        expected = torch.zeros(4).double()
        expected.index_add_(0, end.expand(shape).reshape(-1), value.reshape(-1))
        assert_close(total, expected)


def sums(params, group, p, include_bias=False):
    to, out_of, power = edges(params, group, p, include_bias)
    zeros = torch.zeros(group.units + 1).double()
    return zeros.index_add(0, to, power)[1:], zeros.index_add(0, out_of, power)[1:]


LOOPED = {
    "any wiring": lambda: wandering(0),
    **NETWORKS,
    # W joins units 1..3 to each other and to themselves; a single number leads in, one out
    "loops": lambda: looped(),
}


def looped():
    units, ground = torch.tensor([[1], [2], [3]]), torch.tensor(0)
    entries = {
        "in": Entry(units[:, 0], ground),
        "W": Entry(units, units.T),
        "first": Entry(torch.tensor(1), ground, "bias"),
        "out": Entry(ground, units.T),
    }
    params = {
        "in": drawn(3, 1),
        "W": drawn((3, 3), 2),
        "first": drawn((), 3),
        "out": drawn((1, 3), 4),
    }
    shapes = {name: value.shape for name, value in params.items()}
    return params, GaugeGroup(3, {"all": slice(0, 3)}, entries, shapes)


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("network", LOOPED)
def test_flows_are_sums_over_edges(network, p, include_bias, piece):
    params, group = LOOPED[network]()
    kinds = {"weight", "bias"} if include_bias else {"weight"}
    names = [name for name, entry in group.entries.items() if entry.kind in kinds]
    flows = Totals(params, group, names, p, torch.float64)
    expected = torch.stack(sums(params, group, p, include_bias))
    for _ in range(2):  # the memory of the first reading is used again
        assert_close(flows.read(params), expected, rtol=1e-13, atol=0)
    narrow = {name: value.float() for name, value in params.items()}
    assert_close(
        Totals(narrow, group, names, p, torch.float64).read(narrow), expected, rtol=1e-6, atol=0
    )
    assert 200 * 2.2e-16 < flows.rounding < 400 * 2.3e-16


@pytest.mark.parametrize("within", [1.0, 1e-289, 1e290])
@pytest.mark.parametrize("beyond", [1e-300, 1e297, 0.0, math.nan, math.inf])
def test_flows_keep_from_the_ends_of_their_range(within, beyond):
    params, group = NETWORKS["chain"]()
    flows = Totals(params, group, list(params), 2.0, torch.float64)
    assert flows.within_range(torch.tensor([[1.0, within], [1.0, 1.0]], dtype=torch.float64))
    assert not flows.within_range(torch.tensor([[1.0, within], [beyond, 1.0]], dtype=torch.float64))
    assert flows.within_range(torch.zeros(2, 0).double())


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("p", [1.0, 3.0])
@pytest.mark.parametrize("network", LOOPED)
def test_logarithms_of_sums_at_any_point_of_the_orbit(network, p, size):
    params, group = LOOPED[network]()
    names = [name for name, entry in group.entries.items() if entry.kind == "weight"]
    log_scales = drawn(group.units, 5)
    moved = rescale(params, log_scales.exp(), group)
    expected = [total.log() + p * math.log(size) for total in sums(moved, group, p)]
    given = {name: value * size for name, value in params.items()}
    for found, logs in zip(log_totals(given, group, names, p, log_scales), expected):
        assert_close(found, logs, rtol=1e-12, atol=1e-12)


def test_a_start_within_range_is_found_far_out():
    params, group = NETWORKS["chain"]()
    names = [name for name, entry in group.entries.items() if entry.kind == "weight"]
    far = group.random(generator=torch.Generator().manual_seed(0), log_std=80.0)
    params, none = rescale(params, far, group), torch.zeros(0, dtype=torch.int64)
    shift, unit = start_within_range(params, group, names, 3.0, none)
    into, out = log_totals(params, group, names, 3.0, shift)
    both = torch.cat([into, out])
    assert unit == both.max()
    assert both.max() - both.min() <= 500.0
    at_rest = torch.cat(log_totals(params, group, names, 3.0))
    assert at_rest.max() - at_rest.min() > 500.0


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("network", LOOPED)
def test_what_is_written_is_measured_as_it_is(network, dtype, far, piece):
    params, group = LOOPED[network]()
    params = {name: value.to(dtype) for name, value in params.items()}
    names = [name for name, entry in group.entries.items() if entry.kind == "weight"]
    scales = drawn(group.units, 6).mul(0.5).exp()
    if far:  # all together: a weight times its target's scale alone would overflow
        scales *= 1e307
        free = {n for n, e in group.entries.items() if not bool((e.target * e.source).all())}
        params = {n: v * (0.0 if n in free else 50.0) for n, v in params.items()}
    room = {name: torch.full_like(value, torch.nan) for name, value in params.items()}
    seen = write_rescaled(params, group, scales, 3.0, names, names, room)
    full = torch.cat([torch.ones(1).double(), scales])
    for name, entry in group.entries.items():
        factor = full[entry.target] / full[entry.source]
        assert_close(room[name], (params[name].double() * factor).to(dtype), rtol=1e-15, atol=0)
    into, out = sums(room, group, 3.0)
    assert_close(seen.incoming, into, rtol=1e-13, atol=0)
    assert_close(seen.outgoing, out, rtol=1e-13, atol=0)
    norm = sum(room[name].double().abs().pow(3).sum().item() for name in names)
    assert_close(seen.objective, norm, rtol=1e-13, atol=0)


@pytest.mark.parametrize("p", [1.0, 3.0])
def test_a_weight_may_be_a_single_number(p):
    """a = |out/in|^{1/2} at the only unit, whatever the exponent."""
    unit, ground = torch.tensor(1), torch.tensor(0)
    entries = {"in": Entry(unit, ground), "out": Entry(ground, unit)}
    shapes = {"in": torch.Size(), "out": torch.Size()}
    group = GaugeGroup(1, {"one": slice(0, 1)}, entries, shapes)
    params = {"in": torch.tensor(-2.0).double(), "out": torch.tensor(18.0).double()}
    found = minimum_norm(params, group, p=p, tol=1e-12)
    assert_close(found.scales, torch.tensor([3.0]).double())
    assert_close(found.params, {"in": params["in"] * 3, "out": params["out"] / 3})


def test_control_an_entry_that_is_forgotten_is_missed():
    params, group = LOOPED["loops"]()
    less = {name: value.clone() for name, value in params.items()}
    less["W"][0, 1] = 0.0
    assert (sums(params, group, 2.0)[0] - sums(less, group, 2.0)[0]).abs().max() > 0.01
    assert dead_units(less, group, ["in", "W", "out"]).tolist() == []
