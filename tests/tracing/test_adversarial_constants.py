"""Models with constants of all kinds, casts, and scales that are fixed late."""

import pytest
import torch
import torch.nn.functional as F

from tests.tracing.adversary import Gallery, Net

gallery = Gallery()


@gallery.case(4)
class PythonConstants(Net):
    slope = 0.25

    def middle(self, x):
        return torch.maximum(x, self.slope * x) * 3.0 + 0


@gallery.case(0)
class TinyConstant(Net):
    def middle(self, x):
        return x + 1e-300 if self.last else x


@gallery.case(0)
class TensorConstant(Net):
    def middle(self, x):
        return torch.tensor([1.0, 0, 0, 2.0], dtype=torch.float64) - x * torch.ones(4).double() - 1


@gallery.case(4)
class ConstantFirst(Net):
    def middle(self, x):
        return torch.full((4,), 2.0, dtype=torch.float64) * x


@gallery.case(4)
class ZerosFirst(Net):
    def middle(self, x):
        return torch.zeros(4, dtype=torch.float64) + x


@gallery.case(0)
class AttributeTensor(Net):
    """A plain tensor attribute may change, so its zeros count as numbers."""

    def __init__(self):
        super().__init__()
        self.shift = torch.zeros(4, dtype=torch.float64)

    def middle(self, x):
        return (x + self.shift).relu()


@gallery.case(0)
class ZeroBuffer(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros(4))

    def middle(self, x):
        return torch.where(x > self.shift, x, 0.0)


@gallery.case(0)
class ThresholdByTensor(Net):
    def middle(self, x):
        return x * (x > torch.full_like(x, 0.5))


@gallery.case(0)
class RandomZeros(Net):
    """Which entries of the constant are zero is drawn anew every time: none may count as zero."""

    def middle(self, x):
        return x + F.dropout(torch.ones_like(x), 0.5, training=True)


@gallery.case(4)
class ThresholdByZeros(Net):
    def middle(self, x):
        return x * (torch.zeros_like(x) < x)


@gallery.case(4)
class NoGrad(Net):
    def middle(self, x):
        with torch.no_grad():
            return x.relu()


@gallery.case(4)
class Autocast(Net):
    def middle(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return x.relu()


@gallery.case(4, tol=5e-3)
class HalfPrecision(Net):
    def middle(self, x):
        return x.to(torch.float16).relu().double()


@gallery.case(4, tol=1e-5)
class SinglePrecision(Net):
    def middle(self, x):
        return x.float().relu().to(dtype=x.dtype)


@gallery.case(0)
class ThroughIntegers(Net):
    def middle(self, x):
        return x.to(torch.int32).to(x.dtype)


@gallery.case(0)
class RoundedSum(Net):
    def middle(self, x):
        return x.sum(1, keepdim=True, dtype=torch.int64).expand(-1, 4).double()


@gallery.case(0)
class RunningSumRounded(Net):
    def middle(self, x):
        return x.cumsum(1, dtype=torch.int64).double()


@gallery.case(4, example=lambda: torch.tensor([[1, 0, 2], [3, 1, 1]]))
class IntegerInput(Net):
    def forward(self, x):
        return self.last(self.first(x.double()).relu())


@gallery.case(4)
class GateOfItself(Net):
    """Degree two."""

    def middle(self, x):
        return x * x.relu()


@gallery.case(2)
class GateGroundedLater(Net):
    """Both factors are free when they meet; one is fixed only afterwards, the other stays free."""

    def forward(self, x):
        h = self.first(x).relu()
        y = h[:, :2] * h[:, 2:]
        return self.last(torch.cat([y, y], 1)), h[:, 2:]


@gallery.case(0)
class LateGround(Net):
    """Everything downstream is done when the first layer turns out to be returned."""

    def forward(self, x):
        h = self.first(x)
        return self.last(h.relu()), h


@pytest.mark.parametrize("verify", [False, True], ids=["rules alone", "verified"])
@pytest.mark.parametrize("name", gallery.cases)
def test_it_is_right_or_refuses(name, verify):
    gallery.judge(name, verify)
