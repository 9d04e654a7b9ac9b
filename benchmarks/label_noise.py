r"""Where the noise of labels moves one hidden layer: parts `equilibria` and `orbit`.

Students with d inputs, 4 hidden units and o outputs, no biases, start on the orbits of teachers
whose units have r = s = 1; inputs are standard normal, labels are the teacher's plus noise of
standard deviation ς on each output; one new example a step.

On an orbit with its function frozen at the teacher, with u = log(r/s) for a unit, the squared
gradients give, in the time τ = η²t,

    2 cosh(u) u' = ς²/2 (d e^{-u} - o e^{u}) - (4λ/η) sinh(u),

whatever the product rs, with equilibrium r²/s² = (1 + κd)/(1 + κo), κ = ης²/(4λ).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from gauge_store import mean_and_error
from torch import Tensor

HIDDEN, NOISE, BLOCK = 4, 0.7, 500


class Students:
    """Many students at once, each with a teacher of its own, descending on noisy examples."""

    def __init__(self, inputs: int, outputs: int, count: int, seed: int, shift: float = 0.0):
        self.draw = torch.Generator().manual_seed(seed)
        first = self.normal(count, HIDDEN, inputs)
        second = self.normal(count, outputs, HIDDEN)
        self.teacher = (
            first / first.norm(dim=2, keepdim=True),
            second / second.norm(dim=1, keepdim=True),
        )
        dial = math.exp(shift / 2)
        self.first, self.second = self.teacher[0] * dial, self.teacher[1] / dial

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers in float64."""
        return torch.randn(*shape, generator=self.draw, dtype=torch.float64)

    def run(self, steps: int, rate: float, decay: float, look: Callable[..., None]) -> None:
        """Descend; before each step `look(step, students, flow)` sees B of the squared gradient."""
        count, _, inputs = self.first.shape
        keep, at = 1 - rate * decay, 0
        while at < steps:
            x = self.normal(count, BLOCK, inputs)
            clean = (x @ self.teacher[0].mT).relu() @ self.teacher[1].mT
            y = clean + NOISE * self.normal(*clean.shape)
            size = x.square().sum(2, keepdim=True)
            for k in range(min(BLOCK, steps - at)):
                here = x[:, k, :, None]
                hidden = (self.first @ here).relu()
                miss = self.second @ hidden - y[:, k, :, None]
                sent = (self.second.mT @ miss) * (hidden > 0)
                flow = sent.square() * size[:, k, :, None]
                flow -= hidden.square() * miss.square().sum(1, keepdim=True)
                look(at + k, self, flow[:, :, 0])
                slope = sent @ here.mT
                self.second = keep * self.second - rate * (miss @ hidden.mT)
                self.first = keep * self.first - rate * slope
            at += BLOCK

    def squares(self) -> tuple[Tensor, Tensor]:
        """r² and s² of each hidden unit, `(students, units)`."""
        return self.first.square().sum(2), self.second.square().sum(1)


def equilibrium(
    inputs: int, outputs: int, rate: float, decay: float, count: int, seed: int, span: float = 16.0
) -> dict:
    """Averages over `span` of the time τ, after half as long was left for coming to rest."""
    students = Students(inputs, outputs, count, seed)
    rest, steps = int(span / 2 / rate**2), int(1.5 * span / rate**2)
    sums = [torch.zeros(count, HIDDEN, dtype=torch.float64) for _ in range(4)]

    def look(step: int, here: Students, flow: Tensor) -> None:
        if step < rest:
            return
        sums[0].add_(flow)
        if step % 10 == 0:
            r, s = here.squares()
            for total, value in zip(sums[1:], (r, s, (r / s).log())):
                total.add_(value, alpha=10.0)

    students.run(steps, rate, decay, look)
    flow, r, s, log = (total / (steps - rest) for total in sums)
    out = {
        "inputs": inputs, "outputs": outputs, "rate": rate, "decay": decay, "steps": steps,
        "predicted": predicted_ratio(inputs, outputs, rate, decay),
        "log ratio": mean_and_error((r / s).log().mean(1)), "mean log": mean_and_error(log.mean(1)),
    }  # fmt: skip
    if decay:
        law = rate / (decay * (2 - rate * decay)) * flow.mean(1)
        charge = (r - s).mean(1)
        out |= {"charge": mean_and_error(charge), "law": mean_and_error(law)}
        out["miss"] = mean_and_error(charge - law)
    return out


def predicted_ratio(inputs: int, outputs: int, rate: float, decay: float) -> float:
    """r²/s² where the averaged motion on one orbit rests."""
    if decay == 0:
        return inputs / outputs
    weight = rate * NOISE**2 / (4 * decay)
    return (1 + weight * inputs) / (1 + weight * outputs)


def orbit(
    inputs: int, outputs: int, rate: float, decay: float, start: float, count: int, seed: int,
    span: float = 5.0, marks: int = 30,
) -> dict:  # fmt: skip
    """The mean of u = log(r/s) over units and students on its way, and the averaged motion's."""
    students = Students(inputs, outputs, count, seed, shift=start)
    steps = int(span / rate**2)
    every = steps // marks
    seen: list[list[float]] = []

    def look(step: int, here: Students, flow: Tensor) -> None:
        if step % every == 0:
            r, s = here.squares()
            seen.append(mean_and_error((r / s).log().mean(1) / 2))

    students.run(steps + 1, rate, decay, look)
    times = [k * every * rate**2 for k in range(len(seen))]
    return {
        "inputs": inputs, "outputs": outputs, "rate": rate, "decay": decay, "start": start,
        "every": every, "mean": [m for m, _ in seen], "error": max(e for _, e in seen),
        "flow": mirror_flow(inputs, outputs, rate, decay, start, times),
    }  # fmt: skip


def mirror_flow(
    inputs: int, outputs: int, rate: float, decay: float, start: float, times: list[float]
) -> list[float]:
    """The averaged motion of u to the given times, by Runge-Kutta steps of order four."""

    def speed(u: float) -> float:
        pull = NOISE**2 / 2 * (inputs * math.exp(-u) - outputs * math.exp(u))
        return (pull - 4 * decay / rate * math.sinh(u)) / (2 * math.cosh(u))

    u, out = start, [start]
    for before, after in pairwise(times):
        h = (after - before) / 20
        for _ in range(20):
            a = speed(u)
            b = speed(u + h / 2 * a)
            c = speed(u + h / 2 * b)
            u += h / 6 * (a + 2 * b + 2 * c + speed(u + h * c))
        out.append(u)
    return out
