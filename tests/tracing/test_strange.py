"""Models that keep their state elsewhere, or are otherwise strange: nothing but a GaugeError, and
nothing of the tracing stays behind."""

import functools
import itertools
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, trace_group
from tests.tracing.stateful import Net, X

STORE: dict = {}
COUNT = 0


class Box:
    pass


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
    OwnGenerator: "draws random numbers",
    OwnIterator: "changes its own attribute 'turns'",
    SwitchesMode: "'training'",
    WeakReference: "parameter 'row' from outside",
    HiddenModule: "nn.ModuleList or nn.ModuleDict",
    HiddenWeight: "nn.ParameterList",
    LateModule: "makes module 'late'.*__init__",
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
