"""Classes and weights out of packages, and what makes every network map items to outputs.

`bare` imports one module of a package without what the package imports around it, so that neither
sound cards nor OpenCV are needed.
"""

from __future__ import annotations

import importlib
import pathlib
import sys
import sysconfig
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

Task = Callable[[Tensor], dict[str, float]]


@dataclass
class Network:
    """A trained network, what it is shown, and what its answers are worth.

    Attributes:
        package: the distribution that has the weights.
        model: in float64, in evaluation mode.
        small: an input that is enough to trace it.
        inputs: what it is measured on, shape (items, ...).
        calibration: other inputs of the same kind, for ranges and sensitivities.
        task: from its outputs on `inputs` to numbers that mean something.
        chunk: how many items go through at a time.
        probes: random signs for each item from which sensitivities are estimated.
        tol: how near to the smallest the expected error of the gauges for rounding must be.
        left_out: gauges that would take too long to find, or are not found at all.
        out: which part of what comes out of a layer a runtime rounds by itself: "next", none, for
            after a ReLU it flows into the next layer; "positive", for an affine map comes between;
            "signed", before a PReLU.
    """

    package: str
    model: nn.Module
    small: Tensor
    inputs: Tensor
    calibration: Tensor
    task: Task = lambda outputs: {}
    chunk: int = 8
    probes: int = 4
    tol: float = 0.02
    left_out: tuple[str, ...] = ()
    out: Literal["next", "positive", "signed"] = "next"


def bare(package: str, name: str) -> Any:
    """The module `package.name`, without running the package's own `__init__`."""
    if package not in sys.modules:
        empty = types.ModuleType(package)
        empty.__path__ = [str(home(package))]
        sys.modules[package] = empty
    return importlib.import_module(f"{package}.{name}")


def home(package: str) -> pathlib.Path:
    """The folder of a package."""
    return pathlib.Path(sysconfig.get_path("purelib")) / package


def weights(path: pathlib.Path) -> dict[str, Tensor]:
    """A state dictionary, without what data parallelism put before its names."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name.removeprefix("module."): value for name, value in state.items()}


def folded(model: nn.Module) -> nn.Module:
    """The model with every batch norm that follows a convolution folded into it."""
    for part in [m for m in model.modules() if isinstance(m, nn.Sequential)]:
        before, last = "", None
        for name, child in list(part.named_children()):
            if isinstance(child, nn.BatchNorm2d) and isinstance(last, nn.Conv2d):
                setattr(part, before, nn.utils.fusion.fuse_conv_bn_eval(last, child))
                setattr(part, name, nn.Identity())
            before, last = name, child
    return model.requires_grad_(True)


class Affine(nn.Module):
    """A batch norm in evaluation mode that follows a ReLU: one factor and one shift a channel."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        self.weight = nn.Parameter(factor.detach()[:, None, None])
        self.bias = nn.Parameter((norm.bias - norm.running_mean * factor).detach()[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """A factor and a shift for each channel."""
        return x * self.weight + self.bias


class Flat(nn.Module):
    """A model of single frames, as one of items that have several."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.net = model

    def forward(self, x: Tensor) -> Tensor:
        """Items and frames are one dimension for the model."""
        return self.net(x.flatten(0, 1)).reshape(x.shape[0], -1)


class Joined(nn.Module):
    """A model all of whose outputs are put side by side."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.net = model

    def forward(self, x: Tensor) -> Tensor:
        """All outputs, in the order of the model."""
        found = self.net(x)
        return torch.cat([part.flatten(1) for part in found], dim=1)


class First(nn.Module):
    """A model of whose outputs only the first is kept."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.net = model

    def forward(self, x: Tensor) -> Tensor:
        """The first output."""
        return self.net(x)[0].flatten(1)


class Features(nn.Module):
    """The convolutions of EasyOCR's reader, up to the column means its recurrent layers get."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.net = model

    def forward(self, x: Tensor) -> Tensor:
        """The mean of each column, which is what the recurrent layers get."""
        return self.net(x).mean(2).flatten(1)
