"""torch's own cross-layer equalisation: pairs of neighbours, named by whoever calls.

`equalize` goes on until nothing moves, and for ever once there is a NaN. Here the function for one
pair is called at most a hundred times round, with the same test for the end.
"""

from __future__ import annotations

import copy

from equalise import serve
from networks import pairs
from torch import Tensor, nn
from torch.ao.quantization._equalize import converged, cross_layer_equalization


def equalise(name: str, model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """The weights found; the inputs are not used."""
    parts = dict(model.named_modules())
    used = {key: parts[key] for pair in pairs(name) for key in pair}
    for _ in range(100):
        before = copy.deepcopy(used)
        for one, two in pairs(name):
            cross_layer_equalization(parts[one], parts[two])
        if converged(used, before):
            break
    return model.state_dict()


if __name__ == "__main__":
    serve(equalise)
