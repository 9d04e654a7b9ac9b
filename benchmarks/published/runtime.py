"""Weights and activations in 8 bits, by ONNX Runtime's static quantisation."""

from __future__ import annotations

import copy
import pathlib
import tempfile
import warnings
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from published.loading import Network
from published.measure import relative
from torch import Tensor
from tqdm import tqdm

import gaugelib as gl

GAUGES = (
    "as shipped",
    "p = 2",
    "p = 8",
    "max-abs",
    "rounding",
    "rounding, activations",
    "random 0",
)
KINDS = ["Conv", "Gemm", "MatMul", "Relu", "MaxPool"]
"""Operations that are quantised, inputs, weights and outputs; everything else stays as it is."""


class Reader(CalibrationDataReader):
    """The calibration inputs, an item at a time."""

    def __init__(self, items: Tensor) -> None:
        self.left = iter(items.float().numpy())

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next one, or None."""
        item = next(self.left, None)
        return None if item is None else {"x": item[None]}


def export(network: Network, params: dict[str, Tensor], folder: pathlib.Path) -> pathlib.Path:
    """The network at these parameters, in float32: an ONNX file, ready to be quantised."""
    model = copy.deepcopy(network.model)
    gl.load_params_(model, params)
    model = model.float().eval()
    raw, ready = folder / "raw.onnx", folder / "ready.onnx"
    item = network.inputs[:1].float()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (item,), raw, input_names=["x"], dynamo=True, external_data=False, verbose=False
        )
    quant_pre_process(raw, ready, skip_symbolic_shape=True)
    return ready


def session(path: pathlib.Path) -> onnxruntime.InferenceSession:
    """A session on one thread of the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def answers(path: pathlib.Path, items: Tensor) -> Tensor:
    """What the runtime says to each item: (items, outputs)."""
    running = session(path)
    found = [running.run(None, {"x": x[None]})[0][0] for x in items.float().numpy()]
    return torch.tensor(np.stack(found)).double()


def static(network: Network, scales: dict[str, Tensor], true: Tensor) -> dict[str, Any]:
    """The errors in each gauge with weights and activations in 8 bits.

    The ranges of activations are those on the calibration inputs, which others may leave; at last
    they are those on all inputs, so that nothing is clipped.
    """
    params, group = gl.params_of(network.model), gl.trace_group(network.model, network.small)
    found: dict[str, Any] = {}
    for name in tqdm(
        [name for name in GAUGES if name in scales], leave=False, unit=" gauges, runtime"
    ):
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            ready = export(network, gl.rescale(params, scales[name], group), folder)
            row: dict[str, Any] = {"float": relative(answers(ready, network.inputs), true)["error"]}
            everything = torch.cat([network.calibration, network.inputs])
            for grain, channels, ranges in (
                ("tensor", False, network.calibration),
                ("channel", True, network.calibration),
                ("tensor, nothing clipped", False, everything),
            ):
                quantize_static(
                    ready,
                    folder / "int8.onnx",
                    Reader(ranges),
                    quant_format=QuantFormat.QDQ,
                    op_types_to_quantize=KINDS,
                    per_channel=channels,
                    activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8,
                )
                got = answers(folder / "int8.onnx", network.inputs)
                row[grain] = {**relative(got, true), "task": network.task(got)}
            found[name] = row
    return found
