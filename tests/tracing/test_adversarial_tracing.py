"""Models with state, randomness, and questions that tracing answers wrongly."""

import random

import numpy as np
import pytest
import torch

from tests.tracing.adversary import Gallery, Net

gallery = Gallery()


@gallery.case("changes its own attribute 'calls'")
class Counting(Net):
    calls = 0

    def __init__(self):
        super().__init__()
        self.calls = 0

    def middle(self, x):
        self.calls += 1
        return x.relu() if self.calls % 2 else x.tanh()


@gallery.case("changes its own attribute 'calls'")
class CountingBuffer(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def middle(self, x):
        self.calls += 1
        return x.relu()


@gallery.case("changes its own attribute 'seen'")
class Remembering(Net):
    def middle(self, x):
        last, self.seen = getattr(self, "seen", 0), x
        return x.relu() + last


@gallery.case("draws random numbers")
class LayerDrop(Net):
    def middle(self, x):
        return x.relu() if random.random() < 0.5 else x.tanh()


@gallery.case(r"draws random numbers in Python \(from numpy\)")
class LegacyNumpy(Net):
    def middle(self, x):
        return x.relu() if np.random.rand() < 0.5 else x.tanh()  # noqa: NPY002


@gallery.case("draws random numbers")
class NoiseMadeInPython(Net):
    def middle(self, x):
        return x + torch.randn(4, dtype=torch.float64)


@gallery.case("the value of a tensor")
class SwallowedBranch(Net):
    def middle(self, x):
        try:
            large = bool(x.abs().sum() > 1e9)
        except Exception:
            large = False
        return x.tanh() if large else x.relu()


@gallery.case(0)
class AsksForTensors(Net):
    def middle(self, x):
        return x.tanh() if isinstance(x, torch.Tensor) else x.relu()


@gallery.case(0)
class AsksForAttributes(Net):
    def middle(self, x):
        return x.relu() if hasattr(x, "a_name_that_no_tensor_has") else x.tanh()


@gallery.case(0)
class AsksForDtype(Net):
    def middle(self, x):
        return x.relu() if x.dtype == torch.float32 else x.tanh()


@gallery.case(4)
class AsksForShape(Net):
    def middle(self, x):
        return x.relu() if x.shape[0] > 2 else x.tanh()


@gallery.case(0)
class AsksForGradients(Net):
    """Parameters that learn say so on stand-ins, too."""

    def middle(self, x):
        return x.tanh() if self.last.weight.requires_grad else x.relu()


@gallery.case(4)
class OptionalArgument(Net):
    def forward(self, x, mask=None, *more):
        h = self.first(x).relu()
        return self.last(h if mask is None and not more else h.tanh())


@gallery.case("depend on the values")
class Einops(Net):
    def middle(self, x):
        return torch.as_tensor(x.detach().numpy()).relu()


@pytest.mark.parametrize("verify", [False, True], ids=["rules alone", "verified"])
@pytest.mark.parametrize("name", gallery.cases)
def test_it_is_right_or_refuses(name, verify):
    gallery.judge(name, verify)
