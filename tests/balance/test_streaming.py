"""Weights are read and written a piece at a time: as exactly as at once, and without a copy."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from gaugelib import GaugeError, minimum_norm, minimum_norm_, mlp_group, params_of, trace_group
from gaugelib.balance.solver import powers, read
from gaugelib.balance.solver.matrices import Powers
from gaugelib.balance.solver.plan import plan_of
from tests.balance.newton import edges
from tests.balance.test_minimum_norm import NETWORKS, wandering


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def convolutions():
    """Kernels, groups, a transposed kernel, and channels that are flattened."""
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 2, groups=2), nn.ReLU(),
        nn.ConvTranspose2d(8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(75, 5), nn.ReLU(),
        nn.Linear(5, 2),
    ).double()  # fmt: skip
    with torch.no_grad():
        for k, value in enumerate(model.parameters()):
            value.copy_(drawn(*value.shape, seed=k))
    return params_of(model), trace_group(model, drawn(1, 2, 7, 7))


CASES = {**NETWORKS, "any wiring": lambda: wandering(0), "convolutions": convolutions}


@pytest.fixture(params=[1, 12, 1 << 17])
def piece(request, monkeypatch):
    monkeypatch.setattr(powers, "PIECE", request.param)


def network_of(case, p, dead=None):
    params, group = CASES[case]()
    names = group.counted(include_bias=False)
    plan = plan_of(group, names, dead, torch.device("cpu"), coloured=True)
    return params, group, plan, read.conductances_of(params, group, plan, p, torch.float64)


def multiplied(links, positions, x):
    """All links' products with numbers for all units, forward and backward, by position."""
    into, out = torch.zeros(2, *x.shape, dtype=x.dtype)
    for link in links:
        rows = torch.empty(len(positions[link.rows]), *x.shape[1:], dtype=x.dtype)
        link.matrix.into(x[link.columns], rows)
        into.index_add_(0, positions[link.rows], rows)
        columns = torch.empty(len(positions[link.columns]), *x.shape[1:], dtype=x.dtype)
        link.matrix.out_of(x[link.rows], columns)
        out.index_add_(0, positions[link.columns], columns)
    return into, out


@pytest.mark.parametrize("dead", [None, torch.tensor([1, 2])])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])  # the last one's powers are kept
@pytest.mark.parametrize("case", CASES)
def test_products_are_those_of_the_edges_one_by_one(case, p, dead, piece):
    params, group, plan, network = network_of(case, p, dead)
    positions = torch.arange(1 + len(plan.units))
    place = torch.zeros(1 + group.units, dtype=torch.int64)
    place[plan.units] = positions[1:]
    to, source, power = edges(params, group, p, False)
    to, source = place[to], place[source]
    inner = (to > 0) & (source > 0) & (to != source)
    x = drawn(len(positions), 3)
    expected = torch.zeros(2, *x.shape, dtype=torch.float64)
    flows = power[inner, None]
    expected[0].index_add_(0, to[inner], flows * x[source[inner]])
    expected[1].index_add_(0, source[inner], flows * x[to[inner]])
    several = multiplied(network.links, positions, x)
    assert_close(torch.stack(several), expected, rtol=1e-12, atol=1e-12)
    for column in range(3):  # one at a time is another product
        alone = torch.stack(multiplied(network.links, positions, x[:, column]))
        assert_close(alone, expected[..., column], rtol=1e-12, atol=1e-12)
    swapped = torch.stack(several[::-1])  # the control
    assert not network.links or not torch.allclose(swapped, expected)


def test_groups_of_a_convolution_are_read_one_by_one():
    _, _, _, network = network_of("convolutions", 2.0)
    assert len(network.powers["2.weight"]) == 2
    assert sum(len(part.value) for part in network.powers["2.weight"]) == 8
    assert [len(parts) for parts in network.powers.values()].count(1) == 4


def test_the_smallest_power_is_known_once_all_were_read(piece):
    value = torch.tensor([[3.0, -0.5], [0.0, 2.0], [0.0, 0.0]])
    powers_of = Powers(value, 2.0, torch.float32)
    assert powers_of.least != powers_of.least
    assert sum(len(matrix) for _, matrix in powers_of) == 3
    assert powers_of.least == 0.25  # what is 0 stays 0 in every gauge
    value[0, 0] = 1e-30  # its square is 0 in float32, and it is not
    again = Powers(value, 2.0, torch.float32)
    list(again)
    assert again.least == 0.0


class Largest(TorchDispatchMode):
    """The bytes of the largest new memory that an operation asks for."""

    def __init__(self, model):
        super().__init__()
        self.known = {v.untyped_storage().data_ptr() for v in model.parameters()}
        self.most = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for value in found if isinstance(found, tuple | list) else [found]:
            if isinstance(value, torch.Tensor):
                store = value.untyped_storage()
                if store.data_ptr() not in self.known:
                    self.most = max(self.most, store.nbytes())
        return found


def chain(width=96, dtype=torch.float32, spread=0.0):
    draw = torch.Generator().manual_seed(0)
    layers = [nn.Linear(width, width, bias=k == 1, dtype=dtype) for k in range(5)]
    with torch.no_grad():
        for layer in layers:
            layer.weight.normal_(0, (2 / width) ** 0.5, generator=draw)
            layer.weight.mul_((spread * torch.randn(width, 1, generator=draw)).exp())
    return nn.Sequential(*(m for layer in layers for m in (layer, nn.ReLU())))


@pytest.mark.parametrize(("tol", "dtype"), [(1e-3, torch.float32), (1e-6, torch.float64)])
def test_fixing_in_place_makes_no_copy_of_a_weight(tol, dtype, monkeypatch):
    monkeypatch.setattr(powers, "PIECE", 4 * 96)
    model = chain(dtype=dtype)
    group = mlp_group(model)
    weight = model[0].weight.nbytes
    with Largest(model) as seen:
        assert minimum_norm_(model, group, tol=tol).converged
    assert seen.most < weight / 4
    with Largest(model) as seen:  # the control: powers of another exponent are kept
        minimum_norm_(model, group, p=3.0, tol=tol)
    assert seen.most >= weight


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("spread", [0.3, 12.0])
@pytest.mark.parametrize("tol", [1e-3, 1e-6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_in_place_is_what_is_returned_elsewhere_bit_by_bit(dtype, tol, spread, exact):
    model = chain(16, dtype, spread)
    given = params_of(model)
    found = minimum_norm(given, mlp_group(model), tol=tol, exact=exact)
    inside = minimum_norm_(model, tol=tol, exact=exact)
    for name, value in params_of(model).items():
        assert torch.equal(value, found.params[name]), name
        assert exact or not torch.equal(value, given[name])  # the control
    assert torch.equal(inside.scales, found.scales)
    assert (inside.imbalance, inside.passes) == (found.imbalance, found.passes)
    assert inside.params["0.weight"].data_ptr() == model[0].weight.data_ptr()


@pytest.mark.parametrize("small", [3e-45, 1e-30])
def test_a_weight_that_would_vanish_is_refused_before_anything_is_written(small):
    model = chain(16)
    with torch.no_grad():
        model[0].weight.mul_(1e4)
        model[0].weight[3, 5] = small
    before = params_of(model)
    if small > 1e-40:  # the control: it is seen, and there is room for it
        assert minimum_norm_(model, tol=1e-3).converged
        return
    with pytest.raises(GaugeError, match=r"'0\.weight' in this gauge become zero"):
        minimum_norm_(model, tol=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in params_of(model).items())


def test_room_of_ones_own_is_refused_in_place():
    model = chain(4)
    with pytest.raises(GaugeError, match="leave out= away"):
        minimum_norm_(model, out=params_of(model))
