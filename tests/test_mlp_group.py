"""mlp_group: what it finds, what it refuses, and that trace_group finds the same."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from gaugelib import GaugeError, hat, mlp_group, trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.dense import ScaledLinear, mlp

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky": nn.LeakyReLU,
    "identity": nn.Identity,
    "dropout": nn.Dropout,
    "leaky, turned over": lambda: nn.LeakyReLU(-2.0),
}


def perceptron(first, layers, flat, dtype):
    """A network of `layers` (width, bias, activations, nested), and an input for it."""
    made = [nn.Flatten()] if flat else []
    for inputs, (outputs, bias, activations, nested) in zip(
        [first, *(layer[0] for layer in layers)], layers
    ):
        block = [nn.Linear(inputs, outputs, bias=bias)]
        block += [ACTIVATIONS[name]() for name in activations]
        made += [nn.Sequential(*block)] if nested else block
    return nn.Sequential(*made).to(dtype), torch.ones(3, first, dtype=dtype)


perceptrons = st.builds(
    perceptron,
    first=st.integers(1, 6),
    layers=st.lists(
        st.tuples(
            st.integers(1, 6),
            st.booleans(),
            st.lists(st.sampled_from(list(ACTIVATIONS)), max_size=2),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    ),
    flat=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)


@given(case=perceptrons)
def test_trace_group_equals_mlp_group(case):
    model, x = case
    built, traced = mlp_group(model), trace_group(model, x)
    assert (built.units, dict(built.layers)) == (traced.units, dict(traced.layers))
    assert built.shapes == traced.shapes
    assert built.entries.keys() == traced.entries.keys()
    for name, entry in built.entries.items():
        assert entry.kind == traced.entries[name].kind
        assert torch.equal(entry.target, traced.entries[name].target)
        assert torch.equal(entry.source, traced.entries[name].source)


def test_units_are_numbered_layer_by_layer():
    group = mlp_group(hat())
    assert group.entries["0.weight"].target.flatten().tolist() == [1, 2, 3]
    assert group.entries["2.weight"].source.flatten().tolist() == [1, 2, 3]
    assert group.entries["0.weight"].source.tolist() == [[0]]
    assert group.entries["2.bias"].target.tolist() == [0]


def test_function_stays_in_place_and_a_tanh_network_does_not():
    model = mlp(3, 5, 4, 2).double()
    x = torch.randn(7, 3, dtype=torch.float64)
    group = mlp_group(model)
    assert_gauge_invariant(model, x, group=group)
    with pytest.raises(AssertionError, match="moved by"):
        assert_gauge_invariant(mlp(3, 5, 4, 2, act=nn.Tanh).double(), x, group=group)


def hooked():
    model = mlp(2, 3, 1)
    model[0].register_forward_hook(lambda module, inputs, output: output + 1)
    return model


def replaced():
    model = mlp(2, 3, 1)
    model[0].forward = torch.tanh
    return model


def shared():
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.ReLU(), layer)


def tied():
    model = mlp(2, 2, 2)
    model[2].bias = model[0].bias
    return model


REFUSED = {
    "not a sequential": (lambda: nn.Linear(2, 3), "reads an nn.Sequential, found nn.Linear"),
    "tanh": (
        lambda: mlp(2, 3, 1, act=nn.Tanh),
        r"nn.Tanh '1' is not positively homogeneous.*trace",
    ),
    "nested gelu": (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.GELU()), nn.Linear(3, 1)),
        r"nn.GELU '1.0' is not positively homogeneous",
    ),
    "convolution": (lambda: nn.Sequential(nn.Conv1d(1, 2, 1)), "does not know nn.Conv1d '0'"),
    "batch norm": (lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), "nn.BatchNorm1d '1'"),
    "subclass": (lambda: nn.Sequential(ScaledLinear(2, 2)), "ScaledLinear '0'"),
    "late flatten": (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.Flatten(), nn.Linear(2, 1)),
        "nn.Flatten '1' comes after a linear layer",
    ),
    "shared layer": (shared, "layers '0' and '2' share a parameter"),
    "tied bias": (tied, "layers '0' and '2' share a parameter"),
    "misfit": (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1)),
        "layer '1' takes 4 inputs, but layer '0' before it gives 3",
    ),
    "no layer": (lambda: nn.Sequential(nn.ReLU()), "no nn.Linear layer"),
    "hook": (hooked, "nn.Linear '0' has forward hooks"),
    "replaced forward": (replaced, "forward of nn.Linear '0' was replaced"),
    "complex": (
        lambda: nn.Sequential(nn.Linear(2, 3, dtype=torch.complex64)),
        r"parameter '0.weight' is torch.complex64",
    ),
    "weight norm": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(2, 3)), nn.Linear(3, 1)),
        "'0' has parametrised weights",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_by_name(name):
    make, message = REFUSED[name]
    with pytest.raises(GaugeError, match=message):
        mlp_group(make())
