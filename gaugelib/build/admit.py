"""What a builder may read: models whose modules do what their type says, and own their memory."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_globals
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize
from torch.utils import _pytree as pytree

from gaugelib.group import GaugeError
from gaugelib.memory import Footprint

FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def kind_of(module: object) -> str:
    """The type of a module as one writes it, `nn.Linear` or `mypackage.Block`."""
    kind = type(module)
    if kind.__module__.startswith("torch.nn.modules"):
        return f"nn.{kind.__name__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def refuse_altered(module: nn.Module, name: str) -> None:
    """Refuse a module that does something else than the `forward` of its type.

    Raises:
        GaugeError: naming the module and what alters it.
    """
    where = f"{kind_of(module)} '{name}'" if name else f"the model, {kind_of(module)},"
    if isinstance(module, LazyModuleMixin):
        raise GaugeError(f"{where} is lazy: run the model once, so that its parameters exist")
    if parametrize.is_parametrized(module):
        raise GaugeError(
            f"{where} has parametrised weights: a rescaling of the parameter is not one of the "
            "weight; call torch.nn.utils.parametrize.remove_parametrizations first"
        )
    if module._forward_hooks or module._forward_pre_hooks:
        raise GaugeError(
            f"{where} has forward hooks (weight_norm and spectral_norm use them too), "
            "which can do anything; remove them first"
        )
    if isinstance(module, torch.jit.ScriptModule):
        raise GaugeError(f"{where} is a TorchScript module; pass the Python model")
    if "forward" in vars(module):
        raise GaugeError(f"the forward of {where} was replaced on the instance; make it a class")
    if not type(module).__call__.__module__.startswith("torch.nn.modules."):
        raise GaugeError(f"{where} overrides __call__; put what it does into forward")


def refuse_unreadable(model: nn.Module) -> None:
    """Refuse a model with altered modules, with odd parameters or with shared memory.

    Raises:
        GaugeError: naming the module or the parameter.
    """
    if not isinstance(model, nn.Module):
        raise GaugeError(f"trace_group reads an nn.Module, found {type(model).__name__}")
    if module_globals._global_forward_hooks or module_globals._global_forward_pre_hooks:
        raise GaugeError("a global forward hook is registered, which can do anything; remove it")
    for name, module in model.named_modules():
        refuse_altered(module, name)
    refuse_odd_parameters(model)


def refuse_odd_parameters(model: nn.Module) -> None:
    """Refuse parameters that are not plain real tensors with memory of their own.

    A tensor in the memory of a parameter would move with it, unasked. Slices of one storage that
    have no byte in common, as in a flat buffer, are apart.

    Raises:
        GaugeError: naming the parameter.
    """
    for name, value in model.named_parameters():
        if type(value) is not nn.Parameter or value.layout != torch.strided:
            raise GaugeError(
                f"parameter '{name}' is a {type(value).__name__} of layout {value.layout}; "
                "only plain dense parameters can be rescaled"
            )
        if value.dtype not in FLOATING:
            raise GaugeError(f"parameter '{name}' is {value.dtype}; scales are real numbers")
        if value.is_meta:
            raise GaugeError(f"parameter '{name}' is on the meta device and has no values")
        if not value.numel():
            raise GaugeError(f"parameter '{name}' of shape {tuple(value.shape)} has no entries")
    memory = Footprint(dict(model.named_parameters()))
    if memory.shared:
        one, other = memory.shared
        raise GaugeError(
            f"parameters '{one}' and '{other}' share memory but are two nn.Parameters; tie them by "
            "assigning the same nn.Parameter to both, or give each its own memory by clone()"
        )
    for name, value in _other_tensors(model):
        owner = memory.owner(value)
        if owner is not None:
            raise GaugeError(
                f"tensor '{name}' lies in the memory of parameter '{owner}', so it would move with "
                "it; clone it, or use the parameter itself"
            )


def _other_tensors(model: nn.Module) -> Iterable[tuple[str, Tensor]]:
    own = {id(p) for p in model.parameters()}
    for path, module in model.named_modules():
        for key, held in vars(module).items():
            for value in pytree.tree_leaves(held):
                if isinstance(value, Tensor) and id(value) not in own:
                    yield f"{path}.{key}".lstrip("."), value
