"""The last check of trace_group stands on its own."""

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant
from gaugelib.tracing.rules import RULES, linear
from tests.tracing.dense import mlp


def test_with_a_wrong_rule_it_refuses_and_without_it_nothing_would(monkeypatch):
    monkeypatch.setitem(RULES, "tanh", RULES["relu"])
    torch.manual_seed(0)
    model, x = mlp(3, 4, 2, act=nn.Tanh), torch.randn(5, 3)
    with pytest.raises(GaugeError, match=r"moves the model by \d.*error of trace_group"):
        trace_group(model, x)
    wrong = trace_group(model, x, verify=False)
    with pytest.raises(AssertionError, match="the function moved"):
        assert_gauge_invariant(model, x, group=wrong)


def test_zero_biases_do_not_hide_a_wrong_rule(monkeypatch):
    monkeypatch.setattr(linear, "common_labels", lambda op, terms, shape: terms[0].labels)
    model = mlp(3, 4, 2)
    nn.init.zeros_(model[0].bias)
    with pytest.raises(GaugeError, match="moves the model"):
        trace_group(model, torch.randn(5, 3))


def test_a_zero_layer_does_not_hide_a_wrong_rule(monkeypatch):
    monkeypatch.setitem(RULES, "tanh", RULES["relu"])
    model = mlp(3, 4, 2, act=nn.Tanh)
    nn.init.zeros_(model[2].weight)
    with pytest.raises(GaugeError, match="moves the model"):
        trace_group(model, torch.randn(5, 3))
