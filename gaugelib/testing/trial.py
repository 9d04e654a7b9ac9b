"""A model evaluated at other parameters and inputs, in float64 where it allows that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from gaugelib.modules import functional_call
from gaugelib.tracing.randomness import cuda_devices, same_draws

ROUNDINGS = 64
"""Default tolerance in units of the coarsest rounding, where that leaves half of the digits."""

_FINEST = torch.finfo(torch.float64).eps  # where nothing floats, nothing is rounded


def tolerance(rounding: float) -> float:
    """The largest change that rounding alone may make."""
    return min(ROUNDINGS * rounding, rounding**0.5)


@dataclass(frozen=True)
class Trial:
    """A model that can be evaluated at other parameters, in another dtype than its own."""

    model: nn.Module
    params: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]
    inputs: tuple[Tensor, ...]

    def double(self) -> Trial:
        """In float64, but for what counts or chooses."""

        def wide(value: Tensor) -> Tensor:
            return value.double() if value.is_floating_point() else value

        params = {name: wide(value) for name, value in self.params.items()}
        buffers = {name: wide(value) for name, value in self.buffers.items()}
        return Trial(self.model, params, buffers, tuple(wide(value) for value in self.inputs))

    def at(self, *inputs: Tensor) -> Trial:
        """With other inputs."""
        return replace(self, inputs=inputs)

    def outputs(self, params: Mapping[str, Tensor]) -> Any:
        """With equal dropout every time."""
        with torch.no_grad(), same_draws(cuda_devices(self.model)):
            inputs = tuple(value.clone() for value in self.inputs)
            return functional_call(self.model, {**params, **self.buffers}, inputs)


def evaluated(trial: Trial) -> tuple[Any, Trial, float]:
    """Outputs in float64 if the model allows it, the trial as it was run, and its rounding unit."""
    try:
        wide = trial.double()
        with _Narrowings() as used:
            outputs = wide.outputs(wide.params)
    except Exception:  # it insists on a dtype, or its device does not know float64
        wide = trial
        with _Narrowings() as used:
            outputs = wide.outputs(wide.params)
    found = used.roundings | _roundings((dict(wide.params), wide.inputs))
    return outputs, wide, max(found, default=_FINEST)


class _Narrowings(TorchDispatchMode):
    """Sees the roundings of operations that give a coarser dtype than they were given."""

    def __init__(self) -> None:
        super().__init__()
        self.roundings: set[float] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = _roundings((args, kwargs))
        self.roundings |= {eps for eps in _roundings(result) if given and eps > max(given)}
        return result


def _roundings(values: Any) -> set[float]:
    """The rounding units of all floating tensors among nested values."""
    tensors = (leaf for leaf in pytree.tree_leaves(values) if isinstance(leaf, Tensor))
    return {torch.finfo(value.dtype).eps for value in tensors if value.is_floating_point()}
