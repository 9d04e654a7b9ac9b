"""An accelerator that is pretended, for machines that have none.

What lies on it lies in the CPU's memory, and comes out the same to the last bit. But tensors of two
devices in one operation are refused where CUDA refuses them, and it is counted how often the CPU
has to wait for a number. For torch its name is `meta`: the others it does not know without a GPU.
"""

import copy
from collections import Counter

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("meta")
aten = torch.ops.aten
BETWEEN = {aten.copy_.default, aten._to_copy.default}
"""What may read on one device and write on the other."""
INDICES = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default}
"""Of which the indices may be on the CPU, though not the tensor where the indices are not."""
WAITS = {
    aten._local_scalar_dense.default, aten.nonzero.default, aten.masked_select.default,
    aten.unique_dim.default, aten._unique2.default, aten.equal.default, aten.bincount.default,
    aten.repeat_interleave.Tensor,
}  # fmt: skip
"""Whose shape or value the CPU has to know before it goes on."""


class MixedDevices(RuntimeError):
    """One operation was given tensors of both devices."""


class There(Tensor):
    """A tensor on the device that is pretended; `here` is what it stands for."""

    here: Tensor
    is_meta = False  # the device has values

    @staticmethod
    def __new__(cls, here: Tensor) -> "There":
        made = Tensor._make_wrapper_subclass(
            cls, here.shape, strides=here.stride(), storage_offset=here.storage_offset(),
            dtype=here.dtype, device=DEVICE, requires_grad=False,
        )  # fmt: skip
        made.here = here
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise MixedDevices(f"{func} outside of the pretence")


class _Lists(TorchFunctionMode):
    """Tensors are made of numbers on the CPU first: nothing else would see it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is Tensor.tolist:
            return args[0].cpu().tolist() if isinstance(args[0], There) else func(*args)
        if func not in (torch.tensor, torch.as_tensor, Tensor.new_tensor):
            return func(*args, **kwargs)
        if func is Tensor.new_tensor:
            kwargs = {"device": args[0].device, "dtype": args[0].dtype} | kwargs
            args = args[1:]
        device = torch.device(kwargs.pop("device", None) or "cpu")
        return torch.tensor(*args, **kwargs).to(device)


class Pretence(TorchDispatchMode):
    """Within it there is such a device; `waits` counts how often the CPU waited for it, by what."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()

    def __enter__(self):
        self._lists = _Lists()
        self._lists.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._lists.__exit__(*error)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch loads its compiler, which takes seconds

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        given = [x for x in pytree.tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        there = [x for x in given if isinstance(x, There)]
        self._refuse_mixed(func, args, given, there)
        target = kwargs.get("device")
        away = bool(there) if target is None else torch.device(target).type == DEVICE.type
        if func is aten.copy_.default:
            away = isinstance(args[0], There)
        if target is not None:
            kwargs["device"] = torch.device("cpu")
        if there and (func in WAITS or not away):
            self.waits[str(func)] += 1
        inner = pytree.tree_map_only(There, lambda x: x.here, (args, kwargs))
        made = func(*inner[0], **inner[1])
        owners = {id(x.here): x for x in there}

        def owned(x: Tensor) -> Tensor:
            return owners[id(x)] if id(x) in owners else There(x) if away else x

        return pytree.tree_map_only(Tensor, owned, made)

    def _refuse_mixed(self, func, args, given, there) -> None:
        here = [x for x in given if not isinstance(x, There) and x.dim()]
        if not there or not here or func in BETWEEN:
            return
        if func in INDICES and isinstance(args[0], There):
            return
        raise MixedDevices(f"{func}: {[(type(x).__name__, tuple(x.shape)) for x in given]}")


def moved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors on the device."""
    return {name: There(value.detach().clone()) for name, value in tensors.items()}


def moved_model(model: nn.Module) -> nn.Module:
    """A copy of a model with its parameters on the device."""
    model = copy.deepcopy(model)
    for module in model.modules():
        for name, value in module.named_parameters(recurse=False):
            there = There(value.detach().clone()).requires_grad_()
            there._is_param = True
            module._parameters[name] = there
    return model
