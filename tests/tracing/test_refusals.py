"""What trace_group does not know it refuses by name, with or without the final verification."""

from collections import namedtuple
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from gaugelib import GaugeError, trace_group
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
    # operations that no rule knows
    "kthvalue": (lambda m, x: torch.kthvalue(x, 2, dim=1).values, r"torch.kthvalue in the model"),
    "cross": (lambda m, x: x.cummax(1).values, r"Tensor.cummax"),
    "wrapped function": (lambda m, x: relu(x), r"test_refusals.relu"),
    "size 0": (lambda m, x: torch.cat([x, x[:, :0]], 1), "empty"),
    # known, and refused with a reason
    "einsum": (lambda m, x: torch.einsum("bi,ij->bj", x, m.weight), r"torch.einsum.*multiplies"),
    "addmm": (lambda m, x: torch.addmm(m.mask, x, m.weight), r"torch.addmm"),
    "item": (lambda m, x: x * x.sum().item(), "item.*depend on the values"),
    "setitem": (lambda m, x: (x.__setitem__(0, 1.0), x)[1], "setitem|item assignment"),
    "copy_": (lambda m, x: x.copy_(x.flip(1)), r"Tensor.copy_.*part of a tensor"),
    "zero_": (lambda m, x: x.zero_(), r"Tensor.zero_"),
    "rand_like": (lambda m, x: x + torch.rand_like(x), "torch.rand_like.*random"),
    "new_tensor": (lambda m, x: x + x.new_tensor(x), r"Tensor.new_tensor.*come from a tensor"),
    "full_like": (lambda m, x: x + torch.full_like(x, x[0, 0]), "full_like.*come from a tensor"),
    "bits": (lambda m, x: x.view(torch.int32), "reinterprets bits"),
    "out": (lambda m, x: torch.add(x, x, out=x), "'out'"),
    "rrelu in training": (lambda m, x: F.rrelu(x, training=True), "slopes are random"),
    "complex": (lambda m, x: x * 1j, "complex|expected"),
    "indexing by values": (lambda m, x: x[:, x.argmax(1)], "depends on the values"),
    "boolean mask": (lambda m, x: x[x > 0], "depends on the values"),
    "in place on a buffer": (lambda m, x: m.mask.mul_(2) * x, "writes to .*a buffer"),
    "in place on a parameter": (lambda m, x: x @ m.weight.mul_(2), "writes to a parameter"),
    "grid_sample": (lambda m, x: F.grid_sample(x[None, None], x[None, :, :2, None]), "grid_sampl"),
    # parameters through functions
    "abs of a parameter": (lambda m, x: x @ m.weight.abs(), r"applied to parameter 'weight'"),
    "softplus of a parameter": (lambda m, x: x @ F.softplus(m.weight), "parameter 'weight'"),
    "masked parameter": (lambda m, x: x @ (m.weight * m.mask), "parameter 'weight' meets no act"),
    "halved parameter": (lambda m, x: x @ (m.weight * 0.5), "parameter 'weight' meets no activ"),
    "sum of parameters": (lambda m, x: x @ (m.weight + m.weight.t()), "parameters 'weight' and 'w"),
    "normalised parameter": (lambda m, x: x @ F.normalize(m.weight), "parameter 'weight'"),
    "parameter as integer": (lambda m, x: x * m.weight.long()[0], "parameter 'weight'"),
    "product of parameters": (lambda m, x: x @ (m.weight @ m.weight), "parameters 'weight' and"),
    "concatenated parameters": (lambda m, x: x @ torch.cat([m.weight, m.weight], 1), "no activ"),
    "division by a parameter": (lambda m, x: x / m.weight[0], "division by parameter 'weight'"),
    "clamp to a parameter": (lambda m, x: x.clamp(min=m.weight[0]), "bounds must be numbers"),
    "mean of a parameter": (lambda m, x: x * m.weight.mean(), "parameter 'weight'"),
    "detached abs": (lambda m, x: x @ m.weight.detach().abs(), "parameter 'weight'"),
    "data of a parameter": (lambda m, x: x @ m.weight.data.abs(), "parameter 'weight'"),
    "hypernetwork": (lambda m, x: F.linear(x, x), "neither a parameter nor of fixed scale"),
    "item of a parameter": (lambda m, x: x * m.weight[0, 0].item(), "item"),
    # control flow on values
    "branch": (lambda m, x: x if x.sum() > 0 else -x, r"cannot be traced.*test_refusals.py:\d+"),
    "loop over a tensor": (lambda m, x: sum(row for row in x), "cannot be traced"),
    "asserted values": (lambda m, x: (torch._assert(x.sum() > 0, ""), x)[1], r"torch\._assert"),
    "float": (lambda m, x: x * float(x.sum()), "cannot be traced"),
    "branch on a parameter": (lambda m, x: x if m.weight.sum() > 0 else -x, "cannot be traced"),
    "len": (lambda m, x: x * len(x), "cannot be traced"),
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_are_refused_by_name(name, verify):
    between, message = OPERATIONS[name]
    with pytest.raises(GaugeError, match=message):
        trace_group(Net(between), X, verify=verify)


MODULES = {
    "attention": (
        lambda: nn.MultiheadAttention(4, 1), lambda m, x: m.part(x, x, x)[0],
        r"nn\.MultiheadAttention 'part'",
    ),
    "lstm": (lambda: nn.LSTM(4, 4), lambda m, x: m.part(x)[0], r"nn.LSTM 'part'.*nn.Linear"),
    "gru": (lambda: nn.GRU(4, 4), lambda m, x: m.part(x)[0], r"nn.GRU 'part'"),
    "bilinear": (lambda: nn.Bilinear(4, 4, 4), lambda m, x: m.part(x, x), r"nn.Bilinear 'part'"),
    "transformer": (
        lambda: nn.TransformerEncoderLayer(4, 1), lambda m, x: m.part(x),
        r"nn\.TransformerEncoderLayer 'part'",
    ),
    "embedding bag": (
        lambda: nn.EmbeddingBag(3, 4), lambda m, x: m.part(x.long()), "EmbeddingBag 'part'",
    ),
    "renormed embedding": (
        lambda: nn.Embedding(3, 4, max_norm=1.0), lambda m, x: m.part(x.long()).sum(1),
        "max_norm",
    ),
    "unfold": (
        lambda: nn.Unfold(1), lambda m, x: m.part(x[None, None])[0],
        r"nn\.Unfold 'part'.*not among",
    ),
    "weight norm": (
        lambda: parametrizations.weight_norm(nn.Linear(4, 4)), lambda m, x: m.part(x),
        "'part' has parametrised weights.*remove_parametrizations",
    ),
    "lazy": (lambda: nn.LazyLinear(4), lambda m, x: m.part(x), "'part' is lazy"),
    "script": (
        lambda: torch.jit.trace(nn.Linear(4, 4), torch.zeros(1, 4)), lambda m, x: m.part(x),
        "TorchScript|cannot be copied",
    ),
    "quantised": (
        lambda: torch.ao.nn.quantized.Quantize(1.0, 0, torch.quint8),
        lambda m, x: m.part(x).dequantize(),
        r"Quantize 'part'",
    ),
    "inner module": (
        lambda: nn.Sequential(nn.ReLU(), nn.Sequential(nn.GRU(4, 4))), lambda m, x: m.part(x)[0],
        r"nn.GRU 'part.1.0'",
    ),
}  # fmt: skip


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
    model.first.forward = lambda x: x


ALTERED = {
    hook_after: "nn.Linear 'first' has forward hooks",
    hook_before: "nn.Linear 'first' has forward hooks",
    complex_parameter: "parameter 'extra' is torch.complex64",
    integer_parameter: "parameter 'extra' is torch.int64",
    empty_parameter: r"parameter 'extra' of shape \(0,\) has no entries",
    meta_parameter: "parameter 'extra' is on the meta device",
    two_parameters_in_one_memory: "'weight' and 'last.weight' share memory",
    buffer_in_a_parameter: "'_buffers' lies in the memory of parameter 'weight'",
    tensor_in_a_parameter: "'cache' lies in the memory of parameter 'weight'",
    replaced_forward: "forward of nn.Linear 'first' was replaced",
}


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


def test_an_overridden_call_is_refused():
    with pytest.raises(GaugeError, match="Calls '0' overrides __call__"):
        trace_group(nn.Sequential(Calls(3, 4), nn.ReLU(), nn.Linear(4, 1)), X)


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
    "too many": ((X, X), "cannot be traced"),
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
