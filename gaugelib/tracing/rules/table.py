"""The table of rules, operation -> rule, and how a rule is entered in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import Tensor

Rule = Callable[..., Any]
RULES: dict[object, Rule] = {}
"""Rules by function, by name of a tensor's method, or by exact type of a module."""
IMPURE: set[Rule] = set()
"""Rules for operations that must not simply be executed when all they get are constants."""


def rule(*keys: object) -> Callable[[Rule], Rule]:
    """Register a rule under functions, names of methods and types of modules."""

    def register(function: Rule) -> Rule:
        for key in keys:
            if key in RULES:
                raise AssertionError(f"two rules for {key}")
            RULES[key] = function
        return function

    return register


def module_rule(options: str, *kinds: object) -> Callable[[Rule], Rule]:
    """Enter a function's rule for modules, too, which have these of its arguments as attributes."""

    def register(function: Rule) -> Rule:
        @wraps(function)
        def applied(op: Any, input: Any) -> Any:
            return function(op, input, **{name: op.option(name) for name in options.split()})

        rule(*kinds)(applied)
        return function

    return register


def impure(function: Rule) -> Rule:
    """Mark a rule for operations that write to their arguments or may draw random numbers."""
    IMPURE.add(function)
    return function


def named(names: str, *spaces: object) -> list[object]:
    """The functions of these names in these modules; under `torch.Tensor`, names of methods.

    Names that this version of torch does not have are left out.
    """
    found: list[object] = []
    for name in names.split():
        for space in spaces:
            if hasattr(space, name):
                found.append(name if space is Tensor else getattr(space, name))
    return list(dict.fromkeys(found))
