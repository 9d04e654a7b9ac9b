"""Executes a traced graph on labels instead of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND, GaugeError, GaugeGroup
from gaugelib.tracing.causes import Causes
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.graph import first_names
from gaugelib.tracing.labels import Labels
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.parameter_uses import ParameterUses
from gaugelib.tracing.preconditions import kind_of
from gaugelib.tracing.rules import IMPURE, RULES
from gaugelib.tracing.values import Activation, Constant, Value, Weight

UNKNOWN = (
    "it is not among the operations whose behaviour under rescaling is known, and nothing is "
    "guessed; write it with known operations"
)


class Execution(fx.Interpreter):
    """Executes a graph on labels; every operation is a rule's business."""

    def __init__(self, model: nn.Module, skeleton: nn.Module, graph: fx.Graph) -> None:
        super().__init__(skeleton, graph=graph)
        self.extra_traceback = False
        names = dict(model.named_parameters(remove_duplicate=False))
        first = first_names(names.items())
        self.weights = {n: Weight(first[n], p.shape, p.dtype) for n, p in names.items()}
        self.buffers = dict(model.named_buffers(remove_duplicate=False))
        self.shapes = {name: value.shape for name, value in model.named_parameters()}
        self.labels = Labels()
        self.uses = ParameterUses(self.labels, self.shapes)
        self.casts: set[torch.dtype] = set()  # asked for by the forward itself
        self.place = ""

    def group(self) -> GaugeGroup:
        """What is free after the execution."""
        numbers, layers = self.labels.numbering()
        units = sum(part.stop - part.start for part in layers.values())
        causes = Causes(self.labels, self.uses.fixed())
        return GaugeGroup(units, layers, self.uses.entries(numbers), self.shapes, grounded=causes)

    def run_node(self, n: fx.Node) -> Any:
        """Note in which module the operation stands, and execute it."""
        stack = n.meta.get("nn_module_stack")
        # A key is the path of a module, with @n for its later calls.
        self.place = list(stack)[-1].partition("@")[0] if stack else ""
        return super().run_node(n)

    def placeholder(self, target: Any, args: Any, kwargs: Any) -> Activation:
        """Inputs are ground."""
        return grounded(super().placeholder(target, args, kwargs))

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Value:
        """A parameter, a buffer, or another tensor that the forward refers to."""
        if target in self.weights:
            return self.weights[target]
        if target in self.buffers:
            return Constant(self.buffers[target].detach().cpu(), changeable=True)
        value = self.fetch_attr(target)
        if not isinstance(value, Tensor) or value.is_complex() or value.layout != torch.strided:
            raise GaugeError(f"attribute '{target}' is not a dense real tensor")
        if value.is_meta:
            raise GaugeError(
                "the forward computes a tensor from parameters or buffers where tracing cannot "
                f"follow (in module '{self.place}'); read them as attributes of their module"
            )
        own = "_tensor_constant" not in target
        return Constant(value.detach().cpu(), changeable=own)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The rule of a function."""
        return self._apply(target, self._operation(_name(target), "", target, args, kwargs))

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The rule of a method, by its name."""

        def method(owner: Any, *more: Any, **named: Any) -> Any:
            return getattr(owner, target)(*more, **named)

        owner = args[0]
        what = f"{'Tensor' if isinstance(owner, Value) else type(owner).__name__}.{target}"
        return self._apply(target, self._operation(what, target, method, args, kwargs))

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The rule of a module, by its exact type."""
        module = self.fetch_attr(target)
        own = {
            name: self.weights[f"{target}.{name}"]
            for name, _ in module.named_parameters(recurse=False, remove_duplicate=False)
        }
        self.place = target.rpartition(".")[0]
        what = f"{kind_of(module)} '{target}'"
        op = self._operation(what, "", module, args, kwargs, target, module, own)
        return self._apply(type(module), op)

    def output(self, target: Any, args: Any, kwargs: Any) -> None:
        """Outputs are ground."""
        ground = torch.tensor(GROUND)
        self.labels.cause = "the output of the model"
        leaves = pytree.tree_leaves(args[0])
        if not any(isinstance(value, Value) for value in leaves):
            raise GaugeError(
                "the model returns no tensor, so it has no function; return its result"
            )
        for value in leaves:
            if isinstance(value, Activation):
                self.labels.ground(value.labels)
            elif isinstance(value, Weight):
                self.uses.add(value, ground, ground, "fixed")
            elif not isinstance(value, Constant | bool | int | float | str | None):
                raise GaugeError(f"the model returns a {type(value).__name__}, which is not known")

    def _operation(
        self, what: str, method: str, compute: Callable[..., Any], args: Any, kwargs: Any,
        issuer: str | None = None, module: nn.Module | None = None,
        parameters: dict[str, Weight] | None = None,
    ) -> Operation:  # fmt: skip
        return Operation(
            what, method, self.place, issuer, compute, tuple(args), dict(kwargs),
            self.labels, self.uses, self.casts, module, parameters or {},
        )  # fmt: skip

    def _apply(self, key: Any, op: Operation) -> Any:
        self.labels.cause = op.title
        leaves = pytree.tree_leaves((op.args, op.kwargs))
        values = [leaf for leaf in leaves if isinstance(leaf, Value)]
        self.casts.update(leaf for leaf in leaves if isinstance(leaf, torch.dtype))
        if _is_named_tuple(key) or (not values and _is_plain(key, op)):
            return op.compute(*op.args, **op.kwargs)
        rule = RULES.get(key)
        if rule is None:
            op.refuse(UNKNOWN)
        if op.kwargs.get("out") is not None:
            op.refuse("it writes to its argument 'out'; use its result instead")
        constant = all(isinstance(value, Constant) for value in values)
        plain = values and constant and op.module is None and rule not in IMPURE
        try:
            result = op.evaluate() if plain else rule(op, *op.args, **op.kwargs)
        except GaugeError:
            raise
        except Exception as error:
            op.refuse(f"these arguments of it are not known ({first_line(error)})")
        op.check(result)
        return result


def _is_plain(key: Any, op: Operation) -> bool:
    """Whether it is Python's own arithmetic on sizes and other plain values, or an assertion."""
    if op.method:
        return isinstance(op.args[0], tuple | int | float)
    return key is torch._assert or getattr(key, "__module__", None) in ("_operator", "math")


def _is_named_tuple(key: Any) -> bool:
    return isinstance(key, type) and issubclass(key, tuple) and hasattr(key, "_fields")


def _name(function: Any) -> str:
    name = getattr(function, "__name__", repr(function))
    module = getattr(function, "__module__", None) or "torch"
    if module.startswith(("torch._C", "torch.functional")):
        module = "torch"
    short = {"torch.nn.functional": "F", "_operator": "operator"}
    return f"{short.get(module, module)}.{name}"
