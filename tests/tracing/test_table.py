"""The table of rules: one rule for each operation, and an example for each rule."""

from contextlib import suppress
from functools import wraps

import pytest
import torch

from gaugelib import GaugeError, trace_group
from gaugelib.tracing.rules import MOVES, RULES
from gaugelib.tracing.rules.table import rule
from tests.tracing import lookalikes, zoo
from tests.tracing.between import Between
from tests.tracing.test_modules_between import PARTS
from tests.tracing.test_operations import CASES

X = torch.ones(4, 3, dtype=torch.float64)


ELSEWHERE = {"gaugelib.tracing.rules.normalisation.rms_norm"}
"""One operation on other devices, and several here."""


def examples():
    """The models that the tests of operations, modules and look-alikes go through one by one."""
    yield from ((Between(function), X) for function, _ in CASES.values())
    yield from ((Between(function, part), X) for function, part, _ in PARTS.values())
    yield from (zoo.build(name) for name in zoo.ZOO)
    yield from (lookalikes.build(name) for name in lookalikes.LOOKALIKES)


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

    for name, function in list(RULES.items()):
        monkeypatch.setitem(RULES, name, noting(function))
    for model, example in examples():
        with suppress(GaugeError):
            trace_group(model, example, verify=False)
        if not left:
            break
    return left


def test_every_rule_has_an_example_and_one_without_is_found(monkeypatch):
    """The control is a rule that no model calls for."""
    monkeypatch.setitem(RULES, "hypot", lambda op, input, other: op.ground_all())
    (found,) = unapplied(monkeypatch) - ELSEWHERE
    assert "test_every_rule_has_an_example" in found


def test_what_moves_entries_has_a_rule_and_is_an_operation_of_torch():
    assert MOVES.keys() <= RULES.keys()
    known = torch.ops.aten, torch.ops.prims
    assert not {name for name in RULES if not any(hasattr(space, name) for space in known)}
    assert not any(hasattr(space, "wrong_name") for space in known)  # the control


def test_an_operation_has_one_rule():
    before = dict(RULES)
    with pytest.raises(AssertionError, match="two rules for"):
        rule("relu")(before["relu"])
    assert before == RULES
