"""Whether a model and an optimizer still hold the parameters that they held before."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gaugelib.group import GaugeError

Place = tuple[torch.dtype, torch.device]


def places_of(params: Mapping[str, Tensor]) -> dict[str, Place]:
    """Dtype and device of each parameter."""
    return {name: (value.dtype, value.device) for name, value in params.items()}


def refuse_replaced(
    model: nn.Module, params: Mapping[str, Tensor], places: Mapping[str, Place]
) -> None:
    """Refuse a model whose parameters are not the given ones any more, or were moved.

    Args:
        model: the model.
        params: the `Parameter` objects that it had.
        places: where they were, as `places_of` said.

    Raises:
        GaugeError: naming a parameter, and what to do.
    """
    now = dict(model.named_parameters())
    for name in {**params, **now}:
        if now.get(name) is not params.get(name):
            raise GaugeError(
                f"parameter '{name}' of the model is not the one that this GaugeFixing was made "
                "with: it was replaced, as load_state_dict(assign=True) does. Make the optimizer "
                "and the GaugeFixing anew, with the model as it is now; or load without assign"
            )
    for name, place in places_of(now).items():
        if place != places[name]:
            raise GaugeError(
                f"parameter '{name}' was {places[name][0]} on {places[name][1]} when this "
                f"GaugeFixing was made, and is {place[0]} on {place[1]} now; make the GaugeFixing "
                "anew after the model was moved"
            )


def refuse_unheld(optimizer: Optimizer, params: Mapping[str, Tensor]) -> None:
    """Refuse an optimizer that holds none of these parameters, so that it trains another model.

    Raises:
        GaugeError: saying what to do.
    """
    held = {id(value) for part in optimizer.param_groups for value in part["params"]}
    if not any(id(value) in held for value in params.values()):
        raise GaugeError(
            "the optimizer holds none of the model's parameters; make it from model.parameters() "
            "after the model is loaded and moved, and then the GaugeFixing"
        )
