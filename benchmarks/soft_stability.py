r"""Which learning rates are stable, with and without soft gauge fixing.

    python benchmarks/soft_stability.py [--only tiny digits convolutional residual]

About ten minutes on one core. Writes gaugelib/soft/stability.json.

Gradient descent on the whole data, without momentum and without biases. A run is stable

- strictly, if its loss never rises more than 1 % above its running minimum;
- tolerantly, if its loss never exceeds twice the first and ends below the first, and the network
  has not died: its loss is not that of giving 0 everywhere.

Losses are read before each of the steps and once after the last; L(θ) = ½ mean |f(x) − y|².

Methods, with a strength κ or c: `none`; `imbalance` (the gradient of κ/4 Σ Δ² is added to that of
the loss); `log-penalty` (that of κ/2 Σ u²); `log-ratio` (after each step the rescaling
exp(−c u/2): c = ½ is Algorithm 1, c = 1 the doubled step); `decay` (weight decay κ); `once` (the
minimum-norm gauge before training); `every` (ten doubled steps after each step).

Starts: `he`; `balanced`, the minimum-norm gauge of the same; `uneven 0.5` and `uneven 1`, that
times a random gauge whose logarithms have this standard deviation.

The file, as JSON:

- `tiny`: the network of the widget, small enough to be trained again in the page.
  `widths`, `steps`, `inputs` (n × 2), `targets` (n), `etas`;
  `starts[name][seed]`: one list of rows for each weight matrix;
  `strengths[method]` for the methods `imbalance` and `log-ratio` (strength 0 is `none`);
  `strict` and `tolerant`, `[start][method][strength]`: for each η one character, whose bit k in
  base 32 (0-9, a-v) says that the run from seed k is stable;
  `fragile`, the same, bit k set where starting 1e-9 away turned one of the two verdicts.
- `digits`, `convolutional`, `residual`: `settings`, `etas` and `rows`; a row has `start`, `method`,
  `strength`; `strict` and `tolerant`, the largest η up to which all smaller ones of the grid are
  stable, for each seed (0: none is); `best`, for each seed the lowest final loss of tolerantly
  stable runs, `drift` the rms change of u in that run, and `ratio` its rms u at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib

import torch
from sklearn.datasets import load_digits
from soft_runs import Params, Residual, Task, convolutional, multilayer, train
from torch import Tensor
from tqdm import tqdm

FILE = pathlib.Path(__file__).parent.parent / "gaugelib" / "soft" / "stability.json"
STARTS = ("balanced", "he", "uneven 0.5", "uneven 1")
METHODS = (
    ("none", 0.0),
    ("imbalance", 0.01),
    ("imbalance", 0.1),
    ("imbalance", 1.0),
    ("log-penalty", 0.1),
    ("log-ratio", 0.1),
    ("log-ratio", 0.5),
    ("every", 1.0),
    ("once", 0.0),
    ("decay", 1e-3),
    ("decay", 1e-2),
)
DIGITS = "0123456789abcdefghijklmnopqrstuv"


def stacked(each: list[Params]) -> Params:
    """One batch of several networks."""
    return {name: torch.stack([one[name] for one in each]) for name in each[0]}


def last_stable(stable: Tensor, etas: Tensor) -> list[float]:
    """For each seed the largest η before the first unstable one; `stable` is (seeds, etas)."""
    count = stable.long().cumprod(1).sum(1)
    return [0.0 if not n else round(float(etas[n - 1]), 6) for n in count.tolist()]


def row(
    task: Task, settings: dict, etas: Tensor, start: str, method: str, strength: float, **how
) -> dict:
    """One start and one method, at all learning rates; `how`: seeds, and a nudge of the start."""
    seeds = how.get("seeds", range(settings["seeds"]))
    each = [task.start(start, seed) for seed in seeds]
    batch = stacked([one for one in each for _ in etas])
    batch = {n: w * (1 + how.get("nudge", 0.0)) for n, w in batch.items()}
    many = etas.repeat(len(seeds))
    found = train(task, batch, many, torch.full_like(many, strength), method, settings["steps"])
    strict, tolerant, final, drift, ratio = (x.view(len(seeds), -1) for x in found)
    final = torch.where(tolerant & (tolerant.long().cumprod(1) > 0), final, math.inf)
    best, where = final.min(1)
    pick = where[:, None]
    out: dict = {"start": start, "method": method, "strength": strength}
    out |= {"strict": last_stable(strict, etas), "tolerant": last_stable(tolerant, etas)}
    for name, values in (("best", best), ("drift", drift.gather(1, pick)[:, 0])):
        out[name] = _rounded(values)
    return out | {"ratio": _rounded(ratio.gather(1, pick)[:, 0])}


def table(task: Task, settings: dict, etas: Tensor, methods) -> dict:
    """All starts, methods, learning rates and seeds of one task."""
    rows = [
        row(task, settings, etas, start, method, strength)
        for start in STARTS
        for method, strength in tqdm(methods, desc=f"{settings['model']}, {start}")
    ]
    return {"settings": settings, "etas": _rounded(etas), "rows": rows}


def tiny(seeds: int = 5) -> dict:
    """The widget's network and its map; all numbers are rounded first, so that a page has them."""
    widths, steps = (2, 4, 4, 1), 200
    draw = torch.Generator().manual_seed(7)
    inputs = torch.randn(16, 2, generator=draw, dtype=torch.float64).round(decimals=4)
    targets = (inputs[:, :1].abs() - inputs[:, 1:].relu()).round(decimals=4)
    task = Task(multilayer(widths), inputs, targets)
    etas = torch.tensor(_rounded(2.0 ** torch.arange(-9, 1.1, 1 / 3, dtype=torch.float64)))
    etas = etas.double()
    grid = {
        "imbalance": [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
        "log-ratio": [0, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 1, 1.5],
    }
    out: dict = {"widths": widths, "steps": steps, "inputs": inputs.tolist()}
    out |= {"targets": targets[:, 0].tolist(), "etas": etas.tolist(), "strengths": grid}
    out |= {"starts": {}, "strict": {}, "tolerant": {}, "fragile": {}}
    for start in tqdm(STARTS, desc="tiny"):
        # A seed from which plain descent learns nothing at all shows nothing: none was left out.
        each = [
            {n: w.round(decimals=6) for n, w in task.start(start, s).items()} for s in range(seeds)
        ]
        out["starts"][start] = [[w.tolist() for w in one.values()] for one in each]
        for verdict in ("strict", "tolerant", "fragile"):
            out[verdict][start] = {}
        for method, strengths in grid.items():
            count = len(strengths) * len(etas)
            batch = stacked([one for one in each for _ in range(count)])
            many = etas.repeat(seeds * len(strengths))
            kappa = torch.tensor(strengths).double().repeat_interleave(len(etas)).repeat(seeds)
            here = train(task, batch, many, kappa, method, steps)[:2]
            nudged = {n: w * (1 + 1e-9) for n, w in batch.items()}
            there = train(task, nudged, many, kappa, method, steps)[:2]
            fragile = (here[0] != there[0]) | (here[1] != there[1])
            for verdict, flags in zip(("strict", "tolerant", "fragile"), (*here, fragile)):
                bits = flags.view(seeds, len(strengths), -1).long()
                code = (bits * 2 ** torch.arange(seeds).view(-1, 1, 1)).sum(0)
                out[verdict][start][method] = ["".join(DIGITS[c] for c in r) for r in code.tolist()]
    return out


def images(count: int) -> tuple[Tensor, Tensor]:
    """Digits as (n, 64) between 0 and 1, and their classes as unit vectors."""
    data = load_digits()
    pixels = torch.tensor(data.data[:count] / 16.0, dtype=torch.float64)
    return pixels, torch.eye(10, dtype=torch.float64)[torch.tensor(data.target[:count])]


def setting(name: str) -> tuple[Task, dict, Tensor, list]:
    """Task, settings, learning rates and methods of one of the three larger networks."""
    pixels, targets = images(400 if name == "digits" else 200)
    if name == "digits":
        settings = {"model": "64-24-16-10", "images": 400, "steps": 200, "seeds": 5}
        etas = 2.0 ** torch.arange(-11, 1.1, 0.5, dtype=torch.float64)
        return Task(multilayer((64, 24, 16, 10)), pixels, targets), settings, etas, list(METHODS)
    model = convolutional() if name == "convolutional" else Residual().double()
    if name == "convolutional":
        pixels = pixels.view(-1, 1, 8, 8)
    settings = {"model": name, "images": 200, "steps": 100, "seeds": 5}
    methods = [m for m in METHODS if m[0] not in ("every", "log-penalty", "decay")]
    etas = 2.0 ** torch.arange(-10, 1.1, 1.0, dtype=torch.float64)
    return Task(model, pixels, targets), settings, etas, methods


def experiment(name: str) -> dict:
    """One of the four, as it is stored."""
    return tiny() if name == "tiny" else table(*setting(name))


def _rounded(values: Tensor) -> list[float | None]:
    return [float(f"{v:.4g}") if math.isfinite(v) else None for v in values.tolist()]


def main() -> None:
    """Run what was asked for; the rest of the file stays."""
    names = ("tiny", "digits", "convolutional", "residual")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    chosen = parser.parse_args().only
    stored = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    with torch.no_grad():
        stored |= {name: experiment(name) for name in chosen}
    text = json.dumps({name: stored[name] for name in names if name in stored}, indent=None)
    FILE.write_text(text + "\n", encoding="utf-8")
    print(f"{FILE.name}: {len(text) / 1000:.1f} kB")


if __name__ == "__main__":
    main()
