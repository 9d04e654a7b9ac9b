"""The last check of a traced group: its graph is the model, and its gauge leaves it alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call
from torch.utils import _pytree as pytree

from gaugelib.build.graph import first_names
from gaugelib.build.randomness import cuda_devices, same_draws
from gaugelib.build.site import first_line
from gaugelib.group import GaugeError, GaugeGroup


def moved_relative(before: Any, after: Any) -> Tensor:
    """How far outputs moved: the largest difference relative to the largest entry before.

    Args:
        before: a tensor, or tensors in tuples, lists and dictionaries.
        after: outputs of the same structure.

    Returns:
        A number for all outputs: the worst of them, each relative to its own size. It is NaN if an
        output is NaN, and infinite if an output that was zero is not any more.

    Example:
        >>> moved_relative(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 5.0])).tolist()
        0.25
    """
    worst = torch.zeros((), dtype=torch.float64, device="cpu")
    for one, two in zip(pytree.tree_leaves(before), pytree.tree_leaves(after)):
        if isinstance(one, Tensor) and one.numel():
            one, two = one.detach().double().cpu(), two.detach().double().cpu()
            change = torch.where(one == two, 0.0, (one - two).abs()).max()
            size = torch.where(one.isfinite(), one, 0.0).abs().max()
            worst = torch.maximum(worst, torch.where(change == 0, 0.0, change / size))
    return worst


@dataclass(frozen=True)
class Trial:
    """A model and its traced graph, ready to be evaluated at any parameters."""

    skeleton: nn.Module  # without values
    graph: fx.Graph
    params: dict[str, Tensor]
    buffers: dict[str, Tensor]
    first: dict[str, str]  # every name of a parameter or buffer -> its first name
    inputs: tuple[Tensor, ...]
    devices: list[torch.device]

    @classmethod
    def of(
        cls,
        model: nn.Module,
        skeleton: nn.Module,
        graph: fx.Graph,
        inputs: tuple[Tensor, ...],
    ) -> Trial:
        """At parameters near the model's own: zero biases, say, would hide a wrong rule."""
        draw = torch.Generator("cpu").manual_seed(0)
        params = {name: _generic(value, draw) for name, value in model.named_parameters()}
        buffers = {name: value.detach() for name, value in model.named_buffers()}
        first = first_names(model.named_parameters(remove_duplicate=False))
        first |= first_names(model.named_buffers(remove_duplicate=False))
        return cls(skeleton, graph, params, buffers, first, inputs, cuda_devices(model))

    def model(self, params: Mapping[str, Tensor]) -> Any:
        """The model's own forward."""
        return self._call(copy.deepcopy(self.skeleton), params)

    def traced(self, params: Mapping[str, Tensor]) -> Any:
        """The forward as the tracer saw it."""
        return self._call(fx.GraphModule(copy.deepcopy(self.skeleton), self.graph), params)

    def _call(self, module: nn.Module, params: Mapping[str, Tensor]) -> Any:
        # A graph may know a tied parameter by another of its names than the model does.
        tensors = {name: params[self.first[name]] for name, _ in module.named_parameters()}
        for name, _ in module.named_buffers():
            if name in self.first:  # and is not a constant that the tracer put there
                tensors[name] = self.buffers[self.first[name]].clone()
        inputs = tuple(value.clone() for value in self.inputs)
        with torch.no_grad(), same_draws(self.devices):
            return functional_call(module, tensors, inputs)

    def to(self, dtype: torch.dtype) -> Trial:
        """The same with every floating tensor in another dtype."""

        def cast(value: Tensor) -> Tensor:
            return value.to(dtype) if value.is_floating_point() else value

        return replace(
            self,
            params={name: cast(value) for name, value in self.params.items()},
            buffers={name: cast(value) for name, value in self.buffers.items()},
            inputs=tuple(cast(value) for value in self.inputs),
        )


def refuse_unfaithful(
    trial: Trial, group: GaugeGroup, casts: set[torch.dtype], *, verify: bool
) -> None:
    """Refuse a group if its graph is not the model, or if a gauge transformation moves the model.

    One comparison does for both: the graph as it is against the model at a random gauge, in float64
    where the model permits.

    Args:
        trial: the model, its graph, and the example.
        group: what was found.
        casts: dtypes that the forward casts to; the coarsest of all sets the tolerance.
        verify: whether to change the gauge at all.

    Raises:
        GaugeError: if the model does not run, or is not what was traced, or moves.
    """
    scales = group.identity()
    if verify:
        scales = group.random(generator=torch.Generator("cpu").manual_seed(1))

    def run(trial: Trial) -> tuple[Trial, Any, Any]:
        return (
            trial,
            trial.traced(trial.params),
            trial.model(_rescaled(trial.params, scales, group)),
        )

    try:
        trial, traced, moved = run(trial.to(torch.float64))
    except Exception:  # the model insists on a dtype, or its device does not know float64
        try:
            trial, traced, moved = run(trial)
        except Exception as error:
            why = first_line(error)
            raise GaugeError(f"the model cannot be evaluated on the example: {why}") from error
    used = {value.dtype for value in (*trial.params.values(), *trial.inputs)} | casts
    precisions = [torch.finfo(dtype).eps for dtype in used if dtype.is_floating_point]
    # Half of the digits: rounding stays far below, a wrong rule far above.
    tolerance = max(precisions, default=2.0**-52) ** 0.5
    distance = moved_relative(traced, moved)
    if bool(distance <= tolerance):
        return
    gap = moved_relative(traced, trial.model(trial.params))
    if not bool(gap <= tolerance):
        raise GaugeError(
            f"what was traced is not the model: outputs differ by {float(gap):.1e} on the example; "
            "the forward asks about its inputs in a way that tracing cannot see, as "
            "isinstance(x, Tensor) does"
        )
    raise GaugeError(
        f"the group that was found moves the model by {float(distance):.1e} relative on the "
        f"example, more than the {tolerance:.1e} that rounding explains; please report this "
        "model, it is an error of trace_group"
    )


def _rescaled(params: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> dict[str, Tensor]:
    full = group.with_ground(scales, ground=1.0)
    entries = group.entries
    return {
        name: (value * (full[entries[name].target] / full[entries[name].source])).to(value)
        for name, value in params.items()
    }


def _generic(value: Tensor, draw: torch.Generator) -> Tensor:
    """The parameter moved by a tenth of its size, so that none of its entries is special.

    The noise is the sum of a random row and a random column: cheap, and no entry is left out.
    """
    value = value.detach()
    size = torch.linalg.vector_norm(value) / value.numel() ** 0.5
    shape = value.shape or (1,)
    noise = torch.zeros((), dtype=torch.float64, device="cpu")
    for dim, length in enumerate(shape[:2]):
        one = torch.randn(length, generator=draw, dtype=torch.float64, device="cpu")
        noise = noise + one.reshape(-1, *(1,) * (len(shape) - dim - 1))
    noise = 0.1 * torch.where(size > 0, size, 1.0) * noise.to(value)
    return (value + noise).reshape(value.shape)
