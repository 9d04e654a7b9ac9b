"""The table of rules: one rule for each operation, and an example for each rule."""

from contextlib import suppress
from functools import wraps

import pytest
import torch

from gaugelib import GaugeError, trace_group
from gaugelib.tracing import execute
from gaugelib.tracing.rules import IMPURE, RULES
from gaugelib.tracing.rules.table import rule
from tests.tracing import test_refusals as refusals
from tests.tracing.between import Between
from tests.tracing.test_modules_between import PARTS
from tests.tracing.test_operations import CASES
from tests.tracing.zoo import ZOO, build

X = torch.ones(4, 3, dtype=torch.float64)


def examples():
    """The models that the tests of operations, modules and refusals go through one by one."""
    yield from (build(name) for name in ZOO)
    yield from ((Between(function, part), X) for function, part, _ in PARTS.values())
    yield from ((refusals.Net(between).double(), X) for between, _ in refusals.OPERATIONS.values())
    part, between, _ = refusals.MODULES["lstm"]
    yield refusals.Net(between, part=part()).double(), X
    yield from ((Between(function), X) for function, _ in CASES.values())


def written(function):
    """A rule as it is written, for however many operations, as file and name."""
    return f"{function.__module__}.{function.__qualname__}"


def unapplied(monkeypatch):
    """The rules that no example applies."""
    left = set(map(written, RULES.values()))

    def noting(function):
        @wraps(function)
        def noted(*args, **kwargs):
            left.discard(written(function))
            return function(*args, **kwargs)

        return noted

    noted = {function: noting(function) for function in RULES.values()}
    monkeypatch.setattr(execute, "RULES", {key: noted[one] for key, one in RULES.items()})
    monkeypatch.setattr(execute, "IMPURE", {noted[one] for one in IMPURE if one in noted})
    for model, example in examples():
        with suppress(GaugeError):
            trace_group(model, example, verify=False)
    return left


def test_every_rule_has_an_example_and_one_without_is_found(monkeypatch):
    """The control is a rule that no model calls for."""
    monkeypatch.setitem(RULES, torch.hypot, lambda op, input, other: op.ground_all())
    (found,) = unapplied(monkeypatch)
    assert "test_every_rule_has_an_example" in found


def test_an_operation_has_one_rule():
    before = dict(RULES)
    with pytest.raises(AssertionError, match="two rules for"):
        rule(torch.tanh)(before[torch.tanh])
    assert before == RULES
