"""What a forward leaves behind: its next call may then be another function."""

from __future__ import annotations

import gc
import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import CellType, FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from gaugelib.group import GaugeError
from gaugelib.tracing.contents import CURE, DRAWN, PLAIN, contents, leaves
from gaugelib.tracing.standin import StandIn

Place = tuple[str, str]  # a module, and the path of what it holds
HOLDING = (dict, list, set, deque, Tensor)
OUTSIDE = "outside of the model"


def fingerprints(model: nn.Module) -> dict[Place, object]:
    """Fingerprints of all that a forward might change, by module and path.

    Outside of the model these are the variables and attributes that forwards name: of their
    classes, their closures and default arguments, and the globals that they read.
    """
    found: dict[Place, object] = {}
    for name, module in model.named_modules():
        inside = dict(contents(module)) | module._parameters
        if not isinstance(module, _NormBase):  # in training it keeps statistics, as it should
            inside |= module._buffers
        found |= {
            (name or type(module).__name__, path): _fingerprint(v) for path, v in inside.items()
        }
    for kind in {type(module): None for module in model.modules()}:
        if not kind.__module__.startswith("torch."):
            found |= {(OUTSIDE, path): _fingerprint(value) for path, value in _around(kind)}
    return found


def _around(kind: type) -> Iterator[tuple[str, Any]]:
    for name, value in list(vars(kind).items()):
        path = f"{kind.__name__}.{name}"
        if isinstance(value, FunctionType):
            read = {n: value.__globals__.get(n) for n in value.__code__.co_names}
            yield from leaves({n: v for n, v in read.items() if isinstance(v, PLAIN + HOLDING)})
            yield from leaves({path: value})
        elif isinstance(value, PLAIN + HOLDING) and not name.startswith("__"):
            yield from leaves({path: value})


def _fingerprint(value: Any) -> object:
    if isinstance(value, Tensor):
        return id(value), None if value.is_inference() else value._version
    if isinstance(value, torch.Generator):
        return type(value), value.get_state().tolist()
    if isinstance(value, random.Random):
        return type(value), value.getstate()
    return object() if value is DRAWN else (type(value), repr(value))


def refuse_changed(
    before: Mapping[Place, object], after: Mapping[Place, object], kept: bool
) -> None:
    """Refuse a forward after which fingerprints differ, or that kept a stand-in for a tensor."""
    place = _first_change(before, after)
    if place:
        module, path = place
        if module not in {known for known, _ in before}:
            raise GaugeError(
                f"the forward makes module '{module}', and anew in every call; make it in __init__"
            )
        who = f"of '{module}' changes its own attribute '{path}'"
        if module == OUTSIDE:
            who = f"changes '{path}' outside of the model"
        cure = "let it depend on its arguments and on attributes that stay as they are"
        raise GaugeError(
            f"the forward {who}, so that its next call may compute something else; "
            f"{cure if _is_plain(after.get(place)) else CURE}"
        )
    if kept:
        raise GaugeError(
            "the forward keeps a tensor in a cache or in a variable outside of the model, so that "
            f"its next call may compute something else; {CURE}"
        )


def _first_change(before: Mapping[Place, object], after: Mapping[Place, object]) -> Place | None:
    for place in (*after, *before):
        if place not in before or before[place] != after.get(place):
            return place
    return None


def _is_plain(mark: object) -> bool:
    """Whether a fingerprint is that of a plain value, or of nothing, and not of a tensor."""
    return mark is None or (isinstance(mark, tuple) and isinstance(mark[0], type))


def forget(stand_ins: Iterable[StandIn]) -> None:
    """Take stand-ins out of whatever holds them, so that nothing of a tracing stays behind."""
    for proxy in stand_ins:
        for holder in gc.get_referrers(proxy):
            _drop(holder, proxy)


def _drop(holder: Any, proxy: StandIn) -> None:
    if isinstance(holder, dict):
        kind = next((k for k in gc.get_referrers(holder) if isinstance(k, type)), None)
        for key in [k for k, v in holder.items() if v is proxy or k is proxy]:
            if kind is not None:
                setattr(kind, key, None)
            elif "__builtins__" in holder:  # the globals of a file
                holder[key] = None
            else:
                del holder[key]
    elif isinstance(holder, list):
        holder[:] = [entry for entry in holder if entry is not proxy]
    elif isinstance(holder, CellType):
        holder.cell_contents = None
    elif hasattr(holder, "cache_clear"):  # functools.lru_cache
        holder.cache_clear()
