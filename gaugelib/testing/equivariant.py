"""The test that a model follows what a group does to its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gaugelib.group import GaugeError
from gaugelib.modules import params_of
from gaugelib.testing.trial import Trial, evaluated, tolerance
from gaugelib.tracing.verify import moved_relative

if TYPE_CHECKING:
    from sympy.combinatorics import Permutation, PermutationGroup

    from gaugelib.equivariance import Representation

Action = Callable[[Tensor, "Permutation"], Tensor]
"""What an element of a group makes of a tensor."""
_NAMED = 6  # elements that a message names


def assert_equivariant(
    model: nn.Module,
    group: PermutationGroup,
    example: Tensor,
    *,
    inputs: Representation | Action | None = None,
    outputs: Representation | Action | None = None,
    input_dim: int = -1,
    output_dim: int = -1,
    tol: float | None = None,
) -> dict[Permutation, float]:
    r"""Assert that a model is equivariant, or invariant, under every element of a finite group.

    The error of an element $g$ is $\max|f(g\cdot x) - g\cdot f(x)|\,/\max|f(x)|$ on the example,
    in float64 as far as the model allows it. The model is not changed.

    Args:
        model: the model, of one tensor, giving one tensor.
        group: the group; all of its elements are tried.
        example: the tensor to call it with.
        inputs: how the group acts on the example: a representation that permutes its entries along
            `input_dim`, or a function of a tensor and an element; by default `natural(group)`.
        outputs: how it acts on the output, along `output_dim`; by default not at all, so that the
            model must be invariant.
        input_dim: the dimension of the example that a representation permutes.
        output_dim: the dimension of the output that a representation permutes.
        tol: largest error that passes; by default as in `assert_gauge_invariant`.

    Returns:
        The error of each element of the group.

    Raises:
        AssertionError: if an element's error is larger, naming all such, the worst first.
        GaugeError: if a representation is not of this group or does not fit, the example or the
            output is no tensor of real numbers or has no entries, the group is too large to try
            all of it, or no element moves the example or the output, so that nothing is tested.

    Example:
        >>> import torch
        >>> from sympy.combinatorics import SymmetricGroup
        >>> from gaugelib.equivariance import natural
        >>> group = SymmetricGroup(3)
        >>> x = torch.tensor([[1.0, -2.0, 0.5]])
        >>> assert_equivariant(nn.ReLU(), group, x, outputs=natural(group))[group.identity]
        0.0
        >>> assert_equivariant(nn.ReLU(), group, x)
        Traceback (most recent call last):
        AssertionError: not invariant: 5 of 6 elements of the group fail: (0 1): 1.0e+00, ...
    """
    from gaugelib.equivariance import natural  # here, for it loads all of sympy's groups

    source = natural(group)
    _with_entries(example, "the example")
    before = _moved(source if inputs is None else inputs, source, example, input_dim, "inputs")
    trial = Trial(model, params_of(model), dict(model.named_buffers()), (example,))
    base, trial, rounding = evaluated(trial)
    _with_entries(base, "the output")
    after = [base] * len(before)
    if outputs is not None:
        after = _moved(outputs, source, base, output_dim, "outputs")
    if len(before) > 1 and _all_equal(example, before) and _all_equal(base, after):
        raise GaugeError(
            "no element of the group moves the example or the output, so there is nothing to "
            "test; take an example of different numbers"
        )
    errors = {}
    for g, start, end in zip(source.elements, before, after):
        found = trial.at(start.to(trial.inputs[0].dtype)).outputs(trial.params)
        _same_shape(found, end, g)
        errors[g] = float(moved_relative(end, found))
    tol = tolerance(rounding) if tol is None else tol
    failed = [g for g in errors if not errors[g] <= tol]
    # What is equal but for rounding keeps the order of the group, on every processor.
    failed.sort(key=lambda g: -math.inf if math.isnan(errors[g]) else -float(f"{errors[g]:.1e}"))
    if failed:
        named = [f"{cycles(g)}: {errors[g]:.1e}" for g in failed[:_NAMED]]
        named += [f"and {len(failed) - _NAMED} more"] if len(failed) > _NAMED else []
        raise AssertionError(
            f"not {'invariant' if outputs is None else 'equivariant'}: {len(failed)} of "
            f"{len(errors)} elements of the group fail: {', '.join(named)}; the tolerance is "
            f"{tol:.2e}"
        )
    return errors


def cycles(element: Permutation) -> str:
    """A permutation in the notation of its cycles, without the points that it leaves in place."""
    moved = ("(" + " ".join(map(str, cycle)) + ")" for cycle in element.cyclic_form)
    return "".join(moved) or "the identity"


def _moved(
    action: Representation | Action, source: Representation, value: Tensor, dim: int, what: str
) -> list[Tensor]:
    """What each element of the group makes of a tensor."""
    from gaugelib.equivariance import Representation

    if not isinstance(action, Representation):
        moved = [action(value.clone(), g) for g in source.elements]
        for found in moved:
            if not isinstance(found, Tensor):
                raise GaugeError(
                    f"the action on the {what} must give a tensor, found {type(found).__name__}"
                )
        return moved
    if action.elements != source.elements:
        raise GaugeError(f"the representation of the {what} is of another group")
    return list(action.act(value, dim))


def _with_entries(value: Any, what: str) -> None:
    if not isinstance(value, Tensor):
        raise GaugeError(f"{what} must be one tensor, found {type(value).__name__}")
    if value.is_complex() or value.layout != torch.strided:
        raise GaugeError(f"{what} must be dense and real, found {value.dtype}, {value.layout}")
    if not value.numel():
        raise GaugeError(f"{what} has no entries: its shape is {tuple(value.shape)}")


def _all_equal(value: Tensor, moved: list[Tensor]) -> bool:
    return all(torch.equal(value, other) for other in moved)


def _same_shape(found: Any, wanted: Tensor, g: Permutation) -> None:
    if not isinstance(found, Tensor) or found.shape != wanted.shape:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise GaugeError(
            f"the output at the input moved by {cycles(g)} must have shape "
            f"{tuple(wanted.shape)}, found {shape}"
        )
