#!/usr/bin/env bash
# Brevitas's cross-layer equalisation moves a network that squares its ReLU, adds a constant to it or uses a layer twice.
#
# Version: brevitas 0.13.4 with torch 2.13.0 (CPU).
# Behaviour: EqualizeGraph rescales neighbouring layers, which must leave the function in place. Its walk over the
#   graph takes a product to be scale invariant, also that of an activation with itself (degree two), and takes a sum
#   with a number for a residual sum, whose only branch is the activation. A layer that is applied twice has its inputs
#   and its outputs rescaled apart, though they are the same channels. On networks of width 8 in float64 the outputs move
#   by a fifth, a twentieth and a seventh of their size, with nothing said. The plain network stays in place to 1e-14.
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


class Again(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.relu = nn.Linear(4, 8), nn.ReLU()
        self.middle, self.last = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        h = self.relu(self.first(x))
        for _ in range(2):
            h = self.relu(self.middle(h))
        return self.last(h)


def moved(network, *between):
    torch.manual_seed(0)
    model, x = network(*between).double(), torch.randn(16, 4).double()
    before = model(x)
    found = EqualizeGraph(iterations=20).apply(fx.symbolic_trace(model))
    equalised = found[0] if isinstance(found, tuple) else found
    return ((equalised(x) - before).abs().max() / before.abs().max()).item()


plain, square, shifted = (moved(Between, f) for f in (lambda h: h, lambda h: h * h, lambda h: h + 1.0))
again = moved(Again)
print(f"relu(x): {plain:.0e}   relu(x) * relu(x): {square:.2f}   relu(x) + 1: {shifted:.3f}   a layer twice: {again:.2f}")
assert plain < 1e-14
assert square > 0.01, "mended: a product of an activation with itself"
assert shifted > 0.01, "mended: the sum of an activation and a number"
assert again > 0.01, "mended: a layer that is applied twice"
END
# Output seen:
#   relu(x): 2e-16   relu(x) * relu(x): 0.22   relu(x) + 1: 0.058   a layer twice: 0.15
