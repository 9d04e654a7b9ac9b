"""The table of rules, operation -> rule, and how a rule is entered in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}
"""Rules by the name of an operation of ATen, without overload."""
MOVES: dict[str, Callable[[Any, Tensor], Any]] = {}
"""What operations that only move entries do to the labels or positions of these entries."""
REFUSED: dict[str, str] = {}
"""Operations that are refused, each with the reason and what to do."""


def rule(names: str) -> Callable[[Rule], Rule]:
    """Register a rule under names of operations."""

    def register(function: Rule) -> Rule:
        for name in names.split():
            if name in RULES:
                raise AssertionError(f"two rules for {name}")
            RULES[name] = function
        return function

    return register
