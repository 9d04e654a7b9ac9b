"""Rules for operations that only move entries about: they are executed on the labels themselves."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.arithmetic import refuse_alone
from gaugelib.tracing.rules.table import named, rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight

MOVES = named(
    "reshape flatten unflatten permute transpose swapaxes swapdims movedim moveaxis t squeeze "
    "unsqueeze broadcast_to expand repeat tile roll flip fliplr flipud rot90 narrow select chunk "
    "split tensor_split unbind index_select pixel_shuffle pixel_unshuffle channel_shuffle",
    torch, F, Tensor,
)  # fmt: skip
SAME = [*named("contiguous clone detach cpu cuda", Tensor), torch.clone, torch.detach]
QUERIES = named("size dim ndimension numel nelement is_floating_point", Tensor)
ATTRIBUTES = ("shape", "ndim", "dtype", "device", "data", "T", "mT")


@rule(*MOVES, nn.Flatten, nn.Unflatten, nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle)
def move(op: Operation, input: Value, *args: Any, **kwargs: Any) -> Any:
    """Executed on the labels of an activation, or on the positions of a parameter's entries."""
    args, kwargs = pytree.tree_map_only(Value, lambda v: index(op, v), (args, kwargs))
    moved = op.compute(input.carrier(), *args, **kwargs)
    return pytree.tree_map_only(Tensor, input.carried, moved)


@rule("view")
def view(op: Operation, input: Value, *shape: Any) -> Value:
    """Reshapes, whether or not the labels lie in memory as the entries do."""
    if any(isinstance(size, torch.dtype) for size in shape):
        op.refuse("it reinterprets bits as another dtype")
    return input.carried(input.carrier().reshape(*shape))


@rule("view_as", "reshape_as", "expand_as")
def shaped_as(op: Operation, input: Value, other: Value) -> Value:
    """Reshapes or repeats to the shape of another tensor."""
    change = Tensor.expand if op.method == "expand_as" else Tensor.reshape
    return input.carried(change(input.carrier(), other.shape))


@rule(*SAME)
def same(op: Operation, input: Value, *_: Any, **__: Any) -> Value:
    """The same entries, elsewhere in memory or without a gradient."""
    return input


@rule(*QUERIES)
def query(op: Operation, input: Value, *args: Any) -> Any:
    """A question about shape or dtype."""
    return getattr(input.shadow(), op.method)(*args)


@rule(getattr)
def attribute(op: Operation, input: Any, name: str) -> Any:
    """Shape, dtype, transposes; nothing that depends on values."""
    if not isinstance(input, Value):
        if isinstance(input, tuple) and name in ("values", "indices"):
            return getattr(input, name)
        op.refuse(f"attribute '{name}' of {type(input).__name__} is not known")
    if name not in ATTRIBUTES:
        op.refuse(f"tensor attribute '{name}' is not known")
    if name in ("T", "mT"):
        return input.carried(getattr(input.carrier(), name))
    if name == "data":
        return input
    return torch.device("cpu") if name == "device" else getattr(input.shadow(), name)


@rule(operator.getitem)
def getitem(op: Operation, input: Any, where: Any) -> Any:
    """Slices and constant indices are executed; an index computed from the input is refused."""
    if not isinstance(input, Value):
        return input[where]
    where = pytree.tree_map_only(Value, lambda v: index(op, v), where)
    return input.carried(input.carrier()[where])


def index(op: Operation, value: Value) -> Tensor:
    """The numbers in a constant tensor of indices."""
    if not isinstance(value, Constant):
        op.refuse("which entries it takes depends on the values of a tensor")
    return value.value


@rule(*named("cat concat concatenate stack hstack vstack dstack", torch))
def join(op: Operation, tensors: Sequence[Value], *args: Any, **kwargs: Any) -> Activation:
    """Puts activations side by side; a parameter among them brings units of its own."""
    if not any(isinstance(value, Activation) for value in tensors):
        refuse_alone(op, *tensors)
    labels = [_labels(op, value) for value in tensors]
    dtype = reduce(torch.promote_types, (value.dtype for value in tensors))
    return Activation(op.compute(labels, *args, **kwargs), dtype)


def _labels(op: Operation, value: Value) -> Tensor:
    if not isinstance(value, Weight):
        return op.activation(value).labels
    target = op.issue(value.shape, value)
    op.uses.add(value, target, torch.tensor(GROUND), "bias")
    return target
