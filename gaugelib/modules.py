"""The seam between modules and dictionaries of parameters."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gaugelib.group import GaugeError
from gaugelib.memory import Footprint, refuse_unwritable, uninterrupted

_HOLDERS = (nn.Module, dict, list, deque, set, tuple)


def params_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of a model's parameters, detached, by name.

    A tied parameter appears once, under its first name, as in `model.named_parameters()`.

    Example:
        >>> from gaugelib import hat
        >>> {name: tuple(value.shape) for name, value in params_of(hat()).items()}
        {'0.weight': (3, 1), '0.bias': (3,), '2.weight': (1, 3), '2.bias': (1,)}
    """
    return {name: value.detach().clone() for name, value in model.named_parameters()}


@torch.no_grad()
def load_params_(model: nn.Module, params: Mapping[str, Tensor]) -> None:
    """Write parameters into a model in place; its `Parameter` objects, and so its optimizer, stay.

    Either all of them are written or, on an error, none; an interruption from the keyboard waits.

    Args:
        model: the model to change.
        params: a tensor of the right shape and dtype for every parameter's name.

    Raises:
        GaugeError: if a name is missing or unknown, a shape or dtype differs, or a parameter cannot
            be written in place.

    Example:
        >>> from gaugelib import hat, params_of
        >>> model = hat()
        >>> load_params_(model, {name: 2 * value for name, value in params_of(model).items()})
        >>> model[2].weight.tolist()
        [[2.0, -4.0, 2.0]]
    """
    own = dict(model.named_parameters())
    missing, unknown = own.keys() - params.keys(), params.keys() - own.keys()
    if missing or unknown:
        raise GaugeError(
            f"these are not the model's parameters: missing {sorted(missing)}, "
            f"unknown {sorted(unknown)}"
        )
    for name, value in own.items():
        new = params[name]
        if new.shape != value.shape or new.dtype != value.dtype:
            raise GaugeError(
                f"'{name}' is {value.dtype} of shape {tuple(value.shape)}; "
                f"cannot load {new.dtype} of shape {tuple(new.shape)}"
            )
        if new.is_meta or new.layout != torch.strided:
            raise GaugeError(f"'{name}' is on the meta device or sparse: there is nothing to load")
    refuse_unwritable(own)
    memory = Footprint(own)  # what lies in it would change before it is read
    new = {n: v.clone() if memory.owner(v) else v for n, v in params.items()}
    with uninterrupted():
        for name, value in own.items():
            value.copy_(new[name])


def functional_call(
    model: nn.Module,
    params: Mapping[str, Tensor],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """The model's outputs at other parameters; the model stays as it is, whatever its forward does.

    To be called as `torch.func.functional_call` is, which leaves a model with plain tensors in
    place of its `Parameter` objects if a module can be reached by two paths. The forward works on
    copies of all parameters and buffers, and afterwards each module's attributes, and the
    dictionaries, lists and sets among them, hold what they held: after an error too. So what a
    forward writes, as batch normalisation does in training, is forgotten. Random numbers are drawn
    from torch's generators as in any call.

    Args:
        model: the model.
        params: tensors for parameters or buffers, by any of their names; a tied one may be given
            under one name for all. What is not given keeps the model's value.
        args: the argument of the call, or a tuple of them.
        kwargs: arguments by name.

    Returns:
        What the model returns; it can be differentiated in `params`.

    Raises:
        GaugeError: if a name is unknown, a shape differs, two names of one tensor are given two
            values, or the model cannot be evaluated so: TorchScript, `DataParallel`, lazy modules.

    Example:
        >>> from gaugelib import hat, params_of
        >>> model, x = hat(), torch.tensor([[0.5], [1.0]]).double()
        >>> half = params_of(model)["2.weight"] / 2
        >>> functional_call(model, {"2.weight": half}, (x,)).flatten().tolist()
        [0.25, 0.5]
        >>> model(x).flatten().tolist()
        [0.5, 1.0]
    """
    given: dict[int, tuple[str, Tensor]] = {}
    for name, value in params.items():
        own = _own_tensor(model, name)
        if value.shape != own.shape:
            raise GaugeError(
                f"'{name}' has shape {tuple(own.shape)}; it cannot be evaluated at a tensor of "
                f"shape {tuple(value.shape)}"
            )
        first, other = given.setdefault(id(own), (name, value))
        if other is not value:
            raise GaugeError(
                f"'{first}' and '{name}' are one tensor of the model and are given two values; "
                "give one of them, or the same tensor for both"
            )
    args = args if isinstance(args, tuple) else (args,)
    with _on_copies(model, {key: value for key, (_, value) in given.items()}):
        return model(*args, **(kwargs or {}))


def _own_tensor(model: nn.Module, name: str) -> Tensor:
    path, _, leaf = name.rpartition(".")
    try:
        module = model.get_submodule(path)
    except AttributeError:
        module = nn.Module()
    found = module._parameters.get(leaf, module._buffers.get(leaf))
    if found is None:
        names = [name for name, _ in (*model.named_parameters(), *model.named_buffers())]
        known = f"{names[:8]}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        raise GaugeError(f"the model has no parameter or buffer '{name}'; it has {known}")
    return found


@contextmanager
def _on_copies(model: nn.Module, given: Mapping[int, Tensor]) -> Iterator[None]:
    """Within it every tensor on the model is a copy: of what is given for its id, or of itself."""
    copies: dict[int, Tensor] = {}  # one for each tensor, so that what was tied stays tied

    def copy_of(value: Tensor) -> Tensor:
        return copies.setdefault(id(value), given.get(id(value), value).clone())

    held = _held_by(model)
    kept: list[tuple[Any, Any]] = []
    try:
        for container in held:
            content = container.copy()
            kept.append((container, content))
            if isinstance(container, set):
                continue
            for key, value in content.items() if isinstance(content, dict) else enumerate(content):
                if isinstance(value, Tensor):
                    container[key] = copy_of(value)
        yield
    finally:
        for container, content in kept:
            _restore_(container, content)


def _held_by(model: nn.Module) -> list[Any]:
    """The attributes of all modules, and every dictionary, list and set among them, each once."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting: list[Any] = [model]
    while waiting:
        held = waiting.pop()
        if id(held) in seen:
            continue
        seen.add(id(held))
        if isinstance(held, nn.Module):
            _require_replaceable(held)
            held = vars(held)
        if not isinstance(held, tuple):
            found.append(held)
        inside = held.values() if isinstance(held, dict) else held
        waiting += [value for value in inside if isinstance(value, _HOLDERS)]
    return found


def _require_replaceable(module: nn.Module) -> None:
    kind = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise GaugeError(
            f"{kind} is TorchScript, whose parameters cannot be replaced; pass the "
            "Python model it was made from"
        )
    if isinstance(module, nn.DataParallel):
        raise GaugeError(f"{kind} copies parameters to devices by itself; pass its .module")
    own = (*module._parameters.values(), *module._buffers.values())
    if any(is_lazy(value) for value in own if value is not None):
        raise GaugeError(f"{kind} has no parameters yet; run the model once, so that it makes them")


def _restore_(container: Any, content: Any) -> None:
    if not container and not content:
        return
    if not isinstance(container, dict):
        container.clear()
        (container.update if isinstance(container, set) else container.extend)(content)
        return
    if list(container) != list(content):  # else a module is never, for a moment, without attributes
        container.clear()
    container.update(content)
