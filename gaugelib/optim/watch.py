r"""What passed through each linear layer in the backward pass behind an optimizer's step.

With inputs $x_b$ and slopes $\delta_b$ the gradient of a weight is $\sum_b\delta_b x_b^\top$, if
the layer was used once and nothing else added to it. Here that is known and not believed: autograd
hands the memory that the layer's own product wrote over to `grad`, where nothing else comes in, and
counts what is written to it afterwards.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

_PRODUCTS = {"AddmmBackward0": (1, 2), "MmBackward0": (0, 1)}
"""Matrix products in autograd's graph: where their gradients of inputs and of the weight are."""
_Held = tuple[Tensor, int]
"""A tensor, and how often it had been written to."""
_VIEWS = ("ViewBackward0", "UnsafeViewBackward0")


@dataclass(frozen=True, eq=False)
class Passed:
    r"""What passed through a layer, with all dimensions but the last as one batch.

    Attributes:
        inputs: $x$, shape `(batch, m)`.
        slopes: $\delta$, shape `(batch, n)`.
        lengths: $\sum_b x_b^2$ and $\sum_b\delta_b^2$, shapes `(m,)` and `(n,)`.
        pairings: of each row of the weight with that of its gradient, which is
            $\sum_b\delta_b(z_b-b)$, shape `(n,)`; and of each column, $\sum_b x_b\,W^\top\delta_b$,
            shape `(m,)`, or `None` where nothing asked for $W^\top\delta$.
        rate: $\eta$ of the step that followed, negative if it went uphill.
        decay: $\lambda$ of its coupled weight decay.
    """

    inputs: Tensor
    slopes: Tensor
    lengths: tuple[Tensor, Tensor]
    pairings: tuple[Tensor, Tensor | None]
    rate: float
    decay: float


def plain(optimizer: Optimizer) -> bool:
    """Whether a step is the gradient's and the decay's alone, in every group."""
    return type(optimizer) is SGD and not any(part["momentum"] for part in optimizer.param_groups)


def watchable(model: nn.Module, names: Collection[str]) -> dict[str, nn.Linear]:
    """The linear layers whose weights are among these, are one layer's, and worth following."""
    found: dict[str, nn.Linear] = {}
    for path, layer in model.named_modules():
        name = f"{path}.weight" if path else "weight"
        if type(layer) is not nn.Linear or name not in names or "forward" in vars(layer):
            continue
        weight = layer.weight
        if layer._forward_hooks and type(layer._forward_hooks) is not _Hooks:
            continue  # whose hooks may do anything
        if weight.requires_grad and not weight.is_inference():
            found[name] = layer
    return found


def _exact(weight: Tensor) -> bool:
    """Whether products are rounded as their dtype says."""
    whole = torch.get_float32_matmul_precision() == "highest" or weight.dtype == torch.float64
    return whole and torch.finfo(weight.dtype).bits >= 32


class Watch:
    """Looks on while linear layers are used and an optimizer steps, for as long as it lives.

    Args:
        layers: the layers to look at, by the names of their weights.
        optimizer: a `plain` one; beside another nothing is known.
    """

    def __init__(self, layers: Mapping[str, nn.Linear], optimizer: Optimizer) -> None:
        self._seen = {name: _Seen(layer.weight) for name, layer in layers.items()}
        self._turn = 0
        handles = []
        for name, layer in layers.items():
            if not layer._forward_hooks:
                layer._forward_hooks = _Hooks()
            handles.append(layer.register_forward_hook(OnLooker(self._seen[name])))
            keep = layer.weight.register_post_accumulate_grad_hook(self._seen[name].keep)
            handles.append(keep)
        step = _Step(list(self._seen.values()))
        handles.append(optimizer.register_step_pre_hook(step.before))
        handles.append(optimizer.register_step_post_hook(step.after))
        weakref.finalize(self, _remove, handles).atexit = False

    def known(self) -> None:
        """From here on, what is written to a weight is to be accounted for."""
        self._turn += 1
        for seen in self._seen.values():
            seen.start(self._turn)

    def passed(self) -> dict[str, Passed]:
        """What passed through the layers of which all is known since `known` was called."""
        found = {name: seen.passed() for name, seen in self._seen.items() if _exact(seen.weight)}
        return {name: one for name, one in found.items() if one is not None}


class _Seen:
    """What was seen of one weight since its sums were known."""

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight
        self.start(0)
        self.at = None

    def start(self, turn: int) -> None:
        """Forget all but one row: writing that is hidden from autograd's counters is seen there."""
        self.at: tuple[int, int] | None = (self.weight._version, self.weight.data_ptr())
        self.uses = self.steps = 0
        self.grad: Tensor | None = None
        self.used: list[_Held] = []
        self.told: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor | None]] | None = None
        self.stepped: tuple[float, float, int] | None = None
        self.made = 0
        self.row = turn * 7919 % len(self.weight)
        self.old = self.weight.detach()[self.row].clone()

    def use(
        self,
        given: list[_Held],
        bias: Tensor | None,
        slopes: Tensor | None,
        back: Tensor | None,
        made: Tensor | None,
    ) -> None:
        """A product of this weight was differentiated, and `made` is what it wrote."""
        self.uses += 1
        if self.uses > 1 or torch.is_grad_enabled():
            return
        if not _plain(slopes) or not _plain(made) or not all(map(_as_it_was, given)):
            return
        x, z = (t if t.dim() == 2 else t.reshape(-1, t.shape[-1]) for t, _ in given)
        dot = torch.linalg.vecdot  # now, while all of them are in the cache
        rows, columns = dot(slopes, z, dim=0), None if back is None else dot(x, back, dim=0)
        if bias is not None:
            rows -= bias * slopes.sum(0)
        self.used = [(x, x._version), (slopes, slopes._version)]
        self.told = (dot(x, x, dim=0), dot(slopes, slopes, dim=0)), (rows, columns)
        self.made = made.data_ptr() if made._version == 0 else 0

    def keep(self, weight: Tensor) -> None:
        """A gradient has arrived; it is held, lest other memory come to lie in its place."""
        grad = weight.grad
        self.grad = grad if grad is not None and grad.data_ptr() == self.made else None

    def intact(self) -> bool:
        """Whether the one gradient is still what the one product wrote."""
        grad = self.grad
        return (
            grad is not None and self.uses == 1 and grad is self.weight.grad and grad._version == 0
        )

    def passed(self) -> Passed | None:
        if self.stepped is None or self.steps != 1 or self.told is None or self.uses != 1:
            return None
        rate, decay, version = self.stepped
        now = (self.weight._version, self.weight.data_ptr())
        if self.at is None or now != (version, self.at[1]):
            return None
        if not all(map(_as_it_was, self.used)) or not self._as_sampled(rate, decay):
            return None
        return Passed(self.used[0][0], self.used[1][0], *self.told, rate, decay)

    def _as_sampled(self, rate: float, decay: float) -> bool:
        assert self.grad is not None
        now, old = self.weight.detach()[self.row], self.old
        old = old.mul_(1 - rate * decay) if decay else old
        far = float(torch.dist(old.sub_(self.grad[self.row], alpha=rate), now))
        return far <= 8 * torch.finfo(now.dtype).eps * float(torch.linalg.vector_norm(now))


class _Step:
    """Looks at an optimizer before and after its step."""

    def __init__(self, seen: list[_Seen]) -> None:
        self.seen = {id(one.weight): one for one in seen}

    def before(self, optimizer: Optimizer, *_: object) -> None:
        for part in optimizer.param_groups:
            for value in part["params"]:
                one = self.seen.get(id(value))
                if one is None:
                    continue
                one.steps += 1
                known = plain(optimizer) and one.at == (value._version, value.data_ptr())
                told = (*_rate(part), value._version + 1)
                one.stepped = told if known and one.intact() else None

    def after(self, optimizer: Optimizer, *_: object) -> None:
        for part in optimizer.param_groups:
            for value in part["params"]:
                one = self.seen.get(id(value))
                if one is not None and one.stepped is not None:
                    as_told = (*_rate(part), value._version) == one.stepped and one.intact()
                    one.stepped = one.stepped if as_told else None


def _rate(part: Mapping[str, Any]) -> tuple[float, float]:
    rate, decay = float(part["lr"]), float(part["weight_decay"])
    return (-rate, -decay) if part["maximize"] else (rate, decay)


class OnLooker:
    """A forward hook that changes nothing: it looks at what a linear layer computes."""

    def __init__(self, seen: _Seen) -> None:
        self.seen = seen

    def __call__(self, layer: nn.Linear, given: tuple[Any, ...], output: Any) -> None:
        """Ask the product behind the output to tell its gradients."""
        if torch.compiler.is_compiling() or not _plain(output) or output.grad_fn is None:
            return
        if len(given) != 1 or not _plain(given[0]):
            return
        x, seen = given[0], self.seen
        node: Any = cast(Any, output).grad_fn
        if node.name() in _VIEWS:
            node = node.next_functions[0][0]
        places = _PRODUCTS.get(node.name() if node else "")
        if places is None or not (x.dtype == output.dtype == seen.weight.dtype):
            return
        inner, outer = places
        bias = None if layer.bias is None else layer.bias.detach().clone()
        held = [(x, x._version), (output.detach(), output._version)]

        def tell(made: tuple[Tensor | None, ...], slopes: tuple[Tensor | None, ...]) -> None:
            seen.use(held, bias, slopes[0], made[inner], made[outer])

        node.register_hook(tell)


class _Hooks(OrderedDict):
    """A layer's hooks; in a copy or a file of the model are only those of others."""

    def __reduce__(self) -> tuple[Any, ...]:
        others = [(key, hook) for key, hook in self.items() if type(hook) is not OnLooker]
        return OrderedDict, (others,)


def _plain(value: Any) -> TypeGuard[Tensor]:
    return type(value) is Tensor


def _as_it_was(held: _Held) -> bool:
    return held[0]._version == held[1]


def _remove(handles: list[Any]) -> None:
    for handle in handles:
        handle.remove()
