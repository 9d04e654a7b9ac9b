"""Sizes of the input, and what Python computes from them, are plain numbers of the graph."""

import pytest
import torch
from torch import nn

from gaugelib import trace_group
from gaugelib.testing import assert_gauge_invariant

EXAMPLE = torch.linspace(-1.0, 1.0, 6, dtype=torch.float64).view(2, 3)

NUMBERS = {
    "a method of the shape": lambda x: x.shape.numel() / 6,
    "a method with an argument": lambda x: x.size().index(3) + 0.5,
    "an entry of it": lambda x: x.shape[1] / x.size(0),
    "their count": lambda x: x.dim() ** 2,
}


class Scaled(nn.Module):
    def __init__(self, number) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4).double(), nn.Linear(4, 2).double()
        self.number = number

    def forward(self, x):
        return self.last(torch.relu(self.first(x))) * self.number(x)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_made_of_sizes_multiplies_without_a_tie(name):
    model = Scaled(NUMBERS[name])
    assert trace_group(model, EXAMPLE).units == 4
    assert assert_gauge_invariant(model, EXAMPLE) < 1e-14


def test_control_added_to_the_units_it_grounds_them():
    class Shifted(Scaled):
        def forward(self, x):
            return self.last(torch.relu(self.first(x)) + self.number(x))

    assert trace_group(Shifted(NUMBERS["a method of the shape"]), EXAMPLE).units == 0
