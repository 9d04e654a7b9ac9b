"""One run of a model on stand-ins: every operation of PyTorch is a rule's business."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from gaugelib.group import GaugeError
from gaugelib.memory import Footprint
from gaugelib.tracing.errors import first_line, here
from gaugelib.tracing.labels import Labels
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.parameter_uses import ParameterUses
from gaugelib.tracing.places import UNLISTED, Places
from gaugelib.tracing.rules import MOVES, REFUSED, RULES
from gaugelib.tracing.shadows import inferred, value_of
from gaugelib.tracing.standin import VALUES, Memory, StandIn, labelled
from gaugelib.tracing.values import Activation, Constant, Value

Rule = Callable[..., Any]
UNKNOWN = (
    "it is not an operation of PyTorch itself, so that nothing is known of it; write it with "
    "operations of torch, or give a rule for the module that calls it: rules={Module: rule}"
)
ZERO_MAKERS = (
    "zeros",
    "ones",
    "full",
    "eye",
    "scalar_tensor",
    "lift_fresh",
    "empty",
    "tril",
    "triu",
)
RANDOM = "it draws random numbers; do so outside of the model and pass them in"


class Run(TorchDispatchMode):
    """Applies the rule of each operation that meets a stand-in, and executes the others.

    Attributes:
        places: which module is running.
        labels: the labels of all scales.
        uses: the uses of parameters.
        refused: the first refusal, which the model may have caught.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.labels = Labels()
        shapes = {name: value.shape for name, value in model.named_parameters()}
        self.uses = ParameterUses(self.labels, shapes)
        self.refused: GaugeError | None = None
        self._sealed = Footprint(dict(model.named_parameters()))
        self.places = Places()
        self._born: list[weakref.ref[StandIn]] = []

    def alive(self) -> list[StandIn]:
        """Stand-ins that something still holds: after the forward has returned, it was kept."""
        if any(made() is not None for made in self._born):
            gc.collect()  # they may refer to each other
        return [one for made in self._born if (one := made()) is not None]

    def stand_in(
        self, value: Value, shadow: Tensor, device: torch.device, memory: Memory | None = None,
        moves: tuple[Callable[[Tensor], Tensor], ...] = (),
    ) -> StandIn:  # fmt: skip
        """A new one, in memory of its own or in that of another."""
        made = StandIn(shadow, device, memory or Memory(value), moves)
        self._born.append(weakref.ref(made))
        return made

    def input(self, value: Tensor) -> StandIn:
        """Stands for an input of the model, whose scales are fixed."""
        with _disable_current_modes():
            shadow = value.to("meta")
            return self.stand_in(grounded(shadow), shadow, value.device)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch loads its compiler, which takes seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        try:
            with torch._C.DisableTorchFunction():  # a default device, say
                return self._dispatched(func, args, kwargs or {})
        except GaugeError as error:
            if self.refused is None:
                self.refused = GaugeError(f"{error}{here()}")
            raise self.refused from error.__cause__

    def _dispatched(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        leaves = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        for leaf in leaves:
            self._check(leaf)
        name = func._schema.name.partition("::")[2]
        base = name.removesuffix("_") if func._schema.is_mutable else name
        title = self.places.title(_SPOKEN.get(base) or base)
        if torch.Tag.nondeterministic_seeded in func.tags and base not in RULES:
            raise GaugeError(f"{title}: {RANDOM}")
        if not any(isinstance(leaf, StandIn) for leaf in leaves):
            return self._made(func, base, leaves, _executed(func, base, leaves, args, kwargs))
        if kwargs.get("out") is not None or any(a.is_out for a in func._schema.arguments):
            raise GaugeError(f"{title}: it writes to its argument 'out'; use its result instead")
        given = pytree.tree_map_only(Tensor, value_of, (args, kwargs))
        values = [leaf for leaf in pytree.tree_leaves(given) if isinstance(leaf, Value)]
        device = next(leaf.device for leaf in leaves if isinstance(leaf, StandIn))
        turns = base in MOVES and func._schema.is_mutable
        lies_within = func.is_view and base in MOVES  # so that it sees what is written later
        if all(isinstance(value, Constant) for value in values) and not (turns or lies_within):
            return self._evaluated(func, args, given, device)
        if base in REFUSED:
            raise GaugeError(f"{title}: {REFUSED[base]}")
        if func.namespace not in ("aten", "prims"):
            raise GaugeError(f"{title}: {UNKNOWN}")
        self.labels.cause = title
        op = self._operation(func, base, title, args, kwargs, given)
        writes = [
            a.alias_info is not None and a.alias_info.is_write for a in func._schema.arguments
        ]
        if turns:
            return self._turned(op, args[0])
        result = self._apply(op)
        if any(writes) and not base.startswith("_native_batch_norm"):
            return self._written(op, args, writes, result)
        if lies_within:
            return self._views(op, args[0], result, device)
        if func.is_view:
            args[0]._memory.closed = True
        pairs = iter(pytree.tree_leaves(op.shadow))
        return pytree.tree_map_only(
            Value, lambda value: self.stand_in(value, next(pairs), device), result
        )

    def _operation(
        self, func: Any, base: str, title: str, args: Any, kwargs: Any, given: Any
    ) -> Operation:
        try:
            shadow = inferred(func, base, args, kwargs)
        except Exception as error:
            why = "" if "register_meta" in str(error) else f" ({first_line(error)})"
            raise GaugeError(
                f"{title}: the shape of its result does not follow from shapes alone{why}; {VALUES}"
            ) from error
        return Operation(
            base, title, self.places.issuer, func, given[0], given[1],
            self.labels, self.uses, shadow, self.places.module,
        )  # fmt: skip

    def _apply(self, op: Operation) -> Any:
        rule = RULES.get(op.name, Operation.ground_all)
        shadows = [leaf for leaf in pytree.tree_leaves(op.shadow) if isinstance(leaf, Tensor)]
        given = [v for v in pytree.tree_leaves((op.args, op.kwargs)) if isinstance(v, Value)]
        if op.name not in MOVES and any(v.dtype.is_complex for v in (*given, *shadows)):
            rule = Operation.ground_all
        try:
            result = (
                op.ground_all() if rule is Operation.ground_all else rule(op, *op.args, **op.kwargs)
            )
        except GaugeError:
            raise
        except Exception as error:
            op.refuse(f"these arguments of it are not known ({first_line(error)})")
        values = [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, Value)]
        if [(v.shape, v.dtype) for v in values] != [(s.shape, s.dtype) for s in shadows]:
            op.refuse(f"its rule is wrong, please report it: {values} is not {shadows}")
        return result

    def _written(self, op: Operation, args: Any, writes: list[bool], result: Any) -> Any:
        target = args[writes.index(True)]
        if sum(writes) > 1 or not isinstance(target, StandIn):
            op.refuse("it writes to a buffer or a constant; compute the tensor in the forward")
        if labelled(target, lambda held: op.activation(held).labels):
            op.fix(target.value)  # entries that are written over are not used
        if not isinstance(target.value, Activation):
            op.refuse("it writes to a parameter; compute a new tensor instead")
        if not target.dtype.is_floating_point:
            op.fix(result)  # it is rounded
        value = result.cast(target.dtype) if result.dtype != target.dtype else result
        target.write(value.carried(value.carrier().expand(target.shape)))
        return target

    def _turned(self, op: Operation, target: StandIn) -> StandIn:
        """A view taken in place: torch changes shape and strides of the stand-in itself."""

        def move(carrier: Tensor) -> Tensor:
            return MOVES[op.name](op, carrier.detach())

        target.turn(move, lambda one: op.compute(one, *op.args[1:], **op.kwargs))
        return target

    def _views(self, op: Operation, base: StandIn, result: Any, device: torch.device) -> Any:
        made = []
        for number, shadow in enumerate(pytree.tree_leaves(op.shadow)):
            move = _nth(MOVES[op.name], op, number if isinstance(op.shadow, list | tuple) else None)
            moves = (*base._moves, move)
            made.append(self.stand_in(base.value, shadow, device, base._memory, moves))
        return made if isinstance(op.shadow, list | tuple) else made[0]

    def _evaluated(self, func: Any, args: Any, given: Any, device: torch.device) -> Any:
        """Executed on the numbers of constants; what has values after it is an ordinary tensor."""
        leaves = [leaf for leaf in pytree.tree_leaves(given) if isinstance(leaf, Constant)]
        changeable = any(leaf.changeable for leaf in leaves)
        plain_args, plain_kwargs = pytree.tree_map_only(Constant, Constant.carrier, given)
        result = func(*plain_args, **plain_kwargs)
        if func.is_view and isinstance(args[0], StandIn):
            args[0]._memory.closed = True
        if func._schema.is_mutable:
            target = args[0]
            if isinstance(target, StandIn) and changeable:
                target._memory.value = Constant(target._memory.value.carrier(), True)
                target._memory.version += 1
            return target if isinstance(target, StandIn) else result

        def wrap(tensor: Tensor) -> Tensor:
            if not tensor.is_floating_point():
                return tensor
            return self.stand_in(Constant(tensor, changeable), tensor.to("meta"), device)

        return pytree.tree_map_only(Tensor, wrap, result)

    def _made(self, func: Any, base: str, leaves: list[Tensor], result: Any) -> Any:
        """What an operation on ordinary tensors returns: a constant, if it is new and may scale."""
        literal = base == "lift_fresh"  # torch.tensor([0.0, 1.0]), which torch counts as a view
        if func._schema.is_mutable or (func.is_view and not literal):
            return result
        fresh = (not leaves and base in ZERO_MAKERS) or literal

        def wrap(tensor: Tensor) -> Tensor:
            if not tensor.is_floating_point() or type(tensor) is not Tensor or tensor.is_meta:
                return tensor
            value = Constant(tensor.cpu(), not fresh)
            return self.stand_in(value, tensor.to("meta"), tensor.device)

        return pytree.tree_map_only(Tensor, wrap, result)

    def _check(self, value: Tensor) -> None:
        """Refuse a tensor that is, or came from, a parameter behind the back of the model."""
        if isinstance(value, StandIn):
            return
        owner = self._sealed.owner(value)
        if owner is not None:
            raise GaugeError(
                f"the forward reads parameter '{owner}' from outside of the module it "
                "belongs to, where its uses cannot be followed; pass the module instead"
            )
        if isinstance(value, nn.Parameter):
            raise GaugeError(UNLISTED.format("a parameter"))
        if value.grad_fn is not None:
            raise GaugeError(
                "the forward reads a tensor that was computed from parameters before it was "
                "called, and does not follow them; compute it in the forward"
            )


def _executed(func: Any, base: str, leaves: list[Tensor], args: Any, kwargs: dict[str, Any]) -> Any:
    """The result on ordinary tensors: without values where one has none, and else with them."""
    if any(leaf.is_meta for leaf in leaves) and not func._schema.is_mutable:
        return inferred(func, base, args, kwargs)
    if kwargs.get("device") is not None and torch.device(kwargs["device"]).type == "meta":
        kwargs = {**kwargs, "device": torch.device("cpu")}  # asked for beside a buffer there
    return func(*args, **kwargs)


_SPOKEN = {"_local_scalar_dense": "the value of a tensor (item, float, if, assert)"}


def _nth(move: Any, op: Operation, number: int | None) -> Callable[[Tensor], Tensor]:
    def moved(carrier: Tensor) -> Tensor:
        result = move(op, carrier)
        return result if number is None else result[number]

    return moved
