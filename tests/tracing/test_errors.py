"""A refusal gives the true reason and says what to do; what is the same model in a wrapper is not
another one."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn
from torch.nn.utils import prune

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.dense import mlp

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Two linear layers with a function between them, which may use other parts."""

    def __init__(self, between, **parts):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)
        self.between = between
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.last(self.between(self, self.first(x)))


def refusal(model, example=X, **options):
    with pytest.raises(GaugeError) as caught:
        trace_group(model, example, **options)
    return str(caught.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_not_finite_is_named_before_anything_else(bad):
    model = mlp(3, 4, 2)
    with torch.no_grad():
        model[2].bias[1] = bad
    found = refusal(model)
    assert "parameter '2.bias' is not finite: 1 of its 2 entries" in found
    assert "at [1]; load weights" in found


def test_control_the_largest_finite_weight_is_finite():
    model = mlp(3, 4, 2)
    with torch.no_grad():
        model[0].weight[0, 0] = torch.finfo(torch.float16).max
    assert trace_group(model, X).units == 4


def test_an_output_that_is_nan_is_said_to_be_the_models_own():
    found = refusal(Net(lambda m, x: (x - 1e9).log()))
    assert "own output is NaN on the example" in found
    assert "give an example" in found


def test_an_example_that_is_nan_is_blamed_itself():
    assert "the example has NaN in it" in refusal(mlp(3, 4, 2), X / 0 * 0)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch copies its own export with one
def test_an_exported_program_is_an_ordinary_model():
    model = mlp(3, 4, 2)
    assert trace_group(torch.export.export(model, (X,)).module(), X).units == 4


def test_an_fx_graph_module_is_an_ordinary_model():
    model = mlp(3, 4, 2)
    graph = fx.symbolic_trace(model)
    assert trace_group(graph, X).layers == trace_group(model, X).layers
    assert trace_group(nn.Sequential(graph, nn.ReLU(), nn.Linear(2, 1)), X).units == 6
    assert_gauge_invariant(graph, X)


WRAPPED = {
    "compiled": (torch.compile, r"compiled by torch.compile; pass the module.*model\._orig_mod"),
    "compiled inside": (
        lambda m: nn.Sequential(nn.Identity(), torch.compile(m)),
        r"'1' is compiled by torch.compile; put model\.1\._orig_mod",
    ),
    "data parallel": (nn.DataParallel, r"wrapped in .*DataParallel; pass .*model\.module"),
    "scripted": (torch.jit.script, "TorchScript module.*pass the Python model"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", WRAPPED)
def test_a_wrapper_is_refused_with_the_place_of_the_model_inside(name):
    wrap, message = WRAPPED[name]
    with pytest.raises(GaugeError, match=message):
        trace_group(wrap(mlp(3, 4, 2)), X)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, when it loads its compiler
def test_what_the_refusal_of_a_wrapper_says_to_pass_is_read():
    model = mlp(3, 4, 2)
    assert trace_group(torch.compile(model)._orig_mod, X).units == 4
    assert trace_group(nn.DataParallel(model).module, X).units == 4


def test_a_pruned_module_is_read_after_what_the_refusal_says():
    model = mlp(3, 4, 2)
    prune.l1_unstructured(model[0], "weight", 0.5)
    assert "prune.remove(module, name)" in refusal(model)
    prune.remove(model[0], "weight")
    assert trace_group(model, X).units == 4


ROOTS = {
    "lstm": (nn.LSTM(3, 4), X, 0),
    "attention": (nn.MultiheadAttention(4, 2), (torch.cat([X, X[:, :1]], 1),) * 3, 8),
    "transformer": (nn.TransformerEncoderLayer(4, 2, 6), torch.cat([X, X[:, :1]], 1), 14),
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_fused_layer_is_read_as_the_operations_that_it_is_made_of(name):
    """Query and key channels, value channels and columns, units of the feed-forward network."""
    model, x, units = ROOTS[name]
    group = trace_group(model.eval(), x)
    assert group.units == units
    if units:
        assert_gauge_invariant(model, x, group=group)


class Listed(nn.Module):
    def __init__(self, hold):
        super().__init__()
        self.last = nn.Linear(4, 2)
        self.weights = hold([nn.Parameter(torch.randn(4, 3))])

    def forward(self, x):
        return self.last(F.linear(x, self.weights[0]).relu())


def test_a_parameter_in_a_list_is_read_once_it_is_registered():
    assert "holds a parameter in 'weights[0]'" in refusal(Listed(list))
    assert "nn.ParameterList" in refusal(Listed(tuple))
    assert trace_group(Listed(nn.ParameterList), X).units == 4


def stand_in(x):
    """As einops does: the type of what it is given decides."""
    if not isinstance(x, torch.Tensor):
        raise RuntimeError(f"Tensor type unknown: {type(x)}")
    return x


def branch_by_type(m, x):
    return x.relu() if isinstance(x, torch.Tensor) else x.tanh()


def device_type(m, x):
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        return x.relu()


def call_with(m, x):
    return torch.func.functional_call(m.part, {"weight": m.part.weight}, (x,))


OUTSIDE = [nn.Linear(4, 4)]


FOLLOWED = {
    "einops": (lambda m, x: stand_in(x).relu(), 4),
    "functional_call": (call_with, 8),
    "autocast by the device of x": (device_type, 4),
    "module in a list": (lambda m, x: [nn.ReLU()][0](x), 4),
    "isinstance": (branch_by_type, 4),
    "loop over a tensor": (lambda m, x: torch.stack([row.relu() for row in x]), 4),
    "len": (lambda m, x: x.relu() * len(x), 4),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_python_does_with_tensors_is_followed(name):
    between, units = FOLLOWED[name]
    model = Net(between, part=nn.Linear(4, 4))
    group = trace_group(model, X)
    own = [part for layer, part in group.layers.items() if layer != "last"]
    assert sum(part.stop - part.start for part in own) == units
    assert_gauge_invariant(model, X, group=group)


UNFOLLOWED = {
    "numpy": (lambda m, x: torch.as_tensor(x.detach().numpy()), r"values.*test_errors.py:\d+"),
    "branch": (lambda m, x: x if x.sum() > 0 else -x, r"value of a tensor.*test_errors.py:\d+"),
    "module outside of the model": (
        lambda m, x: OUTSIDE[0](x),
        "a module .*nn.Linear.* does not list.*nn.ModuleList",
    ),
}


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("name", UNFOLLOWED)
def test_what_cannot_be_followed_is_shown_with_its_line(name, verify):
    between, message = UNFOLLOWED[name]
    with pytest.raises(GaugeError, match=message):
        trace_group(Net(between, part=nn.Linear(4, 4)), X, verify=verify)


def test_an_error_of_the_model_itself_is_not_blamed_on_tracing():
    def fails(m, x):
        raise KeyError("missing")

    found = refusal(Net(fails))
    assert "check that model(*example) runs" in found
    assert "stand-ins" not in found


def autocast(m, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return m.part(x).relu().to(x.dtype)


@pytest.mark.parametrize("verify", [False, True])
def test_autocast_inside_the_forward_is_read(verify):
    assert trace_group(Net(autocast, part=nn.Linear(4, 4)), X, verify=verify).units == 8


def test_a_range_as_long_as_the_input_is_a_constant():
    model = Net(lambda m, x: x * (1 + torch.arange(x.shape[1])) + torch.zeros((x.shape[0], 4)))
    assert trace_group(model, X).units == 4
    assert trace_group(Net(lambda m, x: x + torch.arange(x.shape[1])), X).units == 0


IS_RELU = {
    "Threshold": lambda: nn.Threshold(0, 0),
    "Hardtanh": lambda: nn.Hardtanh(0, math.inf),
}
IS_NOT = {
    "Threshold": lambda: nn.Threshold(0, 1),
    "another Threshold": lambda: nn.Threshold(0.5, 0),
    "Hardtanh": lambda: nn.Hardtanh(0, 6),
    "ReLU6": nn.ReLU6,
}
RELU = {
    "threshold": lambda m, x: F.threshold(x, 0, 0),
    "threshold_": lambda m, x: F.threshold_(x, 0, 0),
    "hardtanh": lambda m, x: F.hardtanh(x, 0, math.inf),
    "hardtanh_": lambda m, x: F.hardtanh_(x, 0.0, math.inf),
    "clamp": lambda m, x: x.clamp(0, math.inf),
    "clip": lambda m, x: x.clip(0),
    "clip_": lambda m, x: x.clip_(0),
    "clamp by a tensor": lambda m, x: x.clamp(min=torch.zeros(4)),
    "maximum": lambda m, x: torch.maximum(x, torch.tensor(0.0)),
    "sign": lambda m, x: x * (1 + x.sign()) / 2,
}


@pytest.mark.parametrize("name", IS_RELU)
def test_threshold_and_hardtanh_that_are_relu_have_its_units(name):
    model = mlp(3, 4, 2, act=IS_RELU[name])
    assert torch.equal(model[1](X), X.relu())
    assert trace_group(model, X).units == 4
    assert_gauge_invariant(model, X)


@pytest.mark.parametrize("name", IS_NOT)
def test_control_those_that_are_not_relu_ground_their_units(name):
    group = trace_group(mlp(3, 4, 2, act=IS_NOT[name]), X)
    assert group.units == 0
    assert group.grounded["0"].endswith(f"in nn.{name.split()[-1]} '1'")


@pytest.mark.parametrize("name", RELU)
def test_every_spelling_of_relu_has_its_units(name):
    model = Net(RELU[name])
    assert torch.equal(
        RELU[name](model, X.repeat(1, 2)[:, :4].clone()), X.repeat(1, 2)[:, :4].relu()
    )
    assert trace_group(model, X).units == 4
    assert_gauge_invariant(model, X)
