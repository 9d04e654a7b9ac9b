"""What a forward leaves behind is refused by name, before a first call and after it alike."""

import functools
import itertools
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, trace_group

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
STORE: dict = {}
COUNT = 0


class Net(nn.Module):
    """first (3 -> 4), `middle`, last (4 -> 2); one parameter and an index to take it by."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)
        self.row = nn.Parameter(torch.randn(4))
        self.register_buffer("order", torch.tensor([2, 0, 1, 3]))

    def forward(self, x):
        return self.last(self.middle(self.first(x)))

    def middle(self, x):
        raise NotImplementedError


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
    with pytest.raises(GaugeError, match=r"'cache\['.*in training mode"):
        trace_group(model, X)
    assert trace_group(model.train(), X).units == 4


class InGlobal(Net):
    def middle(self, x):
        if "rows" not in STORE:
            STORE["rows"] = self.row[self.order]
        return (x * STORE["rows"]).relu()


class InClass(Net):
    shared = None

    def middle(self, x):
        if type(self).shared is None:
            type(self).shared = self.row[self.order]
        return (x * type(self).shared).relu()


class InDefault(Net):
    def middle(self, x, memo={}):  # noqa: B006
        return (x * memo.setdefault("rows", self.row[self.order])).relu()


class InCache(Net):
    @functools.lru_cache  # noqa: B019
    def rows(self):
        return self.row[self.order]

    def middle(self, x):
        return (x * self.rows()).relu()


class InClosure(Net):
    def __init__(self):
        super().__init__()
        held = None

        def rows(x):
            nonlocal held
            if held is None:
                held = x[:, [2, 0, 1, 3]]
            return held

        self.rows = rows

    def middle(self, x):
        return self.rows(x).relu()


class CountsInClass(Net):
    calls = 0

    def middle(self, x):
        type(self).calls += 1
        return x.relu() if type(self).calls % 2 else x.tanh()


class CountsInGlobal(Net):
    def middle(self, x):
        global COUNT
        COUNT += 1
        return x.relu() if COUNT % 2 else x.tanh()


class CountsInList(Net):
    def __init__(self):
        super().__init__()
        self.calls = {"n": [0]}

    def middle(self, x):
        self.calls["n"][0] += 1
        return x.relu() if self.calls["n"][0] % 2 else x.tanh()


class OwnGenerator(Net):
    def __init__(self):
        super().__init__()
        self.draw = torch.Generator()

    def middle(self, x):
        return x + torch.rand(4, generator=self.draw)


class OwnIterator(Net):
    def __init__(self):
        super().__init__()
        self.turns = itertools.cycle([0, 1])

    def middle(self, x):
        return x.relu() if next(self.turns) else x.tanh()


class SwitchesMode(Net):
    def middle(self, x):
        self.train(not self.training)
        return x.relu()


class WeakReference(Net):
    def __init__(self):
        super().__init__()
        self.held = weakref.ref(self.row)

    def middle(self, x):
        return (x * self.held()).relu()


class HiddenModule(Net):
    def __init__(self):
        super().__init__()
        self.parts = {"one": nn.Linear(4, 4)}

    def middle(self, x):
        return self.parts["one"](x).relu()


class HiddenWeight(HiddenModule):
    def middle(self, x):
        return F.linear(x, self.parts["one"].weight).relu()


class LateModule(Net):
    def middle(self, x):
        self.late = nn.ReLU()
        return self.late(x)


class WritesBuffer(Net):
    def middle(self, x):
        self.order = self.order + 1
        return x.relu()


class Fails(Net):
    def middle(self, x):
        raise StopIteration


class Recurses(Net):
    def middle(self, x):
        return self.middle(x)


class ReturnsNothing(Net):
    def forward(self, x):
        self.first(x)


class ReturnsItself(Net):
    def forward(self, x):
        return self


class CannotBeCopied(Net):
    def __deepcopy__(self, memo):
        raise RuntimeError("no copies")


STRANGE = {
    InGlobal: r"'STORE\['rows'\]' outside of the model",
    InClass: r"'InClass.shared' outside of the model",
    InDefault: r"'InDefault.middle.__defaults__.*' outside of the model",
    InCache: "keeps a tensor in a cache",
    InClosure: "'rows.held'",
    CountsInClass: "'CountsInClass.calls' outside of the model.*let it depend",
    CountsInGlobal: "'COUNT' outside of the model",
    CountsInList: r"'calls\['n'\]\[0\]'",
    OwnGenerator: "'draw'",
    OwnIterator: "what was traced is not the model.*an iterator",
    SwitchesMode: "'training'",
    WeakReference: "parameter 'row' from outside",
    HiddenModule: "nn.ModuleList or nn.ModuleDict",
    HiddenWeight: "nn.ParameterList",
    LateModule: "cannot be traced.*__init__",
    WritesBuffer: "'order'",
    Fails: "cannot be evaluated on the example.*StopIteration",
    Recurses: "cannot be evaluated on the example.*RecursionError",
    ReturnsNothing: "returns no tensor",
    ReturnsItself: "ReturnsItself",
    CannotBeCopied: "cannot be copied: no copies",
}


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("kind", STRANGE, ids=lambda kind: kind.__name__)
def test_nothing_but_a_gauge_error_escapes_and_it_says_the_same_twice(kind, verify):
    for _ in range(2):
        with pytest.raises(GaugeError, match=STRANGE[kind]):
            trace_group(kind(), X, verify=verify)


def test_no_stand_in_stays_behind():
    for kind in (InGlobal, InClass, InDefault, InCache):
        with pytest.raises(GaugeError):
            trace_group(kind(), X)
    assert STORE == {}
    assert InClass.shared is None
    assert InDefault.middle.__defaults__ == ({},)
    assert InCache.rows.cache_info().currsize == 0
    for kind in (InGlobal, InClass, InDefault, InCache):
        assert kind()(X).shape == (5, 2)
    STORE.clear()


class InPlaceOnInput(Net):
    def forward(self, x):
        return self.last(self.first(x.mul_(2)).relu())


class PlainThings(Net):
    """Properties, closures over constants, containers of constants: read as they are."""

    def __init__(self):
        super().__init__()
        ones = torch.ones(4)
        self.scale = lambda x: x * ones
        self.options = {"a": [1.0, (2, 3)], "b": Box()}

    @property
    def gain(self):
        return self.row

    def middle(self, x):
        return (self.scale(x) * self.gain).relu()


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize(("kind", "units"), [(InPlaceOnInput, 4), (PlainThings, 8)])
def test_control_what_leaves_nothing_behind_is_read(kind, units, verify):
    before = X.clone()
    assert trace_group(kind(), X, verify=verify).units == units
    assert torch.equal(X, before)
