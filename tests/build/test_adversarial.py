"""Models made to mislead trace_group: it must be right or refuse, also without its last check.

Each case says what must come out: units that the first layer keeps, or words of the refusal.
"""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant

OUTSIDE = {}


class Net(nn.Module):
    """first (3 -> 4), something, last (4 -> 2)."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.middle(self.first(x)))

    def middle(self, x):
        raise NotImplementedError


def case(expected, *, tol=1e-10, example=None, train=False):
    def mark(cls):
        CASES[cls.__name__] = (cls, expected, tol, example, train)
        return cls

    return mark


CASES = {}

# --- memory: what is written through one name is seen through others ----------------------------


@case(0)
class ReshapeAlias(Net):
    def middle(self, x):
        x.view(-1).add_(1)
        return x


@case(2)
class ChunkAlias(Net):
    def middle(self, x):
        left, _ = x.chunk(2, dim=1)
        left.tanh_()
        return x


@case(0)
class DetachedAlias(Net):
    def middle(self, x):
        x.detach().sigmoid_()
        return x


@case(0)
class DataAlias(Net):
    def middle(self, x):
        x.data.add_(1)
        return x


@case(0)
class CastAlias(Net):
    """A cast to the dtype that it already has returns the tensor itself."""

    def middle(self, x):
        x.to(torch.float64).add_(1)
        return x


@case(0)
class IdleDropoutAlias(Net):
    def middle(self, x):
        F.dropout(x, training=False).add_(1)
        return x


@case(0)
class ContiguousAlias(Net):
    def middle(self, x):
        x.contiguous().reshape(-1, 2).flatten()[:].exp_()
        return x


@case(3)
class NewUnitsThroughAnAlias(Net):
    """Two units are summed into one; the whole still shows both."""

    def middle(self, x):
        x[:, :1].add_(x[:, 1:2])
        return x


@case(0)
class ReadBeforeWritten(Net):
    """The copy taken before the write has the labels of what is overwritten: more is tied than
    need be, never less."""

    def middle(self, x):
        before = x.relu()
        x.add_(1)
        return before


@case("item assignment")
class ItemAssigned(Net):
    def middle(self, x):
        x[:, 0] = 1.0
        return x


@case("attribute 'data' is assigned")
class DataAssigned(Net):
    def middle(self, x):
        x.data = torch.ones_like(x)
        return x


@case("attribute 'data' is assigned")
class WeightDataAssigned(Net):
    def middle(self, x):
        self.last.weight.data = self.last.weight.data.flip(1)
        return x


@case("writes to a parameter")
class WeightWritten(Net):
    def middle(self, x):
        self.last.weight.view(-1).mul_(2)
        return x


@case("writes to a parameter")
class WeightDataWritten(Net):
    def middle(self, x):
        self.last.weight.data.add_(1)
        return x


@case("init.constant_")
class WeightFilled(Net):
    def middle(self, x):
        nn.init.constant_(self.last.weight, 1.0)
        return x


@case("__iadd__|writes to|not among")
class ConstantAccumulates(Net):
    def middle(self, x):
        total = torch.zeros(4, dtype=torch.float64)
        total += x[0]
        return x + total


@case(0)
class InputOverwritten(Net):
    """The input's memory is fixed, so what is added to it in place becomes fixed."""

    def forward(self, x):
        h = self.first(x)
        return x.add_(h[:, :3]).add_(h[:, 1:])


# --- parameters that get in by a back door -----------------------------------------------------


@case("computes a tensor from parameters")
class ParameterThroughItsDictionary(Net):
    def middle(self, x):
        return x * self.last._parameters["weight"].detach().abs().sum()


@case("computes a tensor from parameters")
class ParametersLooped(Net):
    def middle(self, x):
        return x * sum(p.detach().square().sum() for p in self.parameters())


@case("cannot be traced")
class ParameterToNumber(Net):
    def middle(self, x):
        return x * float(self.last._parameters["weight"][0, 0])


@case("computes a tensor from parameters|cannot be traced")
class StateDictionary(Net):
    def middle(self, x):
        return x * self.state_dict()["last.weight"].abs().max()


@case("reads parameter 'first.weight' from outside")
class ParameterFromOutside(Net):
    def middle(self, x):
        return x * OUTSIDE[id(type(self))].first.weight.detach()[:, 0].abs()


@case("reads parameter 'last.weight' from outside")
class ParameterDataFromOutside(Net):
    def middle(self, x):
        return x * OUTSIDE[id(type(self))].last.weight.data.sum()


@case(4 + 4)
class ParameterOfItsDictionaryUsedPlainly(Net):
    def __init__(self):
        super().__init__()
        self.square = nn.Parameter(torch.randn(4, 4))

    def middle(self, x):
        return F.relu(F.linear(x, self._parameters["square"]))


@case(0)
class ReturnedParameter(Net):
    def forward(self, x):
        return self.last(self.first(x).relu()), self.first.weight


@case(0)
class TiedToItself(Net):
    """One weight in both layers: its target in one is its source in the other."""

    def __init__(self):
        super().__init__()
        self.first = self.last = nn.Linear(3, 3)

    def middle(self, x):
        return x.relu()


@case(0)
class BiasTiedToFixedBias(Net):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 2), nn.Linear(2, 2)
        self.last.bias = self.first.bias

    def middle(self, x):
        return x.relu()


@case(0)
class SlopeTiedToWeight(Net):
    """PReLU's slopes are fixed, so the row of weights that they share is."""

    def __init__(self):
        super().__init__()
        self.act = nn.PReLU(4)
        self.last = nn.Linear(4, 1)
        self.row = self.act.weight

    def middle(self, x):
        return self.act(x) * self.row


@case(2)
class OneRowTwice(Net):
    """Row 0 of a parameter makes two units; they are one scale, and it is not row 1's."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(2, 3))

    def forward(self, x):
        return self.last(F.linear(x, self.rows[[0, 0, 1, 1]]).relu())


@case(3)
class OverlappingSlices(Net):
    def __init__(self):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        y = F.linear(x, self.rows[:2]), F.linear(x.flip(0), self.rows[1:])
        return self.last(torch.cat(y, 1).relu())


# --- what modules do besides their type --------------------------------------------------------


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x) + 1


@case(0)
class SubclassThatShifts(Net):
    def __init__(self):
        super().__init__()
        self.first = Doubled(3, 4)

    def middle(self, x):
        return x.relu()


class Softened(nn.ReLU):
    def forward(self, x):
        return F.softplus(x)


@case(0)
class SubclassOfReLU(Net):
    def __init__(self):
        super().__init__()
        self.act = Softened()

    def middle(self, x):
        return self.act(x)


class Squashed(nn.Sequential):
    def forward(self, x):
        return super().forward(x).tanh()


@case(0)
class SubclassOfSequential(Net):
    def __init__(self):
        super().__init__()
        self.act = Squashed(nn.ReLU())

    def middle(self, x):
        return self.act(x)


class Posing(nn.Module):
    """Claims to live in torch.nn, where tracing does not look inside."""

    def forward(self, x):
        return x.tanh()


Posing.__module__ = "torch.nn.modules.activation"


@case("nn.Posing 'act'.*not among")
class PosingAsTorch(Net):
    def __init__(self):
        super().__init__()
        self.act = Posing()

    def middle(self, x):
        return self.act(x)


class Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x / 2 + 1

    @staticmethod
    def backward(ctx, grad):
        return grad


@case(0)
class CustomFunction(Net):
    def middle(self, x):
        return Halved.apply(x)


@case(0, train=True)
class TrainingBatchNorm(Net):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4, affine=False)

    def middle(self, x):
        return self.norm(x).relu()


@case(4)
class BatchNormWithoutStatistics(Net):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    def middle(self, x):
        return self.norm(x).relu()


@case(0)
class ModeDependent(Net):
    def middle(self, x):
        return x.relu() if self.training else x.tanh()


# --- state, randomness, and questions that tracing answers wrongly -----------------------------


@case("changes its own attribute 'calls'")
class Counting(Net):
    calls = 0

    def __init__(self):
        super().__init__()
        self.calls = 0

    def middle(self, x):
        self.calls += 1
        return x.relu() if self.calls % 2 else x.tanh()


@case("changes its own attribute 'calls'")
class CountingBuffer(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def middle(self, x):
        self.calls += 1
        return x.relu()


@case("changes its own attribute 'seen'")
class Remembering(Net):
    def middle(self, x):
        last, self.seen = getattr(self, "seen", 0), x
        return x.relu() + last


@case("draws random numbers")
class LayerDrop(Net):
    def middle(self, x):
        return x.relu() if random.random() < 0.5 else x.tanh()


@case("draws random numbers")
class NoiseMadeInPython(Net):
    def middle(self, x):
        return x + torch.randn(4, dtype=torch.float64)


@case("hides the failure")
class SwallowedBranch(Net):
    def middle(self, x):
        try:
            large = bool(x.abs().sum() > 1e9)
        except Exception:
            large = False
        return x.tanh() if large else x.relu()


@case("what was traced is not the model")
class AsksForTensors(Net):
    def middle(self, x):
        return x.tanh() if isinstance(x, torch.Tensor) else x.relu()


@case("what was traced is not the model")
class AsksForAttributes(Net):
    def middle(self, x):
        return x.relu() if hasattr(x, "a_name_that_no_tensor_has") else x.tanh()


@case("cannot be traced")
class AsksForDtype(Net):
    def middle(self, x):
        return x.relu() if x.dtype == torch.float32 else x.tanh()


@case("cannot be traced")
class AsksForShape(Net):
    def middle(self, x):
        return x.relu() if x.shape[0] > 2 else x.tanh()


@case(4)
class OptionalArgument(Net):
    def forward(self, x, mask=None, *more):
        h = self.first(x).relu()
        return self.last(h if mask is None and not more else h.tanh())


@case("cannot be traced|not among")
class Einops(Net):
    def middle(self, x):
        return torch.as_tensor(x.detach().numpy()).relu()


# --- constants ---------------------------------------------------------------------------------


@case(4)
class PythonConstants(Net):
    slope = 0.25

    def middle(self, x):
        return torch.maximum(x, self.slope * x) * 3.0 + 0


@case(0)
class TinyConstant(Net):
    def middle(self, x):
        return x + 1e-300 if self.last else x


@case(0)
class TensorConstant(Net):
    def middle(self, x):
        return torch.tensor([1.0, 0, 0, 2.0], dtype=torch.float64) - x * torch.ones(4).double() - 1


@case(4)
class ConstantFirst(Net):
    def middle(self, x):
        return torch.full((4,), 2.0, dtype=torch.float64) * x


@case(4)
class ZerosFirst(Net):
    def middle(self, x):
        return torch.zeros(4, dtype=torch.float64) + x


@case(0)
class AttributeTensor(Net):
    """A plain tensor attribute may change, so its zeros count as numbers."""

    def __init__(self):
        super().__init__()
        self.shift = torch.zeros(4, dtype=torch.float64)

    def middle(self, x):
        return (x + self.shift).relu()


@case(0)
class ZeroBuffer(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros(4))

    def middle(self, x):
        return torch.where(x > self.shift, x, 0.0)


@case(0)
class ThresholdByTensor(Net):
    def middle(self, x):
        return x * (x > torch.full_like(x, 0.5))


@case(4)
class ThresholdByZeros(Net):
    def middle(self, x):
        return x * (torch.zeros_like(x) < x)


@case(4)
class NoGrad(Net):
    def middle(self, x):
        with torch.no_grad():
            return x.relu()


@case(4)
class Autocast(Net):
    def middle(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return x.relu()


@case(4, tol=5e-3)
class HalfPrecision(Net):
    def middle(self, x):
        return x.to(torch.float16).relu().double()


@case(4, tol=1e-5)
class SinglePrecision(Net):
    def middle(self, x):
        return x.float().relu().to(dtype=x.dtype)


@case(0)
class ThroughIntegers(Net):
    def middle(self, x):
        return x.to(torch.int32).to(x.dtype)


@case(0)
class RoundedSum(Net):
    def middle(self, x):
        return x.sum(1, keepdim=True, dtype=torch.int64).expand(-1, 4).double()


@case(4, example=lambda: torch.tensor([[1, 0, 2], [3, 1, 1]]))
class IntegerInput(Net):
    def forward(self, x):
        return self.last(self.first(x.double()).relu())


@case(0)
class GateOfItself(Net):
    def middle(self, x):
        return x * x.relu()


@case(0)
class GateGroundedLater(Net):
    """Both factors are free when they meet; one is fixed only afterwards."""

    def forward(self, x):
        h = self.first(x).relu()
        y = h[:, :2] * h[:, 2:]
        return self.last(torch.cat([y, y], 1)), h[:, 2:]


@case(0)
class LateGround(Net):
    """Everything downstream is done when the first layer turns out to be returned."""

    def forward(self, x):
        h = self.first(x)
        return self.last(h.relu()), h


@pytest.mark.parametrize("verify", [False, True], ids=["rules alone", "verified"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_right_or_refuses(name, verify):
    cls, expected, tol, example, train = CASES[name]
    torch.manual_seed(0)
    model = cls().double().train(train)
    OUTSIDE[id(cls)] = model
    x = torch.randn(5, 3, dtype=torch.float64) if example is None else example()
    if isinstance(expected, str):
        with pytest.raises(GaugeError, match=expected):
            trace_group(model, x, verify=verify)
        return
    group = trace_group(model, x, verify=verify)
    own = [part for layer, part in group.layers.items() if layer != "last"]
    assert sum(part.stop - part.start for part in own) == expected
    if group.units:
        assert_gauge_invariant(model, x, group=group, tol=tol)


def test_the_last_check_stands_on_its_own(monkeypatch):
    """With a wrong rule in the table the verification still refuses; without it, nothing would."""
    from gaugelib.build.site import RULES

    monkeypatch.setitem(RULES, "tanh", RULES["relu"])

    class Tanh(Net):
        def middle(self, x):
            return x.tanh()

    torch.manual_seed(0)
    model, x = Tanh(), torch.randn(5, 3)
    with pytest.raises(GaugeError, match=r"moves the model by \d.*error of trace_group"):
        trace_group(model, x)
    wrong = trace_group(model, x, verify=False)
    with pytest.raises(AssertionError, match="the function moved"):
        assert_gauge_invariant(model, x, group=wrong)


def test_the_last_check_is_not_fooled_by_zero_biases(monkeypatch):
    from gaugelib.build import rules_linear

    monkeypatch.setattr(rules_linear, "_shifted", lambda site, labels, bias: labels)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    nn.init.zeros_(model[0].bias)
    with pytest.raises(GaugeError, match="moves the model"):
        trace_group(model, torch.randn(5, 3))
