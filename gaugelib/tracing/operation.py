"""One operation of a model as it runs: what its rule may ask and do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND, GaugeError, Kind
from gaugelib.tracing.labels import Labels
from gaugelib.tracing.parameter_uses import ParameterUses
from gaugelib.tracing.values import Activation, Constant, Weight

_GROUND = torch.tensor(GROUND, device="cpu")


@dataclass(frozen=True)
class Operation:
    """One operation: where it is, what it would compute, and what its rule writes in.

    Attributes:
        name: its name among the operations of ATen, without overload: `add` for `add_` as well.
        title: the operation and its place, for readers.
        issuer: name for units that are born here; `None` to name them after the parameter.
        compute: the operation itself.
        labels: the labels of all scales.
        uses: the uses of parameters.
        shadow: what it returns, as tensors without values: exact shapes, strides and dtypes.
        module: the module in whose forward it stands.
    """

    name: str
    title: str
    issuer: str | None
    compute: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    labels: Labels
    uses: ParameterUses
    shadow: Any
    module: nn.Module | None

    def refuse(self, reason: str) -> NoReturn:
        """Raise a `GaugeError` that names this operation and its place."""
        raise GaugeError(f"{self.title}: {reason}")

    def activation(self, value: object) -> Activation:
        """The labels of any value, one for each entry.

        The scale of a parameter's entry becomes a label, that of a constant is 1.
        """
        if isinstance(value, Activation):
            return value
        if isinstance(value, Constant):
            return Activation(self.constant_labels(value, value.shape), value.dtype)
        if isinstance(value, Weight):
            labels = self.issue(value.shape, value)
            self.uses.add(value, labels, _GROUND, "weight")
            return Activation(labels, value.dtype)
        if isinstance(value, bool | int | float):
            labels = self.labels.issue((), None) if value == 0 else _GROUND
            return Activation(labels, torch.get_default_dtype())
        return self.refuse(f"a tensor was expected, found {type(value).__name__}")

    def constant_labels(self, constant: Constant, shape: Iterable[int]) -> Tensor:
        """Labels of a constant broadcast to `shape`: ground, and free ones where it is zero."""
        shape = tuple(shape)
        if constant.changeable or not bool((constant.value == 0).any()):
            return _GROUND.expand(shape)
        labels = torch.full(shape, GROUND)
        zero = (constant.value == 0).expand(shape)
        labels[zero] = self.labels.issue((int(zero.sum()),), None)
        return labels

    def issue(self, shape: Iterable[int], weight: Weight) -> Tensor:
        """Labels for units born here, named after the module or else the parameter."""
        return self.labels.issue(shape, self.issuer or weight.name)

    def use(self, weight: Weight, target: Tensor, source: Tensor, kind: Kind = "weight") -> None:
        """Note that the entries of a parameter flow from `source` to `target`."""
        self.uses.add(weight, target, source, kind)

    def fix(self, value: object) -> None:
        """Fix the scale of every entry of a value at 1."""
        if isinstance(value, Activation):
            self.labels.ground(value.labels)
        elif isinstance(value, Weight):
            self.uses.add(value, _GROUND, _GROUND, "fixed")

    def ground_all(self) -> Any:
        """The rule that always holds: fix every scale that goes in; what comes out is fixed.

        It holds because the same operation on the same numbers gives the same numbers.
        """
        if self.shadow is None:
            self.refuse("what it returns cannot be found out; return an Activation of that shape")
        for value in pytree.tree_leaves((self.args, self.kwargs)):
            self.fix(value)
        return pytree.tree_map_only(Tensor, grounded, self.shadow)

    def results(self, labels: Tensor) -> Any:
        """These labels, in the shape of each result; integers among the results are fixed.

        Positions of extremes do not move with the scale.
        """

        def fill(shadow: Tensor) -> Activation:
            if not shadow.is_floating_point():
                return grounded(shadow)
            if labels.shape != shadow.shape and labels.numel() == shadow.numel():
                return Activation(labels.reshape(shadow.shape), shadow.dtype)
            return Activation(labels.expand(shadow.shape), shadow.dtype)

        return pytree.tree_map_only(Tensor, fill, self.shadow)


def grounded(shadow: Tensor) -> Activation:
    """An activation whose scales are all 1."""
    return Activation(_GROUND.expand(shadow.shape), shadow.dtype)
