"""Gauges for quantising, beside four peers: is it exact, which networks, what after int8, how long.

    python benchmarks/equalisation_peers.py [--rounds 5]

Thirteen small networks in float64, five of each that were trained here on digits from other seeds,
and MTCNN's first one. Each peer has an environment of its own, made for this run in a temporary
folder, and gets every network without batch normalisation, unless it takes it out itself.
For each the largest move of an output, once the weights found are in the network, as a part of the
largest output; how far the outputs are from the first network's, in the mean square, after each
tensor of weights has been rounded to int8 with one step, by one function for all; and the time from
a model in torch to its new weights, tracing included, in one thread, as a multiple of ours for the
minimum norm in the same round. The largest, the root mean square and the median over the rounds.
Writes gaugelib/gauges/stored/peers.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import pathlib
import statistics
import tempfile
import time
from typing import Any

import torch
from equalised_networks import FACENET, outputs, prepare
from peers.networks import NETWORKS, load
from peers.process import Process, environment
from torch import Tensor, nn
from tqdm import tqdm

from gaugelib import functional_call, minimum_norm, params_of, rescale, trace_group
from gaugelib.experiments.provenance import provenance
from gaugelib.gauges import gauss_newton_diagonal, quantise, rounding_gauge

TARGET = pathlib.Path(__file__).parents[1] / "gaugelib" / "gauges" / "stored" / "peers.json"
PEERS = {
    "torch": "torch==2.13.0 numpy==2.3.5",
    "brevitas": "brevitas==0.13.4 torch==2.13.0 numpy==2.3.5",
    "aimet": "aimet-torch==2.42.0 torch==2.13.0 numpy==2.3.5",
    "esp_ppq": "esp-ppq==1.3.12 torch==2.13.0 numpy==2.3.5",
}
OURS = {
    "minimum norm, p = 2": 2.0,
    "minimum norm, p = 8": 8.0,
    "minimum norm, p = 64": 64.0,
    "rounding": None,
}
BASE = "minimum norm, p = 2"
SEEN = 32  # examples that tell how sensitive the outputs are


def ours(model: nn.Module, inputs: Tensor, p: float | None) -> dict[str, Tensor]:
    """The network's parameters in one of our gauges."""
    params, group = params_of(model), trace_group(model, inputs[:2])
    if p is not None:
        found = minimum_norm(params, group, p=p)
        return rescale(params, found.scales, group)

    def flat(theta: dict[str, Tensor], x: Tensor) -> Tensor:
        values = functional_call(model, theta, (x,))
        parts = values if isinstance(values, tuple) else (values,)
        return torch.cat([part.flatten(1) for part in parts], 1)

    if any(isinstance(part, nn.PReLU) for part in model.modules()):  # no vmap of its derivative
        sensitivity = gauss_newton_diagonal(lambda theta: flat(theta, inputs[:SEEN]), params)
    else:
        sensitivity = gauss_newton_diagonal(flat, params, inputs[:SEEN])
    return rescale(params, rounding_gauge(params, sensitivity, group), group)


@torch.no_grad()
def moved(name: str, weights: dict[str, Tensor], stored: dict[str, Any]) -> dict[str, Any]:
    """What becomes of the outputs with new weights, and after rounding them."""
    first = load(name, stored["weights"], folded=True)
    weights = {key: weights[key].double() for key in first.state_dict()}
    unchanged = all(torch.equal(weights[key], was) for key, was in first.state_dict().items())
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        return {"outcome": "not finite"}
    model = load(name, weights, folded=True)
    before, after = outputs(first, stored["inputs"]), outputs(model, stored["inputs"])
    worst = max(float((b - a).abs().max() / a.abs().max()) for a, b in zip(before, after))
    row = {"outcome": "unchanged" if unchanged else "rescaled", "change": worst}
    return row | {"int8": int8(model, before, stored["inputs"])}


def int8(model: nn.Module, before: tuple[Tensor, ...], inputs: Tensor) -> float:
    """The relative error of the outputs with weights of eight bits, one step for each tensor."""
    found = dict(model.named_parameters())
    found |= {key: quantise(value, 8) for key, value in found.items() if value.dim() > 1}
    values = functional_call(model, found, (inputs,))
    after = values if isinstance(values, tuple) else (values,)
    wrong = sum(float((b - a).square().sum()) for a, b in zip(before, after))
    return math.sqrt(wrong / sum(float(a.square().sum()) for a in before))


def one_round(name: str, peers: dict[str, Process], file: pathlib.Path) -> dict[str, dict]:
    """One network: what each method makes of it."""
    stored = torch.load(file)
    given = load(name, stored["weights"], folded=True).state_dict()
    rows = {"as given": moved(name, given, stored)}
    for method, p in OURS.items():
        model = load(name, stored["weights"], folded=True)
        began = time.perf_counter()
        weights = ours(model, stored["inputs"], p)
        rows[method] = moved(name, weights, stored) | {"seconds": time.perf_counter() - began}
    for peer, process in peers.items():
        found = file.with_suffix(f".{peer}")
        answer = process.ask(json.dumps([name, str(file), str(found)]))
        if "refused" in answer:
            rows[peer] = {"outcome": "refused", "said": answer["refused"]}
        else:
            rows[peer] = moved(name, torch.load(found), stored) | answer
    return rows


def summary(rounds: list[dict[str, dict]]) -> dict[str, dict[str, Any]]:
    """The largest change, the root mean square of the errors and medians of times, by method."""
    result = {}
    for method in rounds[0]:
        rows = [rows[method] for rows in rounds]
        outcomes = sorted({row["outcome"] for row in rows})
        row: dict[str, Any] = {"outcome": " or ".join(outcomes)}
        if all("change" in one for one in rows):
            row["change"] = number(max(one["change"] for one in rows))
            row["int8"] = number(math.sqrt(statistics.mean(one["int8"] ** 2 for one in rows)))
        row |= {"said": rows[0]["said"]} if "said" in rows[0] else {}
        if all("seconds" in one for one in rows):
            ratios = [one[method]["seconds"] / one[BASE]["seconds"] for one in rounds]
            row["time"] = number(statistics.median(ratios))
            row["seconds"] = number(statistics.median(one["seconds"] for one in rows))
        result[method] = row
    return result


def number(value: float) -> float:
    """Five digits."""
    return float(f"{value:.5g}")


def table(results: dict[str, dict[str, Any]]) -> str:
    """Change and error after int8 as Markdown, a network a line."""
    methods = list(next(iter(results.values())))
    lines = ["| network | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    for name, rows in results.items():
        cells = []
        for row in rows.values():
            said = [f"{row[k]:.1e}" if row.get(k) is not None else "–" for k in ("change", "int8")]
            cells.append(f"{row['outcome']} {', '.join(said)}, {row.get('time', 0):.2g}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        environment([FACENET], home / "facenet", alone=[FACENET])
        peers = {}
        for name, wanted in tqdm(PEERS.items(), desc="environments"):
            python = environment(wanted.split(), home / name)
            peers[name] = Process(python, f"with_{name}.py")
        for name in tqdm(NETWORKS, desc="networks"):
            found = []
            for seed in range(rounds):
                weights, inputs = prepare(name, seed, home / "facenet")
                torch.save({"weights": weights, "inputs": inputs}, home / "network.pt")
                found.append(one_round(name, peers, home / "network.pt"))
            results[name] = summary(found)
        for process in peers.values():
            process.close()
    versions = {k: v for k, v in provenance("cpu").items() if k not in ("commit", "device")}
    record = {
        "provenance": {
            "command": "python benchmarks/equalisation_peers.py",
            "versions": versions | {"peers": {k: v.split() for k, v in PEERS.items()}},
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
        "rounds": rounds,
        "networks": results,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
