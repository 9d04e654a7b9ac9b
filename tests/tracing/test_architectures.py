"""Networks of every kind keep their function under their traced group, and only under it."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from gaugelib import Entry, GaugeError, GaugeGroup, params_of, rescale, trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.zoo import ZOO, build

BOUND = {torch.float64: 1e-14, torch.float32: 1e-5}


def evaluate(model, params, x):
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        buffers = {name: value.clone() for name, value in model.named_buffers()}
        return functional_call(model, {**params, **buffers}, x)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", ZOO)
def test_function_stays_in_place(name, dtype):
    model, x = build(name, dtype)
    group = trace_group(model, x, verify=False)
    for seed in range(3):
        draw = torch.Generator().manual_seed(seed)
        assert_gauge_invariant(model, x, group=group, tol=BOUND[dtype], generator=draw)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", ZOO)
def test_powers_of_two_leave_it_bitwise_in_place(name, dtype):
    model, x = build(name, dtype)
    group = trace_group(model, x)
    draw = torch.Generator().manual_seed(2)
    scales = 2.0 ** torch.randint(-8, 9, (group.units,), generator=draw).to(dtype)
    before = evaluate(model, params_of(model), x)
    assert torch.equal(evaluate(model, rescale(params_of(model), scales, group), x), before)


@pytest.mark.parametrize("name", ZOO)
def test_units_are_those_counted_by_hand(name):
    model, x = build(name)
    group = trace_group(model, x)
    assert group.units == ZOO[name].units
    covered = [unit for part in group.layers.values() for unit in range(part.start, part.stop)]
    assert covered == list(range(group.units))


@pytest.mark.parametrize("name", ZOO)
def test_every_unit_moves_some_parameter(name):
    model, x = build(name)
    group = trace_group(model, x)
    for unit in range(group.units):
        direction = torch.zeros(group.units).index_fill(0, torch.tensor([unit]), 1.0)
        assert any(bool((rates != 0).any()) for rates in group.spread(direction).values())


@pytest.mark.parametrize("name", sorted(set(ZOO) - {"tied autoencoder", "mixing"}))
def test_control_forgotten_outgoing_weights_move_the_function(name):
    model, x = build(name)
    group = trace_group(model, x)
    scales = group.random(generator=torch.Generator().manual_seed(3))
    before = evaluate(model, params_of(model), x)
    moved = rescale(params_of(model), scales, group)
    for parameter, entry in group.entries.items():
        if bool((entry.source != 0).any()) and entry.kind == "weight":
            forgotten = {**moved, parameter: params_of(model)[parameter]}
            after = evaluate(model, forgotten, x)
            assert (after - before).abs().max() > 1e-4 * before.abs().max(), parameter


def wrong_group():
    """A hand-made group that rescales the hidden units of a three-layer perceptron."""
    unit = torch.arange(1, 6)
    ground = torch.zeros(1, dtype=torch.int64)
    entries = {
        "0.weight": Entry(unit[:, None], ground[:, None], "weight"),
        "0.bias": Entry(unit, ground, "bias"),
        "2.weight": Entry(ground[:, None], unit[None, :], "weight"),
        "2.bias": Entry(ground, ground, "bias"),
    }
    shapes = {"0.weight": (5, 3), "0.bias": (5,), "2.weight": (2, 5), "2.bias": (2,)}
    return GaugeGroup(5, {"0": slice(0, 5)}, entries, {n: torch.Size(s) for n, s in shapes.items()})


@pytest.mark.parametrize("act, moves", [(nn.ReLU, False), (nn.Tanh, True), (nn.GELU, True)])
def test_control_a_wrong_group_fails_the_same_test(act, moves):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), act(), nn.Linear(5, 2)).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    if moves:
        with pytest.raises(AssertionError, match="the function moved by"):
            assert_gauge_invariant(model, x, group=wrong_group())
    else:
        assert_gauge_invariant(model, x, group=wrong_group())
    assert trace_group(model, x).units == (0 if moves else 5)


def test_group_of_another_model_is_refused():
    model, x = build("mlp")
    other, y = build("residual")
    with pytest.raises(GaugeError, match="not the parameters this group was built for"):
        assert_gauge_invariant(model, x, group=trace_group(other, y))


def test_names_of_layers_are_those_of_their_first_modules():
    model, x = build("resnet")
    layers = {name: part.stop - part.start for name, part in trace_group(model, x).layers.items()}
    assert layers == {"stem": 4, "blocks.0.conv1": 4, "blocks.1.conv1": 6, "blocks.1.conv2": 6}


@pytest.mark.parametrize("name", ["cnn", "resnet", "channel shuffle", "recurrent", "parts"])
def test_entries_are_compact(name):
    model, x = build(name)
    group = trace_group(model, x)
    for parameter, entry in group.entries.items():
        for index in (entry.target, entry.source):
            assert index.untyped_storage().nbytes() <= 8 * max(32, index.numel()), parameter
            assert index.dim() < 4 or index.shape[2:] == (1, 1), parameter
