"""The gauge group of any model, by running it once on labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gaugelib.group import GROUND, GaugeError, GaugeGroup
from gaugelib.tracing.causes import Causes
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.follow import followed, refuse_failing, refuse_refilled
from gaugelib.tracing.preconditions import refuse_unreadable, refuse_valueless
from gaugelib.tracing.run import Run
from gaugelib.tracing.solve import apart, solve
from gaugelib.tracing.standin import StandIn
from gaugelib.tracing.values import Activation, Constant, Weight
from gaugelib.tracing.verify import refuse_moving

Rule = Callable[..., Any]


def trace_group(
    model: nn.Module,
    example: Tensor | tuple[Tensor, ...],
    *,
    verify: bool = True,
    rules: Mapping[type[nn.Module], Rule] | None = None,
) -> GaugeGroup:
    """The gauge group of any model that PyTorch can run.

    The model runs once, on stand-ins for its tensors: each entry of an activation carries the label
    of its scale. What only moves entries is executed on the labels. Layers read labels and issue
    new ones, sums and maxima tie labels, products add them up, what is not positively homogeneous
    ties them to the ground, and so do the model's outputs. What remains free is the group. An
    operation of which nothing is known fixes what goes into it: nothing is guessed.

    The group is a symmetry, but not always all of it: see the book for what is given up. Where
    units are missing, `group.grounded` tells which operation fixed them.

    No value of a parameter is asked for: on the meta device a model has the group that it will have
    with its weights, but only without the verification, which compares values. A buffer there is
    taken for one more input, which can be anything.

    Args:
        model: any module; its tensors, mode and gradients stay untouched.
        example: the tensor, or the tuple of tensors, that the model is called with.
        verify: whether to compare, at the end, the model with itself at a random gauge: two calls,
            in which the parameters of one operation at a time are copied. First at powers of two
            and in the model's own dtype, where no output may move; if one does, in float64.
        rules: what modules of these exact types do to scales, in place of running them: a type ->
            a function of the operation and of the values that the module is called with. It
            returns the value of the result, as the rules in `gaugelib.tracing.rules` do.

    Returns:
        A group with one unit for each free scale; units are named after the layer that issues
        them, or after the parameter if the `forward` uses it directly.

    Raises:
        GaugeError: naming the operation and the module, if an operation is refused; if the forward
            cannot be run on the example, or decides by the values of a tensor; if it leaves
            something behind, so that its next call may be another; if the verification fails,
            or there are no values to compare. Nothing else is raised.

    Source: the book, "Beyond neurons: gates and attention".

    Book: def-homogeneous, thm-rescaling, prop-conditions, prop-block.

    Example:
        >>> cnn = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
        >>> group = trace_group(cnn, torch.zeros(1, 1, 4, 4))
        >>> group.units, dict(group.layers)
        (4, {'0': slice(0, 4, None)})
        >>> group.entries["3.weight"].source[0, :6]
        tensor([1, 1, 1, 1, 2, 2])
        >>> cnn[1] = nn.GELU()
        >>> trace_group(cnn, torch.zeros(1, 1, 4, 4)).grounded["0"]
        "gelu in nn.GELU '1'"
    """
    refuse_unreadable(model)
    inputs = _inputs(example)
    if verify:
        refuse_valueless(model, inputs, "pass verify=False to go without")
    try:
        with torch.device("cpu"):
            return _traced(model, inputs, verify, dict(rules or {}))
    except GaugeError:
        raise
    except Exception as error:
        raise GaugeError(
            f"{type(model).__name__} does something that was not foreseen "
            f"({type(error).__name__}: {first_line(error)}); please report this model"
        ) from error


def _traced(
    model: nn.Module, inputs: tuple[Tensor, ...], verify: bool, rules: dict[type[nn.Module], Rule]
) -> GaugeGroup:
    try:
        run = followed(model, inputs, rules, _ground)
        refuse_refilled(model, inputs, rules)
    except GaugeError as error:
        refuse_failing(model, inputs, error)
        raise
    group = _group(model, run)
    if verify:
        refuse_moving(model, inputs, group)
    return group


def _group(model: nn.Module, run: Run) -> GaugeGroup:
    """What is free after the run."""
    solution = solve(run.labels)
    entries = run.uses.entries(solution.numbers)
    entries, combined = apart(entries, solution.units, solution.combined)
    shapes = {name: value.shape for name, value in model.named_parameters()}
    causes = Causes(run.labels, run.uses.fixed(), solution)
    return GaugeGroup(
        solution.units, solution.layers, entries, shapes, grounded=causes, combined=combined
    )


def _ground(run: Run, outputs: Any) -> None:
    """Outputs are ground."""
    run.labels.cause = "the output of the model"
    leaves = pytree.tree_leaves(outputs)
    if not any(isinstance(leaf, Tensor) for leaf in leaves):
        kinds = " and ".join(sorted({type(leaf).__name__ for leaf in leaves})) or "nothing"
        raise GaugeError(
            f"the model returns no tensor but {kinds}, so it has no function; return its result"
        )
    for leaf in leaves:
        value = leaf.value if isinstance(leaf, StandIn) else None
        if isinstance(value, Activation):
            run.labels.ground(value.labels)
        elif isinstance(value, Weight):
            run.uses.add(value, torch.tensor(GROUND), torch.tensor(GROUND), "fixed")
        elif not isinstance(leaf, Tensor | Constant | bool | int | float | str | None):
            raise GaugeError(f"the model returns a {type(leaf).__name__}, which is not known")


def _inputs(example: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    if not isinstance(example, Tensor | tuple | list):
        kind = type(example).__name__
        raise GaugeError(f"the example must be a tensor or a tuple of tensors, found {kind}")
    inputs = (example,) if isinstance(example, Tensor) else tuple(example)
    for number, value in enumerate(inputs):
        if not isinstance(value, Tensor):
            raise GaugeError(f"input {number} must be a tensor, found {type(value).__name__}")
        if not value.numel() or value.layout != torch.strided or value.is_complex():
            raise GaugeError(
                f"input {number} must be a dense real tensor that is not empty, "
                f"found {value.dtype} of shape {tuple(value.shape)}, {value.layout}"
            )
    return tuple(value.detach() for value in inputs)
