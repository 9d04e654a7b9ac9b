"""One build of gaugelib at work on a chain of layers: a line of JSON answers each question.

Which build, PYTHONPATH says. The first question describes the chain; each of the others is a call,
and the answer what it took. The network is the same every time: what a solve did is undone.
"""

from __future__ import annotations

import ctypes
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

import gaugelib
from gaugelib import minimum_norm, minimum_norm_, mlp_group

BLOCK = 1 << 17  # entries that stay in a core's cache


def blocks(weight: Tensor) -> Iterator[slice]:
    """Rows of a matrix, a cache at a time."""
    step = max(1, BLOCK // weight.shape[1])
    return (slice(k, k + step) for k in range(0, len(weight), step))


def chain(widths: Sequence[int], dtype: str, spread: float) -> nn.Sequential:
    """Linear layers without biases, with ReLU between, He-initialised.

    With `spread` > 0 it is moved along its orbit, by scales that are log-normal of that deviation.
    """
    draw = torch.Generator().manual_seed(0)
    layers: list[nn.Module] = []
    for m, n in pairwise(widths):
        layer = nn.utils.skip_init(nn.Linear, m, n, bias=False, dtype=getattr(torch, dtype))
        layer.weight.detach().normal_(0, (2 / m) ** 0.5, generator=draw)
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    scales = torch.randn(sum(widths[1:-1]), generator=draw, dtype=torch.float64)
    if spread:
        turn_(weights_of(model), (spread * scales).exp())
    return model


def weights_of(model: nn.Module) -> list[Tensor]:
    """The matrices, in order."""
    return [value.detach() for value in model.parameters()]


def turn_(weights: list[Tensor], scales: Tensor) -> None:
    """Rescale in place, by one number for each hidden unit, layer after layer."""
    hidden = torch.split(scales, [len(w) for w in weights[:-1]])
    ends = [None, *hidden, None]
    for w, (before, after) in zip(weights, pairwise(ends), strict=True):
        for rows in blocks(w):
            if before is not None:
                w[rows].mul_(before.reciprocal().to(w.dtype))
            if after is not None:
                w[rows].mul_(after[rows, None].to(w.dtype))


def reading(weights: list[Tensor]) -> None:
    """One plain reading: the unit of every time here."""
    for w in weights:
        torch.linalg.vector_norm(w)


def marginals(weights: list[Tensor], p: float) -> list[tuple[Tensor, Tensor]]:
    r"""Sums of $|w|^p$ over rows and columns in float64, a cache at a time: the earlier floor."""
    found = []
    for w in weights:
        rows, columns = (w.new_zeros(n, dtype=torch.float64) for n in w.shape)
        room = w.new_empty((max(1, BLOCK // w.shape[1]), w.shape[1]), dtype=torch.float64)
        for where in blocks(w):
            piece = room[: len(w[where])].copy_(w[where])
            piece = piece.mul_(piece) if p == 2.0 else piece.abs_().pow_(p)
            torch.sum(piece, 1, out=rows[where])
            columns += piece.sum(0)
        found.append((rows, columns))
    return found


def gamma(weights: list[Tensor], p: float) -> float:
    """The largest imbalance, measured from the weights."""
    sums = marginals(weights, p)
    pairs = [(one[0], two[1]) for one, two in pairwise(sums)]
    return max(float(((a - b).abs() / (a + b)).max()) for a, b in pairs)


def status(name: str) -> int:
    """A line of what the kernel knows about this process, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(name))


class Solver:
    """A network and the calls that can be timed on it."""

    def __init__(self, widths: Sequence[int], dtype: str, threads: int, spread: float) -> None:
        torch.set_num_threads(threads)
        # The processor's own time is the same on a busy machine; several threads would add theirs.
        self.clock = time.process_time if threads == 1 else time.perf_counter
        self.model = chain(widths, dtype, spread)
        self.weights = weights_of(self.model)
        self.size = sum(w.numel() * w.element_size() for w in self.weights)
        self.group = mlp_group(self.model)
        self.room: dict[str, Tensor] | None = None

    def answer(self, call: str, p: float, tol: float, *, check: bool) -> dict[str, Any]:
        """Seconds that a call took, and a reading before and after it; memory; what was found."""
        work = self._call(call, p, tol)
        start = self._forget()
        before = self._reading()
        began = self.clock()
        found = work()
        seconds = self.clock() - began
        extra = None if start is None else (status("VmHWM") - start) / self.size
        after = self._reading()
        result = {"seconds": seconds, "reading": (before + after) / 2, "memory": extra}
        if call == "marginals":
            return result
        result |= {"passes": found.passes, "converged": found.converged}
        moved = self.weights if call == "in place" else list(found.params.values())
        if check:
            result["gamma"] = gamma(moved, p)
        if call == "in place":
            turn_(self.weights, found.scales.reciprocal())
        return result

    def _call(self, call: str, p: float, tol: float) -> Callable[[], Any]:
        if call == "marginals":
            return lambda: marginals(self.weights, p)
        if call == "in place":
            return lambda: minimum_norm_(self.model, self.group, p=p, tol=tol)
        params = {name: value.detach() for name, value in self.model.named_parameters()}
        if call == "out" and self.room is None:
            self.room = {name: torch.zeros_like(value) for name, value in params.items()}
        room = self.room if call == "out" else None
        return lambda: minimum_norm(params, self.group, p=p, tol=tol, out=room)

    def _reading(self) -> float:
        """Seconds, the median of three."""
        times = []
        for _ in range(3):
            began = self.clock()
            reading(self.weights)
            times.append(self.clock() - began)
        return statistics.median(times)

    def _forget(self) -> int | None:
        """Give back what is not in use, forget the peak, and say how much is held; Linux only."""
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
            with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
            return status("VmRSS")
        except OSError:
            return None


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(value: object) -> None:
        print(json.dumps(value), file=answers, flush=True)

    say(os.path.dirname(gaugelib.__file__))
    solver = Solver(**json.loads(sys.stdin.readline()))
    say(sum(w.numel() for w in solver.weights))
    for line in sys.stdin:
        say(solver.answer(**json.loads(line)))


if __name__ == "__main__":
    main()
