"""What a module holds besides modules, parameters and buffers; tensors of an earlier call in it."""

from __future__ import annotations

import functools
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import CellType, FunctionType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, fx, nn

from gaugelib.group import GaugeError

PLAIN = (bool, int, float, complex, str, bytes, type(None))
DRAWN = object()
"""Stands for what cannot be looked at without moving it on."""
DRAWING = (torch.Generator, random.Random)
_MODULE = frozenset(vars(nn.Module())) - {"training"} | {"forward"}
_GRAPH = ("graph", "code", "tracer_cls", "tracer_extras", "lineno_map", "prologue_start", "meta")
CURE = (
    "compute it in every call and return it, or register it as a buffer if it is a constant; if "
    "the module keeps it in evaluation only, put that module alone in training mode, with nothing "
    "kept yet"
)


def refuse_stale(model: nn.Module) -> None:
    """Refuse tensors of an earlier call: they do not follow the parameters they came from.

    It is one if it carries a graph. Whether another is one, the run tells that is to make it again.

    Raises:
        GaugeError: naming the module and where it keeps the tensor.
    """
    own = {id(value) for value in model.parameters()}
    for name, module in model.named_modules():
        where = f"module '{name}'" if name else f"the model, {type(module).__name__},"
        for path, value in (*contents(module, functions=False), *module._buffers.items()):
            if not isinstance(value, Tensor) or id(value) in own:
                continue
            if isinstance(value, nn.Parameter) and path not in vars(module):
                raise GaugeError(
                    f"{where} holds a parameter in '{path}', where it is not registered: it is "
                    "not saved, moved or rescaled with the model; hold it in nn.ParameterList or "
                    "nn.ParameterDict"
                )
            if value.grad_fn is not None:
                raise GaugeError(
                    f"{where} keeps '{path}', a tensor that was computed from parameters before "
                    f"and does not follow them; {CURE}"
                )


def kept_tensors(module: nn.Module) -> list[str]:
    """Attributes of a module that are tensors, or hold some; parameters and buffers aside."""
    own = {key: value for key, value in vars(module).items() if key not in _MODULE}
    return [
        key for key, value in own.items() if any(_is_tensor(v) for _, v in leaves({key: value}))
    ]


def strip_tensors(holder: Any, *, leave_none: bool, depth: int = 8) -> None:
    """Take tensors out of the attributes of a module, and out of what they hold, or put `None`."""
    if isinstance(holder, list | dict):
        held: Any = holder
    else:
        held = getattr(holder, "__dict__", {})
    for key, value in list(enumerate(held) if isinstance(held, list) else held.items())[::-1]:
        if isinstance(holder, nn.Module) and key in _MODULE:
            continue
        if _is_tensor(value) and leave_none:
            held[key] = None
        elif _is_tensor(value):
            del held[key]
        elif depth and (isinstance(value, list | dict) or _is_own(value)):
            strip_tensors(value, leave_none=leave_none, depth=depth - 1)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, nn.Parameter)


def contents(module: nn.Module, *, functions: bool = True) -> Iterator[tuple[str, Any]]:
    """Paths and leaves of what a module holds by itself.

    Args:
        module: the module; not those inside it.
        functions: whether the variables that functions close over count as well.
    """
    own = {key: value for key, value in vars(module).items() if key not in _MODULE}
    if isinstance(module, fx.GraphModule):
        own = {key: value for key, value in own.items() if key.strip("_") not in _GRAPH}
    return leaves(own, functions)


def leaves(attributes: Mapping[str, Any], functions: bool = True) -> Iterator[tuple[str, Any]]:
    """Paths such as `cache['rows'][0].value` and what is there; modules are not entered."""
    seen: set[int] = set()
    todo = deque(attributes.items())
    while todo:
        path, value = todo.popleft()
        if value is DRAWN or isinstance(value, (*PLAIN, Tensor, *DRAWING)):
            yield path, value
        elif id(value) not in seen and not isinstance(value, nn.Module | type):
            if not functions and isinstance(value, FunctionType | functools.partial):
                continue
            seen.add(id(value))
            todo.extend(_inside(path, value))


def _inside(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        pairs = list(value.items())
        yield from ((f"{path}[{_key(key)}]", entry) for key, entry in pairs)
        yield from ((f"{path}, a key", key) for key, _ in pairs if not isinstance(key, PLAIN))
    elif isinstance(value, list | tuple | deque):
        yield from ((f"{path}[{number}]", entry) for number, entry in enumerate(value))
    elif isinstance(value, set | frozenset):
        yield from ((f"{path}{{{_key(entry)}}}", entry) for entry in value)
    elif isinstance(value, functools.partial):
        yield from _inside(path, (value.func, value.args, value.keywords))
    elif isinstance(value, FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or ())
        full = [(name, cell) for name, cell in cells if _is_full(cell)]
        yield from ((f"{path}.{name}", cell.cell_contents) for name, cell in full)
        yield from _inside(f"{path}.__defaults__", value.__defaults__ or ())
        yield from _inside(f"{path}.__kwdefaults__", value.__kwdefaults__ or {})
    elif _is_own(value):
        slots = [s for k in type(value).__mro__ for s in _listed(vars(k).get("__slots__", ()))]
        names = [*getattr(value, "__dict__", {}), *slots]
        yield from ((f"{path}.{n}", getattr(value, n)) for n in names if hasattr(value, n))
    elif hasattr(value, "tobytes"):
        yield path, value.tobytes()  # an array
    elif hasattr(value, "__next__"):
        yield path, DRAWN  # an iterator: who knows what comes next?


def _is_own(value: Any) -> bool:
    """Whether its attributes are the model's business: no library's object keeps its tensors."""
    home = type(value).__module__.partition(".")[0]
    strange = home in sys.stdlib_module_names or home in ("torch", "numpy")
    return not strange or isinstance(value, SimpleNamespace)


def _listed(slots: Any) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _key(key: Any) -> str:
    return repr(key) if isinstance(key, PLAIN) else type(key).__name__


def _is_full(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
