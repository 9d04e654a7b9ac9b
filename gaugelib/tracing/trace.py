"""The gauge group of any model, by executing its graph on labels."""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.execute import Execution
from gaugelib.tracing.graph import skeleton_of, symbolic_graph
from gaugelib.tracing.preconditions import kind_of, refuse_unreadable
from gaugelib.tracing.rules.refused import REFUSED
from gaugelib.tracing.verify import Trial, refuse_unfaithful


def trace_group(
    model: nn.Module, example: Tensor | tuple[Tensor, ...], *, verify: bool = True
) -> GaugeGroup:
    """The gauge group of any model that `torch.fx` can trace.

    The model's graph of operations is executed on labels instead of numbers: each entry of an
    activation carries the label of its scale. What only moves entries is executed as it is.
    Layers read labels and issue new ones, sums and maxima tie labels, what is not positively
    homogeneous ties them to the ground, and so do the model's outputs. What remains free is the
    group. An operation that is not known is refused, never guessed.

    The group is a symmetry, but not always all of it. A label names one scale, so that these give
    scales up:

    - products of two free activations (gates, queries and keys), which cancel between the factors;
    - powers and roots (`relu(x)**2`), whose result has the square of a scale;
    - one factor for units of several scales (the scalar gain of `x + alpha * f(x)`), which is left
      as it is;
    - what adds an eps before it divides (normalisation layers, `F.normalize`), which is no symmetry
      at all; `x / x.norm(dim=1, keepdim=True)` is one, and is found.

    Where units are missing, `group.grounded` tells which operation fixed them.

    Args:
        model: any module; its tensors, mode and gradients stay untouched.
        example: the tensor, or the tuple of tensors, that the model is called with.
        verify: whether to compare, at the end, the model with itself at a random gauge: two calls
            in float64, with one copy of the parameters. Without it, the graph is compared with the
            model as it is, in its own dtype and without a copy: two calls that are needed to see
            that tracing followed what the model does, but that cannot see a wrong group.

    Returns:
        A group with one unit for each free scale; units are named after the module that issues
        them, or after the parameter if the `forward` uses it directly.

    Raises:
        GaugeError: naming the operation and the module, if an operation is unknown or refused; if
            the forward cannot be traced or run on the example; if it leaves something behind, so
            that its next call may be another; if the verification fails. Nothing else is raised.

    Source: the book, "Your own model".

    Book: def-homogeneous, thm-rescaling.

    Example:
        >>> cnn = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
        >>> group = trace_group(cnn, torch.zeros(1, 1, 4, 4))
        >>> group.units, dict(group.layers)
        (4, {'0': slice(0, 4, None)})
        >>> group.entries["3.weight"].source[0, :6]
        tensor([1, 1, 1, 1, 2, 2])
        >>> cnn[1] = nn.GELU()
        >>> trace_group(cnn, torch.zeros(1, 1, 4, 4)).grounded["0"]
        "nn.GELU '1' in the model's forward"
    """
    refuse_unreadable(model)
    if type(model) in REFUSED:
        raise GaugeError(f"the model is {kind_of(model)}: {REFUSED[type(model)]}")
    inputs = _inputs(example)
    try:
        return _traced(model, inputs, verify)
    except GaugeError:
        raise
    except Exception as error:
        raise GaugeError(
            f"{type(model).__name__} does something that was not foreseen "
            f"({type(error).__name__}: {first_line(error)}); please report this model"
        ) from error


def _traced(model: nn.Module, inputs: tuple[Tensor, ...], verify: bool) -> GaugeGroup:
    try:
        skeleton, graph, casts = symbolic_graph(model, len(inputs))
    except GaugeError as error:
        _refuse_failing(model, inputs, error)
        raise
    with torch.no_grad(), torch.device("cpu"):
        execution = Execution(model, skeleton, graph)
        execution.run(*inputs)
        group = execution.group()
    trial = Trial.of(model, skeleton, graph, inputs)
    refuse_unfaithful(trial, group, execution.casts | casts, verify=verify)
    return group


def _refuse_failing(model: nn.Module, inputs: tuple[Tensor, ...], error: GaugeError) -> None:
    """If the forward raised while it was traced: does it without tracing?"""
    if error.__cause__ is None:
        return
    try:
        skeleton = skeleton_of(model)
        trial = Trial.of(model, skeleton, fx.Graph(), inputs)
        trial.model(trial.own)
    except Exception as own:
        raise GaugeError(
            f"the model cannot be evaluated on the example, so that it cannot be traced: "
            f"{type(own).__name__}: {first_line(own)}; check that model(*example) runs"
        ) from own


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
