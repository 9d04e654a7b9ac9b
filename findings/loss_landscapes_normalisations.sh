#!/usr/bin/env bash
# loss-landscapes: a direction "normalised to the model" is not, and a "filter-normalised" bias keeps only its sign.
#
# Version: loss-landscapes 3.0.6 with torch 2.13.0 (CPU), numpy 2.3.5.
# Behaviour, for a random direction d and the parameters of a 4-8-3 network:
#   1. `model_normalize_` measures d anew after each tensor that it has scaled, so that d ends with a norm of 1.36 times
#      the model's; the norms of order 1 and 3 add signed powers, and order 1 ends in a ValueError for a negative sum.
#   2. `filter_normalize_` takes each entry of a bias for a filter of its own: |d_i| = |b_i| for every draw, and a bias
#      that is zero, as most are at the start of training, never moves in the picture.
#   3. Filter normalisation is meant to make pictures of different networks comparable. Two writings of one function
#      (a gauge transformation by powers of two) still get pictures that differ by a factor of thousands: the rows into a
#      hidden unit scale with it, a row out of many units cannot.
# Why it matters here: sharpness read off such a picture depends on the gauge; see the chapter on the symmetry.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 loss-landscapes==3.0.6
"$folder/venv/bin/python" -W ignore - <<'END'
import copy

import torch
from loss_landscapes.model_interface.model_parameters import ModelParameters
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).double()
x = torch.randn(64, 4).double()


def parameters(of):
    return ModelParameters([value.detach() for value in of.parameters()])


def direction(of, how, seed=1):
    torch.manual_seed(seed)
    drawn = ModelParameters([torch.randn_like(value) for value in parameters(of)])
    getattr(drawn, f"{how}_normalize_")(parameters(of))
    return drawn


ratio = {how: direction(model, how).model_norm() / parameters(model).model_norm() for how in ("model", "layer", "filter")}
print("norm of the direction / norm of the model:", {how: round(value, 2) for how, value in ratio.items()})
assert ratio["model"] > 1.1, "mended: normalised to the model's norm"
assert abs(ratio["layer"] - 1) < 1e-12

sizes = [direction(model, "filter", seed)[1].abs() for seed in range(5)]
print("filter-normalised biases are the biases, up to sign:", all(torch.allclose(s, model[0].bias.abs()) for s in sizes))
assert all(torch.allclose(s, model[0].bias.abs()) for s in sizes), "mended: biases"

scales = torch.tensor([16.0, 1 / 16] * 4).double()
same = copy.deepcopy(model)
with torch.no_grad():
    same[0].weight *= scales[:, None]
    same[0].bias *= scales
    same[2].weight /= scales
assert torch.equal(same(x), model(x))


def mean_rise(of, draws=200, step=0.1):
    rises = []
    for seed in range(draws):
        moved = copy.deepcopy(of)
        with torch.no_grad():
            for value, d in zip(moved.parameters(), direction(of, "filter", seed)):
                value += step * d
        rises.append((moved(x) - of(x)).square().mean().item())
    return sum(rises) / draws


factor = mean_rise(same) / mean_rise(model)
print(f"mean rise of the squared error in filter-normalised directions, two writings of one function: ratio {factor:.1f}")
assert not 0.5 < factor < 2.0, "the two pictures agree"
END
# Output seen:
#   norm of the direction / norm of the model: {'model': 1.36, 'layer': 1.0, 'filter': 1.0}
#   filter-normalised biases are the biases, up to sign: True
#   mean rise of the squared error in filter-normalised directions, two writings of one function: ratio 3740.8
