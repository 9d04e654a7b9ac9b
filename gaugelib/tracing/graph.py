"""From a model to its graph of operations, without touching the model."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import ParameterProxy, TraceError
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from gaugelib.group import GaugeError
from gaugelib.memory import Footprint
from gaugelib.tracing.errors import explained, first_line
from gaugelib.tracing.randomness import cuda_devices, watched_draws
from gaugelib.tracing.side_effects import fingerprints, forget, refuse_changed


def symbolic_graph(model: nn.Module, inputs: int) -> tuple[nn.Module, fx.Graph, set[torch.dtype]]:
    """The model's operations when it is called with this number of tensors.

    The forward runs once on proxies, in a copy of the model whose parameters and buffers hold no
    values. So nothing can leak out of a parameter unseen, and the model stays as it is.

    Args:
        model: the model.
        inputs: number of positional arguments.

    Returns:
        The copy without values, the graph of operations on it, and the dtypes that autocast chose.

    Raises:
        GaugeError: with the place, if the forward cannot be followed.
    """
    skeleton = skeleton_of(model)
    graph, casts = _followed(model, skeleton, inputs)
    _refuse_refilled(model, inputs)
    return skeleton, graph, casts


def _followed(
    model: nn.Module, skeleton: nn.Module, inputs: int
) -> tuple[fx.Graph, set[torch.dtype]]:
    sealed = _Sealed(Footprint(dict(model.named_parameters())))
    tracer = _Tracer(skeleton, inputs, sealed)
    before = fingerprints(skeleton)
    frozen = _freeze()
    try:
        with watched_draws(cuda_devices(model)) as drawn, sealed:
            graph = tracer.trace(skeleton)
        if tracer.branched:
            raise GaugeError(
                "the forward branches on the values of a tensor and hides the failure; make what "
                "it decides an attribute of the model"
            )
        if drawn:
            raise GaugeError(
                f"the forward draws random numbers in Python (from {' and '.join(sorted(drawn))}), "
                "so that its next call may compute something else; draw outside and pass it in"
            )
        refuse_changed(before, fingerprints(skeleton), bool(tracer.alive()))
    except GaugeError:
        raise
    except Exception as error:
        where = f"the forward of '{tracer.deepest or type(model).__name__}'"
        raise GaugeError(f"{where} cannot be traced: {explained(error)}") from error
    finally:
        kept = tracer.alive()
        if frozen:
            gc.unfreeze()
        forget(kept)
    return graph, tracer.casts


def _freeze() -> bool:
    """Keep what there is out of the search for garbage, which would take longer than the forward.

    Returns:
        Whether it was frozen here: what somebody else has frozen stays as it is.
    """
    if gc.get_freeze_count():
        return False
    gc.freeze()
    return True


def skeleton_of(model: nn.Module) -> nn.Module:
    """A copy of a model whose parameters and buffers have shapes and dtypes but no values."""
    memo: dict[int, Any] = {}
    for value in model.buffers():
        memo[id(value)] = torch.empty_like(value, device="meta")
    for value in model.parameters():
        empty = torch.empty_like(value, device="meta")
        memo[id(value)] = nn.Parameter(empty, requires_grad=value.requires_grad)
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:
        raise GaugeError(f"the model cannot be copied: {first_line(error)}") from error


def first_names(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, str]:
    """The first name of each tensor, by every name that it has."""
    seen: dict[int, str] = {}
    return {name: seen.setdefault(id(value), name) for name, value in tensors}


class _Proxy(fx.Proxy):
    """A proxy whose attributes cannot be assigned: fx would forget the assignment."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("tracer", "node", "param", "name"):
            raise TraceError(f"the tensor attribute '{name}' is assigned to")
        super().__setattr__(name, value)


class _ParameterProxy(_Proxy, ParameterProxy):
    """The same for a parameter, whose shape is known."""


class _Tracer(fx.Tracer):
    """Follows a forward with a fixed number of inputs; other arguments keep their defaults.

    Parameters and buffers become proxies, so that Python never sees their values; it does see the
    shapes of parameters.
    """

    def __init__(self, skeleton: nn.Module, inputs: int, sealed: _Sealed) -> None:
        super().__init__()
        self.inputs = inputs
        self.sealed = sealed
        self.deepest = ""  # the module in which an error first occurred
        self.branched = False
        self.casts: set[torch.dtype] = set()  # by autocast, which the graph does not show
        self._made: list[weakref.ref[fx.Proxy]] = []
        tensors = (*skeleton.named_parameters(), *skeleton.named_buffers())
        self.names = {id(value): name for name, value in tensors}

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        name = self.names.get(id(attr_val))
        if name is None:
            return attr_val
        if name not in parameter_proxy_cache:

            def proxy(node: fx.Node) -> fx.Proxy:
                if isinstance(attr_val, nn.Parameter):
                    return self._noted(_ParameterProxy(self, node, name, attr_val))
                return self.proxy(node)

            made = self.create_proxy("get_attr", name, (), {}, proxy_factory_fn=proxy)
            parameter_proxy_cache[name] = made
        return parameter_proxy_cache[name]

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return self._noted(_Proxy(node, self))

    def _noted(self, proxy: fx.Proxy) -> fx.Proxy:
        self._made.append(weakref.ref(proxy))
        return proxy

    def alive(self) -> list[fx.Proxy]:
        """Stand-ins that something still holds: after the forward has returned, it was kept."""
        if any(made() is not None for made in self._made):
            gc.collect()  # they refer to each other
        return [proxy for made in self._made if (proxy := made()) is not None]

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                self.casts.add(torch.get_autocast_dtype(device))
        return super().create_node(*args, **kwargs)

    def create_arg(self, a: Any) -> Any:
        self.sealed.check(a)  # a stand-in's own operators do not pass through the mode
        return super().create_arg(a)

    def to_bool(self, obj: fx.Proxy) -> bool:
        self.branched = True  # the model may catch the error and go on
        return super().to_bool(obj)

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        names = [f"input_{number}" for number in range(self.inputs)]
        return root_fn, [self.root, *(self.create_proxy("placeholder", n, (), {}) for n in names)]

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception:
            self.deepest = self.deepest or self.path_of_module(m)
            raise


class _Sealed(TorchFunctionMode):
    """Refuses every operation on the true parameters: only their copies may be followed."""

    def __init__(self, memory: Footprint) -> None:
        super().__init__()
        self.memory = memory

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        for value in pytree.tree_leaves((args, kwargs)):
            self.check(value)
        return func(*args, **(kwargs or {}))

    def check(self, value: object) -> None:
        """Refuse a tensor that is, or came from, a parameter behind the back of the tracer."""
        if not isinstance(value, Tensor) or type(value) not in (Tensor, nn.Parameter):
            return
        owner = self.memory.owner(value)
        if owner is not None:
            raise GaugeError(
                f"the forward reads parameter '{owner}' from outside of the module it "
                "belongs to, where its uses cannot be followed; pass the module instead"
            )
        if value.grad_fn is not None and not value.is_meta:
            raise GaugeError(
                "the forward reads a tensor that was computed from parameters before it was "
                "called, and does not follow them; compute it in the forward"
            )


def _refuse_refilled(model: nn.Module, inputs: int) -> None:
    """A plain tensor that the forward makes again when it is missing is left by an earlier call.

    So the answer is the same before and after a first call. What the forward does not make again
    is a constant, and then this tracing fails or changes nothing.
    """
    plain = [
        (name, key)
        for name, module in model.named_modules()
        for key, value in vars(module).items()
        if isinstance(value, Tensor)
    ]
    for empty in (lambda module, key: setattr(module, key, None), delattr) if plain else ():
        bare = skeleton_of(model)
        for name, key in plain:
            empty(bare.get_submodule(name), key)
        try:
            _followed(model, bare, inputs)
        except GaugeError as error:
            if any(f"changes its own attribute '{key}'" in str(error) for _, key in plain):
                raise
