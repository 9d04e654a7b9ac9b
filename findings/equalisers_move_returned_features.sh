#!/usr/bin/env bash
# Two equalisers rescale features that the network returns: AIMET and ESP-PPQ look at what uses them inside, and no further.
#
# Version: aimet-torch 2.42.0 and esp-ppq 1.3.12, each with torch 2.13.0, on the CPU.
# Behaviour: a network of two convolutions with ReLU between returns its outputs and what the ReLU gives, as detectors
#   and networks for embeddings do. Both take the second convolution for all that sees the first one's channels, divide
#   and multiply, and leave the outputs in place to rounding while the features move by a sixth of the largest.
#   ESP-PPQ also crosses a sum, by default, looking for all that is added. It does not see what is stored: with a
#   learned offset added to the ReLU, h + c, the features are rescaled, the offset is not, and the outputs move.
# Why it matters here: the chapter on gauges compares what equalisers leave in place; what a network returns has no gauge.
# Upstream: no report of this was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/networks.py" <<'END'
import torch
from torch import nn


class Network(nn.Module):
    """Two convolutions: what the ReLU between them gives is returned too, or has a learned offset added to it."""

    def __init__(self, returned, offset):
        super().__init__()
        self.first, self.relu, self.last = nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3)
        self.returned, self.offset = returned, nn.Parameter(torch.rand(4, 1, 1)) if offset else None

    def forward(self, x):
        features = self.relu(self.first(x))
        outputs = self.last(features if self.offset is None else features + self.offset)
        return (outputs, features) if self.returned else outputs


def moved(equalised, returned=False, offset=False):
    """By how much each tensor that the network returns is moved, relative to the largest."""
    torch.manual_seed(0)
    model, x = Network(returned, offset).double().eval(), torch.randn(16, 2, 8, 8).double()
    before = model(x)
    after = equalised(model, x)
    before, after = ([t] if isinstance(t, torch.Tensor) else list(t) for t in (before, after))
    return [((b - a).abs().max() / a.abs().max()).item() for a, b in zip(before, after)]
END
cat >"$folder/with_aimet.py" <<'END'
import logging

from aimet_torch.cross_layer_equalization import equalize_model
from networks import moved

logging.disable()


def equalised(model, x):
    equalize_model(model, dummy_input=x[:1])
    return model(x)


(plain,), (outputs, features), (offset,) = (moved(equalised, *case) for case in ((), (True,), (False, True)))
print(f"AIMET: plain {plain:.0e}; returned: outputs {outputs:.0e}, features {features:.2f}; offset {offset:.0e}")
assert plain < 1e-14 and outputs < 1e-14 and offset == 0
assert features > 0.1, "mended"
END
cat >"$folder/with_esp_ppq.py" <<'END'
import contextlib
import io
import pathlib

import torch
from networks import moved

with contextlib.redirect_stdout(io.StringIO()):  # a greeting
    from esp_ppq import LayerwiseEqualizationPass
    from esp_ppq.executor.torch import TorchExecutor
    from esp_ppq.parser import OnnxParser


def equalised(model, x):
    file = str(pathlib.Path(__file__).with_name("network.onnx"))
    torch.onnx.export(model, (x[:1],), file, dynamo=False, do_constant_folding=False)
    graph = OnnxParser().build(file)
    TorchExecutor(graph, device="cpu")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # its progress
        equalisation = LayerwiseEqualizationPass(iterations=10, value_threshold=0.0)
        equalisation.optimize(graph=graph, dataloader=None, executor=None, collate_fn=None)
    return TorchExecutor(graph, device="cpu").forward(x)


(plain,), (outputs, features), (offset,) = (moved(equalised, *case) for case in ((), (True,), (False, True)))
print(f"ESP-PPQ: plain {plain:.0e}; returned: outputs {outputs:.0e}, features {features:.2f}; offset {offset:.2f}")
assert plain < 1e-14 and outputs < 1e-14
assert features > 0.1, "mended: features"
assert offset > 0.01, "mended: the offset"
END
# torchvision, which AIMET asks for, only loads beside a torch from where it comes from itself: no wheels put aside
for package in aimet-torch==2.42.0 esp-ppq==1.3.12; do
    python3 -m venv "$folder/$package"
    PIP_FIND_LINKS="$folder" "$folder/$package/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 "$package"
done
"$folder/aimet-torch==2.42.0/bin/python" -W ignore "$folder/with_aimet.py"
"$folder/esp-ppq==1.3.12/bin/python" -W ignore "$folder/with_esp_ppq.py"
# Output seen:
#   AIMET: plain 2e-16; returned: outputs 2e-16, features 0.16; offset 0e+00
#   ESP-PPQ: plain 3e-16; returned: outputs 3e-16, features 0.16; offset 0.08
