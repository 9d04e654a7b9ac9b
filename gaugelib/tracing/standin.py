"""Tensors that stand for those of a model: of their shape, dtype, device, but without numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.utils._mode_utils import no_dispatch

from gaugelib.group import GaugeError
from gaugelib.tracing.values import Activation, Constant, Value, Weight

Move = Callable[[Tensor], Tensor]
VALUES = "what the model does next would depend on the values of a tensor"


class Memory:
    """What one piece of memory holds; views of it see what is written through others.

    Attributes:
        value: what the first tensor that lay in it stands for.
        version: how often it was written to.
        closed: whether something lies in it that would not see what is written.
        sealed: whether it is that of a parameter itself.
    """

    def __init__(self, value: Value, sealed: bool = False) -> None:
        self.value = value
        self.sealed = sealed
        self.version = 0
        self.closed = False

    def write(self, moves: tuple[Move, ...], new: Value) -> None:
        """Put a value where a view lies."""
        if self.closed:
            raise GaugeError(
                "the forward writes to a tensor of which it has taken a view as complex numbers; "
                "compute a new tensor instead"
            )
        self.version += 1
        if not moves:
            self.value = new
            return
        place = torch.arange(self.value.shape.numel()).reshape(self.value.shape)
        for move in moves:
            place = move(place)
        whole = self.value.carrier().expand(self.value.shape).clone()
        whole.view(-1)[place.reshape(-1)] = new.carrier().reshape(-1)
        self.value = self.value.carried(whole)


class StandIn(Tensor):
    """A tensor subclass without storage; what it stands for is its `value`.

    Only the mode that runs the model knows what operations do to it, so that it is of no use
    outside.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]
    _shadow: Tensor
    _memory: Memory
    _moves: tuple[Move, ...]
    _seen: tuple[int, Value]

    @staticmethod
    def __new__(
        cls, shadow: Tensor, device: torch.device, memory: Memory, moves: tuple[Move, ...] = ()
    ) -> StandIn:
        """Of the shape and strides of `shadow`, and as if on `device`.

        On the CPU instead of the meta device: what the forward makes beside it then has values.
        """
        device = torch.device("cpu") if device.type == "meta" else device
        made = Tensor._make_wrapper_subclass(
            cls, shadow.shape, strides=shadow.stride(), storage_offset=shadow.storage_offset(),
            dtype=shadow.dtype, device=device, requires_grad=False,
        )  # fmt: skip
        made._shadow, made._memory, made._moves = shadow, memory, moves
        made._seen = (-1, memory.value)
        return made

    def __init__(self, *_: Any) -> None:
        """Everything is done when it is made."""

    @property
    def value(self) -> Value:
        """What it stands for now."""
        version, value = self._seen
        if version != self._memory.version:
            value = self._memory.value
            for move in self._moves:
                value = value.moved(move)
            self._seen = (self._memory.version, value)
        return value

    def write(self, new: Value) -> None:
        """What it stands for from now on, and with it all that lies in the same memory."""
        memory = self._memory
        if isinstance(memory.value, Constant) and not isinstance(new, Constant):
            raise TypeError("labels of the constant are needed first")
        memory.write(self._moves, new)

    def turn(self, move: Move, change: Callable[[Tensor], object]) -> None:
        """Become a view of what it was."""
        with no_dispatch():
            change(self)
            change(self._shadow)
        self._moves, self._seen = (*self._moves, move), (-1, self._memory.value)

    @property
    def data(self) -> Any:
        """The same tensor without a gradient."""
        return self.detach()

    @data.setter
    def data(self, _: Any) -> None:
        raise TypeError("the tensor attribute 'data' is assigned to, which leaves no trace")

    def tolist(self) -> Any:
        """The numbers of a constant; others have none."""
        return self._numbers().tolist()

    def numpy(self, **options: Any) -> Any:
        """The numbers of a constant; others have none."""
        return self._numbers().numpy(**options)

    def _numbers(self) -> Tensor:
        if not isinstance(self.value, Constant):
            raise TypeError(VALUES)
        return self.value.value

    def __repr__(self, **_: Any) -> str:
        return f"StandIn({tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, *_: Any, **__: Any) -> NoReturn:
        """Outside of the mode nothing is known of it."""
        raise GaugeError(
            f"{func} met a tensor of a forward that was traced before and kept it; see that "
            "nothing outside of the model keeps its tensors"
        )


def parameter(name: str, own: Tensor) -> StandIn:
    """Stands for a parameter."""
    place = torch.empty(own.shape, dtype=own.dtype, device="meta")
    made = StandIn(place, own.device, Memory(Weight(name, place, own.dtype), sealed=True))
    made._is_param = True
    made.requires_grad = own.requires_grad  # for a forward that asks
    return made


def made_of(value: Value, shadow: Tensor, device: torch.device) -> StandIn:
    """Stands for a tensor with memory of its own."""
    return StandIn(shadow, device, Memory(value))


def labelled(stand_in: StandIn, labels: Callable[[Value], Tensor]) -> bool:
    """Let the memory of a constant or of a copy of a parameter hold labels, to be written over.

    Returns:
        Whether it is such a copy.
    """
    held = stand_in._memory.value
    copied = isinstance(held, Weight) and not stand_in._memory.sealed
    if copied or isinstance(held, Constant):
        stand_in._memory.value = Activation(labels(held), held.dtype)
        stand_in._memory.version += 1
    return copied
