"""Executes a traced graph on labels instead of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

# Importing the rules registers them.
from gaugelib.build import rules_create as rules_create
from gaugelib.build import rules_in_place as rules_in_place
from gaugelib.build import rules_linear as rules_linear
from gaugelib.build import rules_norm as rules_norm
from gaugelib.build import rules_pointwise as rules_pointwise
from gaugelib.build import rules_refused as rules_refused
from gaugelib.build import rules_regions as rules_regions
from gaugelib.build import rules_structure as rules_structure
from gaugelib.build.admit import kind_of
from gaugelib.build.graph import first_names
from gaugelib.build.grounds import Grounds
from gaugelib.build.labels import Labels
from gaugelib.build.ledger import Ledger
from gaugelib.build.site import IMPURE, RULES, Site, first_line, grounded
from gaugelib.build.values import Activation, Constant, Value, Weight
from gaugelib.group import GROUND, GaugeError, GaugeGroup

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
        self.ledger = Ledger(self.labels, self.shapes)
        self.casts: set[torch.dtype] = set()  # asked for by the forward itself
        self.place = ""

    def group(self) -> GaugeGroup:
        """What is free after the execution."""
        numbers, layers = self.labels.numbering()
        units = sum(part.stop - part.start for part in layers.values())
        grounds = Grounds(self.labels, self.ledger.fixed())
        return GaugeGroup(
            units, layers, self.ledger.entries(numbers), self.shapes, grounded=grounds
        )

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
        return self._apply(target, self._site(_name(target), "", target, args, kwargs))

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The rule of a method, by its name."""

        def method(owner: Any, *more: Any, **named: Any) -> Any:
            return getattr(owner, target)(*more, **named)

        owner = args[0]
        what = f"{'Tensor' if isinstance(owner, Value) else type(owner).__name__}.{target}"
        return self._apply(target, self._site(what, target, method, args, kwargs))

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The rule of a module, by its exact type."""
        module = self.fetch_attr(target)
        own = {
            name: self.weights[f"{target}.{name}"]
            for name, _ in module.named_parameters(recurse=False, remove_duplicate=False)
        }
        self.place = target.rpartition(".")[0]
        what = f"{kind_of(module)} '{target}'"
        site = self._site(what, "", module, args, kwargs, target, module, own)
        return self._apply(type(module), site)

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
                self.ledger.record(value, ground, ground, "fixed")
            elif not isinstance(value, Constant | bool | int | float | str | None):
                raise GaugeError(f"the model returns a {type(value).__name__}, which is not known")

    def _site(self, what: str, method: str, compute: Callable[..., Any], args: Any, kwargs: Any,
              issuer: str | None = None, module: nn.Module | None = None,
              parameters: dict[str, Weight] | None = None) -> Site:  # fmt: skip
        return Site(
            what, method, self.place, issuer, compute, tuple(args), dict(kwargs),
            self.labels, self.ledger, self.casts, module, parameters or {},
        )  # fmt: skip

    def _apply(self, key: Any, site: Site) -> Any:
        self.labels.cause = site.title
        leaves = pytree.tree_leaves((site.args, site.kwargs))
        values = [leaf for leaf in leaves if isinstance(leaf, Value)]
        self.casts.update(leaf for leaf in leaves if isinstance(leaf, torch.dtype))
        if _is_named_tuple(key) or (not values and _is_plain(key, site)):
            return site.compute(*site.args, **site.kwargs)
        rule = RULES.get(key)
        if rule is None:
            site.refuse(UNKNOWN)
        if site.kwargs.get("out") is not None:
            site.refuse("it writes to its argument 'out'; use its result instead")
        constant = all(isinstance(value, Constant) for value in values)
        plain = values and constant and site.module is None and rule not in IMPURE
        try:
            result = site.evaluate() if plain else rule(site, *site.args, **site.kwargs)
        except GaugeError:
            raise
        except Exception as error:
            site.refuse(f"these arguments of it are not known ({first_line(error)})")
        site.check(result)
        return result


def _is_plain(key: Any, site: Site) -> bool:
    """Whether it is Python's own arithmetic on sizes and other plain values, or an assertion."""
    if site.method:
        return isinstance(site.args[0], tuple | int | float)
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
