"""What a data set is here: inputs and labels, for training and for testing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.group import GaugeError


@dataclass(frozen=True)
class Dataset:
    """Labelled inputs for multiway classification.

    Attributes:
        name: what the set is called.
        classes: how many classes there are; labels are 0 … classes − 1.
        train_inputs: (examples, features), floating point.
        train_labels: (examples,), int64.
        test_inputs: (test examples, features).
        test_labels: (test examples,).

    Raises:
        GaugeError: if shapes do not fit each other, an input is NaN or infinite, or a label is not
            one of the classes.

    Example:
        >>> inputs, labels = torch.zeros(3, 2), torch.tensor([0, 1, 1])
        >>> Dataset("none", 2, inputs, labels, inputs[:1], labels[:1]).features
        2
    """

    name: str
    classes: int
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            inputs, labels = getattr(self, f"{part}_inputs"), getattr(self, f"{part}_labels")
            where = f"the {part} part of '{self.name}'"
            if inputs.dim() != 2 or labels.shape != inputs.shape[:1] or not len(labels):
                raise GaugeError(
                    f"{where} must be inputs (examples, features) and labels (examples,), "
                    f"found shapes {tuple(inputs.shape)} and {tuple(labels.shape)}"
                )
            if not inputs.is_floating_point() or not bool(inputs.isfinite().all()):
                raise GaugeError(f"{where} must have finite floating-point inputs")
            if labels.dtype != torch.int64 or not bool(
                ((labels >= 0) & (labels < self.classes)).all()
            ):
                raise GaugeError(f"{where} must have int64 labels from 0 to {self.classes - 1}")
        if self.train_inputs.shape[1] != self.test_inputs.shape[1]:
            raise GaugeError(f"train and test part of '{self.name}' differ in their features")

    @property
    def features(self) -> int:
        """How many numbers describe one example."""
        return self.train_inputs.shape[1]

    def to(self, *, dtype: torch.dtype, device: torch.device | str = "cpu") -> Dataset:
        """The same examples with inputs in another precision, on another device."""
        return Dataset(
            self.name,
            self.classes,
            self.train_inputs.to(device, dtype),
            self.train_labels.to(device),
            self.test_inputs.to(device, dtype),
            self.test_labels.to(device),
        )
