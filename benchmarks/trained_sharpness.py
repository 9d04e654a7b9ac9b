r"""How much of the difference between two trained networks' sharpness is gauge.

    python benchmarks/trained_sharpness.py

About twelve minutes on one core. Writes gaugelib/curvature/trained.json after each network; what is
there already is kept, so a run that was stopped is resumed. Delete the file to begin anew.

Data: the first 400 training images of the digits. Networks, with biases, in float64:
`convolutional` (1446 parameters, 20 hidden units) and `residual` (970, 12 units).
Losses: `cross-entropy`, and `squared`, ½ mean |f(x) − y|².

Descent on all 400 images at once, with momentum 0.9, until the loss first falls below 0.05
(cross-entropy) or 0.15 (squared), for networks are compared at equal loss: with cross-entropy the
sharpness falls as confidence grows, whatever the steps. No minibatches: their noise would be a
second cause. Momentum shortens the small steps' way by ten. Seeds 0 to 4, and four ways:

- `small`: rate 0.02, stable up to a sharpness of 2 (1 + 0.9)/0.02 = 190; nearly gradient flow;
- `large`: rate 0.16, stable up to 24, which small steps exceed on most of their way; the loss
  rises now and then, by 1 or 2 in a step;
- `uneven 0.5`, `uneven 1`: rate 0.02, from the same function in a gauge whose log-dials have this
  standard deviation; the latter with cross-entropy only.

Rates were found by trying: eight times the small one is about what the networks can bear. The start
is He's with cross-entropy, weights of variance 2/fan-in. With the squared loss it is half of that:
at He's the sharpness is 25 to 80, and large steps lead to a network that gives 0 everywhere. Biases
are 0.

The common gauge is that of minimum norm, biases among the incoming. Sharpness is
`gaugelib.sharpness` with `tol=1e-6`. The trace is exact: the output is piecewise linear in each
single parameter, so the diagonal of the Hessian is that of the Gauss-Newton matrix, which the
gradients of the outputs give at each image (`trace`); a test compares `hessian_trace`.

The file, as JSON, has numbers to six digits. All six stay where the start is nudged by 1e-12,
relative, but for two residual runs (cross-entropy, `uneven 1`, seed 4; squared, `large`, seed 0).
There it moves sharpness and trace by up to 5 %.

- `rows`: for each run `network`, `loss`, `way`, `seed`; `steps`, and at the end `value` (the loss);
  `rise`, the largest rise of the loss in one step on the way; `first`, the sharpness at the start;
  `error` on the 360 test images; `ratio`, the rms of u = log r/s over the units; and as pairs, as
  trained and in the common gauge, `sharpness` and `trace`.
- `orbits`: for seed 0 and `small` of each network and loss, `t`, and `sharpness` and `trace` at
  e^{tξ} times the network of minimum norm; ξ is drawn from the standard normal distribution.
"""

from __future__ import annotations

import json
import math
import pathlib
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap
from tqdm import tqdm

from gaugelib import GaugeError, log_ratio, minimum_norm, rescale, trace_group
from gaugelib.curvature import sharpness
from gaugelib.data import digits

FILE = pathlib.Path(__file__).parent.parent / "gaugelib" / "curvature" / "trained.json"
IMAGES, MOMENTUM, MOST, SEEDS = 400, 0.9, 1500, 5
NETWORKS = ("convolutional", "residual")
UNTIL = {"cross-entropy": 0.05, "squared": 0.15}
RATES = {"small": 0.02, "large": 0.16, "uneven 0.5": 0.02, "uneven 1": 0.02}
TIMES = tuple(k / 5 for k in range(-5, 6))
Params = dict[str, Tensor]


class Run(NamedTuple):
    """What is trained, and how."""

    network: str
    loss: str
    way: str
    seed: int


def runs() -> list[Run]:
    """All of them."""
    return [
        Run(network, loss, way, seed)
        for seed in range(SEEDS)
        for network in NETWORKS
        for loss in UNTIL
        for way in RATES
        if (loss, way) != ("squared", "uneven 1")
    ]


def convolutional() -> nn.Sequential:
    """Two convolutions and one linear layer, for images of 8 × 8."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(48, 10),
    ).double()  # fmt: skip


class Residual(nn.Module):
    """A stream of six channels with one residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, stride=2, padding=1, dtype=torch.float64)
        self.inner = nn.Conv2d(6, 6, 3, padding=1, dtype=torch.float64)
        self.outer = nn.Conv2d(6, 6, 3, padding=1, dtype=torch.float64)
        self.head = nn.Linear(24, 10, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        """Images (n, 1, 8, 8) to (n, 10)."""
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.outer(torch.relu(self.inner(x))))
        return self.head(nn.functional.avg_pool2d(x, 2).flatten(1))


class Task:
    """A network, its group, a loss, and the images."""

    def __init__(self, network: str, loss: str) -> None:
        data = digits()
        self.model = convolutional() if network == "convolutional" else Residual()
        self.kind = loss
        self.inputs = data.train_inputs[:IMAGES].view(-1, 1, 8, 8)
        self.labels = data.train_labels[:IMAGES]
        self.unseen = data.test_inputs.view(-1, 1, 8, 8), data.test_labels
        self.group = trace_group(self.model, self.inputs[:2])

    def outputs(self, params: Params, inputs: Tensor) -> Tensor:
        """Shape (n, 10)."""
        return functional_call(self.model, params, (inputs,))

    def loss(self, params: Params) -> Tensor:
        """Mean over the images."""
        found = self.outputs(params, self.inputs)
        if self.kind == "cross-entropy":
            return nn.functional.cross_entropy(found, self.labels)
        miss = found - nn.functional.one_hot(self.labels, 10)
        return miss.square().sum() / (2 * len(miss))

    def start(self, way: str, seed: int) -> Params:
        """Where a run begins."""
        draw = torch.Generator().manual_seed(seed)
        params = {}
        for name, w in self.model.named_parameters():
            params[name] = torch.zeros_like(w, requires_grad=False)
            if w.dim() > 1:
                noise = torch.randn(w.shape, generator=draw, dtype=w.dtype)
                gain = 2 if self.kind == "cross-entropy" else 1
                params[name] = noise * (gain / w[0].numel()) ** 0.5
        if not way.startswith("uneven"):
            return params
        dials = self.group.random(generator=draw, log_std=float(way.split()[1]))
        return rescale(params, dials, self.group)

    def common(self, params: Params) -> Params:
        """The network of minimum norm on the orbit."""
        return minimum_norm(params, self.group, include_bias=True).params

    def test_error(self, params: Params) -> float:
        """Share of the test images with a wrong label."""
        inputs, labels = self.unseen
        return float((self.outputs(params, inputs).argmax(1) != labels).double().mean())


def trace(task: Task, params: Params) -> float:
    r"""The trace of the Hessian, from the gradients of the outputs.

    It is the mean over images of $\sum_{cc'}S_{cc'}\langle\nabla f_c,\nabla f_{c'}\rangle$, with S
    the second derivative of the loss by the outputs.
    """
    one = jacrev(lambda p, x: task.outputs(p, x[None])[0])
    total = 0.0
    for inputs in task.inputs.split(50):
        slopes = vmap(one, in_dims=(None, 0))(params, inputs)
        slopes = torch.cat([j.flatten(2) for j in slopes.values()], 2)
        squares = slopes.square().sum(2)
        if task.kind == "squared":
            total += float(squares.sum())
            continue
        odds = task.outputs(params, inputs).softmax(1)
        middle = torch.einsum("nc,nce->ne", odds, slopes)
        total += float((odds * squares).sum() - middle.square().sum())
    return total / len(task.inputs)


def trained(task: Task, way: str, start: Params) -> tuple[Params, int, float, float]:
    """Parameters, number of steps, loss, and the largest rise of the loss in one step.

    Raises:
        GaugeError: if the loss does not come below the threshold.
    """
    params = {n: w.clone().requires_grad_() for n, w in start.items()}
    descent = torch.optim.SGD(params.values(), lr=RATES[way], momentum=MOMENTUM)
    last, rise = math.inf, 0.0
    for step in range(MOST):
        loss = task.loss(params)
        rise, last = max(rise, loss.item() - last), loss.item()
        if last < UNTIL[task.kind]:
            return {n: w.detach() for n, w in params.items()}, step, last, rise
        descent.zero_grad()
        loss.backward()
        descent.step()
    raise GaugeError(f"{way!r} came to a loss of {last:.3g} in {MOST} steps")


def row(run: Run, nudge: float = 0.0) -> dict:
    """One run; `nudge`: the start is off by this, relative."""
    task = Task(run.network, run.loss)
    start = {n: w * (1 + nudge) for n, w in task.start(run.way, run.seed).items()}
    params, steps, value, rise = trained(task, run.way, start)
    out: dict = run._asdict() | {"steps": steps, "value": value, "rise": rise}
    out["first"] = float(sharpness(task.loss, start))
    both = params, task.common(params)
    ratio = log_ratio(params, task.group, include_bias=True).square().mean().sqrt()
    out |= {"error": task.test_error(params), "ratio": float(ratio)}
    out["sharpness"] = [float(sharpness(task.loss, p)) for p in both]
    out["trace"] = [trace(task, p) for p in both]
    return rounded(out)


def orbit(network: str, loss: str, nudge: float = 0.0) -> dict:
    """Sharpness and trace along an orbit."""
    task = Task(network, loss)
    start = {n: w * (1 + nudge) for n, w in task.start("small", 0).items()}
    least = task.common(trained(task, "small", start)[0])
    draw = torch.Generator().manual_seed(100)
    direction = torch.randn(task.group.units, generator=draw, dtype=torch.float64)
    out: dict = {"network": network, "loss": loss, "t": list(TIMES), "sharpness": [], "trace": []}
    for t in TIMES:
        here = rescale(least, (t * direction).exp(), task.group)
        out["sharpness"].append(float(sharpness(task.loss, here)))
        out["trace"].append(trace(task, here))
    return rounded(out)


def rounded(value):
    """Numbers to six digits."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main() -> None:
    """Run what is not in the file."""
    stored = {"rows": [], "orbits": []}
    if FILE.exists():
        stored = json.loads(FILE.read_text(encoding="utf-8"))
    done = {Run(*(one[name] for name in Run._fields)) for one in stored["rows"]}
    drawn = {(one["network"], one["loss"]) for one in stored["orbits"]}
    for run in tqdm([run for run in runs() if run not in done], desc="runs"):
        stored["rows"].append(row(run))
        write(stored)
    pairs = [(network, loss) for network in NETWORKS for loss in UNTIL]
    for pair in tqdm([pair for pair in pairs if pair not in drawn], desc="orbits"):
        stored["orbits"].append(orbit(*pair))
        write(stored)


def write(stored: dict) -> None:
    """One line for each row."""
    parts = [
        f'"{name}": [\n' + ",\n".join(json.dumps(one) for one in stored[name]) + "\n]"
        for name in ("rows", "orbits")
    ]
    FILE.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
