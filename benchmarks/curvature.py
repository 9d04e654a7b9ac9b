"""How fast the sharpness is found: ratios of interleaved medians at one accuracy, on one thread.

    python benchmarks/curvature.py [--rounds 9]

The network is convolutional, on handwritten digits: as initialised, where the largest eigenvalues
lie close together, and after some training, where the largest stands apart. Every program finds the
largest eigenvalue of the same Hessian, in float64, for in float32 not all of them reach a relative
1e-6. Each has its own way to say how accurate; it runs with the loosest setting at which its error
was below that from each of several starts, measured against an eigenvalue converged further.
The peers are installed for this run, into a temporary folder.
Writes benchmarks/results/curvature.json and the third table of the book's appendix on speed.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import scipy
import torch
from appendix import write_table
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.datasets import load_digits
from torch import Tensor, nn
from tqdm import tqdm

from gaugelib import functional_call, params_of, sharpness
from gaugelib.curvature import HessianProduct

HERE = pathlib.Path(__file__).parent
PEERS = ("curvlinops-for-pytorch==3.0.1", "pyhessian==0.1", "hessian-eigenthings==1.0.0a5")
# what they import and this environment has not
NEEDED = ("backpack-for-pytorch", "einops", "einconv", "linear_operator", "opt-einsum", "jaxtyping")
NEEDED += ("wadler-lindig",)
BATCH, ACCURACY, STARTS = 128, 1e-6, 3
Find = Callable[[int], float]  # from the number of a start to an eigenvalue


def network() -> nn.Sequential:
    """A convolutional network of 118,186 parameters for images of 8 by 8 pixels."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1024, 96),
        nn.ReLU(),
        nn.Linear(96, 10),
    )


def problem(steps: int) -> tuple[nn.Module, Tensor, Tensor]:
    """The network after some steps of training, and the batch on which the loss is measured."""
    digits = load_digits()
    x = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    torch.manual_seed(0)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        rows = torch.randint(len(x), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return model.double(), x[:BATCH].double(), y[:BATCH]


def loss_of(model: nn.Module, x: Tensor, y: Tensor) -> Callable[[dict[str, Tensor]], Tensor]:
    """Cross-entropy as a function of the parameters."""
    return lambda theta: nn.functional.cross_entropy(functional_call(model, theta, (x,)), y)


def reference(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """The largest eigenvalue to more than ten digits, in a Krylov space of another size."""
    product = HessianProduct(loss_of(model, x, y), params_of(model))
    operator = LinearOperator(
        (product.size, product.size),
        matvec=lambda v: product.of_vector(torch.tensor(v).reshape(-1)).numpy(),
        dtype=np.float64,
    )
    start = np.random.default_rng(1).normal(size=product.size)
    found = eigsh(operator, 1, which="LA", v0=start, ncv=40, tol=1e-8, return_eigenvectors=False)
    return float(found[0])


def install_peers(folder: str) -> None:
    """Into a folder that is looked into last, so that torch and SciPy stay this environment's."""
    uv = subprocess.run(
        [HERE.parent / "tools" / "uv.sh"], check=True, capture_output=True, text=True
    ).stdout.strip()
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--target", folder, *PEERS, *NEEDED]
    subprocess.run(command, check=True)
    sys.path.append(folder)


def with_gaugelib(model: nn.Module, x: Tensor, y: Tensor, tol: float) -> Find:
    """`sharpness`, which starts from the same vector each time."""
    return lambda start: float(sharpness(loss_of(model, x, y), params_of(model), tol=tol))


def with_curvlinops(model: nn.Module, x: Tensor, y: Tensor, tol: float) -> Find:
    """Its operator given to SciPy's eigensolver, as its documentation does."""
    from curvlinops import HessianLinearOperator

    def find(start: int) -> float:
        params = list(model.parameters())
        operator = HessianLinearOperator(
            model, nn.CrossEntropyLoss(), params, [(x, y)], check_deterministic=False
        )
        v0 = np.random.default_rng(start).normal(size=operator.shape[1])
        found = eigsh(operator.to_scipy(), 1, which="LA", tol=tol, v0=v0, return_eigenvectors=False)
        return float(found[0])

    return find


def with_pyhessian(model: nn.Module, x: Tensor, y: Tensor, tol: float) -> Find:
    """Its power iteration, on a copy, for it writes to the model.

    It divides by a norm plus 1e-6, and so multiplies with a vector that is shorter than 1 by that:
    the eigenvalue is too small by a relative 2e-6, at any tolerance. That is put right here.
    """
    from pyhessian import hessian

    def find(start: int) -> float:
        torch.manual_seed(start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the cycle that backward(create_graph=True) makes
            peer = hessian(copy.deepcopy(model), nn.CrossEntropyLoss(), data=(x, y), cuda=False)
        (value,), _ = peer.eigenvalues(maxIter=2000, tol=tol)
        return value * (1 + 1e-6) ** 2

    return find


def with_eigenthings(model: nn.Module, x: Tensor, y: Tensor, steps: float) -> Find:
    """Its Lanczos iteration, of as many steps as are asked for."""
    from hessian_eigenthings import HessianOperator, lanczos

    def find(start: int) -> float:
        operator = HessianOperator(
            model, [(x, y)], lambda m, batch: nn.functional.cross_entropy(m(batch[0]), batch[1])
        )
        found = lanczos(operator, k=1, max_iter=int(steps), which="LA", seed=start)
        return float(found.eigenvalues[0])

    return find


TOLERANCES = [c * 10.0**-k for k in range(1, 9) for c in (3.0, 1.0)]
STEPS = [*range(4, 50, 2), *range(50, 200, 10)]
METHODS: dict[str, tuple[Callable[..., Find], Sequence[float]]] = {
    "`sharpness`": (with_gaugelib, [t for t in TOLERANCES if t > 5e-7]),
    "`sharpness`, as it is called by default": (with_gaugelib, [1e-6]),
    "curvlinops, with SciPy's `eigsh`": (with_curvlinops, TOLERANCES),
    "PyHessian, power iteration": (with_pyhessian, TOLERANCES),
    "hessian-eigenthings, Lanczos": (with_eigenthings, STEPS),
}


def settle(
    make: Callable[[float], Find], settings: Sequence[float], exact: float
) -> tuple[float, float]:
    """The loosest setting that is accurate from every start, and its largest error."""
    worst = float("inf")
    for setting in settings:
        errors = (abs(make(setting)(start) / exact - 1) for start in range(STARTS))
        worst = 0.0
        for error in errors:
            worst = max(worst, error)
            if worst > ACCURACY:
                break
        else:
            return setting, worst
    raise RuntimeError(f"no setting is accurate; the last has an error of {worst:.1e}")


def measure(steps: int, rounds: int) -> dict[str, dict[str, float]]:
    """Setting, error and time of each, the time over that of `sharpness` in the same round."""
    model, x, y = problem(steps)
    exact = reference(model, x, y)
    results: dict[str, dict[str, float]] = {}
    contestants: dict[str, Find] = {}
    for name, (build, settings) in METHODS.items():
        make = functools.partial(build, model, x, y)
        setting, error = settle(make, settings, exact)
        results[name] = {"setting": setting, "error": error}
        contestants[name] = make(setting)
        tqdm.write(f"{name}: {setting:g}, error {error:.1e}")
    ratios: dict[str, list[float]] = {name: [] for name in contestants}
    for number in tqdm(range(rounds), desc=f"after {steps} steps"):
        times = {}
        for name, find in contestants.items():
            began = time.perf_counter()
            find(number % STARTS)
            times[name] = time.perf_counter() - began
        own = next(iter(times.values()))
        for name, taken in times.items():
            ratios[name].append(taken / own)
    for name, values in ratios.items():
        results[name]["ratio"] = statistics.median(values)
        results[name]["ratios"] = sorted(round(value, 3) for value in values)
    return {"eigenvalue": exact, **results}


def table(results: dict[str, dict]) -> str:
    """The results as Markdown: error and time, by network."""
    lines = ["| program | " + " | ".join(f"{name}: error | time" for name in results) + " |"]
    lines.append("|---|" + "---:|---:|" * len(results))
    for name in METHODS:
        cells = [f"{r[name]['error']:.0e} | {r[name]['ratio']:.2g}" for r in results.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        install_peers(folder)
        results = {"as initialised": measure(0, rounds), "trained": measure(100, rounds)}
    record = {
        "parameters": sum(p.numel() for p in network().parameters()),
        "batch": BATCH,
        "dtype": "float64",
        "accuracy": ACCURACY,
        "threads": 1,
        "rounds": rounds,
        "processor": platform.machine(),
        "versions": {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            **dict(peer.split("==") for peer in PEERS),
        },
        "results": results,
    }
    target = HERE / "results" / "curvature.json"
    target.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_table("curvature.py", table(results))
    print(table(results))


if __name__ == "__main__":
    main()
