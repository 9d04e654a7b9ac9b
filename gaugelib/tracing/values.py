"""What flows along the edges of a traced graph while it is executed on labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


class Value:
    """A tensor of the model, known by shape and dtype and by what stands for its entries."""

    shape: torch.Size
    dtype: torch.dtype

    def carrier(self) -> Tensor:
        """The tensor on which structural operations are executed."""
        raise NotImplementedError

    def carried(self, carrier: Tensor) -> Value:
        """This value after a structural operation turned its carrier into another one."""
        raise NotImplementedError

    def cast(self, dtype: torch.dtype) -> Value:
        """This value in another floating dtype."""
        raise NotImplementedError

    def shadow(self) -> Tensor:
        """A tensor of the same shape and dtype that holds no values."""
        return torch.empty(self.shape, dtype=self.dtype, device="meta")


@dataclass(frozen=True, eq=False)
class Activation(Value):
    """A tensor that depends on the input: each entry has the label of its scale."""

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
        return replace(self, labels=carrier)

    def cast(self, dtype: torch.dtype) -> Activation:
        """The same labels in another dtype."""
        return replace(self, dtype=dtype)


@dataclass(frozen=True, eq=False)
class Weight(Value):
    """A parameter, or entries of one after structural operations."""

    name: str
    shape: torch.Size
    dtype: torch.dtype
    positions: Tensor | None = None  # int64 into the flat parameter; None: all of it, as it is

    def carrier(self) -> Tensor:
        """The position of each entry in the flat parameter."""
        if self.positions is not None:
            return self.positions
        return torch.arange(self.shape.numel()).reshape(self.shape)

    def carried(self, carrier: Tensor) -> Weight:
        """Other entries of the same parameter."""
        return replace(self, shape=carrier.shape, positions=carrier)

    def cast(self, dtype: torch.dtype) -> Weight:
        """The same entries in another dtype."""
        return replace(self, dtype=dtype)


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
