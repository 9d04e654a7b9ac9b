"""A network with one hidden layer and its data as plain lists, and what such lists must fulfil."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from gaugelib.widgets.base import WidgetError, finite
from gaugelib.widgets.shared.matrices import require_matrices
from gaugelib.widgets.which_gauge.network import Network, defect

PARTS = ("weights", "biases", "inputs", "targets")
MOST = {"hidden units": 32, "weights": 2048, "outputs": 16, "examples": 128}


def plain(layers: Sequence[nn.Linear], inputs: Tensor, targets: Tensor) -> dict[str, list]:
    """One hidden layer and its data as lists, an empty one for missing biases."""
    biases = (layer.bias for layer in layers)
    return {
        "weights": [_listed(layer.weight) for layer in layers],
        "biases": [[] if bias is None else _listed(bias) for bias in biases],
        "inputs": _listed(inputs),
        "targets": _listed(targets),
    }


def _listed(values: Tensor) -> list:
    """As lists, whole numbers without a point, for half of what the images need is zeros."""
    if values.dim() > 1:
        return [_listed(row) for row in values]
    return [int(x) if x == int(x) else x for x in values.detach().double().tolist()]


def arrays(parts: dict[str, list]) -> Network:
    """What `plain` wrote down, as arrays."""
    (W, V), (b, c), x, y = (parts[name] for name in PARTS)
    return Network(*(np.array(value, dtype=float) for value in (W, b, V, c, x, y)))


def require(own: dict) -> None:
    """Refuse what does not fit together, is too large, or has a sum without a smallest value.

    Raises:
        GaugeError: saying which of these, and what was found.
    """
    if set(own) != set(PARTS) or len(own["biases"]) != 2:
        raise WidgetError(f"own must hold {', '.join(PARTS)} of two layers, found {sorted(own)}")
    require_matrices(own["weights"])
    if len(own["weights"]) != 2:
        raise WidgetError(f"own must have two matrices, found {len(own['weights'])}")
    (W, V), biases = own["weights"], own["biases"]
    for name in ("inputs", "targets"):
        wanted = len(W[0]) if name == "inputs" else len(V)
        if not own[name] or any(len(row) != wanted for row in own[name]):
            raise WidgetError(f"{name} must be rows of {wanted} numbers, as the network has")
    if len(own["inputs"]) != len(own["targets"]):
        raise WidgetError(
            "inputs and targets must be of one length, "
            f"found {len(own['inputs'])} and {len(own['targets'])}"
        )
    for bias, rows in zip(biases, (W, V)):
        if len(bias) not in (0, len(rows)):
            raise WidgetError(f"a layer of {len(rows)} units has {len(bias)} biases")
    for rows in (W, V, biases, own["inputs"], own["targets"]):
        finite((x for row in rows for x in row), trait="own")
    sizes = (len(W), len(W) * (len(W[0]) + len(V)), len(V), len(own["inputs"]))
    for (what, most), size in zip(MOST.items(), sizes):
        if size > most:
            raise WidgetError(f"WhichGauge shows at most {most} {what}, found {size}")
    if reason := defect(arrays(own)):
        raise WidgetError(f"this network cannot be shown: {reason}")
