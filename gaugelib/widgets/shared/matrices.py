"""Layered ReLU networks as the lists of matrices that widgets ship."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gaugelib.widgets.base import WidgetError


def linear_layers(model: nn.Module, shows: str) -> list[nn.Linear]:
    """The linear layers of `nn.Sequential(nn.Linear, nn.ReLU, ..., nn.Linear)`.

    Args:
        model: the network.
        shows: the widget and its verb, for the message.

    Raises:
        GaugeError: if the model has another form.
    """
    layers = list(model) if isinstance(model, nn.Sequential) else []
    kinds = [nn.ReLU if place % 2 else nn.Linear for place in range(len(layers))]
    if len(layers) % 2 == 0 or [type(layer) for layer in layers] != kinds:
        wanted = "nn.Sequential(nn.Linear, nn.ReLU, ..., nn.Linear)"
        found = ", ".join(type(layer).__name__ for layer in layers) or type(model).__name__
        raise WidgetError(f"{shows} {wanted}, found {found}")
    return [layer for layer in layers if isinstance(layer, nn.Linear)]


def require_matrices(weights: Sequence[Sequence[Sequence[float]]]) -> None:
    """Refuse what are not at least two matrices, each of which takes what the one before makes.

    Raises:
        GaugeError: saying what does not fit.
    """
    if len(weights) < 2:
        raise WidgetError(f"weights must hold at least two matrices, found {len(weights)}")
    for place, rows in enumerate(weights):
        widths = {len(row) for row in rows}
        if len(widths) != 1 or 0 in widths:
            raise WidgetError(f"weights[{place}] must be a matrix, found rows of {sorted(widths)}")
    for place, (before, after) in enumerate(pairwise(weights), start=1):
        if len(before) != len(after[0]):
            raise WidgetError(
                f"weights[{place}] takes {len(after[0])} neurons, "
                f"but weights[{place - 1}] makes {len(before)}"
            )
