"""One operation of a traced graph: what its rule may ask and do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND, GaugeError
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.labels import Labels
from gaugelib.tracing.parameter_uses import ParameterUses
from gaugelib.tracing.values import Activation, Constant, Value, Weight


@dataclass(frozen=True)
class Operation:
    """One operation: where it is, what it would compute, and what its rule writes in.

    Attributes:
        what: the operation as a reader would write it.
        method: its name, if it is a method of a tensor.
        place: path of the module in whose `forward` it stands.
        issuer: name for units that are born here; `None` to name them after the parameter.
        compute: the operation itself.
        args: its positional arguments, with values in place of tensors.
        kwargs: its keyword arguments.
        labels: the union-find of all labels.
        uses: the uses of parameters.
        casts: dtypes that the forward asks for by itself.
        module: the module, if the operation is one.
        parameters: the parameters of that module, by their name in it.
    """

    what: str
    method: str
    place: str
    issuer: str | None
    compute: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    labels: Labels
    uses: ParameterUses
    casts: set[torch.dtype]
    module: nn.Module | None = None
    parameters: Mapping[str, Weight] = field(default_factory=dict)
    _shadow: list[Any] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The operation and its place, for readers."""
        where = f"in module '{self.place}'" if self.place else "in the model's forward"
        return f"{self.what} {where}"

    def refuse(self, reason: str) -> NoReturn:
        """Raise a `GaugeError` that names this operation and its place."""
        raise GaugeError(f"{self.title}: {reason}")

    def option(self, name: str) -> Any:
        """A parameter of the module, or another of its attributes."""
        return self.parameters.get(name, getattr(self.module, name))

    def activation(self, value: object) -> Activation:
        """A value that must be an activation.

        A parameter is refused: only structural operations and sums and products with activations
        carry its entries. A constant becomes an activation of its own labels.
        """
        if isinstance(value, Weight):
            self.refuse(
                f"it is applied to parameter '{value.name}' itself; only views of a parameter, and "
                "its products and sums with activations, have a known rescaling"
            )
        if isinstance(value, Constant):
            return Activation(self.constant_labels(value, value.shape), value.dtype)
        if not isinstance(value, Activation):
            self.refuse(f"a tensor was expected, found {type(value).__name__}")
        return value

    def constant_labels(self, constant: Constant, shape: torch.Size) -> Tensor:
        """Labels of a constant broadcast to `shape`: ground, and free ones where it is zero."""
        labels = torch.full(shape, GROUND)
        zero = (constant.value == 0).expand(shape)
        if not constant.changeable and bool(zero.any()):
            labels[zero] = self.labels.issue((int(zero.sum()),), None)
        return labels

    def issue(self, shape: Iterable[int], weight: Weight) -> Tensor:
        """Labels for units born here, named after the module or else the parameter."""
        return self.labels.issue(shape, self.issuer or weight.name)

    def ground_all(self) -> Any:
        """The rule that always holds: fix every scale that goes in; what comes out is fixed.

        It holds because the same operation on the same numbers gives the same numbers.
        """
        for value in pytree.tree_leaves((self.args, self.kwargs)):
            if isinstance(value, Activation | Weight):
                self.labels.ground(self.activation(value).labels)
        return pytree.tree_map_only(Tensor, grounded, self.shadow())

    def shadow(self) -> Any:
        """What the operation returns, as tensors without values: exact shapes and dtypes."""
        if not self._shadow:
            args, kwargs = pytree.tree_map_only(Value, Value.shadow, (self.args, self.kwargs))
            try:
                self._shadow.append(self.compute(*args, **kwargs))
            except Exception as error:
                why = first_line(error)
                self.refuse(f"its result cannot be inferred from shapes alone ({why})")
        return self._shadow[0]

    def pointwise_shadow(self, *terms: Any) -> Tensor:
        """`shadow` of an arithmetic operation, without asking torch where the answer is plain.

        The first shadow of many operations makes torch load its compiler, which takes a second.
        """
        values = [term for term in terms if isinstance(term, Value)]
        if not all(value.dtype.is_floating_point for value in values):
            return self.shadow()
        shape = torch.broadcast_shapes(*(value.shape for value in values))
        shadows = [t.shadow() if isinstance(t, Value) else t for t in terms]
        dtype = torch.result_type(*shadows) if len(shadows) == 2 else values[0].dtype
        return torch.empty(shape, dtype=dtype, device="meta")

    def evaluate(self) -> Any:
        """The operation executed on constants."""
        given = (self.args, self.kwargs)
        leaves = pytree.tree_leaves(given)
        changeable = any(leaf.changeable for leaf in leaves if isinstance(leaf, Constant))
        args, kwargs = pytree.tree_map_only(Constant, Constant.carrier, given)
        result = self.compute(*args, **kwargs)
        return pytree.tree_map_only(Tensor, lambda value: Constant(value, changeable), result)

    def check(self, result: Any) -> None:
        """Refuse results that a rule got wrong in shape or dtype, or that have no scales."""
        values = pytree.tree_leaves(result)
        for value, shadow in zip(values, pytree.tree_leaves(self._shadow)):
            if not isinstance(value, Value) or not isinstance(shadow, Tensor):
                continue
            if (value.shape, value.dtype) != (shadow.shape, shadow.dtype):
                self.refuse(f"its rule is wrong, please report it: {value} is not {shadow}")
        for value in values:
            if isinstance(value, Value) and (value.dtype.is_complex or not value.shape.numel()):
                self.refuse(f"its result is empty or complex: {tuple(value.shape)}, {value.dtype}")


def grounded(shadow: Tensor) -> Activation:
    """An activation whose scales are all 1."""
    labels = torch.full((1,) * shadow.dim(), GROUND).expand(shadow.shape)
    return Activation(labels, shadow.dtype)
