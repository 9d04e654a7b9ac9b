"""The charges of networks that are no chain of layers, written out for each: an oracle by hand.

No group and no index tensor: rows, columns and blocks of the weights of `tests.balance.networks`.
Without `tied` a unit is counted at its first use only, as if the wiring were a chain.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call

from tests.balance.networks import wired

Params = dict[str, Tensor]
WIRINGS = ("residual", "dense", "tied", "convolutional")


def problem_of(name: str, seed: int = 0):
    """Parameters away from zero, the model's loss on random data, the model and its example."""
    model, example = wired(name, seed)
    draw = torch.Generator().manual_seed(seed)
    params = {}
    for key, value in model.named_parameters():
        drawn = torch.rand(value.shape, generator=draw, dtype=torch.float64)
        signs = torch.randint(0, 2, value.shape, generator=draw) * 2 - 1
        params[key] = (0.2 + 0.3 * drawn) * signs
    with torch.no_grad():
        shape = functional_call(model, params, (example,)).shape
    targets = torch.randn(shape, generator=draw, dtype=torch.float64)

    def loss(theta: Params) -> Tensor:
        return (functional_call(model, theta, (example,)) - targets).square().mean()

    return params, loss, model, example


def charges_by_hand(name: str, params: Params, p: float, *, tied: bool = True) -> Tensor:
    """The charge of every hidden unit, biases counted."""
    return HAND[name]({key: value.abs() ** p for key, value in params.items()}, tied)


def _into(t: Params, layer: str) -> Tensor:
    return t[f"{layer}.weight"].flatten(1).sum(1) + t[f"{layer}.bias"]


def _residual(t: Params, tied: bool) -> Tensor:
    stream, inner = _into(t, "first") - t["last.weight"].sum(0), []
    for k in range(3):
        reads, writes = t[f"blocks.{k}.0.weight"], t[f"blocks.{k}.2.weight"]
        inner.append(_into(t, f"blocks.{k}.0") - writes.sum(0))
        if tied:
            stream = stream + writes.sum(1) - reads.sum(0)
    return torch.cat([stream, *inner])


def _dense(t: Params, tied: bool) -> Tensor:
    names, found = [*(f"layers.{k}" for k in range(4)), "last"], []
    for k, name in enumerate(names[:-1]):
        readers = names[k + 1 :] if tied else names[k + 1 : k + 2]
        columns = (t[f"{reader}.weight"][:, 5 * k : 5 * k + 5].sum(0) for reader in readers)
        found.append(_into(t, name) - sum(columns))
    return torch.cat(found)


def _tied(t: Params, tied: bool) -> Tensor:
    found = _into(t, "first") - t["last.weight"].sum(0)
    return found + _into(t, "shared") - t["shared.weight"].sum(0) if tied else found


def _convolutional(t: Params, tied: bool) -> Tensor:
    grouped = t["grouped.weight"].sum((2, 3))  # (8, 2): four channels out for every two in
    heard = torch.cat([grouped[:4].sum(0), grouped[4:].sum(0)])
    leaving = t["transposed.weight"].sum((1, 2, 3))
    entering = t["transposed.weight"].sum((0, 2, 3)) + t["transposed.bias"]
    places = t["hidden.weight"].sum(0).view(6, 9)  # all places of a channel, or the first of them
    return torch.cat(
        [
            _into(t, "one") - heard,
            _into(t, "grouped") - t["depthwise.weight"].sum((1, 2, 3)),
            _into(t, "depthwise") - leaving,
            entering - (places.sum(1) if tied else places[:, 0]),
            _into(t, "hidden") - t["last.weight"].sum(0),
        ]
    )


HAND = {"residual": _residual, "dense": _dense, "tied": _tied, "convolutional": _convolutional}
