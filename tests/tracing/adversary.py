"""Models made to mislead trace_group, and the judge: it must be right or refuse.

Each case says what must come out: the units that keep a scale, or words of the refusal. It must
come out of the rules alone, too, without the last check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant

OUTSIDE: dict[str, nn.Module] = {}
"""Models by the name of their class, where their own forward can find them."""


class Net(nn.Module):
    """first (3 -> 4), something in the middle, last (4 -> 2)."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.middle(self.first(x)))

    def middle(self, x):
        raise NotImplementedError


@dataclass(frozen=True)
class Case:
    model: type[Net]
    expected: int | str
    tol: float
    example: Callable[[], Tensor] | None
    train: bool


@dataclass
class Gallery:
    cases: dict[str, Case] = field(default_factory=dict)

    def case(self, expected, *, tol=1e-10, example=None, train=False):
        """Register a class of models with what must come out."""

        def hang(model):
            self.cases[model.__name__] = Case(model, expected, tol, example, train)
            return model

        return hang

    def judge(self, name, verify):
        case = self.cases[name]
        torch.manual_seed(0)
        model = OUTSIDE[name] = case.model().double().train(case.train)
        x = case.example() if case.example else torch.randn(5, 3, dtype=torch.float64)
        if isinstance(case.expected, str):
            with pytest.raises(GaugeError, match=case.expected):
                trace_group(model, x, verify=verify)
            return
        group = trace_group(model, x, verify=verify)
        own = [part for layer, part in group.layers.items() if layer != "last"]
        assert sum(part.stop - part.start for part in own) == case.expected
        if group.units:
            assert_gauge_invariant(model, x, group=group, tol=case.tol)
