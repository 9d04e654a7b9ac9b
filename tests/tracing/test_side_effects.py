"""What a forward leaves behind is refused by name, before a first call and after it alike."""

import functools

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, trace_group
from tests.tracing.stateful import Net, X


class Box:
    pass


class InDict(Net):
    key = "rows"

    def __init__(self):
        super().__init__()
        self.cache = {}

    def middle(self, x):
        if self.key not in self.cache:
            self.cache[self.key] = self.row[self.order]
        return (x * self.cache[self.key]).relu()


class UnderZero(InDict):
    key = 0


class InList(Net):
    def __init__(self):
        super().__init__()
        self.cache = [[]]

    def middle(self, x):
        if not self.cache[0]:
            self.cache[0].append(self.row[self.order])
        return (x * self.cache[0][0]).relu()


class InObject(Net):
    def __init__(self):
        super().__init__()
        self.box = Box()
        self.box.cache = None

    def middle(self, x):
        if self.box.cache is None:
            self.box.cache = self.row[self.order]
        return (x * self.box.cache).relu()


class InAttribute(Net):
    def __init__(self):
        super().__init__()
        self.cache = None

    def middle(self, x):
        if self.cache is None:
            self.cache = self.row[self.order]
        return (x * self.cache).relu()


class InNewAttribute(Net):
    def middle(self, x):
        if not hasattr(self, "cache"):
            self.cache = self.row[self.order]
        return (x * self.cache).relu()


class CachedProperty(Net):
    @functools.cached_property
    def cache(self):
        return self.row[self.order]

    def middle(self, x):
        return (x * self.cache).relu()


class Activation(Net):
    def middle(self, x):
        self.cache = x.relu()
        return self.cache


class ConstantMask(Net):
    cache = None

    def middle(self, x):
        if self.cache is None:
            self.cache = torch.ones(4)
        return (x * self.cache).relu()


KEPT = [
    InDict, UnderZero, InList, InObject, InAttribute, InNewAttribute, CachedProperty, Activation,
    ConstantMask,
]  # fmt: skip
HISTORIES = {
    "new": lambda model: None,
    "called": lambda model: model(X),
    "called without gradients": lambda model: torch.no_grad()(model)(X),
}


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("kind", KEPT, ids=lambda kind: kind.__name__)
def test_what_a_forward_keeps_is_refused_by_name_whatever_came_before(kind, history, verify):
    model = kind()
    HISTORIES[history](model)
    with pytest.raises(GaugeError, match=r"(attribute|keeps|in) '(box\.)?cache.*every call"):
        trace_group(model, X, verify=verify)


class Recomputed(Net):
    """The control: the same tensor, computed in every call, and constants in a container."""

    def __init__(self):
        super().__init__()
        self.names = {"rows": [1, 2.0, None]}

    def middle(self, x):
        return (x * self.row[self.order]).relu()


@pytest.mark.parametrize("history", HISTORIES)
def test_control_what_is_computed_in_every_call_is_read(history):
    model = Recomputed()
    HISTORIES[history](model)
    assert trace_group(model, X).units == 8


class CachedBiases(nn.Module):
    """Attention that keeps its biases in evaluation, by the device of its input."""

    def __init__(self):
        super().__init__()
        self.queries, self.values, self.out = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 2)
        self.biases = nn.Parameter(torch.randn(5))
        self.register_buffer("index", torch.arange(25).reshape(5, 5) % 5)
        self.cache = {}

    def train(self, mode=True):
        self.cache.clear()
        return super().train(mode)

    def bias(self, device):
        if self.training:
            return self.biases[self.index]
        return self.cache.setdefault(str(device), self.biases[self.index])

    def forward(self, x):
        scores = self.queries(x) @ self.queries(x).t() + self.bias(x.device)
        return self.out((scores.softmax(-1) @ self.values(x)).relu())


@pytest.mark.parametrize("history", HISTORIES)
def test_cached_attention_biases_have_one_answer_in_each_mode(history):
    model = CachedBiases().eval()
    HISTORIES[history](model)
    with pytest.raises(GaugeError, match=r"'cache\['.*in training mode, with nothing"):
        trace_group(model, X)
    assert trace_group(model.train(), X).units == 4
