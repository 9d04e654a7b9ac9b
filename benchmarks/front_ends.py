"""Three ways to see what a model computes, on some of the published models.

    python benchmarks/front_ends.py [--python PYTHON]

`torch.fx` as its `symbolic_trace` is, `torch.export` with `strict=False`, and the one eager run on
labels that `trace_group` makes. Only whether a way gets through a model, and in how much time and
memory, is looked at, each time in a process of its own (`benchmarks/traced/`, whose `sample.txt`
names the models); of the third, rules and elimination are a part. About ten minutes on one core.
Writes benchmarks/results/front_ends.json.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import tempfile

from peers.process import environment
from traced.families import SAMPLE
from traced_models import PARTS, ROOT, WANTED, Rows, gathered, measure, stored, write

TARGET = ROOT / "benchmarks" / "results" / "front_ends.json"
WAYS = ("torch.fx", "torch.export", "one eager run")


def table(rows: Rows) -> str:
    """How many models each way gets through, and what that takes, as Markdown."""
    lines = ["| way | models | forward passes | at most | MB more than the model | at most |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for way in WAYS:
        every = [row[way] for row in rows.values()]
        good = [row for row in every if row["status"] == "captured"]
        times = [row["seconds"] / max(row["forward"], 1e-3) for row in good]
        sizes = [row["megabytes"] for row in good]
        lines.append(
            f"| {way} | {len(good)} of {len(every)} | {statistics.median(times):.2g} | "
            f"{max(times):.2g} | {statistics.median(sizes):.0f} | {max(sizes):.0f} |"
        )
    return "\n".join(lines)


def refusals(rows: Rows) -> str:
    """What each way did not get through, and why."""
    lines = []
    for way in WAYS:
        lines.append(f"{way}:")
        for name, row in rows.items():
            if row[way]["status"] != "captured":
                reason = row[way].get("reason", row[way]["status"]).splitlines()[0]
                lines.append(f"- {name}: {reason[:160]}")
    return "\n".join(lines)


def main() -> None:
    """Measure what has not been measured, write it down, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", help="of an environment that has the packages")
    parser.add_argument("--fresh", action="store_true", help="measure everything again")
    arguments = parser.parse_args()
    PARTS.mkdir(parents=True, exist_ok=True)
    rows: Rows = {name: {} for name in SAMPLE}
    with tempfile.TemporaryDirectory() as folder:
        python = arguments.python
        for way in WAYS:
            parts = PARTS / f"front_ends {way}.jsonl"
            known = {} if arguments.fresh else gathered(parts)
            if missing := [name for name in SAMPLE if name not in known]:
                python = python or environment(WANTED, pathlib.Path(folder))
                measure(python, missing, parts, way)
            for name, row in gathered(parts).items():
                rows[name][way] = row
    write(rows, TARGET, "front_ends")
    rows = stored(TARGET)
    print(table(rows), refusals(rows), sep="\n\n")


if __name__ == "__main__":
    main()
