"""What it takes to see the operations of a model: three ways, without rules and without a check."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx, nn
from traced.measure import Say, memory, settled

from gaugelib import trace_group

Inputs = tuple[Tensor, ...]


def symbolic(model: nn.Module, inputs: Inputs) -> object:
    """Its Python, run on stand-ins that know nothing."""
    return fx.symbolic_trace(model)


def exported(model: nn.Module, inputs: Inputs) -> object:
    """Its Python, run on tensors without numbers, and made into a graph of ATen operations."""
    return torch.export.export(model, inputs, strict=False)


def eager(model: nn.Module, inputs: Inputs) -> object:
    """Its Python, run on tensors that carry labels; rules and elimination are a part of it."""
    return trace_group(model, inputs, verify=False)


WAYS: dict[str, Callable[[nn.Module, Inputs], object]] = {
    "torch.fx": symbolic,
    "torch.export": exported,
    "one eager run": eager,
}


def captured(way: str, model: nn.Module, inputs: Inputs, say: Say) -> None:
    """One way with one model: whether it got through, in what time and extra memory."""
    row: dict[str, Any] = {"status": "captured"}
    say({"status": "ended"})
    began, at_rest = time.process_time(), settled()
    try:
        kept = WAYS[way](model, inputs)
    except Exception as error:
        kept, row = None, {"status": "failed", "reason": f"{type(error).__name__}: {error}"[:400]}
    row["seconds"] = round(time.process_time() - began, 3)
    row["megabytes"] = round((memory("VmHWM") - at_rest) / 1e6)
    del kept
    say(row)
    if row["status"] == "captured":
        began = time.process_time()
        with torch.no_grad():
            model(*inputs)
        say({"forward": round(time.process_time() - began, 3)})
