"""Models that write in place: what is written through one name is seen through others."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.tracing.adversary import Gallery, Net

gallery = Gallery()


@gallery.case(0)
class ReshapeAlias(Net):
    def middle(self, x):
        x.view(-1).add_(1)
        return x


@gallery.case(2)
class ChunkAlias(Net):
    def middle(self, x):
        left, _ = x.chunk(2, dim=1)
        left.tanh_()
        return x


@gallery.case(0)
class DetachedAlias(Net):
    def middle(self, x):
        x.detach().sigmoid_()
        return x


@gallery.case(0)
class DataAlias(Net):
    def middle(self, x):
        x.data.add_(1)
        return x


@gallery.case(0)
class CastAlias(Net):
    """A cast to the dtype that it already has returns the tensor itself."""

    def middle(self, x):
        x.to(torch.float64).add_(1)
        return x


@gallery.case(0)
class IdleDropoutAlias(Net):
    def middle(self, x):
        F.dropout(x, training=False).add_(1)
        return x


@gallery.case(0)
class ContiguousAlias(Net):
    def middle(self, x):
        x.contiguous().reshape(-1, 2).flatten()[:].exp_()
        return x


@gallery.case(3)
class NewUnitsThroughAnAlias(Net):
    """Two units are summed into one; the whole still shows both."""

    def middle(self, x):
        x[:, :1].add_(x[:, 1:2])
        return x


@gallery.case(0)
class ReadBeforeWritten(Net):
    """The copy taken before the write has the labels of what is overwritten: more is tied than
    need be, never less."""

    def middle(self, x):
        before = x.relu()
        x.add_(1)
        return before


@gallery.case(4)
class ItemAssigned(Net):
    """The first unit is overwritten, so that nobody reads it: it stays free, and idle."""

    def middle(self, x):
        x[:, 0] = 1.0
        return x


@gallery.case("attribute 'data' is assigned")
class DataAssigned(Net):
    def middle(self, x):
        x.data = torch.ones_like(x)
        return x


@gallery.case("attribute 'data' is assigned")
class WeightDataAssigned(Net):
    def middle(self, x):
        self.last.weight.data = self.last.weight.data.flip(1)
        return x


@gallery.case("writes to a parameter")
class WeightWritten(Net):
    def middle(self, x):
        self.last.weight.view(-1).mul_(2)
        return x


@gallery.case("writes to a parameter")
class WeightDataWritten(Net):
    def middle(self, x):
        self.last.weight.data.add_(1)
        return x


@gallery.case("fill .* writes to a parameter")
class WeightFilled(Net):
    def middle(self, x):
        nn.init.constant_(self.last.weight, 1.0)
        return x


@gallery.case(4)
class ConstantAccumulates(Net):
    def middle(self, x):
        total = torch.zeros(4, dtype=torch.float64)
        total += x[0]
        return x + total


@gallery.case(0)
class InputOverwritten(Net):
    """The input's memory is fixed, so what is added to it in place becomes fixed."""

    def forward(self, x):
        h = self.first(x)
        return x.add_(h[:, :3]).add_(h[:, 1:])


@gallery.case(3)
class ViewOfZerosWritten(Net):
    """What is written to a part of a constant is seen in the whole."""

    def middle(self, x):
        whole = torch.zeros(len(x), 4, dtype=torch.float64)
        whole[:, 1:].copy_(x[:, :1])
        return whole.tanh()


@gallery.case(2)
class ViewsOfZerosOverlap(Net):
    """What is left are twice x0 and x1, a sum of x2 with its exponential, and one of x0 and x3."""

    def middle(self, x):
        whole = torch.zeros(len(x), 8, dtype=torch.float64)
        left, right = whole[:, :5], whole[:, 3:]
        left[:, 1:].copy_(x)
        right[:, :1].exp_()
        right[:, 1:].copy_(x)
        return left[:, 1:] + whole[:, 4:]


@gallery.case(0)
class WrittenIntoIntegers(Net):
    """What is written to integers is rounded."""

    def middle(self, x):
        rounded = torch.zeros_like(x, dtype=torch.int64)
        rounded.copy_(3 * x)
        return rounded * torch.ones(4, dtype=torch.float64)


@gallery.case(4)
class OwnMemoryOfAPower(Net):
    def middle(self, x):
        powers = torch.empty(len(x), 4, dtype=torch.float64)
        powers[:, 0] = x[:, 0]
        for k in range(1, 4):
            powers[:, k] = powers[:, k - 1] * x[:, k]
        return powers


@pytest.mark.parametrize("verify", [False, True], ids=["rules alone", "verified"])
@pytest.mark.parametrize("name", gallery.cases)
def test_it_is_right_or_refuses(name, verify):
    gallery.judge(name, verify)
