"""The models of the survey, by names such as `timm/resnet18`, and how each is built.

Weights are random: nothing is downloaded. Pictures are small where a model takes small ones, for
the group does not depend on their size; a model whose windows or positions have one size keeps it.
"""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

PACKAGES = {"torchvision": "vision", "timm": "vision", "transformers": "language"}
"""The module beside this one that builds the models of a package."""


def listed(text: str) -> Iterator[str]:
    """The names in a text; a word that ends in a colon names the package of those that follow."""
    package = ""
    for word in text.split():
        if word.endswith(":"):
            package = word[:-1]
        else:
            yield f"{package}/{word}"


def read(file: str) -> tuple[str, ...]:
    """The names in a file beside this one."""
    return tuple(listed(pathlib.Path(__file__).with_name(file).read_text(encoding="utf-8")))


NAMES, SAMPLE = read("models.txt"), read("sample.txt")


def builder(name: str) -> Any:
    """The module that builds a model."""
    return importlib.import_module(f"traced.{PACKAGES[name.partition('/')[0]]}")


def warm(names: Iterable[str]) -> None:
    """Import what the models need, once for all of them."""
    for name in names:
        builder(name)


def build(name: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A model of the list in evaluation mode, and an input; the same numbers each time."""
    torch.manual_seed(0)
    model, inputs = builder(name).build(name)
    return model.eval(), inputs
