"""Two tensors share memory if they have a byte in common: not if their storages start alike."""

import copy
import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from gaugelib import GaugeError, minimum_norm_, mlp_group, params_of, rescale, trace_group
from gaugelib.memory import Footprint
from tests.balance.networks import multilayer

X = torch.tensor([[0.3, -1.2, 0.7], [1.0, 0.5, -0.2]], dtype=torch.float64)


def network():
    model = multilayer((3, 4, 5, 2), bias=True)
    draw = torch.Generator().manual_seed(0)
    for value in model.parameters():
        nn.init.normal_(value, generator=draw)
    return model


def bytes_of(value):
    """Every byte of every entry, one by one."""
    width = value.element_size()
    indices = itertools.product(*(range(n) for n in value.shape))
    places = (sum(i * s for i, s in zip(index, value.stride())) for index in indices)
    return {value.data_ptr() + width * at + k for at in places for k in range(width)}


def flattened(model):
    """The same model, each parameter a slice of one vector, as a fused optimizer makes it."""
    flat = parameters_to_vector(model.parameters()).detach().clone()
    vector_to_parameters(flat, model.parameters())
    return flat


# --- bytes ---


def strided():
    """Pairs of tensors in one storage of 24 numbers, of many strides, offsets and widths."""
    store = torch.zeros(24, dtype=torch.float64)
    return {
        "all": store,
        "even": store[::2],
        "odd": store[1::2],
        "left": store[:8],
        "right": store[8:],
        "column": store.view(4, 6)[:, 1],
        "other column": store.view(4, 6)[:, 2],
        "columns": store.view(4, 6)[:, 1:3],
        "transposed block": store.view(4, 6)[1:3, 3:5].T,
        "expanded": store[5:6].expand(7),
        "windows": store.as_strided((4, 3), (2, 1), 3),
        "third": store[2::3],
        "combed": store.as_strided((2, 3, 2), (12, 4, 1), 2),
        "single": store[23],
        "halves": store.view(torch.float32)[1::2],
        "bytes": store.view(torch.uint8)[3::24],
        "elsewhere": torch.zeros(24, dtype=torch.float64),
    }


def test_tensors_share_memory_exactly_if_they_share_a_byte():
    for (a, one), (b, two) in itertools.combinations(strided().items(), 2):
        common = bool(bytes_of(one) & bytes_of(two))
        assert Footprint({a: one, b: two}).shared == ((a, b) if common else None)
        assert Footprint({a: one}).owner(two) == (a if common else None)


def test_control_storages_or_first_and_last_bytes_would_tell_otherwise():
    views = [value for name, value in strided().items() if name != "elsewhere"]
    pairs = [(bytes_of(a), bytes_of(b)) for a, b in itertools.combinations(views, 2)]
    by_bytes = [bool(a & b) for a, b in pairs]
    by_ends = [min(a) <= max(b) and min(b) <= max(a) for a, b in pairs]
    assert by_bytes.count(False) > by_ends.count(False) > 0
    assert len({value.untyped_storage().data_ptr() for value in views}) == 1


def test_many_slices_are_told_apart_and_the_one_that_is_not_is_named():
    store = torch.zeros(50, 40)
    columns = {f"column {k}": store[:, k] for k in range(40)}
    assert Footprint(columns).shared is None
    assert set(Footprint({**columns, "row": store[7, 39:]}).shared) == {"column 39", "row"}
    assert Footprint(columns).owner(store[3]) == "column 0"
    assert Footprint({"none": torch.zeros(2, device="meta"), "empty": store[:0]}).shared is None


# --- parameters in one storage ---


@pytest.mark.parametrize("find", [mlp_group, lambda m: trace_group(m, X)], ids=["mlp", "trace"])
def test_disjoint_slices_of_one_storage_are_found_and_rescaled(find):
    model = network()
    apart, flat = copy.deepcopy(model), flattened(model)
    assert len({p.untyped_storage().data_ptr() for p in model.parameters()}) == 1
    before, group = model(X).detach(), find(model)
    assert group.units == find(apart).units == 9
    scales = group.random(generator=torch.Generator().manual_seed(1))
    moved = torch.func.functional_call(model, rescale(params_of(model), scales, group), (X,))
    assert (moved - before).abs().max() < 1e-13 * before.abs().max()
    minimum_norm_(model, group)
    assert (model(X) - before).abs().max() < 1e-13 * before.abs().max()
    assert torch.equal(flat, parameters_to_vector(model.parameters()))  # still one vector


def test_interleaved_slices_are_found_and_rescaled():
    model, store = network(), torch.zeros(4, 6, dtype=torch.float64)
    for part, columns in ((model[0], slice(0, 6, 2)),):
        store[:, columns] = part.weight.detach()
        part.weight.data = store[:, columns]
        store[:, 1] = part.bias.detach()
        part.bias.data = store[:, 1]
    before = model(X).detach()
    minimum_norm_(model, example=X)
    assert (model(X) - before).abs().max() < 1e-13 * before.abs().max()
    assert torch.equal(store[:, ::2], model[0].weight)


@pytest.mark.parametrize("find", [mlp_group, lambda m: trace_group(m, X)], ids=["mlp", "trace"])
@pytest.mark.parametrize("shift", [1, 4, 19])
def test_control_slices_with_a_byte_in_common_are_refused(find, shift):
    model = network()
    flat = torch.ones(100, dtype=torch.float64)
    model[0].weight.data = flat[10:22].view(4, 3)
    model[2].weight.data = flat[22 - shift : 42 - shift].view(5, 4)
    with pytest.raises(GaugeError, match=r"'0\.weight' and '2\.weight' share memory.*or give each"):
        find(model)
    model[2].weight.data = flat[22:42].view(5, 4)
    assert find(model).units == 9


def test_a_tensor_beside_a_parameter_is_fine_and_one_inside_is_not():
    model, store = network(), torch.ones(4, 6, dtype=torch.float64)
    model[0].weight.data = store[:, :3]
    model.register_buffer("beside", store[:, 3:])
    assert trace_group(model, X).units == 9
    model.inside = {"deep": [store[:, 2:4]]}
    with pytest.raises(GaugeError, match=r"'inside' lies in the memory of parameter '0\.weight'"):
        trace_group(model, X)


def test_a_forward_may_read_memory_beside_a_parameter_but_not_in_it():
    store = torch.ones(12, dtype=torch.float64)

    class Shifted(nn.Module):
        def __init__(self, outside):
            super().__init__()
            self.first = nn.Linear(3, 2, bias=False, dtype=torch.float64)
            self.last = nn.Linear(2, 1, bias=False, dtype=torch.float64)
            self.first.weight.data = store[:6].view(2, 3)
            self.read = lambda: torch.mul(outside, 2.0)

        def forward(self, x):
            return self.last(torch.relu(self.first(x + self.read())))

    assert trace_group(Shifted(store[6:9]), X).units == 2
    with pytest.raises(GaugeError, match=r"reads parameter 'first\.weight' from outside"):
        trace_group(Shifted(store[5:8]), X)
