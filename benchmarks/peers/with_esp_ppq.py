"""ESP-PPQ: layerwise equalisation of an ONNX graph, with the settings that the class has by itself.

But for the threshold, below which it leaves weights alone: 0, as its documentation offers.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
import tempfile

import torch
from equalise import serve
from torch import Tensor, nn

with contextlib.redirect_stdout(sys.stderr):  # its greeting is no answer
    from esp_ppq import LayerwiseEqualizationPass
    from esp_ppq.executor.torch import TorchExecutor
    from esp_ppq.parser import OnnxParser


def equalise(name: str, model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """The weights found; the name is not used."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(pathlib.Path(folder) / "network.onnx")
        torch.onnx.export(model, (inputs[:1],), file, dynamo=False, do_constant_folding=False)
        graph = OnnxParser().build(file)
    TorchExecutor(graph, device="cpu")  # makes tensors of what was parsed
    equalisation = LayerwiseEqualizationPass(iterations=20, value_threshold=0.0)
    equalisation.optimize(graph=graph, dataloader=None, executor=None, collate_fn=None)
    kept = model.state_dict()
    return {key: graph.variables[key].value.reshape(kept[key].shape) for key in kept}


if __name__ == "__main__":
    serve(equalise)
