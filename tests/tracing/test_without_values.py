"""A model on the meta device has the group that it has with its weights."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, minimum_norm, mlp_group, params_of, rescale, trace_group
from gaugelib.networks import small_transformer
from gaugelib.testing import assert_gauge_invariant
from tests.tracing import lookalikes, zoo
from tests.tracing.allocated import most_bytes
from tests.tracing.lookalikes_language import Llama

MODELS = {
    **{name: lambda name=name: zoo.build(name) for name in zoo.ZOO},
    **{name: lambda name=name: lookalikes.build(name) for name in lookalikes.LOOKALIKES},
    "small transformer": lambda: (small_transformer(F.silu, blocks=2), torch.tensor([[1, 5, 2]])),
}
PLACES = {"swin", "maxvit", "graph attention"}
"""In these a buffer says which entries of a tensor are read."""


def as_tuple(example):
    return example if isinstance(example, tuple) else (example,)


def on_meta(model, *, buffers):
    """A copy without values; tied parameters stay tied, which `Module.to` does not see to."""
    memo = {id(v): nn.Parameter(v.detach().to("meta"), v.requires_grad) for v in model.parameters()}
    if buffers:
        memo |= {id(value): value.to("meta") for value in model.buffers()}
    return copy.deepcopy(model, memo)


def assert_same(one, two):
    assert (one.units, one.layers, one.shapes) == (two.units, two.layers, two.shapes)
    assert one.entries.keys() == two.entries.keys()
    for name, entry in one.entries.items():
        assert torch.equal(entry.target, two.entries[name].target), name
        assert torch.equal(entry.source, two.entries[name].source), name
        assert entry.kind == two.entries[name].kind, name


@pytest.mark.parametrize("name", sorted(MODELS.keys() - PLACES))
def test_no_value_is_asked_for(name):
    model, example = MODELS[name]()
    given = tuple(value.to("meta") for value in as_tuple(example))
    found = trace_group(on_meta(model, buffers=True), given, verify=False)
    group = trace_group(model, example, verify=False)
    assert_same(found, group)
    assert dict(found.grounded) == dict(group.grounded)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_but_of_buffers_that_hold_places_and_without_them_fewer_scales_are_free(name):
    model, example = MODELS[name]()
    group = trace_group(model, example, verify=False)
    assert_same(trace_group(on_meta(model, buffers=False), example, verify=False), group)
    found = trace_group(on_meta(model, buffers=True), example, verify=False)
    assert 0 < found.units <= group.units
    assert_gauge_invariant(model, example, group=found)


def test_the_group_of_layers_needs_no_values():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
        with pytest.raises(GaugeError, match="make the group outside of"):
            mlp_group(model)
    there = mlp_group(model)
    assert_same(there, mlp_group(model.to_empty(device="cpu")))
    assert_same(there, trace_group(model, torch.zeros(1, 3, device="meta"), verify=False))


class Made(nn.Module):
    """Makes tensors where its parameters are, or where its buffer is."""

    def __init__(self, forward):
        super().__init__()
        self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 2)
        self.register_buffer("mask", torch.tensor([True, False, True, True, True, True]))
        self.read = forward

    def forward(self, x):
        return self.last(self.read(self, self.first(x).relu()))


FORWARDS = {
    "a zero beside the weights": lambda m, z: z + torch.zeros(6, device=m.first.weight.device),
    "a zero beside a buffer": lambda m, z: z + torch.zeros(6, device=m.mask.device),
    "a mask": lambda m, z: torch.where(m.mask, z, torch.zeros(6, device=z.device)),
    "a mask that moves": lambda m, z: z.masked_fill(m.mask.to(z.device) == 0, 0.0),
    "a factor": lambda m, z: z * m.mask,
    "places that are made": lambda m, z: z[:, torch.arange(5, -1, -1, device=m.mask.device)],
    "a one is no zero": lambda m, z: z + torch.ones(6, device=m.mask.device),
}


@pytest.mark.parametrize("what", FORWARDS)
def test_what_a_forward_makes_there_has_values(what):
    model, x = Made(FORWARDS[what]), torch.randn(2, 4)
    group = trace_group(model, x)
    assert group.units == (0 if what == "a one is no zero" else 6)
    assert_same(trace_group(on_meta(model, buffers=True), x.to("meta"), verify=False), group)


def test_a_forward_that_decides_by_a_value_that_is_not_there_is_refused():
    model = Made(lambda m, z: z if bool(m.mask[0]) else z.tanh())
    assert trace_group(model, torch.randn(2, 4)).units == 6
    with pytest.raises(GaugeError, match="meta"):
        trace_group(on_meta(model, buffers=True), torch.randn(2, 4), verify=False)


MISSING = {
    r"parameter '0\.weight'": lambda: (nn.Sequential(nn.Linear(2, 1, device="meta")), "cpu"),
    r"buffer '0\.running_mean'": lambda: (
        nn.Sequential(nn.BatchNorm1d(2, affine=False, device="meta"), nn.Linear(2, 1)), "cpu",
    ),
    "input 0": lambda: (nn.Sequential(nn.Linear(2, 1)), "meta"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISSING)
def test_the_comparison_needs_values_and_says_how_to_go_without(what):
    model, device = MISSING[what]()
    x = torch.zeros(3, 2, device=device)
    with pytest.raises(GaugeError, match=what + " is on the meta device .* pass verify=False"):
        trace_group(model.eval(), x)
    trace_group(model.eval(), x, verify=False)


def test_weights_that_are_not_there_are_not_rescaled_and_nothing_is_tried_with_them():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).to("meta")
    group = mlp_group(model)
    for use in (
        lambda: rescale(params_of(model), group.identity(), group),
        lambda: minimum_norm(params_of(model), group),
        lambda: assert_gauge_invariant(model, torch.zeros(1, 2), group=group),
    ):
        with pytest.raises(GaugeError, match=r"'.*' is on the meta device and has no values"):
            use()


def shared_memory(model):
    model.tied = nn.Parameter(model.first.weight.data[1:3])


def kept_view(model):
    model.row = model.first.weight.detach()[0]


STRANGER = nn.Linear(6, 6, device="meta")


def leaked(model):
    model.read = lambda m, z: F.linear(z, STRANGER.weight)


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (shared_memory, "'tied' and 'first.weight' share memory"),
        (kept_view, "'row' lies in the memory of parameter 'first.weight'"),
        (leaked, "a parameter"),
    ],
)
def test_memory_that_is_shared_is_refused_as_where_there_are_values(alter, why):
    with torch.device("meta"):
        model = Made(lambda m, z: z)
    alter(model)
    with pytest.raises(GaugeError, match=why):
        trace_group(model, torch.zeros(1, 4), verify=False)


def test_a_billion_weights_and_more_need_less_than_a_hundredth_of_their_memory():
    with torch.device("meta"):
        model = Llama(d=8192, heads=64, kv_heads=8, width=128, f=28672, vocabulary=32_000)
    size = sum(value.nbytes for value in model.parameters())
    groups = []
    example = torch.zeros(1, 4, dtype=torch.long)
    held = most_bytes(lambda: groups.append(trace_group(model, example, verify=False)))
    assert size > 5.5e9
    assert held < size / 100
    assert groups[0].units == 3 * 8192 + 8 * 128 // 2 + 8 * 128 + 28672
