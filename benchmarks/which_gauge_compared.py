r"""Networks trained on digits compared, pruned and averaged, before and after their gauge is fixed.

    python benchmarks/which_gauge_compared.py

Three minutes on one core. Writes gaugelib/gauges/stored/compared.json after each kind of
pairs; what is there already is kept, so a run that was stopped is resumed. Delete the file to begin
anew.

All networks are 64-128-128-10 with biases, trained by SGD for 30 epochs. There are `PAIRS` pairs of
each `kind`: `independent`, from two starts; `methods`, likewise, but the second trained by AdamW;
`tuned`, one network after 5 epochs, trained on for 25 more on one half of the images and on the
other; `tuned, moved`, likewise, but before that the second was moved by a random gauge, σ = 0.5;
`copy`, a network and itself with its units in another order, which is trained no more. Each is
compared in four gauges, with its units as they are and matched: `trained`; `random`, each network
in one of its own, σ = 1; `norm` and `trace`, both reached from the random ones. Lists are by pair
or by seed, but for `t` and `path`:

- `distances`: by `kind` and `gauge` |θ - θ'| / (|θ|² + |θ'|²)^½, which is 1 for orthogonal ones,
  with units as they are, `plain`, and `matched`;
- `averages`: by `kind` (not copy), `gauge` and `matched`: at the midpoint `accuracy` in per cent of
  the test images; `barrier`, by how much the training loss on the segment is above its chord, at
  most; `path`, the mean training loss at `t`; `ends`, the mean accuracy of both networks;
- `pruned`: by `way`, for each share in `sparsity` a list of accuracies with this share of all
  weights set to 0: those smallest in absolute value in a gauge (in all layers together, or in
  each), in |θ ∂L|, or in θ² times the diagonal of Gauss-Newton's matrix. Random gauges: means over
  `DRAWS`;
- `cosh`: by `sigma`, averages of a network with its own copy in a random gauge: `off`, the largest
  relative distance of 10 000 path products from the law; `factor`, by which path products grow, in
  the geometric mean; `accuracy` of the average in per cent.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from digit_networks import (
    DATA,
    Params,
    correct,
    gauss_newton,
    group_of,
    loss,
    norm_gauge,
    random_gauge,
    read,
    started,
    trace_gauge,
    trained,
    weights,
    write,
)
from torch import Tensor
from tqdm import tqdm
from unit_matching import matched, reordered

from gaugelib import minimum_norm, rescale

NAME, WIDTHS = "compared", (64, 128, 128, 10)
GROUP = group_of(WIDTHS)
PAIRS, DRAWS, EPOCHS, PARENT, MOVED = 20, 3, 30, 5, 0.5
KINDS = "independent", "methods", "tuned", "tuned, moved", "copy"
SPARSITY = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96)
TIMES = [k / 10 for k in range(11)]
SIGMAS = (0.25, 0.5, 1.0, 2.0)
FIX: dict[str, Callable] = {"norm": norm_gauge, "trace": trace_gauge}


# --- pairs ---


def pair(kind: str, number: int) -> tuple[Params, Params]:
    """Two networks."""
    seeds = 2 * number, 2 * number + 1
    if kind == "independent":
        one, other = (trained(started(WIDTHS, seed), "sgd", EPOCHS, seed) for seed in seeds)
        return one, other
    if kind.startswith("tuned"):
        parent = trained(started(WIDTHS, seeds[0]), "sgd", PARENT, seeds[0])
        moved = rescale(parent, random_gauge(GROUP, MOVED, 6000 + number), GROUP)
        parents = parent, moved if kind == "tuned, moved" else parent
        draw = torch.Generator().manual_seed(number)
        halves = torch.randperm(len(DATA.train_labels), generator=draw).chunk(2)
        one, other = (
            trained(start, "sgd", EPOCHS - PARENT, 50 + seed, half)
            for start, seed, half in zip(parents, seeds, halves, strict=True)
        )
        return one, other
    one = trained(started(WIDTHS, seeds[0]), "sgd", EPOCHS, seeds[0])
    if kind == "methods":
        return one, trained(started(WIDTHS, seeds[1]), "adamw", EPOCHS, seeds[1])
    draw = torch.Generator().manual_seed(number)
    return one, reordered(one, [torch.randperm(width, generator=draw) for width in WIDTHS[1:-1]])


def in_gauges(two: tuple[Params, Params], number: int) -> dict[str, tuple[Params, Params]]:
    """A pair as it is, in random gauges, and from there in each of the others."""
    lost = [
        rescale(one, random_gauge(GROUP, 1.0, 7000 + 2 * number + k), GROUP)
        for k, one in enumerate(two)
    ]
    found = {"trained": two, "random": (lost[0], lost[1])}
    for gauge, find in FIX.items():
        one, other = (rescale(net, find(net, GROUP), GROUP) for net in lost)
        found[gauge] = one, other
    return found


def distance(one: Params, other: Params) -> float:
    """Relative, of all parameters: 0 for equal ones, 1 for orthogonal ones."""
    off = sum((one[name] - other[name]).square().sum() for name in one)
    both = sum((one[name].square() + other[name].square()).sum() for name in one)
    return float((off / both).sqrt())


def between(one: Params, other: Params, t: float) -> Params:
    """The average with weights 1 - t and t."""
    return {name: (1 - t) * one[name] + t * other[name] for name in one}


def averaged(one: Params, other: Params) -> dict:
    """Accuracy at the midpoint, and training losses along the segment with their barrier."""
    path = [
        float(loss(between(one, other, t), DATA.train_inputs, DATA.train_labels)) for t in TIMES
    ]
    chord = [(1 - t) * path[0] + t * path[-1] for t in TIMES]
    return {
        "accuracy": correct(between(one, other, 0.5)) / 3.6,
        "barrier": max(a - b for a, b in zip(path, chord, strict=True)),
        "path": path,
        "ends": (correct(one) + correct(other)) / 7.2,
    }


def of_pair(kind: str, number: int) -> dict:
    """What is measured with one pair: by gauge the two distances, and both kinds of averages."""
    found = {}
    for gauge, (one, other) in in_gauges(pair(kind, number), number).items():
        near = matched(one, other)
        found[gauge] = {
            "plain": distance(one, other), "matched": distance(one, near),
            "average": {False: averaged(one, other), True: averaged(one, near)},
        }  # fmt: skip
    return found


# --- pruning ---


def pruned(params: Params, saliency: Params, share: float) -> Params:
    """The network without the weights of smallest saliency."""
    names = weights(params)
    flat = torch.cat([saliency[name].flatten() for name in names])
    bound = flat.kthvalue(round(share * len(flat))).values
    return params | {name: params[name] * (saliency[name] > bound) for name in names}


def saliencies(params: Params, seed: int) -> dict[str, list[Params]]:
    """Each way's, of the same network; several for random gauges."""

    def size(scales: Tensor) -> Params:
        return {name: value.abs() for name, value in rescale(params, scales, GROUP).items()}

    slope = torch.func.grad(loss)(params, DATA.train_inputs, DATA.train_labels)
    bend = gauss_newton(params, "entropy")
    draws = [random_gauge(GROUP, 1.0, 9000 + 10 * seed + k) for k in range(DRAWS)]
    own = size(torch.ones(GROUP.units, dtype=torch.float64))
    ranks = {
        name: value.flatten().argsort().argsort().view_as(value) for name, value in own.items()
    }
    return {
        "as trained": [own],
        "as trained, each layer": [{n: rank / rank.numel() for n, rank in ranks.items()}],
        "random, σ = 1": [size(draw) for draw in draws],
        "norm, p = 1": [size(minimum_norm(params, GROUP, p=1, tol=1e-9).scales)],
        "norm, p = 2": [size(norm_gauge(params, GROUP))],
        "trace": [size(trace_gauge(params, GROUP))],
        "|θ ∂L|": [{name: (params[name] * slope[name]).abs() for name in params}],
        "θ² H": [{name: params[name].square() * bend[name] for name in params}],
    }


def of_network(seed: int) -> dict[str, list[float]]:
    """Accuracies by way, one for each sparsity."""
    params = trained(started(WIDTHS, seed), "sgd", EPOCHS, seed)
    return {
        way: [
            sum(correct(pruned(params, one, share)) for one in several) / 3.6 / len(several)
            for share in SPARSITY
        ]
        for way, several in saliencies(params, seed).items()
    }


# --- the law of averages ---


def products(params: Params, paths: list[Tensor]) -> Tensor:
    """Products of the weights along paths, each a unit of every layer."""
    steps = [
        params[name][b, a] for name, (a, b) in zip(weights(params), pairwise(paths), strict=True)
    ]
    return torch.stack(steps).prod(0)


def with_its_copy(seed: int, sigma: float) -> dict[str, float]:
    """A network averaged with itself in a random gauge, against the product of cosh."""
    params = trained(started(WIDTHS, seed), "sgd", EPOCHS, seed)
    scales = random_gauge(GROUP, sigma, 8000 + seed)
    middle = between(params, rescale(params, scales, GROUP), 0.5)
    draw = torch.Generator().manual_seed(seed)
    paths = [torch.randint(width, (10_000,), generator=draw) for width in WIDTHS]
    halves = [part.log() / 2 for part in scales.split(WIDTHS[1:-1])]
    ground = torch.zeros(1, dtype=torch.float64).expand(max(WIDTHS))
    dials = [half[units] for half, units in zip([ground, *halves, ground], paths, strict=True)]
    law = torch.stack([(b - a).cosh() for a, b in pairwise(dials)]).prod(0)
    off = (products(middle, paths) / (products(params, paths) * law) - 1).abs().max()
    return {
        "off": float(off),
        "factor": float(law.log().mean().exp()),
        "accuracy": correct(middle) / 3.6,
    }


# --- all of it ---


def tables(pairs: dict[str, list[dict]]) -> tuple[list[dict], list[dict]]:
    """Distances and averages of all pairs, by kind and gauge."""
    distances, averages = [], []
    for kind, several in pairs.items():
        for gauge in several[0]:
            rows = [one[gauge] for one in several]
            both = {name: [row[name] for row in rows] for name in ("plain", "matched")}
            distances.append({"kind": kind, "gauge": gauge, **both})
            for near in (False, True):
                these = [row["average"][near] for row in rows]
                paths = torch.tensor([one["path"] for one in these], dtype=torch.float64)
                averages.append({
                    "kind": kind, "gauge": gauge, "matched": near,
                    **{n: [one[n] for one in these] for n in ("accuracy", "barrier")},
                    "ends": sum(one["ends"] for one in these) / len(these),
                    "t": TIMES, "path": paths.mean(0).tolist(),
                })  # fmt: skip
    return distances, averages


def main() -> None:
    """Measure what is not in the file, a part at a time."""
    stored = read(NAME)
    parts = {name: stored.get(name, []) for name in ("distances", "averages", "pruned", "cosh")}
    for kind in KINDS:
        if all(row["kind"] != kind for row in parts["distances"]):
            several = [of_pair(kind, number) for number in tqdm(range(PAIRS), desc=kind)]
            distances, averages = tables({kind: several})
            parts["distances"] += distances
            parts["averages"] += averages if kind != "copy" else []
            write(NAME, parts)
    if not parts["pruned"]:
        several = [of_network(seed) for seed in tqdm(range(PAIRS), desc="pruned")]
        for way in several[0]:
            by_share = [[one[way][k] for one in several] for k in range(len(SPARSITY))]
            parts["pruned"].append({"way": way, "sparsity": SPARSITY, "accuracy": by_share})
        write(NAME, parts)
    if not parts["cosh"]:
        for sigma in tqdm(SIGMAS, desc="cosh"):
            several = [with_its_copy(seed, sigma) for seed in range(PAIRS)]
            lists = {name: [one[name] for one in several] for name in several[0]}
            parts["cosh"].append({"sigma": sigma, **lists})
        write(NAME, parts)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
