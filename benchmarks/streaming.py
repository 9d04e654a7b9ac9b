"""What a solve costs in plain readings of the weights: an earlier build beside this one.

    python benchmarks/streaming.py [--old 05b5c05] [--part layers|figure-2] [--sizes 1e7 1e8 5e8]

The unit is one reading, `torch.linalg.vector_norm` of every weight, timed in the same process just
before and after each solve; on one thread it is the processor's time, which others change less.
Both builds have a process of their own, with the same network, and are asked in turn. Medians over
the rounds, which differ in nothing: what a solve did to the network is undone. Extra memory is the
peak of the process during the call, less what it held before, as a share of the model; on Linux.
Writes benchmarks/results/streaming.json and the first table of the book's appendix, book/speed.md.
"""

from __future__ import annotations

import argparse
import datetime
import io
import json
import math
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import product
from typing import Any

import torch
from appendix import write_table
from peers.process import Process
from tqdm import tqdm

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "streaming.json"
OLD = "05b5c05"
TOLERANCE = 1e-3
LAYERS = 8
VARIED = 1e8  # weights of the network that also gets two threads, and another start
ROUNDS = {"layers": 5, "figure-2": 15}
FIGURE_2 = (  # Saul (2023)
    (200, 2500, 1250, 10),
    (200, 2000, 1000, 500, 250, 10),
    (200, 1000, 750, 750, 500, 500, 250, 10),
)
Setup = dict[str, Any]
Row = dict[str, Any]
Record = dict[str, Any]


def square(weights: float) -> list[int]:
    """The widths of eight square layers with about so many weights."""
    return [round(math.sqrt(weights / LAYERS))] * (LAYERS + 1)


def export(ref: str, folder: pathlib.Path) -> None:
    """Put the library of a commit into a folder."""
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "--format=zip", ref, "gaugelib"],
        check=True,
        capture_output=True,
    ).stdout
    zipfile.ZipFile(io.BytesIO(packed)).extractall(folder)


def compare(
    builds: dict[str, pathlib.Path], setup: Setup, calls: list[tuple[str, float]], rounds: int
) -> list[Row]:
    """Each call by both builds in turn, on one network.

    Args:
        builds: the folders that hold each build's `gaugelib`, "before" and "now".
        setup: the network, and how many threads it may use.
        calls: what is called, and the exponent.
        rounds: how often each is called after a first time that is not counted.
    """
    with ExitStack() as stack:
        processes = {}
        for build, folder in builds.items():
            process = Process(sys.executable, "solver.py", PYTHONPATH=str(folder))
            processes[build] = stack.enter_context(closing(process))
            if pathlib.Path(process.greeting) != folder / "gaugelib":
                raise RuntimeError(f"{build} runs {process.greeting}, not that of {folder}")
            weights = process.ask(json.dumps(setup))
        answers = [
            in_turn(processes, {"call": call, "p": p, "tol": TOLERANCE}, rounds)
            for call, p in calls
        ]
    rows = []
    for (call, p), found in zip(calls, answers, strict=True):
        ratios = zip(found["before"][1:], found["now"][1:], strict=True)
        faster = statistics.median(a["seconds"] / b["seconds"] for a, b in ratios)
        row = {"weights": weights, **setup, "call": call, "p": p, "faster": number(faster)}
        rows.append(row | {build: summary(found[build], weights) for build in builds})
    return rows


def in_turn(processes: dict[str, Process], question: Row, rounds: int) -> dict[str, list[Row]]:
    """The answers of each process, the first one with a check of what was found."""
    answers: dict[str, list[Row]] = {build: [] for build in processes}
    for k in range(rounds + 1):
        for build in list(processes)[:: 1 if k % 2 else -1]:
            asked = json.dumps(question | {"check": k == 0})
            answers[build].append(processes[build].ask(asked))
    return answers


def summary(answers: list[Row], weights: int) -> Row:
    """Medians over the rounds; what the first one found is checked, and not timed."""
    first, *timed = answers
    if "gamma" in first and not (first["converged"] and first["gamma"] < TOLERANCE):
        raise RuntimeError(f"a solve ends at an imbalance of {first['gamma']:.1e}")
    passes = [answer["passes"] for answer in answers if "passes" in answer]
    if passes and max(passes) - min(passes) > 0.5:  # rounding can decide on half a pass
        raise RuntimeError(f"the network was not the same in every round: passes {passes}")

    def median(values: list[float]) -> float:
        return number(statistics.median(values))

    row = {
        "readings": median([one["seconds"] / one["reading"] for one in timed]),
        "reading_ns": median([one["reading"] / weights * 1e9 for one in timed]),
        "ns": median([one["seconds"] / weights * 1e9 for one in timed]),
    }
    if all(one["memory"] is not None for one in timed):
        row["memory"] = number(max(one["memory"] for one in timed))
    return row | {key: number(first[key]) for key in ("passes", "gamma") if key in first}


def number(value: float) -> float:
    """Four digits."""
    return float(f"{value:.4g}")


def layers(builds: dict[str, pathlib.Path], rounds: int, sizes: list[float]) -> Iterator[list[Row]]:
    """Square layers: on one thread, on two, and from another point of the orbit."""
    setups = []
    for size in sizes:
        first = {"widths": square(size), "dtype": "float32", "threads": 1, "spread": 0.0}
        setups.append((first, [1.0, 2.0]))
        if size == VARIED:
            setups += [(first | {"threads": 2}, [2.0]), (first | {"spread": 1.0}, [2.0])]
    for setup, exponents in tqdm(setups, desc="square layers"):
        calls = [(call, p) for call in ("in place", "new") for p in exponents]
        fewer = min(rounds, 2) if setup["widths"][0] > 5000 else rounds
        yield compare(builds, setup, [("marginals", 2.0), *calls], fewer)


def figure_2(builds: dict[str, pathlib.Path], rounds: int) -> Iterator[list[Row]]:
    """The three networks of the paper's Figure 2."""
    calls = [(call, p) for p in (1.0, 2.0) for call in ("marginals", "in place", "new", "out")]
    for widths in tqdm(FIGURE_2, desc="Figure 2"):
        for dtype in ("float32", "float64"):
            setup = {"widths": list(widths), "dtype": dtype, "threads": 1, "spread": 0.0}
            yield compare(builds, setup, calls, rounds)


def merged(rows: list[Row], new: list[Row]) -> list[Row]:
    """Rows with those measured anew in their places."""

    def key(row: Row) -> str:
        kept = ("widths", "dtype", "threads", "spread", "call", "p")
        return json.dumps([row[name] for name in kept])

    found = {key(row): row for row in rows} | {key(row): row for row in new}
    return sorted(found.values(), key=lambda row: (row["weights"], row["threads"], row["spread"]))


def digits(value: float) -> str:
    """Two digits that mean something, and no more."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def power(weights: int) -> str:
    """A number of weights, as a multiple of a power of ten."""
    tens = math.floor(math.log10(1.001 * weights))
    lead = round(weights / 10**tens)
    return f"$10^{{{tens}}}$" if lead == 1 else f"${lead}\\cdot10^{{{tens}}}$"


def of_layers(rows: list[Row]) -> str:
    """Square layers as Markdown: a line for each call."""
    lines = [
        "| weights | exponent $p$ | call | readings, before | now | times faster "
        "| ns a weight, before | now | extra memory, before | now |",
        "|---|---:|---|" + "---:|" * 7,
    ]
    names = {"in place": "`minimum_norm_`", "new": "`minimum_norm`"}
    for row in rows:
        if row["call"] not in names:
            continue
        special = ", two threads" if row["threads"] > 1 else ""
        special += ", from a random gauge" if row["spread"] else ""
        cells = [
            digits(row[build][key])
            for key in ("readings", "ns", "memory")
            for build in ("before", "now")
            if key in row[build]
        ]
        cells.insert(2, digits(row["faster"]))
        head = f"| {power(row['weights'])}{special} | {row['p']:g} | {names[row['call']]} | "
        lines.append(head + " | ".join(cells) + " |")
    return "\n".join(lines)


def of_figure_2(rows: list[Row]) -> str:
    """The paper's networks as Markdown, with both units, and both exponents."""
    lines = [
        "| network | exponent $p$ | dtype | in place: readings, before | now | earlier floors, "
        "before | now | times faster | new parameters: times faster |",
        "|---|---:|---|" + "---:|" * 6,
    ]
    for widths in FIGURE_2:
        for p, dtype in product((1.0, 2.0), ("float32", "float64")):
            of = {
                row["call"]: row
                for row in rows
                if (tuple(row["widths"]), row["p"], row["dtype"]) == (widths, p, dtype)
            }
            name = "-".join(map(str, widths))
            floor = of["marginals"]["before"]["ns"]
            builds = ("before", "now")
            cells = [digits(of["in place"][b]["readings"]) for b in builds]
            cells += [digits(of["in place"][b]["ns"] / floor) for b in builds]
            cells += [digits(of[call]["faster"]) for call in ("in place", "new")]
            lines.append(f"| {name} | {p:g} | {dtype} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def said(record: Record) -> str:
    """What the page says in figures, from the figures."""
    rows = [row for row in record["layers"] if row["threads"] == 1]
    ns = [row["before"]["reading_ns"] for row in rows]
    floors = [row["before"]["readings"] for row in rows if row["call"] == "marginals"]
    solves = {
        build: [row[build]["readings"] for row in rows if row["call"] == "in place"]
        for build in ("before", "now")
    }
    return (
        f"A reading cost {digits(statistics.median(ns))} ns a weight here, and what this page "
        f"called a floor {between(floors)} readings.\n"
        f"A solve in place cost {between(solves['before'])} readings before "
        f"(commit `{record['before']}`), and costs {between(solves['now'])} now."
    )


def between(values: list[float]) -> str:
    """The smallest and the largest."""
    low, high = digits(min(values)), digits(max(values))
    return low if low == high else f"{low} to {high}"


def page(record: Record) -> str:
    """All that the appendix has from here."""
    parts = (said(record), of_layers(record["layers"]), of_figure_2(record["figure-2"]))
    return "\n\n".join(parts)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", default=OLD, help="the commit to compare with")
    parser.add_argument("--part", choices=tuple(ROUNDS), action="append")
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e7, 1e8, 5e8])
    parser.add_argument("--rounds", type=int)
    asked = parser.parse_args()
    record: Record = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    record |= {
        "command": "python benchmarks/streaming.py",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "before": asked.old,
        "tolerance": TOLERANCE,
        "processor": platform.machine(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    with tempfile.TemporaryDirectory() as folder:
        builds = {"before": pathlib.Path(folder), "now": ROOT}
        export(asked.old, builds["before"])
        found = {
            "layers": layers(builds, asked.rounds or ROUNDS["layers"], asked.sizes),
            "figure-2": figure_2(builds, asked.rounds or ROUNDS["figure-2"]),
        }
        for part in asked.part or ROUNDS:
            for rows in found[part]:
                record[part] = merged(record.get(part, []), rows)
                RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if set(ROUNDS) <= set(record):
        write_table("streaming.py", page(record))
        print(page(record))


if __name__ == "__main__":
    main()
