"""The last check of a traced group: a gauge transformation leaves the model alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.tracing.errors import first_line
from gaugelib.tracing.follow import copied
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


class _Moved(Tensor):
    """Stands for a parameter that is cast and moved anew for every operation that reads it."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]
    _numbers: Any

    @staticmethod
    def __new__(cls, own: Tensor, dtype: torch.dtype, numbers: Any) -> _Moved:
        made = Tensor._make_wrapper_subclass(
            cls, own.shape, strides=own.stride(), dtype=dtype, device=own.device
        )
        made._numbers, made._is_param = numbers, True
        return made

    def __init__(self, *_: Any) -> None:
        """Everything is done when it is made."""

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = pytree.tree_map_only(_Moved, lambda one: one._numbers(), (args, kwargs or {}))
        return func(*given[0], **given[1])


class _Casts(TorchDispatchMode):
    """Notes the dtypes that a forward asks for by itself."""

    def __init__(self, seen: set[torch.dtype]) -> None:
        super().__init__()
        self.seen = seen

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch loads its compiler, which takes seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten._to_copy.default:
            self.seen.add((kwargs or {}).get("dtype") or args[0].dtype)
        return func(*args, **(kwargs or {}))


class Trial:
    """A model that can be evaluated at other parameters, without a copy of them all.

    All calls are of one copy of it, so that a state that it keeps shows.

    Args:
        model: the model.
        inputs: what it is called with.
        dtype: floating dtype of parameters, buffers and inputs; by default their own.
        noise: how far from its own parameters, relative to their size, it is evaluated: zero
            biases, say, would hide a wrong rule.
    """

    def __init__(
        self, model: nn.Module, inputs: tuple[Tensor, ...], dtype: torch.dtype | None, noise: float
    ) -> None:
        def cast(value: Tensor) -> Tensor:
            value = value.detach()
            return value.to(dtype) if dtype and value.is_floating_point() else value

        self.casts: set[torch.dtype] = set()
        self._factors: Mapping[str, tuple[Tensor, ...]] = {}
        self._inputs = tuple(cast(value) for value in inputs)
        self._devices = cuda_devices(model)
        draw = torch.Generator("cpu").manual_seed(0)
        memo: dict[int, Any] = {id(buffer): cast(buffer).clone() for buffer in model.buffers()}
        for name, value in model.named_parameters():
            numbers = partial(
                self._numbers, name, value.detach(), dtype, _noise(value, noise, draw)
            )
            memo[id(value)] = _Moved(value, dtype or value.dtype, numbers)
        self._bare = copied(model, memo)

    def outputs(self, factors: Mapping[str, tuple[Tensor, ...]]) -> Any:
        """Outputs at parameters each of which, by its name, is multiplied by tensors."""
        self._factors = factors
        with torch.no_grad(), same_draws(self._devices), _Casts(self.casts):
            return self._bare(*(value.clone() for value in self._inputs))

    def _numbers(
        self, name: str, own: Tensor, dtype: torch.dtype | None, apart: Iterable[Tensor]
    ) -> Tensor:
        value = own.to(dtype or own.dtype, copy=True)  # one copy, and what follows in place
        for part in apart:
            value += part.to(value.dtype)
        for factor in self._factors.get(name, ()):
            value *= factor.to(value.device, value.dtype)
        return value


SMALL = 10_000


def _noise(value: Tensor, noise: float, draw: torch.Generator) -> list[Tensor]:
    """What is added to a parameter so that none of its entries is special: a row and a column.

    A large one whose entries differ is special nowhere, and costs time.
    """
    own = value.detach()
    if not noise or (own.numel() > SMALL and bool(own.aminmax().max > own.aminmax().min)):
        return []
    size = (
        noise
        * torch.linalg.vector_norm(own, dtype=torch.promote_types(own.dtype, torch.float32))
        / own.numel() ** 0.5
    )
    size = torch.where(size > 0, size, noise).double()
    parts = []
    for dim, length in enumerate(value.shape[:2] or (1,)):
        one = torch.randn(length, generator=draw, dtype=torch.float64, device="cpu").to(size.device)
        after = max(value.dim() - dim - 1, 0)
        parts.append((size * one).reshape(-1, *(1,) * after) if value.dim() else size * one[0])
    return parts


def refuse_moving(model: nn.Module, inputs: tuple[Tensor, ...], group: GaugeGroup) -> None:
    """Refuse a group if a gauge transformation moves the model, in float64 where that is possible.

    Args:
        model: the model.
        inputs: what it is called with.
        group: what was found.

    Raises:
        GaugeError: if the model does not run, or moves.
    """
    scales = group.random(generator=torch.Generator("cpu").manual_seed(1))
    even = torch.exp2(2 * torch.log2(scales).round())  # an output then stays as it is, bit for bit
    used = {value.dtype for value in (*model.parameters(), *inputs)}
    # A model may insist on a dtype, or leave its domain near its parameters.
    for dtype, noise in ((None, 0.1), (torch.float64, 0.1), (None, 0.0)):
        cheap = dtype is None and noise > 0
        try:
            trial = Trial(model, inputs, dtype, noise)
            before = trial.outputs({})
            after = trial.outputs(_factors(group, even if cheap else scales))
            distance = moved_relative(before, after)
            if bool(distance.isnan()):
                continue
        except Exception:
            continue
        if cheap and bool(distance > 0):
            continue  # rounding, perhaps
        precisions = [torch.finfo(d).eps for d in used | trial.casts if d.is_floating_point]
        # Half of the digits: rounding stays far below, a wrong rule far above.
        tolerance = max(precisions, default=2.0**-52) ** 0.5
        if bool(distance <= tolerance):
            return
        if not bool(moved_relative(before, trial.outputs({})) <= tolerance):
            raise GaugeError(
                "two calls of the model on the same example differ: it draws random numbers from "
                "a generator of its own, or keeps a state outside of itself; take that out of the "
                "forward"
            )
        raise GaugeError(
            f"the group that was found moves the model by {float(distance):.1e} relative on the "
            f"example, more than the {tolerance:.1e} that rounding explains; please report this "
            "model, it is an error of trace_group"
        )
    _refuse_odd(model, inputs)


def _factors(group: GaugeGroup, scales: Tensor) -> dict[str, tuple[Tensor, ...]]:
    """What each parameter is multiplied by, without the factors that are 1."""
    full = group.with_ground(scales, ground=1.0)
    ends = {n: (full[e.target], full[e.source].reciprocal()) for n, e in group.entries.items()}
    return {n: tuple(f for f in both if bool((f != 1).any())) for n, both in ends.items()}


def _refuse_odd(model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Say why a model could not be compared with itself."""
    try:
        before = Trial(model, inputs, None, 0.0).outputs({})
    except Exception as error:
        why = first_line(error)
        raise GaugeError(f"the model cannot be evaluated on the example: {why}") from error
    outputs = [leaf for leaf in pytree.tree_leaves(before) if isinstance(leaf, Tensor)]
    if any(bool(leaf.isnan().any()) for leaf in outputs):
        given = any(bool(value.isnan().any()) for value in inputs)
        raise GaugeError(
            "the model's own output is NaN on the example, so that nothing can be compared; "
            + ("the example has NaN in it" if given else "give an example on which it is a number")
        )
    raise GaugeError(
        "the model could be evaluated at its own parameters, but at no others: its parameters "
        "are too special to compare it in another gauge; pass verify=False to go without"
    )
