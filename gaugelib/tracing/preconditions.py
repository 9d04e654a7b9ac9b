"""What a model must be to be read: modules that do what their type says, and own their memory."""

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
from gaugelib.tracing.contents import refuse_stale

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
        GaugeError: naming the module, what alters it, and what to pass or to call instead.
    """
    where = f"{kind_of(module)} '{name}'" if name else f"the model, {kind_of(module)},"
    _refuse_wrapped(module, name)
    if isinstance(module, LazyModuleMixin):
        raise GaugeError(f"{where} is lazy: run the model once, so that its parameters exist")
    for hook in (*module._forward_pre_hooks.values(), *module._forward_hooks.values()):
        cure = next((cure for home, cure in HOOKED.items() if _is_from(hook, home)), None)
        if cure:
            raise GaugeError(f"a hook of {where} computes its weight; call {cure} first")


def refuse_replaced(module: nn.Module, name: str) -> None:
    """Refuse a layer whose parameters are not all that decides what it does, for `mlp_group`.

    Raises:
        GaugeError: naming the layer and what alters it.
    """
    where = f"{kind_of(module)} '{name}'"
    if parametrize.is_parametrized(module):
        raise GaugeError(
            f"{where} has parametrised weights: a rescaling of the parameter is not one of the "
            "weight; call torch.nn.utils.parametrize.remove_parametrizations first"
        )
    hooks = (*module._forward_pre_hooks.values(), *module._forward_hooks.values())
    if not all(_is_from(hook, ONLOOKERS) for hook in hooks):
        raise GaugeError(f"{where} has forward hooks, which can do anything; remove them first")
    if "forward" in vars(module):
        raise GaugeError(f"the forward of {where} was replaced on the instance; make it a class")
    if not type(module).__call__.__module__.startswith("torch.nn.modules."):
        raise GaugeError(f"{where} overrides __call__; put what it does into forward")


ONLOOKERS = "gaugelib.optim.watch"
"""Where hooks come from that change nothing."""
HOOKED = {
    "torch.nn.utils.prune": "torch.nn.utils.prune.remove(module, name)",
    "torch.nn.utils.weight_norm": "torch.nn.utils.remove_weight_norm(module)",
    "torch.nn.utils.spectral_norm": "torch.nn.utils.remove_spectral_norm(module)",
}
"""Where hooks come from that replace a weight in every call, and what ends that."""


def _is_from(hook: object, home: str) -> bool:
    return any(kind.__module__ == home for kind in type(hook).__mro__)


def _refuse_wrapped(module: nn.Module, name: str) -> None:
    """Refuse what stands for another module, and say where that module is."""
    what = f"'{name}'" if name else "the model"
    if isinstance(module, torch.jit.ScriptModule):
        raise GaugeError(
            f"{what} is a TorchScript module, whose operations cannot be followed; pass the Python "
            "model that it was made from, with the same weights"
        )
    wrappers = {"_orig_mod": "compiled by torch.compile", "module": f"wrapped in {kind_of(module)}"}
    inside = "_orig_mod" if type(module).__name__ == "OptimizedModule" else None
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        inside = "module"
    if inside and name:
        raise GaugeError(
            f"{what} is {wrappers[inside]}; put model.{name}.{inside}, which has the same "
            "parameters, in its place"
        )
    if inside:
        raise GaugeError(
            f"{what} is {wrappers[inside]}; pass the module inside it, model.{inside}: it has the "
            "same parameters, and what is written to one is written to the other"
        )


def refuse_not_finite(model: nn.Module) -> None:
    """Refuse parameters with NaN or infinite entries: no comparison could tell anything.

    Raises:
        GaugeError: naming the parameter and its first such entry.
    """
    for name, value in model.named_parameters():
        if value.is_meta or value.layout != torch.strided or value.dtype not in FLOATING:
            continue  # refused for that, later
        if value.numel() and not bool(torch.stack(value.detach().aminmax()).isfinite().all()):
            bad = (~value.detach().isfinite()).nonzero()
            first = bad[0].tolist()
            raise GaugeError(
                f"parameter '{name}' is not finite: {len(bad)} of its {value.numel()} entries are "
                f"NaN or infinite, the first at {first}; load weights from before they diverged"
            )


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
    refuse_not_finite(model)
    refuse_odd_parameters(model)
    refuse_stale(model)


def refuse_valueless(model: nn.Module, inputs: Iterable[Tensor], cure: str) -> None:
    """Refuse to compare a model with itself where there are no values.

    Args:
        model: the model.
        inputs: what it would be called with.
        cure: what to do about it.

    Raises:
        GaugeError: naming the parameter, the buffer or the input, and what to do.
    """
    named = {f"parameter '{name}'": value for name, value in model.named_parameters()}
    named |= {f"buffer '{name}'": value for name, value in model.named_buffers()}
    named |= {f"input {number}": value for number, value in enumerate(inputs)}
    for what, value in named.items():
        if value.is_meta:
            raise GaugeError(
                f"{what} is on the meta device and has no values, so the model cannot be compared "
                f"with itself in another gauge; {cure}"
            )


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
