"""Rules for operations that write to their first argument."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F

from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules import arithmetic
from gaugelib.tracing.rules import pointwise as pointwise  # its rules are entered first
from gaugelib.tracing.rules.table import RULES, Rule, impure, named, rule
from gaugelib.tracing.values import Activation

METHODS = (
    "relu abs neg clamp clip clamp_min clamp_max tanh sigmoid exp sqrt square round floor "
    "add sub mul multiply div masked_fill"
)
FUNCTIONS = "relu leaky_relu rrelu elu selu celu hardtanh threshold abs neg clamp tanh sigmoid exp"


def in_place(base: Rule) -> Rule:
    """The rule for writing the result over the first argument.

    Other views of the same memory keep the labels they had, so the new labels are tied to the old
    ones. That is always valid, and makes it irrelevant which tensors are views of which.
    """

    @impure
    def overwrite(op: Operation, input: Any, *args: Any, **kwargs: Any) -> Activation:
        if not isinstance(input, Activation):
            op.refuse("it writes to a parameter, a buffer or a constant")
        result = base(op, input, *args, **kwargs)
        if result.shape != input.shape:
            op.refuse(f"it writes shape {tuple(result.shape)} to shape {tuple(input.shape)}")
        op.labels.tie(result.labels, input.labels)
        return input

    return overwrite


for name in METHODS.split():
    rule(f"{name}_")(in_place(RULES[name]))
for name in FUNCTIONS.split():
    rule(*named(f"{name}_", torch, F))(in_place(RULES[named(name, torch, F)[0]]))
rule(operator.iadd, operator.isub)(in_place(arithmetic.add))
rule(operator.imul)(in_place(arithmetic.multiply))
rule(operator.itruediv)(in_place(arithmetic.divide))
