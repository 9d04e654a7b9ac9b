"""Models whose parameters get in by a back door, or have several uses."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.tracing.adversary import OUTSIDE, Gallery, Net

gallery = Gallery()


@gallery.case(1)  # one scale for all units: the sum takes entries of one scale
class ParameterThroughItsDictionary(Net):
    def middle(self, x):
        return x * self.last._parameters["weight"].detach().abs().sum()


@gallery.case(0)
class ParametersLooped(Net):
    def middle(self, x):
        return x * sum(p.detach().square().sum() for p in self.parameters())


@gallery.case("the value of a tensor")
class ParameterToNumber(Net):
    def middle(self, x):
        return x * float(self.last._parameters["weight"][0, 0])


@gallery.case(1)
class StateDictionary(Net):
    def middle(self, x):
        return x * self.state_dict()["last.weight"].abs().max()


@gallery.case("reads parameter 'first.weight' from outside")
class ParameterFromOutside(Net):
    def middle(self, x):
        return x * OUTSIDE[type(self).__name__].first.weight.detach()[:, 0].abs()


@gallery.case("reads parameter 'last.weight' from outside")
class ParameterDataFromOutside(Net):
    def middle(self, x):
        return x * OUTSIDE[type(self).__name__].last.weight.data.sum()


@gallery.case(4 + 4)
class ParameterOfItsDictionaryUsedPlainly(Net):
    def __init__(self):
        super().__init__()
        self.square = nn.Parameter(torch.randn(4, 4))

    def middle(self, x):
        return F.relu(F.linear(x, self._parameters["square"]))


@gallery.case(0)
class ReturnedParameter(Net):
    def forward(self, x):
        return self.last(self.first(x).relu()), self.first.weight


@gallery.case(0)
class TiedToItself(Net):
    """One weight in both layers: its target in one is its source in the other."""

    def __init__(self):
        super().__init__()
        self.first = self.last = nn.Linear(3, 3)

    def middle(self, x):
        return x.relu()


@gallery.case(0)
class BiasTiedToFixedBias(Net):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 2), nn.Linear(2, 2)
        self.last.bias = self.first.bias

    def middle(self, x):
        return x.relu()


@gallery.case(4)
class SlopeTiedToWeight(Net):
    """PReLU's slopes are fixed, so the row that they share is; its units stay free."""

    def __init__(self):
        super().__init__()
        self.act = nn.PReLU(4)
        self.last = nn.Linear(4, 1)
        self.row = self.act.weight

    def middle(self, x):
        return self.act(x) * self.row


@gallery.case(2)
class OneRowTwice(Net):
    """Row 0 of a parameter makes two units; they are one scale, and it is not row 1's."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(2, 3))

    def forward(self, x):
        return self.last(F.linear(x, self.rows[[0, 0, 1, 1]]).relu())


@gallery.case(3)
class OverlappingSlices(Net):
    def __init__(self):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        y = F.linear(x, self.rows[:2]), F.linear(x.flip(0), self.rows[1:])
        return self.last(torch.cat(y, 1).relu())


@pytest.mark.parametrize("verify", [False, True], ids=["rules alone", "verified"])
@pytest.mark.parametrize("name", gallery.cases)
def test_it_is_right_or_refuses(name, verify):
    gallery.judge(name, verify)
