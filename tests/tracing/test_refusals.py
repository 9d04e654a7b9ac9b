"""What trace_group does not know it refuses by name, with or without the final verification."""

from collections import namedtuple
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.dense import mlp

X = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Two linear layers with a function between them; the function may use parameters."""

    def __init__(self, between, **parts):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)
        self.weight = nn.Parameter(torch.randn(4, 4))
        self.register_buffer("mask", torch.ones(4))
        self.between = between
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.last(self.between(self, self.first(x)))


@torch.fx.wrap
def relu(x):
    """Named like a known function, and wrapped so that tracing does not look inside."""
    return torch.tanh(x)


@dataclass
class Output:
    value: torch.Tensor


Pair = namedtuple("Pair", "one two")

OPERATIONS = {
    "item": (lambda m, x: x * x.sum().item(), r"value of a tensor.*test_refusals.py:\d+"),
    "rand_like": (lambda m, x: x + torch.rand_like(x), r"rand_like in the model.*random"),
    "full_like": (lambda m, x: x + torch.full_like(x, x[0, 0]), r"value of a tensor"),
    "bits": (lambda m, x: x.view(torch.int32), r"reinterprets bits"),
    "out": (lambda m, x: torch.add(x, x, out=x), r"'out'"),
    "rrelu in training": (lambda m, x: F.rrelu(x, training=True), r"slopes are random"),
    "boolean mask": (
        lambda m, x: torch.cat([x[x > 0], x[x <= 0]]).reshape(4, 4),
        r"values of a tensor",
    ),
    "in place on a buffer": (lambda m, x: m.mask.mul_(2) * x, r"changes its own attribute 'mask'"),
    "in a view of a parameter": (
        lambda m, x: (m.weight[:2].zero_(), x @ m.weight)[1],
        r"writes to a parameter",
    ),
    "in place on a parameter": (lambda m, x: x @ m.weight.mul_(2), r"writes to a parameter"),
    "item of a parameter": (lambda m, x: x * m.weight[0, 0].item(), r"value of a tensor"),
    "branch": (lambda m, x: x if x.sum() > 0 else -x, r"value of a tensor.*test_refusals.py:\d+"),
    "asserted values": (lambda m, x: (torch._assert(x.sum() > 0, ""), x)[1], r"value of a tensor"),
    "float": (lambda m, x: x * float(x.sum()), r"value of a tensor"),
    "branch on a parameter": (lambda m, x: x if m.weight.sum() > 0 else -x, r"value of a tensor"),
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_are_refused_by_name(name, verify):
    between, message = OPERATIONS[name]
    with pytest.raises(GaugeError, match=message):
        trace_group(Net(between), X, verify=verify)


MODULES = {
    "renormed embedding": (
        lambda: nn.Embedding(3, 4, max_norm=1.0), lambda m, x: m.part(x.long()).sum(1),
        "embedding_renorm in nn.Embedding 'part'.*writes to a parameter",
    ),
    "lazy": (lambda: nn.LazyLinear(4), lambda m, x: m.part(x), "'part' is lazy"),
    "script": (
        lambda: torch.jit.trace(nn.Linear(4, 4), torch.zeros(1, 4)), lambda m, x: m.part(x),
        "TorchScript|cannot be copied",
    ),
    "weight norm by a hook": (
        lambda: nn.utils.weight_norm(nn.Linear(4, 4)), lambda m, x: m.part(x),
        "a hook of nn.Linear 'part' computes its weight; call torch.nn.utils.remove_weight_norm",
    ),
    "custom operation": (
        lambda: nn.Identity(), lambda m, x: torch.ops.gaugetest.twice(x),
        r"twice in the model.*not an operation of PyTorch itself.*rules=\{Module: rule\}",
    ),
}  # fmt: skip

LIBRARY = torch.library.Library("gaugetest", "DEF")
LIBRARY.define("twice(Tensor x) -> Tensor")
LIBRARY.impl("twice", lambda x: 2 * x, "CPU")
LIBRARY.impl("twice", torch.empty_like, "Meta")


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", MODULES)
def test_modules_are_refused_by_name(name, verify):
    part, between, message = MODULES[name]
    with pytest.raises(GaugeError, match=message):
        trace_group(Net(between, part=part()), X, verify=verify)


def hook_after(model):
    model.first.register_forward_hook(lambda module, inputs, output: output.tanh())


def hook_before(model):
    model.first.register_forward_pre_hook(lambda module, inputs: (inputs[0] + 1,))


def complex_parameter(model):
    model.extra = nn.Parameter(torch.zeros(2, dtype=torch.complex64))


def integer_parameter(model):
    model.extra = nn.Parameter(torch.zeros(2, dtype=torch.int64), requires_grad=False)


def empty_parameter(model):
    model.extra = nn.Parameter(torch.zeros(0))


def meta_parameter(model):
    model.extra = nn.Parameter(torch.zeros(2, device="meta"))


def two_parameters_in_one_memory(model):
    model.last.weight = nn.Parameter(model.weight.data[:2])


def buffer_in_a_parameter(model):
    model.register_buffer("view", model.weight.data[0])


def tensor_in_a_parameter(model):
    model.cache = {"rows": [model.weight.detach()[1:]]}


def replaced_forward(model):
    model.first.forward = lambda x: torch.cat([x, x[:, :1]], 1)


ALTERED = {
    complex_parameter: "parameter 'extra' is torch.complex64",
    integer_parameter: "parameter 'extra' is torch.int64",
    empty_parameter: r"parameter 'extra' of shape \(0,\) has no entries",
    meta_parameter: "parameter 'extra' is on the meta device",
    two_parameters_in_one_memory: "'weight' and 'last.weight' share memory",
    buffer_in_a_parameter: "'_buffers' lies in the memory of parameter 'weight'",
    tensor_in_a_parameter: "'cache' lies in the memory of parameter 'weight'",
}


@pytest.mark.parametrize(
    ("alter", "units"), [(hook_after, 0), (hook_before, 4), (replaced_forward, 0)]
)
def test_what_hooks_and_replaced_forwards_do_is_read(alter, units):
    """The copy runs them as the model does; what comes before the last layer keeps its units."""
    model = Net(lambda m, x: x.relu()).double()
    alter(model)
    group = trace_group(model, X.double())
    assert group.units == units
    if units:
        assert_gauge_invariant(model, X.double(), group=group)


@pytest.mark.parametrize("alter", ALTERED, ids=lambda alter: alter.__name__)
def test_altered_models_are_refused_by_name(alter):
    model = Net(lambda m, x: x.relu())
    alter(model)
    with pytest.raises(GaugeError, match=ALTERED[alter]):
        trace_group(model, X)


def test_a_global_hook_is_refused():
    handle = nn.modules.module.register_module_forward_hook(lambda module, inputs, output: None)
    try:
        with pytest.raises(GaugeError, match="global forward hook"):
            trace_group(mlp(3, 4, 1), X)
    finally:
        handle.remove()


class Calls(nn.Linear):
    def __call__(self, x):
        return super().__call__(x) + 1


def test_an_overridden_call_is_read():
    """What it adds to the units has a scale of its own."""
    model = nn.Sequential(Calls(3, 4), nn.ReLU(), nn.Linear(4, 1))
    assert trace_group(model, X).units == 0
    assert trace_group(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), Calls(4, 1)), X).units == 4


RETURNS = {
    "dataclass": (lambda y: Output(y), "Output"),
    "set": (lambda y: {1, 2}, "set"),
}


@pytest.mark.parametrize("name", RETURNS)
def test_unknown_outputs_are_refused(name):
    wrap, message = RETURNS[name]

    class Model(nn.Linear):
        def forward(self, x):
            return wrap(super().forward(x))

    with pytest.raises(GaugeError, match=message):
        trace_group(Model(3, 2), X)


@pytest.mark.parametrize(
    "wrap", [lambda y: y, lambda y: (y, y), lambda y: [y, {"a": y}], lambda y: Pair(y, y)]
)
def test_tensors_in_containers_are_all_ground(wrap):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(3, 4), nn.Linear(3, 2)

        def forward(self, x):
            return wrap(self.first(x).relu()), self.last(x)

    assert trace_group(Model(), X).units == 0


EXAMPLES = {
    "not a tensor": ([X, 3.0], "input 1 must be a tensor, found float"),
    "empty": (X[:0], "not empty, found torch.float32 of shape"),
    "complex": (X.to(torch.complex64), "dense real tensor"),
    "wrong width": (torch.zeros(2, 5), "cannot be evaluated|not known"),
    "too many": ((X, X), "cannot be evaluated on the example"),
    "a dictionary": ({"x": X}, "a tensor or a tuple of tensors, found dict"),
    "wrong dtype": (X.long(), "cannot be evaluated on the example"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_bad_examples_are_refused(name):
    example, message = EXAMPLES[name]
    with pytest.raises(GaugeError, match=message):
        trace_group(mlp(3, 4, 1), example)


def test_what_is_not_a_module_is_refused():
    with pytest.raises(GaugeError, match=r"reads an nn\.Module, found function"):
        trace_group(lambda x: x, X)
