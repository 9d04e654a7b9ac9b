"""Run again what the book stores, and compare: `rerun_stored.py --day 2026-01-31`, or an item.

Items are the training runs of `gaugelib/experiments/stored`, the rows of the stability tables of
`gaugelib/soft/stability.json`, the map of the tiny network, the rows and orbits of
`gaugelib/curvature/trained.json`, and the parts of `gaugelib/equivariance/runs.json`. Each day has
its share; any 28 days that follow each other have them all. No data are downloaded: all of it is
scikit-learn's digits, or drawn.

Another processor rounds otherwise, and training can enlarge that without limit. So each item
is run again with a nudge of the size of rounding: the stored numbers may differ from today's by
what printing them to so many digits took away, and by a few times what the nudge did.
"""

from __future__ import annotations

import argparse
import datetime
import pathlib
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

import torch

from gaugelib import GaugeError
from gaugelib.curvature.trained import trained_sharpness as stored_sharpness
from gaugelib.data import digits
from gaugelib.equivariance.runs import stored_runs
from gaugelib.experiments import STORED, Curves, stored
from gaugelib.experiments.settings import Settings
from gaugelib.experiments.training import Training
from gaugelib.soft.stability import stability

sys.path.append(str(pathlib.Path(__file__).parents[1] / "benchmarks"))
import soft_stability
import trained_sharpness
import two_symmetries

DAYS = 28
TABLES = ("digits", "convolutional", "residual")
GROWTH = 30  # how many times the effect of the nudge: a run rounds in each of its operations
PRINTED = 5e-5  # of a number that is stored to five significant digits
BOTH = 1.1e-5  # of two that are rounded to six
FOUR = 1.1e-3  # of two that are rounded to four
LEAST = {"train_error": 1.01 / 1437, "test_error": 1.01 / 360}  # one example, on a boundary
TIGHT = 3  # epochs


class Item(NamedTuple):
    """A run, a row of a table, the map (`tiny`), a row or orbit (`sharpness`), or `symmetries`."""

    kind: str
    name: str
    index: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{self.index}"


def items() -> tuple[Item, ...]:
    """All that is stored, costly runs apart from each other."""
    runs = [Item("run", name, k) for name in STORED for k in range(len(stored(name)))]
    rows = [Item("row", n, k) for n in TABLES for k in range(len(stability()[n]["rows"]))]
    trained = [
        Item("sharpness", n, k) for n, each in stored_sharpness().items() for k in range(len(each))
    ]
    parts = two_symmetries.MEASURE.items()
    pages = [Item("symmetries", part, value) for part, (_, _, values) in parts for value in values]
    return (*runs, *rows, Item("tiny", "tiny"), *trained, *pages)


def share(everything: Sequence[Item], day: datetime.date) -> tuple[Item, ...]:
    """The items of a day: every 28th, beginning one later than the day before."""
    return tuple(everything[day.toordinal() % DAYS :: DAYS])


# ------------------------------------------------------------------------------- training runs


def trained(settings: Settings, epochs: int, nudge: int | None = None) -> Curves:
    """The curves of a run; with a nudge, weights are shaken after each epoch as rounding would.

    Raises:
        GaugeError: if the data of the run are not at hand.
    """
    if settings.data != "digits":
        raise GaugeError(
            f"runs on the digits can be run again, found data {settings.data!r}, which are a "
            "download: run `python -m gaugelib.experiments` for them"
        )
    training = Training(settings, digits(), "cpu")
    draw = None if nudge is None else torch.Generator().manual_seed(nudge)
    steps = -(-len(training.data.train_labels) // settings.batch)
    while not training.done and training.epoch < epochs:
        if draw is not None:
            shake(training.model, draw, steps**0.5)
        training.run_epoch_()
    return training.curves


@torch.no_grad()
def shake(model: torch.nn.Module, draw: torch.Generator, size: float) -> None:
    """Multiply each weight by a number that is off 1 by `size` roundings."""
    for value in model.parameters():
        noise = torch.randn(value.shape, generator=draw, dtype=torch.float64)
        value.mul_((1 + size * torch.finfo(value.dtype).eps * noise).to(value.dtype))


def unlike(
    before: Curves, here: Curves, twins: Sequence[Curves], peers: Sequence[Curves]
) -> list[str]:
    """Where stored curves differ from those of today by more than rounding explains.

    Rounding pushes a weight over a kink of the network, or a step over the edge of stability, in
    one epoch or another, which a twin need not show. A run that was pushed is as good as one of
    another seed: after the first epochs the range of its peers, stored runs that differ in their
    seed alone, is allowed as well.
    """
    found = []
    for name, curve in asdict(here).items():
        spread = 0.0
        others = [asdict(twin)[name] for twin in twins]
        seeds = [asdict(peer)[name] for peer in peers]
        for epoch, (said, now) in enumerate(zip(asdict(before)[name], curve)):
            spread = max(spread, *(abs(now - other[epoch]) for other in others))
            allowed = PRINTED * abs(said) + GROWTH * spread + LEAST.get(name, 1e-6)
            if epoch > TIGHT:
                values = [one[epoch] for one in seeds]
                allowed += max(values) - min(values)
            if abs(said - now) > allowed:
                found.append(
                    f"{name} at epoch {epoch}: {said:g} stored, {now:g} now, ±{allowed:.1g}"
                )
    return found


def rerun_run(name: str, index: int, epochs: int | None = None) -> list[str]:
    """Differences between a stored run and its first epochs today."""
    runs = stored(name)
    run = runs[index]
    last = run.settings.epochs if epochs is None else epochs
    here, *twins = (trained(run.settings, last, nudge) for nudge in (None, 0, 1))
    peers = [r.curves for r in runs if replace(r.settings, seed=0) == replace(run.settings, seed=0)]
    return unlike(run.curves, here, twins, peers)


# ---------------------------------------------------------------------------- stability tables


def rerun_row(table: str, index: int, seeds: Sequence[int] | None = None) -> list[str]:
    """Differences in one row; where a nudge of 1e-12 changes an entry, it is not compared."""
    task, settings, etas, _ = soft_stability.setting(table)
    before = stability()[table]["rows"][index]
    seeds = range(settings["seeds"]) if seeds is None else seeds
    names = (before["start"], before["method"], before["strength"])
    with torch.no_grad():
        here, twin = (
            soft_stability.row(task, settings, etas, *names, seeds=seeds, nudge=nudge)
            for nudge in (0.0, 1e-12)
        )
    return [
        f"{name}, seed {seed}: {before[name][seed]} stored, {here[name][k]} now"
        for name in ("strict", "tolerant", "best", "drift", "ratio")
        for k, seed in enumerate(seeds)
        if here[name][k] == twin[name][k] != before[name][seed]
    ]


def rerun_tiny() -> list[str]:
    """Differences in the map of the tiny network, fragile cells left out."""
    with torch.no_grad():
        here = soft_stability.tiny()
    before = stability()["tiny"]
    found = [k for k in ("inputs", "targets", "etas", "starts") if here[k] != before[k]]
    for verdict in ("strict", "tolerant"):
        for start, methods in before[verdict].items():
            for method, rows in methods.items():
                for k, cells in enumerate(rows):
                    now, weak = (here[v][start][method][k] for v in (verdict, "fragile"))
                    found += [
                        f"{verdict} {start} {method} {k}, column {column}: {a} stored, {b} now"
                        for column, (a, b, w) in enumerate(zip(cells, now, weak))
                        if (int(a, 32) ^ int(b, 32)) & ~int(w, 32)
                    ]
    return found


# ------------------------------------------------------------------ sharpness of trained networks


def rerun_sharpness(name: str, index: int) -> list[str]:
    """Differences in a row or an orbit by more than rounding and a nudge of 1e-12 explain."""
    before = stored_sharpness()[name][index]
    nudges = (0.0, 1e-12)
    if name == "rows":
        run = trained_sharpness.Run(*(before[key] for key in trained_sharpness.Run._fields))
        here, twin = (trained_sharpness.row(run, nudge) for nudge in nudges)
    else:
        where = before["network"], before["loss"]
        here, twin = (trained_sharpness.orbit(*where, nudge) for nudge in nudges)
    if here.keys() != before.keys():
        return [f"{sorted(before)} stored, {sorted(here)} now"]
    found = []
    for key, value in before.items():
        if isinstance(value, str):
            continue
        several = isinstance(value, list)
        all_three = zip(*(one[key] if several else [one[key]] for one in (before, here, twin)))
        for k, (said, now, other) in enumerate(all_three):
            allowed = BOTH * abs(said) + GROWTH * abs(now - other)
            allowed += LEAST["test_error"] if key == "error" else 0.0
            if abs(said - now) > allowed:
                found.append(f"{key} {k}: {said:g} stored, {now:g} now, ±{allowed:.1g}")
    return found


# --------------------------------------------------------------------- descents on a page


def rerun_symmetries(part: str, value: int) -> list[str]:
    """Differences in the rows of a part by more than rounding and a nudge of 1e-12 explain."""
    name = two_symmetries.MEASURE[part][0]
    before = [row for row in stored_runs()[part] if row[name] == value]
    here, twin = (two_symmetries.rows(part, value, nudge) for nudge in (0.0, 1e-12))
    if len(before) != len(here):
        return [f"{len(before)} rows stored, {len(here)} now"]
    found = []
    for k, rows in enumerate(zip(before, here, twin)):
        for key in sorted(rows[0].keys() | rows[1].keys()):
            said, now, other = (row.get(key) for row in rows)
            if not alike(said, now, other):
                found.append(f"row {k}, {key}: {said} stored, {now} now, {other} with a nudge")
    return found


def alike(said: object, now: object, other: object) -> bool:
    """Whether a stored value is today's, as far as a nudge lets that be told."""
    if isinstance(now, list) and isinstance(said, list) and isinstance(other, list):
        if len(now) != len(other):
            return True
        return len(said) == len(now) and all(map(alike, said, now, other))
    if isinstance(now, (int, float)) and isinstance(said, (int, float)):
        spread = abs(now - other) if isinstance(other, (int, float)) else 0.0
        return abs(said - now) <= FOUR * abs(now) * isinstance(now, float) + GROWTH * spread + 1e-7
    return said == now or now != other


def rerun(item: Item) -> list[str]:
    """What differs."""
    if item.kind == "symmetries":
        return rerun_symmetries(item.name, item.index)
    if item.kind == "sharpness":
        return rerun_sharpness(item.name, item.index)
    if item.kind == "run":
        return rerun_run(item.name, item.index)
    return rerun_row(item.name, item.index) if item.kind == "row" else rerun_tiny()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the share of a day, or what is named; exit status 1 if something differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--day", type=datetime.date.fromisoformat, help="default: today")
    parser.add_argument("items", nargs="*", help="such as run:digits-small:17 or row:residual:3")
    options = parser.parse_args(arguments)
    known = {str(item): item for item in items()}
    if unknown := [name for name in options.items if name not in known]:
        parser.error(
            f"stored are run:SUITE:N, row:TABLE:N, tiny:tiny:0, sharpness:rows:N, "
            f"sharpness:orbits:N and symmetries:PART:N, found {unknown}"
        )
    day = options.day or datetime.datetime.now(datetime.UTC).date()
    chosen = [known[name] for name in options.items] or share(tuple(known.values()), day)
    different = 0
    for item in chosen:
        found = rerun(item)
        different += bool(found)
        print(f"{item}: {'; '.join(found[:5]) or 'as stored'}", flush=True)
    print(f"{len(chosen) - different} of {len(chosen)} as stored")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
