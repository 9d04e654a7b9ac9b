"""What tracing costs: copies of the weights, counted by the bytes that are held at a time."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import trace_group
from tests.tracing.allocated import most_bytes


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
    held = most_bytes(lambda: trace_group(model, x, **options))
    return held / sum(value.nbytes for value in model.parameters())


LARGEST = {"layers": 1 / 8, "tied table": 1.0}
"""The parameter that is the largest, as a part of all."""


@pytest.mark.parametrize("name", MODELS)
def test_verification_holds_the_copy_of_one_parameter_at_a_time(name):
    assert 0.9 * LARGEST[name] < copies(name) < 0.12 + LARGEST[name]


@pytest.mark.parametrize("name", MODELS)
def test_without_it_no_copy_of_the_weights_is_made(name):
    assert copies(name, verify=False) < 0.5


def test_control_two_copies_are_counted_and_one_that_was_freed_is_not():
    weights = [value.detach() for value in layers().parameters()]
    size = sum(value.nbytes for value in weights)
    assert most_bytes(lambda: [[w.double() for w in weights] for _ in range(2)]) == 4 * size
    assert most_bytes(lambda: [float(w.double().sum()) for w in weights]) < size


def test_the_model_runs_in_its_own_dtype_where_that_tells_all(monkeypatch):
    dtypes = set()
    forward = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda m, x: (dtypes.add(x.dtype), forward(m, x))[1])
    trace_group(layers_of(3), torch.randn(2, 3))
    assert dtypes == {torch.float32}


def test_where_rounding_moves_an_output_it_runs_in_double_precision(monkeypatch):
    """A cube root of powers of two is not exact, and among many outputs one shows it."""

    class Root(nn.Module):
        def forward(self, x):
            return x.relu() ** (1 / 3)

    dtypes = set()
    forward = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda m, x: (dtypes.add(x.dtype), forward(m, x))[1])
    model = nn.Sequential(nn.Linear(3, 40), Root(), nn.Linear(40, 2))
    assert trace_group(model, torch.randn(20, 3)).units == 40
    assert dtypes == {torch.float32, torch.float64}
