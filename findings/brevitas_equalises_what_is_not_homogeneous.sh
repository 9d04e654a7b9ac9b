#!/usr/bin/env bash
# Brevitas's cross-layer equalisation moves the function of a network that squares its ReLU or adds a constant to it.
#
# Version: brevitas 0.13.4 with torch 2.13.0 (CPU).
# Behaviour: EqualizeGraph rescales neighbouring layers, which must leave the function in place. Its walk over the
#   graph takes a product to be scale invariant, also that of an activation with itself (degree two), and takes a sum
#   with a number for a residual sum, whose only branch is the activation. On a 4-8-3 network in float64 the outputs
#   move by a fifth and by a twentieth of their size, with nothing said. The plain network stays in place to 1e-14.
# Why it matters here: it is the neighbour's version of `minimum_norm` (the limit of large p), on the same models.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 brevitas==0.13.4
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
from brevitas.graph.equalize import EqualizeGraph
from torch import fx, nn


class Between(nn.Module):
    def __init__(self, between):
        super().__init__()
        self.first, self.relu, self.last = nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)
        self.between = between

    def forward(self, x):
        return self.last(self.between(self.relu(self.first(x))))


def moved(between):
    torch.manual_seed(0)
    model, x = Between(between).double(), torch.randn(16, 4).double()
    before = model(x)
    found = EqualizeGraph(iterations=20).apply(fx.symbolic_trace(model))
    equalised = found[0] if isinstance(found, tuple) else found
    return ((equalised(x) - before).abs().max() / before.abs().max()).item()


plain, square, shifted = moved(lambda h: h), moved(lambda h: h * h), moved(lambda h: h + 1.0)
print(f"relu(x): {plain:.0e}   relu(x) * relu(x): {square:.2f}   relu(x) + 1: {shifted:.3f}")
assert plain < 1e-14
assert square > 0.01, "mended: a product of an activation with itself"
assert shifted > 0.01, "mended: the sum of an activation and a number"
END
# Output seen:
#   relu(x): 2e-16   relu(x) * relu(x): 0.22   relu(x) + 1: 0.058
