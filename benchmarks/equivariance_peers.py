"""The space of equivariant weights, beside three peers: the same space, in how much time.

    python benchmarks/equivariance_peers.py [--rounds 9]

Networks with one hidden layer and one output, under groups that permute their inputs. Each peer has
an environment of its own, made for this run in a temporary folder, because their versions of numpy
exclude each other, and answers questions from there (`benchmarks/peers/`). It takes what groups and
representations it can express; the others are left empty. Every basis is made orthonormal here, and
the projectors are compared. Time is from representations that are there already to a dense basis,
one thread, the ratio to ours in the same round; medians.
The last table is what the equivariance tests say of a Deep Sets channel with ReLU; of one that has
0.5 added to one weight, and so keeps only the permutations that leave this unit where it is; and of
a ten-thousandth of the latter, which fails as badly relative to its outputs. emlp tests matrices.
Writes benchmarks/results/equivariance_peers.json.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import platform
import statistics
import tempfile
import time
from typing import Any

import numpy as np
import sympy
import torch
from peers.process import Process, environment
from peers.serve import MODELS, Basis, matrix
from sympy.combinatorics import CyclicGroup, SymmetricGroup
from torch import nn
from tqdm import tqdm

from gaugelib.equivariance import (
    Representation,
    copies,
    equivariant_space,
    homomorphisms,
    natural,
    trivial,
)
from gaugelib.testing import assert_equivariant

HERE = pathlib.Path(__file__).parent
AGREE = 1e-10
PEERS = {
    "emlp": (
        "emlp==1.0.3 jax==0.4.30 jaxlib==0.4.30 numpy==1.26.4 scipy==1.11.4 optax==0.2.3 "
        "chex==0.1.86 objax==1.8.0 plum-dispatch==1.7.4 scikit-learn==1.5.2 six==1.17.0"
    ),
    "escnn": (
        "escnn==1.0.11 torch==2.13.0 numpy==1.26.4 scipy==1.15.3 lie_learn==0.0.2 joblib==1.5.3 "
        "pymanopt==2.2.1 autograd==1.8.0 requests==2.32.5"
    ),
    "e3nn": "e3nn==0.6.0 torch==2.13.0 numpy==2.3.5 scipy==1.17.1",
}
# it asks for a Fortran library that its finite groups do without
ALONE = {"escnn": ("escnn", "lie_learn")}


def through_two() -> Representation:
    """The homomorphism that lets the odd permutations exchange the first two of three units."""
    group = SymmetricGroup(3)
    (found,) = (
        pi
        for pi in homomorphisms(group, 3)
        if {tuple(row) for row in pi.images.tolist()} == {(0, 1, 2), (1, 0, 2)}
    )
    return found


def cases() -> dict[str, tuple[Representation, Representation, Representation]]:
    """For each case how inputs, hidden units and the output are permuted."""
    three, two, six, ring = (
        SymmetricGroup(3),
        SymmetricGroup(2),
        SymmetricGroup(6),
        CyclicGroup(4),
    )
    double, pairs = copies(natural(three), 2), copies(natural(two), 3)
    return {
        "S3": (natural(three), natural(three), trivial(three)),
        "S3, two channels": (double, double, trivial(three)),
        "S3, image of order 2": (natural(three), through_two(), trivial(three)),
        "S6": (natural(six), natural(six), trivial(six)),
        "Z4": (natural(ring), natural(ring), trivial(ring)),
        "Z2": (natural(two), natural(two), trivial(two)),
        "Z2, three pairs": (pairs, pairs, trivial(two)),
    }


def ours(steps: tuple[Representation, ...]) -> Basis:
    """The basis, as the peers give theirs: a parameter at a time."""
    basis = equivariant_space(steps).basis()
    parts = dict(zip(("W", "v"), basis.values()))
    return {key: part[part.flatten(1).any(dim=1)].numpy() for key, part in parts.items()}


def projector(basis: np.ndarray) -> tuple[int, np.ndarray]:
    """The dimension of a span, and the orthogonal projector onto it."""
    left, size, _ = np.linalg.svd(basis.reshape(len(basis), -1).T, full_matrices=False)
    left = left[:, size > 1e-6 * size[0]]
    return left.shape[1], left @ left.T


class Peer(Process):
    """A peer's process in an environment of its own."""

    def __init__(self, name: str, folder: str) -> None:
        wanted = PEERS[name].split()
        alone = [w for w in wanted if w.split("==")[0] in ALONE.get(name, ())]
        python = environment(wanted, pathlib.Path(folder) / name, alone)
        super().__init__(python, f"with_{name}.py", JAX_ENABLE_X64="1")
        self.cases: list[str] = self.greeting

    def basis(self, case: str) -> Basis:
        """Its basis of a case."""
        return {key: np.array(value) for key, value in self.ask(f"basis:{case}").items()}


def compare(peers: dict[str, Peer], rounds: int) -> dict[str, dict[str, Any]]:
    """For each case our dimension, and each peer's, its largest difference and its time."""
    results: dict[str, dict[str, Any]] = {}
    for case, steps in tqdm(cases().items()):
        own = {key: projector(part) for key, part in ours(steps).items()}
        results[case] = {"dimension": sum(found for found, _ in own.values())}
        able = {name: peer for name, peer in peers.items() if case in peer.cases}
        for name, peer in able.items():
            theirs = {key: projector(part) for key, part in peer.basis(case).items()}
            difference = max(float(abs(own[key][1] - theirs[key][1]).max()) for key in own)
            dimension = sum(found for found, _ in theirs.values())
            results[case][name] = {"dimension": dimension, "difference": difference}
            if dimension != results[case]["dimension"] or not difference <= AGREE:
                raise RuntimeError(f"{name} has another space for {case}: {results[case]}")
        ratios: dict[str, list[float]] = {name: [] for name in able}
        for _ in range(rounds):
            began = time.perf_counter()
            ours(steps)
            taken = time.perf_counter() - began
            for name, peer in able.items():
                ratios[name].append(peer.ask(f"time:{case}") / taken)
        for name, values in ratios.items():
            results[case][name]["ratio"] = statistics.median(values)
            results[case][name]["ratios"] = sorted(float(f"{value:.3g}") for value in values)
    return results


def own_test(name: str) -> str:
    """What our test says of a channel."""
    group = SymmetricGroup(3)
    layer = nn.Linear(3, 3, bias=False)
    layer.weight.data = torch.tensor(matrix(name, 3))
    model = nn.Sequential(layer, nn.ReLU())
    example = torch.randn(10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    try:
        errors = assert_equivariant(model, group, example, outputs=natural(group))
    except AssertionError as error:
        return f"AssertionError, {str(error).split(': ', 1)[1].split(';')[0]}"
    return f"a number for each of {len(errors)} elements, at most {max(errors.values()):.0e}"


def spaces(results: dict[str, dict[str, Any]]) -> str:
    """Dimensions, differences and times as Markdown."""
    lines = ["| case | dimension | " + " | ".join(f"{p}: difference, time" for p in PEERS) + " |"]
    lines.append("|---|---:|" + "---:|" * len(PEERS))
    for case, row in results.items():
        cells = [
            f"{row[p]['difference']:.0e}, {row[p]['ratio']:.2g}" if p in row else "–" for p in PEERS
        ]
        lines.append(f"| {case} | {row['dimension']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sayings(tests: dict[str, dict[str, str]]) -> str:
    """What the tests report, as Markdown."""
    lines = ["| test | " + " | ".join(MODELS) + " |", "|---|" + "---|" * len(MODELS)]
    lines += [f"| {p} | " + " | ".join(said[m] for m in MODELS) + " |" for p, said in tests.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        peers = {name: Peer(name, folder) for name in PEERS}
        results = compare(peers, rounds)
        tests = {"gaugelib": {model: own_test(model) for model in MODELS}}
        for name, peer in peers.items():
            tests[name] = {model: peer.ask(f"test:{model}") for model in MODELS}
            peer.close()
    record = {
        "threads": 1,
        "rounds": rounds,
        "processor": platform.machine(),
        "versions": {"torch": torch.__version__, "sympy": sympy.__version__},
        "peers": {name: wanted.split() for name, wanted in PEERS.items()},
        "results": results,
        "tests": tests,
    }
    target = HERE / "results" / "equivariance_peers.json"
    target.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(spaces(results), sayings(tests), sep="\n\n")


if __name__ == "__main__":
    main()
