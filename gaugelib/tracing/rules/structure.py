"""Rules for operations that only move entries about: they are executed on the labels themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.table import MOVES, REFUSED, RULES, rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight

_GROUND = torch.tensor(GROUND, device="cpu")


def as_it_is(op: Operation, carrier: Tensor) -> Any:
    """The operation itself, on labels."""
    return op.compute(carrier, *op.args[1:], **op.kwargs)


def in_floats(op: Operation, carrier: Tensor) -> Tensor:
    """The same where it knows floating point only, which holds labels exactly up to 2^53."""
    return as_it_is(op, carrier.double()).long()


def reshaped(op: Operation, carrier: Tensor) -> Tensor:
    """Reshapes, whether or not the labels lie in memory as the entries do."""
    return carrier.reshape(op.shadow.shape)


def same(op: Operation, carrier: Tensor) -> Tensor:
    """The same entries."""
    return carrier


def strided(op: Operation, carrier: Tensor) -> Tensor:
    """Any pattern in memory, of entries that lie there one after the other."""
    size, stride, *start = op.args[1:]
    return carrier.contiguous().as_strided(size, stride, start[0] if start and start[0] else 0)


_NAMES: dict[Callable[..., Any], str] = {
    as_it_is: "permute transpose t expand squeeze unsqueeze slice select split split_with_sizes "
    "unsafe_split unsafe_split_with_sizes unsafe_chunk chunk unbind unfold diagonal narrow flip "
    "roll repeat rot90 pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle "
    "movedim tile",
    in_floats: "reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d "
    "replication_pad2d replication_pad3d",
    reshaped: "view _unsafe_view reshape _reshape_alias",
    same: "detach alias lift_fresh lift contiguous view_of",
    strided: "as_strided",
}
MOVES.update({name: move for move, names in _NAMES.items() for name in names.split()})


def move(op: Operation, input: Value, *_: Any, **__: Any) -> Any:
    """Executed on the labels of an activation, or on the positions of a parameter's entries."""
    moved = MOVES[op.name]
    shadows = pytree.tree_leaves(op.shadow)
    if any(shadow.dtype != input.dtype for shadow in shadows):
        op.refuse("it reinterprets bits as another dtype")
    if isinstance(op.shadow, Tensor):
        return input.moved(lambda carrier: moved(op, carrier))
    return [
        input.moved(lambda carrier, number=number: moved(op, carrier)[number])
        for number in range(len(shadows))
    ]


RULES.update(dict.fromkeys(MOVES, move))
REFUSED.update(
    dict.fromkeys(
        [
            "_local_scalar_dense",
            "equal",
            "is_nonzero",
            "nonzero",
            "unique",
            "_unique2",
            "unique_dim",
            "masked_select",
            "_assert_async",
            "_functional_assert_async",
        ],
        "what the model does next would depend on the values of a tensor; decide by attributes of "
        "the model, or with torch.where",
    )
)


@rule("index")
def index(op: Operation, input: Value, where: Sequence[Value | None]) -> Value:
    """Entries at constant places; at places that are computed, all that may be there are tied."""
    at = [one.value if isinstance(one, Constant) else one for one in where]
    if not any(isinstance(one, Value) for one in at):
        return input.moved(lambda carrier: op.compute(carrier, at))
    axes = [axis for axis, one in enumerate(where) if one is not None]
    for one in where:
        op.fix(one)
    labels = _tied(op, input, axes)
    none = [None if one is None else torch.zeros(one.shape, dtype=torch.long) for one in where]
    return Activation(op.compute(labels, none), op.shadow.dtype)


@rule("index_select gather")
def pick(op: Operation, input: Value, dim: int, where: Value, *_: Any, **__: Any) -> Value:
    """Entries along one dimension, at constant places or at computed ones, as for an index."""
    if isinstance(where, Constant):
        return input.moved(lambda carrier: op.compute(carrier, dim, where.value))
    op.fix(where)
    labels = _tied(op, input, [dim])
    none = torch.zeros(where.shape, dtype=torch.long)
    return Activation(op.compute(labels, dim, none), op.shadow.dtype)


def _tied(op: Operation, input: Value, axes: Sequence[int]) -> Tensor:
    """Labels of which one is left along some dimensions."""
    if not isinstance(input, Weight):
        return op.labels.tie_over(op.activation(input).labels, axes)
    shape = [1 if dim in [a % len(input.shape) for a in axes] else n
             for dim, n in enumerate(input.shape)]  # fmt: skip
    labels = op.issue(shape, input)
    op.use(input, labels, _GROUND)
    return labels


@rule("index_put _unsafe_index_put _index_put_impl")
def put(
    op: Operation, input: Value, where: Sequence[Value | None], values: Value,
    accumulate: bool = False, *_: Any,
) -> Any:  # fmt: skip
    """Written, or added, to constant places."""
    at = [one.value if isinstance(one, Constant) else one for one in where]
    if any(isinstance(one, Value) for one in at):
        return op.ground_all()
    before, new = op.activation(input).labels, op.activation(values).labels
    if accumulate:
        op.labels.tie(torch.ops.aten.index(before, at), new)
        return Activation(before, op.shadow.dtype)
    labels = before.clone(memory_format=torch.contiguous_format)
    new = new.expand(torch.ops.aten.index(labels, at).shape)
    return Activation(labels, op.shadow.dtype).carried(torch.ops.aten.index_put(labels, at, new))


@rule("scatter scatter_add index_add index_copy")
def scatter(op: Operation, input: Value, dim: int, where: Value, source: Any, **_: Any) -> Any:
    """Written over, or added, at constant places along a dimension."""
    if not isinstance(where, Constant):
        return op.ground_all()
    before = op.activation(input).labels.clone(memory_format=torch.contiguous_format)
    new = op.activation(source).labels
    if op.name.startswith("scatter"):
        new = new.expand(where.shape) if not isinstance(source, Value) else new
    if op.name.endswith("add"):
        pick = torch.gather if op.name.startswith("scatter") else torch.index_select
        here = pick(before, dim, where.value)
        op.labels.tie(here, new[tuple(slice(n) for n in here.shape)])
        return Activation(before, op.shadow.dtype)
    put = torch.scatter if op.name.startswith("scatter") else torch.index_copy
    return Activation(put(before, dim, where.value, new.contiguous()), op.shadow.dtype)


@rule("cat stack")
def join(op: Operation, tensors: Sequence[Value], dim: int = 0) -> Activation:
    """Puts activations side by side; a parameter among them brings units of its own."""
    beside = any(isinstance(value, Activation) for value in tensors)
    labels = [_own_labels(op, value, beside) for value in tensors]
    made = Activation(_GROUND.expand(op.shadow.shape), op.shadow.dtype)
    return made.carried(op.compute(labels, dim))


def _own_labels(op: Operation, value: Value, beside: bool) -> Tensor:
    if not isinstance(value, Weight) or not beside:
        return op.activation(value).labels
    target = op.issue(value.shape, value)
    op.use(value, target, _GROUND, "bias")
    return target


@rule("constant_pad_nd im2col")
def pad(op: Operation, input: Value, size: Sequence[int], *options: Any) -> Activation:
    """Zeros around the entries, or a number whose scale is 1."""
    before = op.activation(input)
    holes = before.labels.double() + 1
    if op.name == "constant_pad_nd":
        labels = torch.constant_pad_nd(holes, size, 0.0).long() - 1
        value = options[0] if options else 0
    else:
        labels, value = op.compute(holes, size, *options).long() - 1, 0
    hole = labels < 0
    labels[hole] = GROUND if value else op.labels.issue((int(hole.sum()),), None)
    return before.carried(labels)


@rule("tril triu")
def triangle(op: Operation, input: Value, diagonal: int = 0) -> Value:
    """Zeros above or below a diagonal; in a parameter its entries keep their places."""
    if isinstance(input, Weight):
        return input
    kept = op.compute(torch.ones(op.shadow.shape, dtype=torch.bool), diagonal)
    labels = op.activation(input).labels.expand(op.shadow.shape).clone()
    labels[~kept] = op.labels.issue((int((~kept).sum()),), None)
    return Activation(labels, op.shadow.dtype)
