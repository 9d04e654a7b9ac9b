#!/usr/bin/env bash
# torch's cross-layer equalisation turns a layer with one input into infinities, and grows what feeds one output.
#
# Version: torch 2.13.0 (CPU), `torch.ao.quantization._equalize`, a module with an underscore and a list of names.
# Behaviour: what is balanced at a channel is not its largest weight but the range of its weights, largest minus
#   smallest. One number has no range. The rows of a layer with one input are divided by zero: all weights become
#   infinite, the next layer's zero, every output NaN. The same befalls a single row whose weights are equal.
#   In the columns of a layer with one output 1e-9 stands for the range: each call divides the layer before by tens of
#   thousands, for nothing, while the outputs stay in place; after two calls its weights are of the order of 1e-7.
#   A layer whose weights are alike (10.0 to 10.1) counts as small. Nothing is said in any of these.
# Why it matters here: the chapter on gauges puts it beside the gauge with equal largest weights, which has none of this.
# Upstream: no report of this was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
from torch import nn
from torch.ao.quantization._equalize import cross_layer_equalization


def network(inputs, outputs):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, outputs)).double()


def equalised(model, calls=1):
    """Largest weights of both layers, how many outputs of 16 examples are NaN, by how much the others move."""
    x = torch.randn(16, model[0].in_features).double()
    before = model(x)
    for _ in range(calls):
        cross_layer_equalization(model[0], model[2])
    after = model(x)
    largest = [model[k].weight.abs().max().item() for k in (0, 2)]
    return largest, after.isnan().all(1).sum().item(), ((after - before).abs().max() / before.abs().max()).item()


def show(what, found):
    (first, last), missing, moved = found
    print(f"{what}: largest weights {first:.0e} and {last:.0e}, NaN for {missing} of 16, outputs moved {moved:.0e}")
    return found


plain = show("4-8-3", equalised(network(4, 3)))
assert plain[1] == 0 and plain[2] < 1e-14

one_input = show("1-8-3", equalised(network(1, 3)))
assert one_input[0][0] == float("inf") and one_input[1] == 16, "mended: one input"

alike = network(4, 3)
alike[0].weight.data[2] = 0.25
alike = show("4-8-3, the weights of a row equal", equalised(alike))
assert alike[0][0] == float("inf") and alike[1] == 16, "mended: a row without a range"

one_output = show("4-8-1, two calls", equalised(network(4, 1), calls=2))
assert one_output[1] == 0 and one_output[0][0] < 1e-5 and one_output[0][1] > 1e3, "mended: one output"
END
# Output seen:
#   4-8-3: largest weights 6e-01 and 4e-01, NaN for 0 of 16, outputs moved 2e-16
#   1-8-3: largest weights inf and 0e+00, NaN for 16 of 16, outputs moved nan
#   4-8-3, the weights of a row equal: largest weights inf and 4e-01, NaN for 16 of 16, outputs moved nan
#   4-8-1, two calls: largest weights 1e-07 and 1e+06, NaN for 0 of 16, outputs moved 3e-16
