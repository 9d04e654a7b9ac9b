"""From a model to its graph of operations, without touching the model."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import ParameterProxy, TraceError
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from gaugelib.build.randomness import cuda_devices, watched_draws
from gaugelib.build.site import first_line
from gaugelib.group import GaugeError
from gaugelib.memory import Footprint


def symbolic_graph(model: nn.Module, inputs: int) -> tuple[nn.Module, fx.Graph]:
    """The model's operations when it is called with this number of tensors.

    The forward runs once on proxies, in a copy of the model whose parameters and buffers hold no
    values. So nothing can leak out of a parameter unseen, and the model stays as it is.

    Args:
        model: the model.
        inputs: number of positional arguments.

    Returns:
        The copy without values, and the graph of operations on it.

    Raises:
        GaugeError: with the place, if the forward cannot be followed.
    """
    skeleton = skeleton_of(model)
    tracer = _Tracer(skeleton, inputs)
    sealed = _Sealed(Footprint(dict(model.named_parameters())))
    try:
        with watched_draws(cuda_devices(model)) as drawn, sealed:
            graph = tracer.trace(skeleton)
    except GaugeError:
        raise
    except Exception as error:
        raise GaugeError(
            f"the forward of '{tracer.deepest or type(model).__name__}' cannot be traced: "
            f"{first_line(error)} [{_where(error)}]; it must not branch on tensor values, loop "
            "over tensors or convert them to Python numbers, and it must make tensors of a size "
            "that depends on the input with methods such as x.new_zeros"
        ) from error
    if tracer.branched:
        raise GaugeError("the forward branches on the values of a tensor and hides the failure")
    if drawn:
        raise GaugeError(
            f"the forward draws random numbers in Python (from {' and '.join(sorted(drawn))}), so "
            "that its next call may compute something else"
        )
    _refuse_changed_state(model, skeleton)
    return skeleton, graph


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

    def __init__(self, skeleton: nn.Module, inputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.deepest = ""  # the module in which an error first occurred
        self.branched = False
        tensors = (*skeleton.named_parameters(), *skeleton.named_buffers())
        self.names = {id(value): name for name, value in tensors}

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        name = self.names.get(id(attr_val))
        if name is None:
            return attr_val
        if name not in parameter_proxy_cache:

            def proxy(node: fx.Node) -> fx.Proxy:
                if isinstance(attr_val, nn.Parameter):
                    return _ParameterProxy(self, node, name, attr_val)
                return self.proxy(node)

            made = self.create_proxy("get_attr", name, (), {}, proxy_factory_fn=proxy)
            parameter_proxy_cache[name] = made
        return parameter_proxy_cache[name]

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

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
            if type(value) in (Tensor, nn.Parameter):
                owner = self.memory.owner(value)
                if owner is not None:
                    raise GaugeError(
                        f"the forward reads parameter '{owner}' from outside of the module it "
                        "belongs to, where its uses cannot be followed; pass the module instead"
                    )
        return func(*args, **(kwargs or {}))


def _refuse_changed_state(model: nn.Module, traced: nn.Module) -> None:
    """A forward that changes its own attributes is another function the next time."""
    plain = (bool, int, float, str, type(None))
    for (name, before), after in zip(model.named_modules(), traced.modules()):
        own, now = vars(before), vars(after)
        changed = [k for k, v in own.items() if isinstance(v, plain) and now.get(k, v) != v]
        held = {**now, **after._buffers, **after._parameters}
        changed += [k for k, v in held.items() if isinstance(v, fx.Proxy)]
        if changed:
            raise GaugeError(
                f"the forward of '{name or type(model).__name__}' changes its own attribute "
                f"'{changed[0]}', so that its next call may compute something else"
            )


def _where(error: BaseException) -> str:
    """The last line of the model's own code in a traceback."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "torch" not in Path(frame.filename).parts and frame.filename != __file__
    ]
    frame = own[-1] if own else traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}"
