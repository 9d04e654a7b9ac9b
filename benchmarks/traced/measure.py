"""What is said of one model: whether it is traced, in how much time and memory, and how truly."""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from traced.check import checked

from gaugelib import GaugeError, trace_group

Say = Callable[[dict[str, Any]], None]


def measured(model: nn.Module, inputs: tuple[Tensor, ...], say: Say) -> None:
    """Trace a model and check the group; `say` is told after every step."""
    model = model.eval().requires_grad_(True)
    say(
        {
            "input": [list(x.shape) for x in inputs],
            "parameters": sum(value.numel() for value in model.parameters()),
            "status": "ended while tracing",
        }
    )
    began, at_rest = time.process_time(), settled()
    try:
        group = trace_group(model, inputs)
        outcome: dict[str, Any] = {"status": "traced", "units": group.units}
        outcome["combined"] = nodes_beyond(group)
    except GaugeError as error:
        group, outcome = None, {"status": "refused", "reason": str(error)}
    outcome["seconds"] = round(time.process_time() - began, 3)
    outcome["megabytes"] = round((memory("VmHWM") - at_rest) / 1e6)
    say(outcome)
    if group is not None:
        began = time.process_time()
        with torch.no_grad():
            model(*inputs)
        say({"forward": round(time.process_time() - began, 3)})
        say({"checked": "ended"})
        try:
            say({"checked": "yes", **checked(model, inputs, group)})
        except Exception as error:
            say({"checked": f"{type(error).__name__}: {error}"[:300]})


def nodes_beyond(group: Any) -> int:
    """How many nodes of the group are combinations of units."""
    combined = getattr(group, "combined", None)
    return 0 if combined is None else len(combined.units)


def settled() -> float:
    """Bytes in use, once what was freed has been given back; the peak begins here anew."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory("VmRSS")


def memory(field: str) -> float:
    """Bytes of this process as Linux counts them, or the peak of its life elsewhere."""
    try:
        status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 1024.0 * float(status.partition(f"{field}:")[2].split()[0])
