"""What stands for the entries of a tensor while a model runs: labels, positions, or numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gaugelib.tracing.labels import compact


class Value:
    """A tensor of the model, known by shape and dtype and by what stands for its entries."""

    shape: torch.Size
    dtype: torch.dtype

    def carrier(self) -> Tensor:
        """The tensor on which operations that only move entries are executed."""
        raise NotImplementedError

    def carried(self, carrier: Tensor) -> Value:
        """This value after such an operation turned its carrier into another one."""
        raise NotImplementedError

    def moved(self, move: Callable[[Tensor], Tensor]) -> Value:
        """This value after an operation that only moves entries."""
        return self.carried(move(self.carrier()))

    def cast(self, dtype: torch.dtype) -> Value:
        """This value in another floating dtype."""
        return replace(self, dtype=dtype)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, eq=False)
class Activation(Value):
    """Each entry has the label of its scale."""

    labels: Tensor  # int64, of the shape of the activation
    dtype: torch.dtype

    @property
    def shape(self) -> torch.Size:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The shape of the labels is that of the activation."""
        return self.labels.shape

    def carrier(self) -> Tensor:
        """Labels move as the entries do."""
        return self.labels

    def carried(self, carrier: Tensor) -> Activation:
        """The same dtype with other labels."""
        return replace(self, labels=compact(carrier))


@dataclass(frozen=True, eq=False)
class Weight(Value):
    """Entries of a parameter, each with the scale of that entry.

    Attributes:
        name: the parameter.
        place: a tensor without values that lies in the parameter as these entries do, or the
            positions of the entries in the flat parameter, int64.
        dtype: dtype of the entries.
    """

    name: str
    place: Tensor
    dtype: torch.dtype

    @property
    def shape(self) -> torch.Size:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The shape of the entries."""
        return self.place.shape

    def carrier(self) -> Tensor:
        """The position of each entry in the flat parameter."""
        if not self.place.is_meta:
            return self.place
        size, stride, start = self.place.shape, self.place.stride(), self.place.storage_offset()
        reach = start + sum((n - 1) * step for n, step in zip(size, stride)) + 1
        return torch.arange(int(reach)).as_strided(size, stride, start)

    def carried(self, carrier: Tensor) -> Weight:
        """Other entries of the same parameter."""
        return replace(self, place=carrier)

    def moved(self, move: Callable[[Tensor], Tensor]) -> Weight:
        """Views are taken without looking at a single entry."""
        if self.place.is_meta:
            seen = move(self.place)
            if seen.untyped_storage()._cdata == self.place.untyped_storage()._cdata:
                return self.carried(seen)
        return self.carried(move(self.carrier()))


@dataclass(frozen=True, eq=False)
class Constant(Value):
    """A tensor that depends on neither input nor parameters: a buffer, or made in `forward`.

    Its scales are 1. A zero made in `forward` stays zero and carries any scale; a zero in a buffer
    may be another number tomorrow.
    """

    value: Tensor
    changeable: bool

    @property
    def shape(self) -> torch.Size:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The shape of the constant."""
        return self.value.shape

    @property
    def dtype(self) -> torch.dtype:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The dtype of the constant."""
        return self.value.dtype

    def carrier(self) -> Tensor:
        """The numbers themselves."""
        return self.value

    def carried(self, carrier: Tensor) -> Constant:
        """Other numbers from the same origin."""
        return replace(self, value=carrier)

    def cast(self, dtype: torch.dtype) -> Constant:
        """The numbers in another dtype."""
        return replace(self, value=self.value.to(dtype))
