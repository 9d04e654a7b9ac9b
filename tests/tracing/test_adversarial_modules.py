"""Models whose modules do something else than their type suggests."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.tracing.adversary import Gallery, Net

gallery = Gallery()


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x) + 1


@gallery.case(0)
class SubclassThatShifts(Net):
    def __init__(self):
        super().__init__()
        self.first = Doubled(3, 4)

    def middle(self, x):
        return x.relu()


class Softened(nn.ReLU):
    def forward(self, x):
        return F.softplus(x)


@gallery.case(0)
class SubclassOfReLU(Net):
    def __init__(self):
        super().__init__()
        self.act = Softened()

    def middle(self, x):
        return self.act(x)


class Squashed(nn.Sequential):
    def forward(self, x):
        return super().forward(x).tanh()


@gallery.case(0)
class SubclassOfSequential(Net):
    def __init__(self):
        super().__init__()
        self.act = Squashed(nn.ReLU())

    def middle(self, x):
        return self.act(x)


class Posing(nn.Module):
    """Claims to live in torch.nn: what it does counts, not where it says it lives."""

    def forward(self, x):
        return x.tanh()


Posing.__module__ = "torch.nn.modules.activation"


@gallery.case(0)
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


@gallery.case(0)
class CustomFunction(Net):
    def middle(self, x):
        return Halved.apply(x)


@gallery.case(0, train=True)
class TrainingBatchNorm(Net):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4, affine=False)

    def middle(self, x):
        return self.norm(x).relu()


@gallery.case(4)
class BatchNormWithoutStatistics(Net):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    def middle(self, x):
        return self.norm(x).relu()


@gallery.case(0)
class ModeDependent(Net):
    def middle(self, x):
        return x.relu() if self.training else x.tanh()


@pytest.mark.parametrize("verify", [False, True], ids=["rules alone", "verified"])
@pytest.mark.parametrize("name", gallery.cases)
def test_it_is_right_or_refuses(name, verify):
    gallery.judge(name, verify)
