r"""What a gauge does to networks trained on digits whose weights are rounded to few bits.

    python benchmarks/which_gauge_quantised.py

Five minutes on one core. Writes gaugelib/gauges/stored/quantised.json after each network; what is
there already is kept, so a run that was stopped is resumed. Delete the file to begin anew.

Weights are rounded, symmetrically, with one step for each layer (`layer`) or for each row of it
(`row`, what is called per channel); biases stay. Each of 20 networks, one for each seed, is written
in each of `GAUGES` first. Rows are by `network`, `gauge`, `bits` and `step`; pairs are a mean over
the seeds and its standard error:

- `accuracy`: pair, percentage of the 360 test images that are recognised;
- `error`: pair, root of the mean squared error of the outputs over that of themselves, test images;
- `change`: pair, the logarithm of that over the same of the same network as trained;
- `ratio`: geometric mean over seeds of the mean squared error of the outputs on the training images
  over what is expected to leading order (`rounding_error`);
- `above`: likewise, that expectation over its lower bound, which no gauge changes;
- `first`: accuracy and error with seed 0.

The gauge for rows is not tried with a step for each layer: a unit that never fires on the training
images is felt by no row, and may stand there at any scale. Where a gauge is random, numbers of a
seed are means over its `DRAWS`, geometric but for accuracy. `networks` has, for each seed, accuracy
and training loss as trained, and `gamma`, the median relative imbalance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import product

import torch
from digit_networks import (
    DATA,
    Params,
    correct,
    equalised,
    gauss_newton,
    group_of,
    loss,
    norm_gauge,
    outputs,
    random_gauge,
    read,
    rounding,
    spread_of,
    started,
    trace_gauge,
    trained,
    weights,
    write,
)
from torch import Tensor
from tqdm import tqdm

from gaugelib import GaugeGroup, relative_imbalance, rescale
from gaugelib.gauges import quantise, rounding_error

NAME = "quantised"
SEEDS, DRAWS, EPOCHS = range(20), 5, 30
NETWORKS = {
    "64-128-128-10, SGD": ((64, 128, 128, 10), "sgd"),
    "64-128-128-10, AdamW": ((64, 128, 128, 10), "adamw"),
    "64-32-10, SGD": ((64, 32, 10), "sgd"),
}
BITS, STEPS = (8, 4, 3), ("layer", "row")
ONE: dict[str, Callable[[Params, GaugeGroup], Tensor]] = {
    "as trained": lambda params, group: torch.ones(group.units, dtype=torch.float64),
    "norm, p = 2": norm_gauge,
    "norm, p = 8": lambda params, group: norm_gauge(params, group, 8.0),
    "norm, p = 64": lambda params, group: norm_gauge(params, group, 64.0),
    "equalised": equalised,
    "trace": trace_gauge,
    "rounding, layer": lambda params, group: rounding(params, group, rows=False),
    "rounding, row": lambda params, group: rounding(params, group, rows=True),
}
SKIPPED = "rounding, row", "layer"
RANDOM = {"random, σ = 1": 1.0, "random, σ = 2": 2.0}
GAUGES = [*ONE, *RANDOM]


def quantised(params: Params, bits: int, step: str) -> Params:
    """The network with rounded weights."""
    rough = {n: quantise(params[n], bits, per_channel=step == "row") for n in weights(params)}
    return params | rough


def written(
    network: str, seed: int, gauges: Iterable[str] = GAUGES
) -> tuple[Params, GaugeGroup, dict[str, list[Params]]]:
    """A trained network, its group, and itself in each gauge."""
    widths, how = NETWORKS[network]
    params, group = trained(started(widths, seed), how, EPOCHS, seed), group_of(widths)
    found = {}
    for gauge in gauges:
        if gauge in ONE:
            draws = [ONE[gauge](params, group)]
        else:
            draws = [random_gauge(group, RANDOM[gauge], 100 * seed + k) for k in range(DRAWS)]
        found[gauge] = [rescale(params, draw, group) for draw in draws]
    return params, group, found


def measured(
    params: Params, sensitivity: Params, group: GaugeGroup, bits: int, step: str
) -> dict[str, float]:
    """Accuracy, relative error, and measured over expected and expected over least."""
    rough = quantised(params, bits, step)
    off = outputs(rough, DATA.test_inputs) - outputs(params, DATA.test_inputs)
    seen = outputs(rough, DATA.train_inputs) - outputs(params, DATA.train_inputs)
    expected = rounding_error(params, sensitivity, group, bits=bits, per_channel=step == "row")
    felt = sum(float((params[n].square() * sensitivity[n]).sum()) for n in weights(params))
    least = felt / 12 / (2 ** (bits - 1) - 1) ** 2
    return {
        "accuracy": correct(rough) / 3.6,
        "error": float(off.norm() / outputs(params, DATA.test_inputs).norm()),
        "ratio": float(seen.square().sum(1).mean() / expected),
        "above": float(expected) / least,
    }


def mean(values: list[float], plain: bool) -> float:
    """Arithmetic or geometric."""
    return (
        sum(values) / len(values) if plain else math.exp(sum(map(math.log, values)) / len(values))
    )


def of_seed(
    network: str, seed: int, gauges: Iterable[str] = GAUGES
) -> tuple[dict[str, float], dict[tuple[str, int, str], dict[str, float]]]:
    """What is measured with one seed: of the network, and by gauge, bits and step."""
    params, group, found = written(network, seed, gauges)
    rows = {}
    for gauge, nets in found.items():
        seen = [gauss_newton(net, "squared") for net in nets]
        for bits, step in product(BITS, STEPS):
            if (gauge, step) == SKIPPED:
                continue
            these = [measured(p, s, group, bits, step) for p, s in zip(nets, seen, strict=True)]
            rows[gauge, bits, step] = {
                name: mean([one[name] for one in these], name == "accuracy") for name in these[0]
            }
    return {
        "accuracy": correct(params) / 3.6,
        "loss": float(loss(params, DATA.train_inputs, DATA.train_labels)),
        "gamma": float(relative_imbalance(params, group, 2).median()),
    }, rows


def main() -> None:
    """Measure what is not in the file, a network at a time."""
    stored = read(NAME)
    parts = {"networks": stored.get("networks", []), "rows": stored.get("rows", [])}
    done = {row["network"] for row in parts["networks"]}
    for network in tqdm([name for name in NETWORKS if name not in done]):
        of_networks, table = defaultdict(list), defaultdict(lambda: defaultdict(list))
        for seed in tqdm(SEEDS, desc=network, leave=False):
            one, rows = of_seed(network, seed)
            for name, value in one.items():
                of_networks[name].append(value)
            for case, values in rows.items():
                for name, value in values.items():
                    table[case][name].append(value)
        parts["networks"].append({"network": network, **of_networks})
        for (gauge, bits, step), lists in table.items():
            own = table["as trained", bits, step]
            change = zip(lists["error"], own["error"], strict=True)
            parts["rows"].append({
                "network": network, "gauge": gauge, "bits": bits, "step": step,
                "accuracy": spread_of(lists["accuracy"]), "error": spread_of(lists["error"]),
                "change": spread_of(math.log(here / there) for here, there in change),
                "ratio": mean(lists["ratio"], False), "above": mean(lists["above"], False),
                "first": [lists["accuracy"][0], lists["error"][0]],
            })  # fmt: skip
        write(NAME, parts)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
