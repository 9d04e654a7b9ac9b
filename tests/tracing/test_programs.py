"""Random programs of every kind of operation: the rules alone are right about all of them."""

import pytest
import torch

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant
from gaugelib.tracing.rules import RULES
from tests.tracing.programs import Program


def outcomes(seeds, verify=False):
    """Units found, or None for a refusal; the function must stay in place."""
    for seed in seeds:
        torch.manual_seed(seed)
        model = Program(seed, length=2 + seed % 12).double()
        x = torch.randn(5, 3, dtype=torch.float64)
        try:
            group = trace_group(model, x, verify=verify)
        except GaugeError as error:
            if "empty" not in str(error):  # a slice of no columns
                raise
            yield None
            continue
        if group.units:
            draw = torch.Generator().manual_seed(seed)
            assert_gauge_invariant(model, x, group=group, tol=1e-7, log_std=0.7, generator=draw)
        yield group.units


@pytest.mark.parametrize("verify, start", [(False, 0), (True, 1000)])
def test_random_programs_keep_their_function(verify, start):
    found = list(outcomes(range(start, start + 100), verify=verify))
    assert found.count(None) < 0.15 * len(found)
    assert sum(units or 0 for units in found) > 8 * len(found)


@pytest.mark.parametrize("wrong, right", [("tanh", "relu"), ("maximum", "mul")])
def test_control_a_wrong_rule_is_found_out(monkeypatch, wrong, right):
    monkeypatch.setitem(RULES, wrong, RULES[right])
    with pytest.raises(AssertionError, match="the function moved"):
        list(outcomes(range(100)))
