#!/usr/bin/env bash
# AIMET's equalisation moves the outputs of padded convolutions by a third: it absorbs biases that the border never had.
#
# Version: aimet-torch 2.42.0 with torch 2.13.0, on the CPU.
# Behaviour: after scaling, `equalize_model` takes the part of a folded batch normalisation's bias that lies more than
#   three of its standard deviations above zero out of a convolution and adds its effect to the next one's bias. Inside
#   the image ReLU lets that part through, but for the few values below. In the zero padding of the next convolution
#   there is no activation and hence no such part; what is added counts it there as well. With a bias of 2 and a
#   standard deviation of 0.3 the outputs of a 6 by 6 image move by a third of the largest, without padding by one
#   per cent, and by rounding alone if the bias is too small to be absorbed. Without an activation between the two all
#   of the bias is taken, exact but for the padding, whose outputs move by more than half of the largest.
# Why it matters here: the chapter on gauges compares what equalisers leave in place; scaling alone moves nothing.
# Remedy: `CrossLayerScaling.scale_model` of the same module scales without absorbing.
# Upstream: no report of this was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
# torchvision, which it asks for, only loads beside a torch from where it comes from itself: no wheels put aside
PIP_FIND_LINKS="$folder" "$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 aimet-torch==2.42.0
"$folder/venv/bin/python" -W ignore - <<'END'
import logging

import torch
from aimet_torch.cross_layer_equalization import equalize_model
from torch import nn

logging.disable()


def moved(padding, bias, activation=nn.ReLU):
    torch.manual_seed(0)
    first, norm, last = nn.Conv2d(2, 4, 3, padding=padding), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 3, padding=padding)
    nn.init.constant_(norm.bias, bias)
    nn.init.constant_(norm.weight, 0.3)
    model = nn.Sequential(first, norm, activation(), last).double()
    x = torch.randn(16, 2, 6, 6).double()
    for _ in range(100):
        model(x)  # so that the normalisation knows these inputs
    model.eval()
    before = model(x)
    equalize_model(model, dummy_input=x[:1])
    return ((model(x) - before).abs().max() / before.abs().max()).item()


padded, unpadded, small = moved(1, 2.0), moved(0, 2.0), moved(1, 0.5)
print(f"bias 2, padded: {padded:.2f}   not padded: {unpadded:.3f}   bias 0.5, padded: {small:.0e}")
linear, linear_unpadded = moved(1, 2.0, nn.Identity), moved(0, 2.0, nn.Identity)
print(f"no activation, bias 2, padded: {linear:.2f}   not padded: {linear_unpadded:.0e}")
assert small < 1e-13 and linear_unpadded < 1e-13 and unpadded < 0.02
assert padded > 0.2 and linear > 0.4, "mended"
END
# Output seen:
#   bias 2, padded: 0.35   not padded: 0.009   bias 0.5, padded: 4e-16
#   no activation, bias 2, padded: 0.63   not padded: 8e-16
