"""What an operation returns, without doing it: shapes, strides and dtypes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from gaugelib.tracing.operation import grounded
from gaugelib.tracing.standin import StandIn
from gaugelib.tracing.values import Constant, Value

BOOLEAN = "isnan isinf isfinite signbit logical_not gt lt ge le eq ne".split()  # noqa: SIM905


def inferred(func: Any, base: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """The results of an operation on tensors that hold no values."""
    if base + "_" == func._schema.name.partition("::")[2] and isinstance(args[0], StandIn):
        return args[0]._shadow
    like = _alike(func, base, args, kwargs)
    if like is not None:
        return torch.empty_like(like._shadow)
    shadows, options = pytree.tree_map_only(Tensor, shadow_of, (args, kwargs))
    if options.get("device") is not None:
        options["device"] = torch.device("meta")
    return func(*shadows, **options)


def _alike(func: Any, base: str, args: Any, kwargs: Any) -> StandIn | None:
    """The one tensor of a pointwise operation whose result is like it.

    Torch would load its compiler to find that out, which takes seconds.
    """
    first, *others = pytree.tree_leaves((args, kwargs)) or [None]
    plain = all(isinstance(one, bool | int | float | None) for one in others)
    if torch.Tag.pointwise not in func.tags or base in BOOLEAN or not plain:
        return None
    return first if isinstance(first, StandIn) and first.is_floating_point() else None


def value_of(tensor: Tensor) -> Value:
    """What a tensor stands for; an ordinary one for its numbers, which may be others tomorrow.

    Of one on the meta device the numbers are not known today either: it is like an input.
    """
    if isinstance(tensor, StandIn):
        return tensor.value
    return grounded(tensor) if tensor.is_meta else Constant(tensor.detach().cpu(), True)


def shadow_of(tensor: Tensor) -> Tensor:
    """A tensor of the same shape, strides and dtype that holds no values."""
    return tensor._shadow if isinstance(tensor, StandIn) else tensor.detach().to("meta")
