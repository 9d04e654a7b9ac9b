"""Rules of the reader's own, for whole modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import _disable_current_modes

from gaugelib.group import GaugeError
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.labels import Labels
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.parameter_uses import ParameterUses
from gaugelib.tracing.preconditions import kind_of
from gaugelib.tracing.run import Run
from gaugelib.tracing.shadows import shadow_of, value_of
from gaugelib.tracing.standin import StandIn
from gaugelib.tracing.values import Value

Rule = Callable[..., Any]


def let_answer(model: nn.Module, rules: Mapping[type[nn.Module], Rule], run: Run) -> None:
    """Ask the rules of their types in place of running modules.

    Raises:
        GaugeError: if a rule is not for a type of module, or not a function.
    """
    for kind, rule in rules.items():
        if not (isinstance(kind, type) and issubclass(kind, nn.Module) and callable(rule)):
            raise GaugeError(
                f"rules must lead from types of modules to functions, found {kind!r}: {rule!r}"
            )
    for module in model.modules():
        if type(module) in rules:
            vars(module)["forward"] = _answering(rules[type(module)], module, run)


def _answering(rule: Rule, module: nn.Module, run: Run) -> Callable[..., Any]:
    def forward(*args: Any, **kwargs: Any) -> Any:
        shadow = _shadows(module, args, kwargs, run)
        with _disable_current_modes():
            title = f"{kind_of(module)} '{run.places.path}', by a rule of the reader's"
            given = pytree.tree_map_only(Tensor, value_of, (args, kwargs))
            run.labels.cause = title
            op = Operation(
                kind_of(module), title, run.places.path or None, rule, given[0], given[1],
                run.labels, run.uses, shadow, module,
            )  # fmt: skip
            try:
                result = rule(op, *given[0], **given[1])
            except GaugeError:
                raise
            except Exception as error:
                op.refuse(f"the rule failed ({type(error).__name__}: {first_line(error)})")
            if not any(isinstance(leaf, Value) for leaf in pytree.tree_leaves(result)):
                op.refuse("the rule must return values, as op.activation(x) or op.ground_all() do")
            leaves = pytree.tree_leaves((args, kwargs))
            devices = [leaf.device for leaf in leaves if isinstance(leaf, Tensor)]

            def wrap(value: Value) -> StandIn:
                empty = torch.empty(value.shape, dtype=value.dtype, device="meta")
                return run.stand_in(value, empty, (devices or [torch.device("cpu")])[0])

            return pytree.tree_map_only(Value, wrap, result)

    return forward


def _shadows(module: nn.Module, args: Any, kwargs: Any, run: Run) -> Any:
    """Shapes of what the module's own forward returns, if it can be followed; else `None`."""
    kept = run.labels, run.uses, run.refused
    run.labels = Labels()
    run.uses = ParameterUses(run.labels, run.uses.shapes)

    def fresh(one: StandIn) -> StandIn:
        with _disable_current_modes():
            return run.stand_in(grounded(one._shadow), one._shadow, one.device)

    plain_args, plain_kwargs = pytree.tree_map_only(StandIn, fresh, (args, kwargs))
    try:
        outputs = type(module).forward(module, *plain_args, **plain_kwargs)
    except Exception:
        return None
    finally:
        run.labels, run.uses, run.refused = kept
    return pytree.tree_map_only(Tensor, shadow_of, outputs)
