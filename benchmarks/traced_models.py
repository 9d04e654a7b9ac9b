"""Which published models have a group that `trace_group` finds, and whether it is right.

    python benchmarks/traced_models.py [--only NAME ...] [--fresh] [--python PYTHON]
    python benchmarks/traced_models.py --table [--before FILE]

264 models of torchvision, timm and transformers in evaluation mode, with random weights: nothing is
downloaded. This makes an environment for their packages in a temporary folder (`--python` takes one
that is there), and looks at each model in a process of its own (`benchmarks/traced/`): `families`
builds it, `measure` traces it and notes the time and the memory that took, and `check` compares the
model with itself in float64 at three random gauges, with rescaling of its own, and at a wrong one,
which has to be noticed. What is in `.cache/traced` is not looked at again, unless `--fresh`; all of
it takes about an hour on one core. Writes benchmarks/results/traced_models.json.

`--table` prints what is stored, and which models lost or gained units since an earlier file.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import math
import os
import pathlib
import platform
import re
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

from peers.process import environment
from traced.families import NAMES
from traced.verdict import TOLERANCE, verdict

ROOT = pathlib.Path(__file__).parents[1]
PARTS = ROOT / ".cache" / "traced"
TARGET = ROOT / "benchmarks" / "results" / "traced_models.json"
WANTED = (
    "torch==2.13.0",
    "torchvision==0.28.0",
    "timm==1.0.31",
    "transformers==5.24.0",
    "numpy==2.4.6",
    "scipy==1.17.1",
    "sympy==1.14.0",
    "tqdm==4.70.1",
)
Rows = dict[str, dict[str, Any]]


def measure(python: str, names: Sequence[str], parts: pathlib.Path, way: str = "") -> None:
    """Look at models, one after the other, in the environment that has them."""
    path = os.pathsep.join([str(ROOT / "benchmarks"), str(ROOT)])
    settings = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [python, "-m", "traced.worker", str(parts), way],
        input="\n".join(names),
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **settings, "HF_HUB_OFFLINE": "1"},
    )


def gathered(parts: pathlib.Path) -> Rows:
    """What is known of each model so far, in the order of the list; the last word counts."""
    if not parts.exists():
        return {}
    lines = parts.read_text(encoding="utf-8").splitlines()
    rows = {row.pop("name"): row for row in map(json.loads, lines)}
    return {name: rows[name] for name in NAMES if name in rows}


def write(rows: Rows, target: pathlib.Path, command: str = "traced_models") -> None:
    """The stored file: one line for each model."""
    provenance = {
        "command": f"python benchmarks/{command}.py",
        "versions": dict(wanted.split("==") for wanted in WANTED),
        "date": datetime.date.today().isoformat(),
        "processor": platform.machine(),
    }
    lines = [f"{json.dumps(name)}: {json.dumps(short(row))}" for name, row in rows.items()]
    text = ",\n".join(lines)
    target.write_text(
        f'{{"provenance": {json.dumps(provenance, indent=1)},\n"models": {{\n{text}\n}}}}\n',
        encoding="utf-8",
    )


def short(value: Any) -> Any:
    """The same with three significant digits, and without what is no number in JSON."""
    if isinstance(value, dict):
        return {key: short(part) for key, part in value.items()}
    if isinstance(value, float):
        return float(f"{value:.3g}") if math.isfinite(value) else str(value)
    return value


def alike(reason: str) -> str:
    """A reason of refusal without the names and numbers of one model."""
    return re.sub(r"\d+", "n", re.sub(r"'[^']*'", "…", reason))[:110]


def table(rows: Rows) -> str:
    """What became of the models of each package, as Markdown, and what the refusals say."""
    verdicts = {name: verdict(row) for name, row in rows.items()}
    kinds = sorted(set(verdicts.values()), key=lambda kind: (kind != "traced", kind))
    lines = [
        "| package | models | " + " | ".join(kinds) + " |",
        "|---|" + "---:|" * (1 + len(kinds)),
    ]
    for package in dict.fromkeys(name.partition("/")[0] for name in rows):
        own = [verdicts[name] for name in rows if name.startswith(f"{package}/")]
        cells = [len(own), *(own.count(kind) for kind in kinds)]
        lines.append(f"| {package} | " + " | ".join(map(str, cells)) + " |")
    total = [len(rows), *(list(verdicts.values()).count(kind) for kind in kinds)]
    lines.append("| all | " + " | ".join(map(str, total)) + " |")
    right = [row for name, row in rows.items() if verdicts[name] == "traced"]
    if right:
        largest = max(float(row["change"]) for row in right)
        lines.append(f"\nLargest change under a random gauge: {largest:.1g}, of {TOLERANCE:.0e}.")
    for kind in kinds[kinds[:1] == ["traced"] :]:
        told = collections.defaultdict(list)
        for name in (name for name in rows if verdicts[name] == kind):
            told[alike(str(rows[name].get("reason", rows[name].get("checked", ""))))].append(name)
        lines.append(f"\n{kind}:")
        for reason, names in sorted(told.items(), key=lambda pair: -len(pair[1])):
            lines.append(f"- {len(names)}: {reason} ({', '.join(names[:3])})")
    return "\n".join(lines)


def compared(rows: Rows, before: Rows) -> str:
    """Which models are traced now and were not, or no longer, and whose number of units moved."""
    lines = []
    for name in (name for name in rows if name in before):
        was, now = before[name], rows[name]
        if was["status"] != now["status"]:
            lines.append(f"- {name}: {was['status']}, now {now['status']}")
        elif was.get("units") != now.get("units"):
            lines.append(f"- {name}: {was['units']} units, now {now['units']}")
    return "\n".join(["Since the earlier file:", *(lines or ["nothing"])])


def stored(path: pathlib.Path) -> Rows:
    """The models of a stored file, or none."""
    return json.loads(path.read_text(encoding="utf-8"))["models"] if path.exists() else {}


def main() -> None:
    """Look at what has not been looked at, write it down, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", default=NAMES, help="some models")
    parser.add_argument("--fresh", action="store_true", help="look at all of them again")
    parser.add_argument("--python", help="of an environment that has the packages")
    parser.add_argument("--table", action="store_true", help="print what is stored, and no more")
    parser.add_argument("--before", type=pathlib.Path, default=TARGET, help="an earlier file")
    parser.add_argument("--target", type=pathlib.Path, default=TARGET, help="the file to write")
    arguments = parser.parse_args()
    before = stored(arguments.before)
    if not arguments.table:
        PARTS.mkdir(parents=True, exist_ok=True)
        parts = PARTS / f"{arguments.target.stem}.jsonl"
        known = {} if arguments.fresh else gathered(parts)
        missing = [name for name in arguments.only if name not in known]
        if missing:
            with tempfile.TemporaryDirectory() as folder:
                python = arguments.python or environment(WANTED, pathlib.Path(folder))
                measure(python, missing, parts)
        write(gathered(parts), arguments.target)
    rows = stored(arguments.target)
    print(table(rows), compared(rows, before), sep="\n\n")


if __name__ == "__main__":
    main()
