"""The last check of a traced group: its graph is the model, and its gauge leaves it alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call
from torch.utils import _pytree as pytree

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.graph import first_names
from gaugelib.tracing.randomness import cuda_devices, same_draws


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


class _Interpreted(nn.Module):
    """A graph executed one operation after the other: what is not needed any more is let go."""

    def __init__(self, skeleton: nn.Module, graph: fx.Graph) -> None:
        super().__init__()
        self.skeleton, self.graph = skeleton, graph

    def forward(self, *inputs: Tensor) -> Any:
        interpreter = fx.Interpreter(self.skeleton, graph=self.graph)
        interpreter.extra_traceback = False
        return interpreter.run(*inputs)


@dataclass(frozen=True)
class Trial:
    """A model and its traced graph, ready to be evaluated at any parameters.

    Nothing is copied before it is needed, and then one parameter after the other.
    """

    skeleton: nn.Module  # without values
    graph: fx.Graph
    own: dict[str, Tensor]  # the model's parameters themselves
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
        """At the model's own parameters and buffers."""
        own = {name: value.detach() for name, value in model.named_parameters()}
        buffers = {name: value.detach() for name, value in model.named_buffers()}
        first = first_names(model.named_parameters(remove_duplicate=False))
        first |= first_names(model.named_buffers(remove_duplicate=False))
        return cls(skeleton, graph, own, buffers, first, inputs, cuda_devices(model))

    def near(self, dtype: torch.dtype | None, noise: float) -> dict[str, Tensor]:
        """Copies of the parameters near their values: zero biases, say, would hide a wrong rule."""
        draw = torch.Generator("cpu").manual_seed(0)
        return {name: _near(value, dtype, noise, draw) for name, value in self.own.items()}

    def model(self, params: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> Any:
        """The model's own forward."""
        return self._call(copy.deepcopy(self.skeleton), params, dtype)

    def traced(self, params: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> Any:
        """The forward as the tracer saw it."""
        return self._call(_Interpreted(copy.deepcopy(self.skeleton), self.graph), params, dtype)

    def _call(
        self, module: nn.Module, params: Mapping[str, Tensor], dtype: torch.dtype | None
    ) -> Any:
        def cast(value: Tensor) -> Tensor:
            return value.to(dtype) if dtype and value.is_floating_point() else value

        # A graph may know a tied parameter by another of its names than the model does.
        names = [(n, n.removeprefix("skeleton.")) for n, _ in module.named_parameters()]
        tensors = {name: params[self.first[own]] for name, own in names}
        for name, _ in module.named_buffers():
            own = name.removeprefix("skeleton.")
            if own in self.first:  # and is not a constant that the tracer put there
                tensors[name] = cast(self.buffers[self.first[own]]).clone()
        inputs = tuple(cast(value).clone() for value in self.inputs)
        with torch.no_grad(), same_draws(self.devices):
            return functional_call(module, tensors, inputs)


def refuse_unfaithful(
    trial: Trial, group: GaugeGroup, casts: set[torch.dtype], *, verify: bool
) -> None:
    """Refuse a group if its graph is not the model, or if a gauge transformation moves the model.

    One comparison does for both: the graph as it is against the model at a random gauge, in float64
    where the model permits. It holds one copy of the parameters. Without `verify` the graph is
    compared with the model as it is, in its own dtype and without a copy.

    Args:
        trial: the model, its graph, and the example.
        group: what was found.
        casts: dtypes that the forward casts to; the coarsest of all sets the tolerance.
        verify: whether to change the gauge at all.

    Raises:
        GaugeError: if the model does not run, or is not what was traced, or moves.
    """
    used = {value.dtype for value in (*trial.own.values(), *trial.inputs)} | casts
    precisions = [torch.finfo(dtype).eps for dtype in used if dtype.is_floating_point]
    # Half of the digits: rounding stays far below, a wrong rule far above.
    tolerance = max(precisions, default=2.0**-52) ** 0.5
    if verify:
        scales = group.random(generator=torch.Generator("cpu").manual_seed(1))
        # A model may insist on a dtype, or leave its domain near its parameters.
        for dtype, noise in ((torch.float64, 0.1), (None, 0.1), (None, 0.0)):
            if _is_invariant(trial, group, scales, tolerance, dtype, noise):
                return
    _refuse_untrue(trial, tolerance)
    if verify:
        raise GaugeError(
            "the model could be evaluated at its own parameters, but at no others: its parameters "
            "are too special to compare it in another gauge; pass verify=False to go without"
        )


def _is_invariant(
    trial: Trial, group: GaugeGroup, scales: Tensor, tolerance: float,
    dtype: torch.dtype | None, noise: float,
) -> bool:  # fmt: skip
    """Whether a gauge leaves the model where its graph is; `False` if these cannot be compared.

    Raises:
        GaugeError: if the graph is the model, and the gauge moves it.
    """
    try:
        params = trial.near(dtype, noise)
        traced = trial.traced(params, dtype)
        _rescale_(params, scales, group)
        distance = moved_relative(traced, trial.model(params, dtype))
        if bool(distance <= tolerance):
            return True
        params = trial.near(dtype, noise)
        gap = moved_relative(traced, trial.model(params, dtype))
    except Exception:
        return False
    if not bool(gap <= tolerance):
        return False
    raise GaugeError(
        f"the group that was found moves the model by {float(distance):.1e} relative on the "
        f"example, more than the {tolerance:.1e} that rounding explains; please report this "
        "model, it is an error of trace_group"
    )


def _refuse_untrue(trial: Trial, tolerance: float) -> None:
    """Compare the graph with the model as they are, and say why they differ if they do.

    Raises:
        GaugeError: if the model does not run, gives NaN, contradicts itself, or is not its graph.
    """
    try:
        before, traced = trial.model(trial.own), trial.traced(trial.own)
    except Exception as error:
        why = first_line(error)
        raise GaugeError(f"the model cannot be evaluated on the example: {why}") from error
    gap = moved_relative(before, traced)
    if bool(gap <= tolerance):
        return
    outputs = [leaf for leaf in pytree.tree_leaves(before) if isinstance(leaf, Tensor)]
    if any(bool(leaf.isnan().any()) for leaf in outputs):
        given = any(bool(value.isnan().any()) for value in trial.inputs)
        raise GaugeError(
            "the model's own output is NaN on the example, so that nothing can be compared; "
            + ("the example has NaN in it" if given else "give an example on which it is a number")
        )
    if not bool(moved_relative(before, trial.model(trial.own)) <= tolerance):
        raise GaugeError(
            "two calls of the model on the same example differ: it draws random numbers from a "
            "generator of its own, or keeps a state outside of itself; take that out of the forward"
        )
    raise GaugeError(
        f"what was traced is not the model: outputs differ by {float(gap):.1e} on the example; the "
        "forward asks what its tensors are (isinstance, hasattr, try), and tracing runs it on "
        "stand-ins, or it keeps a state that is not seen (an iterator, say); let attributes of the "
        "model that stay as they are decide instead"
    )


def _rescale_(params: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> None:
    full = group.with_ground(scales, ground=1.0)
    for name, value in params.items():
        entry = group.entries[name]
        wide = value.double()  # itself, if it is wide already
        wide.mul_(full[entry.target].to(wide)).div_(full[entry.source].to(wide))
        value.copy_(wide)


def _near(value: Tensor, dtype: torch.dtype | None, noise: float, draw: torch.Generator) -> Tensor:
    """A copy of the parameter moved by a part of its size, so that none of its entries is special.

    The noise is the sum of a random row and a random column: cheap, and no entry is left out.
    """
    moved = value.to(dtype or value.dtype, copy=True, memory_format=torch.contiguous_format)
    wide = torch.promote_types(moved.dtype, torch.float32)
    size = noise * torch.linalg.vector_norm(moved, dtype=wide) / moved.numel() ** 0.5
    size = torch.where(size > 0, size, noise)
    view = moved if moved.dim() else moved.reshape(1)
    for dim, length in enumerate(view.shape[:2]):
        one = torch.randn(length, generator=draw, dtype=torch.float64, device="cpu")
        view += (size * one.to(size)).to(view.dtype).reshape(-1, *(1,) * (view.dim() - dim - 1))
    return moved
