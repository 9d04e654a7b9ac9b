"""The seam between modules and dictionaries of parameters."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gaugelib.group import GaugeError


def params_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of a model's parameters, detached, by name.

    A tied parameter appears once, under its first name, as in `model.named_parameters()`.

    Example:
        >>> from gaugelib import hat
        >>> {name: tuple(value.shape) for name, value in params_of(hat()).items()}
        {'0.weight': (3, 1), '0.bias': (3,), '2.weight': (1, 3), '2.bias': (1,)}
    """
    return {name: value.detach().clone() for name, value in model.named_parameters()}


@torch.no_grad()
def load_params_(model: nn.Module, params: Mapping[str, Tensor]) -> None:
    """Write parameters into a model in place; its `Parameter` objects, and so its optimizer, stay.

    Either all of them are written or, on an error, none.

    Args:
        model: the model to change.
        params: a tensor of the right shape and dtype for every parameter's name.

    Raises:
        GaugeError: if a name is missing or unknown, or a shape or dtype differs.

    Example:
        >>> from gaugelib import hat, params_of
        >>> model = hat()
        >>> load_params_(model, {name: 2 * value for name, value in params_of(model).items()})
        >>> model[2].weight.tolist()
        [[2.0, -4.0, 2.0]]
    """
    own = dict(model.named_parameters())
    missing, unknown = own.keys() - params.keys(), params.keys() - own.keys()
    if missing or unknown:
        raise GaugeError(
            f"these are not the model's parameters: missing {sorted(missing)}, "
            f"unknown {sorted(unknown)}"
        )
    for name, value in own.items():
        new = params[name]
        if new.shape != value.shape or new.dtype != value.dtype:
            raise GaugeError(
                f"'{name}' is {value.dtype} of shape {tuple(value.shape)}; "
                f"cannot load {new.dtype} of shape {tuple(new.shape)}"
            )
    for name, value in own.items():
        value.copy_(params[name])
