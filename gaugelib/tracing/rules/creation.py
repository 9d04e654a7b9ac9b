"""Rules for tensors that appear from nothing: zeros, other constants, and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.table import named, rule
from gaugelib.tracing.values import Activation, Constant, Value

# Where these reach the graph, their sizes depend on the input; others the tracer executes.
FILLED = [torch.zeros, torch.ones, torch.full, torch.eye]
COUNTED = [torch.arange, torch.linspace]
ZEROS = [torch.zeros_like, *named("new_zeros", Tensor)]
OTHERS = [torch.ones_like, torch.full_like, *named("new_ones new_full new_tensor", Tensor)]
PADS = named(
    "ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
    "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d "
    "CircularPad1d CircularPad2d CircularPad3d",
    nn,
)


@rule(*ZEROS)
def zeros(op: Operation, *_: Any, **__: Any) -> Activation:
    """A zero carries any scale: each gets a label of its own, free until something ties it."""
    shadow = op.shadow()
    return Activation(op.labels.issue(shadow.shape, None), shadow.dtype)


@rule(*OTHERS)
def constant(op: Operation, *_: Any, **__: Any) -> Constant:
    """Numbers are kept: they may serve as indices, and zeros among them carry any scale."""
    like, *args = op.args
    if any(isinstance(leaf, Value) for leaf in pytree.tree_leaves((args, op.kwargs))):
        op.refuse("its numbers come from a tensor")
    blank = torch.zeros(like.shape, dtype=like.dtype)
    return Constant(op.compute(blank, *args, **(op.kwargs | {"device": "cpu"})), False)


@rule(*FILLED, *COUNTED)
def made(op: Operation, *_: Any, **__: Any) -> Constant:
    """Numbers are kept; where another size would give others, none of them counts as zero."""
    numbers = op.compute(*op.args, **(op.kwargs | {"device": "cpu"}))
    return Constant(numbers, changeable=op.compute in COUNTED)


@rule(F.pad)
def pad(
    op: Operation,
    input: Value,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Activation:
    """Zeros around the entries, or copies of them, or a number whose scale is 1."""
    before = op.activation(input)
    if mode == "constant":
        labels = F.pad(before.labels, pad, value=_HOLE)
        hole = labels == _HOLE
        if value:
            labels[hole] = GROUND
        else:
            labels[hole] = op.labels.issue((int(hole.sum()),), None)
    else:
        # These modes know floating point only, which holds labels exactly up to 2^53.
        labels = F.pad(before.labels.double(), pad, mode=mode).long()
    return before.carried(labels)


@rule(*PADS)
def pad_module(op: Operation, input: Value) -> Activation:
    """`pad` with the options of its module."""
    name = type(op.module).__name__
    modes = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}
    mode = modes.get(name.partition("Pad")[0], "constant")
    value = op.option("value") if mode == "constant" else None
    return pad(op, input, op.option("padding"), mode, value)


_HOLE = -1
