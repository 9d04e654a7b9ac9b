"""What tracing costs: copies of the weights, counted by the bytes of all tensors that live."""

import weakref
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from gaugelib import trace_group


class Tally(TorchDispatchMode):
    """Bytes of the tensors made within it, those that live and the most that ever did."""

    def __init__(self, model):
        super().__init__()
        self.known = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self.weights = sum(p.numel() * p.element_size() for p in model.parameters())
        self.uses: Counter[int] = Counter()
        self.live = self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in pytree.tree_leaves(result):
            if isinstance(value, Tensor) and not value.is_meta:
                self.note(value)
        return result

    def note(self, value):
        memory = value.untyped_storage()
        if memory.data_ptr() in self.known or not memory.nbytes():
            return
        key, size = memory.data_ptr(), memory.nbytes()
        self.live += size * (self.uses[key] == 0)
        self.uses[key] += 1
        self.peak = max(self.peak, self.live)
        weakref.finalize(value, self.release, key, size)

    def release(self, key, size):
        self.uses[key] -= 1
        self.live -= size * (self.uses[key] == 0)


def layers():
    return nn.Sequential(
        *(nn.Sequential(nn.Linear(256, 256), nn.ReLU()) for _ in range(8)), nn.Linear(256, 2)
    )


class Language(nn.Module):
    """The table of embeddings is the last layer, too: rows meet columns."""

    def __init__(self):
        super().__init__()
        self.table, self.hidden = nn.Embedding(2048, 128), layers_of(128)

    def forward(self, x):
        return F.linear(self.hidden(self.table(x)), self.table.weight)


def layers_of(width):
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))


MODELS = {
    "layers": (layers, lambda: torch.randn(2, 256)),
    "tied table": (Language, lambda: torch.tensor([[1, 5, 2]])),
}


def copies(name, **options):
    """The most memory that tracing takes beside the model, in multiples of its weights."""
    make, example = MODELS[name]
    torch.manual_seed(0)
    model, x = make(), example()
    with Tally(model) as tally:
        trace_group(model, x, **options)
    return tally.peak / tally.weights


LARGEST = {"layers": 1 / 8, "tied table": 1.0}
"""The parameter that is the largest, as a part of all."""


@pytest.mark.parametrize("name", MODELS)
def test_verification_holds_the_copy_of_one_parameter_at_a_time(name):
    assert LARGEST[name] / 2 <= copies(name) < 2 * LARGEST[name] + 0.5


@pytest.mark.parametrize("name", MODELS)
def test_without_it_no_copy_of_the_weights_is_made(name):
    assert copies(name, verify=False) < 0.5


def test_control_the_tally_sees_two_copies():
    model = layers()
    with Tally(model) as tally:
        held = [[p.detach().double() for p in model.parameters()] for _ in range(2)]
    assert tally.peak / tally.weights == 4.0
    del held
    assert tally.live == 0


def test_the_model_runs_in_its_own_dtype_where_that_tells_all(monkeypatch):
    dtypes = set()
    forward = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda m, x: (dtypes.add(x.dtype), forward(m, x))[1])
    trace_group(layers_of(3), torch.randn(2, 3))
    assert dtypes == {torch.float32}


def test_where_rounding_moves_an_output_it_runs_in_double_precision(monkeypatch):
    """A cube root of powers of two is not exact."""

    class Root(nn.Module):
        def forward(self, x):
            return x.relu() ** (1 / 3)

    dtypes = set()
    forward = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda m, x: (dtypes.add(x.dtype), forward(m, x))[1])
    model = nn.Sequential(nn.Linear(3, 4), Root(), nn.Linear(4, 2))
    assert trace_group(model, torch.randn(5, 3)).units == 4
    assert dtypes == {torch.float32, torch.float64}
