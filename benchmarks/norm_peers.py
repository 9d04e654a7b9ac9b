"""The minimum-norm gauge beside its peers: to the same criterion, or to another one that is named.

    python benchmarks/norm_peers.py [--rounds 5] [--keep FOLDER]

The networks are those of the paper's Figure 2, He-initialised, with biases, in float64, on one
thread. Each peer that brings a package has an environment of its own, made for this run in a
temporary folder. Every round asks every method once, for each the time from a model, or from the
matrix that it takes, to new weights. Reported are medians over the rounds of that time divided by
ours; how many plain readings of the weights it is; the imbalance at p = 2 of the weights found; and
the largest move of an output, as a part of the largest output.
Equi-normalization (Stock et al. 2019, their Algorithm 1) is written here from the paper.
Writes benchmarks/results/norm_peers.json and a table of the book's appendix, book/speed.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import pathlib
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import scipy
import torch
from appendix import write_table
from peers.networks import CONVOLVED, load, made
from peers.process import Process, environment
from peers.solver import gamma, reading, turn_
from scipy.linalg import matrix_balance
from streaming import FIGURE_2, digits, number
from torch import Tensor, nn
from tqdm import tqdm

from gaugelib import minimum_norm_

RESULTS = pathlib.Path(__file__).parent / "results" / "norm_peers.json"
TOLERANCE = 1e-3
PACKAGES = {
    "torch": "torch==2.13.0 numpy==2.3.5",
    "brevitas": "brevitas==0.13.4 torch==2.13.0 numpy==2.3.5",
    "aimet": "aimet-torch==2.42.0 torch==2.13.0 numpy==2.3.5",
}
OURS = "`minimum_norm_`"
Weights = dict[str, Tensor]


class Method(NamedTuple):
    """What is asked, and what it pursues."""

    goal: str
    changes: str
    run: Callable[[str, pathlib.Path], tuple[float, Weights]]  # of a network and its stored weights


def timed(work: Callable[[nn.Module], object]) -> Callable[[str, pathlib.Path], tuple]:
    """A method that works on the model in this process."""

    def run(name: str, file: pathlib.Path) -> tuple[float, Weights]:
        model = load(name, torch.load(file)["weights"], folded=True)
        began = time.perf_counter()
        work(model)
        return time.perf_counter() - began, model.state_dict()

    return run


def asked(process: Process, suffix: str = "") -> Callable[[str, pathlib.Path], tuple]:
    """A method that works in a process of its own, on the network in this form."""

    def run(name: str, file: pathlib.Path) -> tuple[float, Weights]:
        source, target = file, file.with_suffix(".found")
        like = {k: value.shape for k, value in torch.load(file)["weights"].items()}
        if suffix:
            source = file.with_suffix(".asked")
            torch.save(reshaped(torch.load(file), made(name + suffix)), source)
        answer = process.ask(json.dumps([name + suffix, str(source), str(target)]))
        if "refused" in answer:
            raise RuntimeError(f"a peer refuses {name}: {answer['refused']}")
        found = torch.load(target)
        return answer["seconds"], {k: found[k].reshape(shape) for k, shape in like.items()}

    return run


def reshaped(stored: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """Weights and inputs for a chain of convolutions of one pixel."""
    like = model.state_dict()
    weights = {k: value.reshape(like[k].shape) for k, value in stored["weights"].items()}
    return {"weights": weights, "inputs": stored["inputs"][:, :, None, None]}


def linear(model: nn.Module) -> list[nn.Linear]:
    """The layers, in order."""
    return [part for part in model.children() if isinstance(part, nn.Linear)]


@torch.no_grad()
def equi_normalise(model: nn.Module) -> None:
    """Equi-normalization: pair after pair of layers is balanced, on the weights, in cycles.

    The end is ours: every unit that a cycle met was balanced already, up to the tolerance.
    """
    layers = linear(model)
    worst = 1.0
    while worst >= TOLERANCE:
        worst = 0.0
        for one, two in pairwise(layers):
            left, right = one.weight.norm(dim=1), two.weight.norm(dim=0)
            off = (left.square() - right.square()).abs() / (left.square() + right.square())
            worst = max(worst, float(off.max()))
            factor = (right / left).sqrt()
            one.weight.mul_(factor[:, None])
            one.bias.mul_(factor)
            two.weight.div_(factor)


@torch.no_grad()
def lapack_balance(model: nn.Module) -> None:
    """SciPy's balancing of one matrix: all units, with inputs and outputs as a single one.

    Its entry between a hidden unit and that one is the norm of all weights between them.
    """
    layers = linear(model)
    ends = np.cumsum([1, *(layer.out_features for layer in layers[:-1])])
    units = [slice(a, b) for a, b in pairwise(ends)]
    matrix = np.zeros((ends[-1], ends[-1]))
    matrix[units[0], 0] = layers[0].weight.norm(dim=1).numpy()
    matrix[0, units[-1]] = layers[-1].weight.norm(dim=0).numpy()
    for layer, (before, after) in zip(layers[1:-1], pairwise(units), strict=True):
        matrix[after, before] = layer.weight.numpy()
    _, (scale, _) = matrix_balance(matrix, permute=False, separate=True, overwrite_a=True)
    scales = torch.from_numpy(scale[0] / scale[1:])
    turn_([layer.weight for layer in layers], scales)
    for layer, factor in zip(layers, scales.split([len(part.bias) for part in layers[:-1]])):
        layer.bias.mul_(factor)


def methods(processes: dict[str, Process]) -> dict[str, Method]:
    """Everything that is compared, by name; ours first."""
    norm, ranges = f"γ < {TOLERANCE:g}", "equal ranges of a unit's weights in and out"
    both = "weights and biases"
    return {
        OURS: Method(norm, both, timed(lambda model: minimum_norm_(model, tol=TOLERANCE))),
        "Equi-normalization, from its paper": Method(norm, both, timed(equi_normalise)),
        "SciPy's `matrix_balance` (LAPACK)": Method(
            "its own: no unit gains 5 % by a power of 2", "a matrix", timed(lapack_balance)
        ),
        "PyTorch's `_equalize`": Method(ranges, both, asked(processes["torch"])),
        "Brevitas": Method(ranges, both, asked(processes["brevitas"])),
        "AIMET, linear layers": Method(ranges, "nothing", asked(processes["aimet"])),
        "AIMET, as convolutions of one pixel": Method(
            ranges, both, asked(processes["aimet"], CONVOLVED)
        ),
    }


def network(widths: tuple[int, ...]) -> dict[str, Any]:
    """Weights as initialised, biases that are not zero, and inputs."""
    draw = torch.Generator().manual_seed(0)
    weights = {}
    for k, (m, n) in enumerate(pairwise(widths)):
        value = torch.randn(n, m, generator=draw, dtype=torch.float64)
        weights[f"layer{k}.weight"] = value * (2 / m) ** 0.5
        weights[f"layer{k}.bias"] = torch.randn(n, generator=draw, dtype=torch.float64)
    inputs = torch.randn(64, widths[0], generator=draw, dtype=torch.float64)
    return {"weights": weights, "inputs": inputs}


@torch.no_grad()
def judged(name: str, weights: Weights, stored: dict[str, Any]) -> dict[str, float]:
    """The imbalance of the weights, and how far the outputs moved."""
    first, model = (load(name, w, folded=True) for w in (stored["weights"], weights))
    before, after = first(stored["inputs"]), model(stored["inputs"])
    moved = float((after - before).abs().max() / before.abs().max())
    matrices = [value for key, value in weights.items() if key.endswith("weight")]
    return {"gamma": number(gamma(matrices, 2.0)), "moved": number(moved)}


def compare(
    compared: dict[str, Method], widths: tuple[int, ...], rounds: int, folder: pathlib.Path
) -> dict[str, dict[str, float]]:
    """Times, imbalance and move of each method on one network."""
    name, file, stored = "-".join(map(str, widths)), folder / "network.pt", network(widths)
    torch.save(stored, file)
    matrices = [value for key, value in stored["weights"].items() if key.endswith("weight")]
    found = {key: judged(name, one.run(name, file)[1], stored) for key, one in compared.items()}
    times: dict[str, list[tuple[float, float]]] = {key: [] for key in compared}
    for _ in range(rounds):
        taken = {key: one.run(name, file)[0] for key, one in compared.items()}
        once = statistics.median(read(matrices) for _ in range(9))
        for key, seconds in taken.items():
            times[key].append((seconds / taken[OURS], seconds / once))
    for key, row in found.items():
        ratios, readings = zip(*times[key], strict=True)
        row["time"] = number(statistics.median(ratios))
        row["readings"] = number(statistics.median(readings))
    return found


def read(matrices: list[Tensor]) -> float:
    """Seconds of a plain reading."""
    began = time.perf_counter()
    reading(matrices)
    return time.perf_counter() - began


def table(record: dict[str, Any]) -> str:
    """The results as Markdown: times on each network, the rest on the deepest."""
    networks = record["networks"]
    depths = [f"L = {name.count('-')}" for name in networks]
    deepest = list(networks.values())[-1]
    lines = [
        f"| method | pursues | {' | '.join(depths)} | readings | γ | outputs move | changes |",
        "|---|---|" + "---:|" * (len(depths) + 3) + "---|",
    ]
    for key, row in deepest.items():
        goal, changes = record["methods"][key]
        cells = [digits(found[key]["time"]) for found in networks.values()]
        cells += [digits(row["readings"]), f"{row['gamma']:.2g}"]
        cells += [f"{row['moved']:.0e}" if row["moved"] else "0", changes]
        lines.append(f"| {key} | {goal} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the environments")
    rounds, kept = (asked := parser.parse_args()).rounds, asked.keep
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, processes = pathlib.Path(name), {}
        for peer, wanted in tqdm(PACKAGES.items(), desc="environments"):
            python = (kept or folder) / peer / "bin" / "python"
            if not python.exists():
                environment(wanted.split(), (kept or folder) / peer)
            processes[peer] = Process(str(python), f"with_{peer}.py")
        compared = methods(processes)
        networks = {
            "-".join(map(str, widths)): compare(compared, widths, rounds, folder)
            for widths in tqdm(FIGURE_2, desc="networks")
        }
        for process in processes.values():
            process.close()
    record = {
        "command": "python benchmarks/norm_peers.py",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "tolerance": TOLERANCE,
        "dtype": "float64",
        "threads": 1,
        "rounds": rounds,
        "processor": platform.machine(),
        "versions": {"torch": torch.__version__, "scipy": scipy.__version__, **PACKAGES},
        "methods": {key: [one.goal, one.changes] for key, one in compared.items()},
        "networks": networks,
    }
    RESULTS.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_table("norm_peers.py", table(record))
    print(table(record))


if __name__ == "__main__":
    main()
