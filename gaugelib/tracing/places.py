"""Which module is running, for names of units and for refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.backends import mha
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from gaugelib.group import GaugeError
from gaugelib.tracing.preconditions import kind_of

UNLISTED = (
    "the forward uses {} that the model does not list, and that is not saved, moved or rescaled "
    "with it; hold parameters in modules, nn.ParameterList or nn.ParameterDict, and make modules "
    "in __init__ and hold several in nn.ModuleList or nn.ModuleDict"
)


class Places:
    """The modules that run, one inside the other."""

    def __init__(self) -> None:
        self._stack: list[tuple[str, nn.Module]] = []

    @property
    def path(self) -> str:
        """The path of the innermost one; of the model itself it is empty."""
        return self._stack[-1][0] if self._stack else ""

    @property
    def module(self) -> nn.Module | None:
        """The innermost one."""
        return self._stack[-1][1] if self._stack else None

    @property
    def issuer(self) -> str | None:
        """The layer of torch that is running, which units are named after."""
        own = type(self.module).__module__.startswith("torch.nn.modules")
        return self.path or None if own else None

    def title(self, name: str) -> str:
        """What is done, and where."""
        for path, module in reversed(self._stack):
            if path:
                return f"{name} in {kind_of(module)} '{path}'"
        return f"{name} in the model's forward"

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """Follow which module runs; fused kernels run as the operations that they are made of."""
        names = {id(module): name for name, module in model.named_modules()}

        def enter(module: nn.Module, _: Any) -> None:
            if id(module) not in names and any(True for _ in module.parameters()):
                raise GaugeError(UNLISTED.format(f"a module ({kind_of(module)})"))
            self._stack.append((names.get(id(module), ""), module))

        def leave(module: nn.Module, *_: Any) -> None:
            if self._stack and self._stack[-1][1] is module:
                self._stack.pop()

        kernels, onednn = torch.nn.attention.SDPBackend.MATH, torch.backends.mkldnn
        with ExitStack() as stack:
            stack.callback(register_module_forward_pre_hook(enter).remove)
            stack.callback(register_module_forward_hook(leave, always_call=True).remove)
            stack.callback(setattr, onednn, "enabled", onednn.enabled)
            stack.callback(mha.set_fastpath_enabled, mha.get_fastpath_enabled())
            stack.enter_context(torch.nn.attention.sdpa_kernel(kernels))
            onednn.enabled = False  # pyright: ignore[reportAttributeAccessIssue]
            mha.set_fastpath_enabled(False)
            yield
