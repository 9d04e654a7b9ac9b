"""Sweeps of a layered network by gaugelib's own action and norms: an oracle for BalanceSweeps."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gaugelib import imbalance, incoming_norm, mlp_group, outgoing_norm, rescale, weight_norm

BALANCED = 1e-12


@dataclass(frozen=True)
class Seen:
    """What is read off a network: the same words as the readouts."""

    weights: list[list[list[float]]]
    imbalances: list[list[float]]
    layers: list[float]
    norm: float
    gamma: float
    share: float


class Chain:
    """A layered network as gaugelib sees it, and the three kinds of sweep."""

    def __init__(self, weights: list[Tensor], p: float) -> None:
        self.p = p
        layers = []
        for matrix in weights:
            layers += [nn.Linear(*matrix.T.shape, bias=False).double(), nn.ReLU()]
        self.group = mlp_group(nn.Sequential(*layers[:-1]))
        self.names = [f"{2 * place}.weight" for place in range(len(weights))]
        self.start = {name: value.clone() for name, value in zip(self.names, weights, strict=True)}
        self.slices = list(self.group.layers.values())
        assert len(self.slices) == len(weights) - 1

    def paper(self, params):
        """Every unit at once by (out / in)^(1 / 4p) of the p-th powers: a fourth root of norms."""
        return rescale(params, self.ratios(params) ** 0.25, self.group)

    def alternating(self, params, after_half=lambda params: params):
        """Layer by layer, the odd ones first: each is balanced exactly."""
        for places in (self.slices[0::2], self.slices[1::2]):
            for place in places:
                scales = torch.ones(self.group.units, dtype=torch.float64)
                scales[place] = self.ratios(params)[place].sqrt()
                params = rescale(params, scales, self.group)
            params = after_half(params)
        return params

    def two_level(self, params):
        return self.alternating(params, self.equal_totals)

    def equal_totals(self, params):
        """Layer scales that make all totals equal: unknown log-scales and the common logarithm."""
        sizes = torch.stack([params[name].abs().pow(self.p).sum().log() for name in self.names])
        depth = len(sizes)
        system = torch.zeros(depth, depth, dtype=torch.float64)
        for layer in range(depth):  # size + p (t_layer - t_{layer - 1}) = common
            if layer < depth - 1:
                system[layer, layer] += self.p
            if layer > 0:
                system[layer, layer - 1] -= self.p
            system[layer, -1] = -1.0
        solved = torch.linalg.solve(system, -sizes)
        scales = torch.ones(self.group.units, dtype=torch.float64)
        for place, log in zip(self.slices, solved[:-1], strict=True):
            scales[place] = log.exp()
        return rescale(params, scales, self.group)

    def ratios(self, params) -> Tensor:
        """Outgoing over incoming norm of each unit."""
        norms = outgoing_norm(params, self.group, self.p), incoming_norm(params, self.group, self.p)
        return norms[0] / norms[1]

    def history(self, method: str, sweeps: int) -> list[Seen]:
        """After 0, 1, ... sweeps, until balance."""
        sweep = {"paper": self.paper, "alternating": self.alternating}.get(method, self.two_level)
        params, found = self.start, []
        for _ in range(sweeps + 1):
            found.append(self.seen(params))
            if found[-1].gamma < BALANCED:
                break
            params = sweep(params)
        return found

    def seen(self, params) -> Seen:
        group, p = self.group, self.p
        into, out = (norm(params, group, p) ** p for norm in (incoming_norm, outgoing_norm))
        relative = imbalance(params, group, p) / (into + out)
        layers = [relative[place] for place in self.slices]
        mean = torch.cat([layer.mean().expand(len(layer)) for layer in layers])
        whole = [
            (into[s].sum() - out[s].sum()) / (into[s].sum() + out[s].sum()) for s in self.slices
        ]
        return Seen(
            weights=[params[name].tolist() for name in self.names],
            imbalances=[layer.tolist() for layer in layers],
            layers=[x.item() for x in whole],
            norm=weight_norm(params, group, p).item() ** p,
            gamma=relative.abs().max().item(),
            share=(mean.square().sum() / relative.square().sum()).item(),
        )

    def contraction(self, method: str, balanced: Tensor) -> float:
        """Spectral radius of a sweep's derivative in log a at the balanced gauge."""
        sweep = {"paper": self.paper, "alternating": self.alternating}[method]
        best = rescale(self.start, balanced, self.group)

        def moved(alpha):
            params = sweep(rescale(best, alpha.exp(), self.group))
            # The log-scales that lead from the balanced network to the swept one, layer by layer.
            logs, before = [], torch.zeros(1, dtype=torch.float64)
            for name in self.names[:-1]:
                change = (params[name] / best[name]).log() + before
                logs.append(change[:, 0])
                before = logs[-1]
            return torch.cat(logs)

        zero = torch.zeros(self.group.units, dtype=torch.float64)
        derivative = torch.autograd.functional.jacobian(moved, zero)
        return torch.linalg.eigvals(derivative).abs().max().item()


def rate(gammas: list[float]) -> float:
    """The mean factor over the last four sweeps, by logarithms."""
    last = gammas[-5:]
    steps = [math.log(after / before) for before, after in itertools.pairwise(last)]
    return math.exp(sum(steps) / len(steps))
