"""Networks trained on scikit-learn's digits, the gauges to write them in, and how to sum up seeds.

What `which_gauge_quantised.py` and `which_gauge_compared.py` share. Every network is in float64
and has biases; its parameters are a dictionary with the names of an `nn.Sequential`.
"""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from gaugelib import GaugeGroup, minimum_norm, mlp_group, rescale
from gaugelib.data import Dataset, digits
from gaugelib.gauges import balance_coefficients, rounding_gauge

STORED = pathlib.Path(__file__).parent.parent / "gaugelib" / "gauges" / "stored"
DATA: Dataset = digits()
Params = dict[str, Tensor]
BATCH = 32


def group_of(widths: tuple[int, ...]) -> GaugeGroup:
    """The gauge group of a multilayer perceptron of these widths."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return mlp_group(nn.Sequential(*layers[:-1]))


def weights(params: Params) -> list[str]:
    """The names of the weights, from the input to the output."""
    return [name for name in params if name.endswith("weight")]


def started(widths: tuple[int, ...], seed: int) -> Params:
    """PyTorch's own first parameters, uniform up to one over the root of the fan in."""
    draw = torch.Generator().manual_seed(seed)
    params: Params = {}
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            value = torch.rand(shape, generator=draw, dtype=torch.float64)
            params[f"{2 * k}.{name}"] = (2 * value - 1) / math.sqrt(inputs)
    return params


def outputs(params: Params, inputs: Tensor) -> Tensor:
    """What the network says, `(examples, 10)`."""
    names = weights(params)
    for name in names:
        inputs = functional.linear(inputs, params[name], params[name.replace("weight", "bias")])
        inputs = inputs if name == names[-1] else inputs.relu()
    return inputs


def loss(params: Params, inputs: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy."""
    return functional.cross_entropy(outputs(params, inputs), labels)


def correct(params: Params) -> int:
    """How many of the 360 test images are recognised."""
    return int((outputs(params, DATA.test_inputs).argmax(1) == DATA.test_labels).sum())


def trained(params: Params, how: str, epochs: int, seed: int, part: Tensor | None = None) -> Params:
    """Parameters after some epochs of `sgd` (rate 0.1) or `adamw` (0.001), batches of 32.

    `part` has the numbers of the training images to use; by default it is all of them.
    """
    draw = torch.Generator().manual_seed(1000 + seed)
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    kinds = {"sgd": (torch.optim.SGD, 0.1), "adamw": (torch.optim.AdamW, 0.001)}
    kind, rate = kinds[how]
    optimiser = kind(leaves.values(), lr=rate)
    part = torch.arange(len(DATA.train_labels)) if part is None else part
    for _ in range(epochs):
        for batch in part[torch.randperm(len(part), generator=draw)].split(BATCH):
            optimiser.zero_grad()
            loss(leaves, DATA.train_inputs[batch], DATA.train_labels[batch]).backward()
            optimiser.step()
    return {name: value.detach() for name, value in leaves.items()}


@torch.no_grad()
def gauss_newton(params: Params, kind: str) -> Params:
    """The diagonal of Gauss-Newton's matrix over the training images, `squared` or `entropy`.

    As `gaugelib.gauges.gauss_newton_diagonal`, which serves any network, but in a hundredth of the
    time: in a perceptron the square of a derivative is a product of squares.
    """
    names, inside = weights(params), [DATA.train_inputs]
    for name in names[:-1]:
        bias = params[name.replace("weight", "bias")]
        inside.append(functional.linear(inside[-1], params[name], bias).relu())
    said = outputs(params, DATA.train_inputs)
    chances, unit = said.softmax(1), torch.eye(said.shape[1], dtype=said.dtype)
    found = {name: torch.zeros_like(value) for name, value in params.items()}
    for k in range(said.shape[1]):
        back = unit[k].expand_as(said)
        if kind == "entropy":  # diag(p) - ppᵀ is the sum over k of p_k (e_k - p)(e_k - p)ᵀ
            back = chances[:, k : k + 1].sqrt() * (back - chances)
        for name, below in zip(reversed(names), reversed(inside), strict=True):
            found[name] += back.square().T @ below.square() / len(said)
            found[name.replace("weight", "bias")] += back.square().mean(0)
            back = (back @ params[name]) * (below > 0)
    return found


def random_gauge(group: GaugeGroup, sigma: float, seed: int) -> Tensor:
    """Scales whose logarithms are normal with this standard deviation."""
    draw = torch.Generator().manual_seed(seed)
    return (sigma * torch.randn(group.units, generator=draw, dtype=torch.float64)).exp()


def norm_gauge(params: Params, group: GaugeGroup, p: float = 2.0) -> Tensor:
    """Scales that lead to the minimum-norm gauge."""
    return minimum_norm(params, group, p=p, tol=1e-9).scales


def trace_gauge(params: Params, group: GaugeGroup) -> Tensor:
    """Scales that lead to where the trace of Gauss-Newton's matrix is smallest."""
    diagonal = gauss_newton(params, "entropy")
    return balance_coefficients(diagonal, group, exponent=-2, tol=1e-9).scales


def equalised(params: Params, group: GaugeGroup, sweeps: int = 200) -> Tensor:
    """Scales of cross-layer equalisation: the largest weight in made that out, layer by layer."""
    scales, names = torch.ones(group.units, dtype=torch.float64), weights(params)
    for _ in range(sweeps):
        before = scales.clone()
        for part, (name, after) in zip(group.layers.values(), pairwise(names), strict=True):
            here = rescale(params, scales, group)
            into, out = here[name].abs().amax(1), here[after].abs().amax(0)
            scales[part] *= (out / into).sqrt()
        if torch.allclose(scales, before, rtol=1e-9, atol=0):
            break
    return scales


def rounding(params: Params, group: GaugeGroup, rows: bool) -> Tensor:
    """Scales that lead to where rounding to one step for each layer, or each row, does least."""
    seen = gauss_newton(params, "squared")
    return rounding_gauge(params, seen, group, per_channel=rows, tol=1e-2)


def spread_of(values: Iterable[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    numbers = torch.tensor(list(values), dtype=torch.float64)
    return float(numbers.mean()), float(numbers.std() / math.sqrt(len(numbers)))


def rounded(value):
    """Numbers to five digits."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read(name: str) -> dict:
    """What is stored, or nothing."""
    path = STORED / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(name: str, parts: dict[str, list[dict]]) -> None:
    """One line for each row, after where it comes from."""
    packages = ("torch", "scikit-learn", "scipy", "numpy")
    provenance = {
        "command": f"python benchmarks/which_gauge_{name}.py",
        "versions": {package: version(package) for package in packages},
        "date": date.today().isoformat(),
    }
    lines = [f'"provenance": {json.dumps(provenance)}']
    for part, rows in parts.items():
        lines.append(f'"{part}": [\n' + ",\n".join(json.dumps(rounded(r)) for r in rows) + "\n]")
    STORED.mkdir(exist_ok=True)
    text = "{" + ",\n".join(lines) + "}\n"
    (STORED / f"{name}.json").write_text(text, encoding="utf-8")
