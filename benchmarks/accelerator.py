"""On a GPU: the solve beside one copy of the weights, one arm of the paper, and the GPU's tests.

    python benchmarks/accelerator.py [--fresh]        with a torch that was built for CUDA
    python benchmarks/accelerator.py --device cpu --small --results FILE       a trial

Three parts, together in less than ten minutes. Each is written to the results as soon as it is
there, and is not measured again when the same command is given once more. A round of the first part
copies the weights from one place in the device's memory to another, which brings them out of
balance, and then balances them in place; what is reported is the median over rounds of the second
time divided by the first. Writes benchmarks/results/accelerator.json and a table of the book's
appendix, book/speed.md; a trial, which is small or has no GPU, writes to FILE alone.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import torch
from appendix import write_table
from torch import nn
from tqdm import tqdm

from gaugelib import minimum_norm_, mlp_group
from gaugelib.experiments import Settings, run_all, settings, stored
from gaugelib.experiments.provenance import provenance
from gaugelib.experiments.store import write_whole

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "accelerator.json"
SOLVE, ARM, TESTS = "the solve", "one arm of the paper", "tests for CUDA"
SECONDS = {SOLVE: 120.0, ARM: 180.0, TESTS: 240.0}
"""After which no round, no epoch is begun, and the tests are ended."""
WEIGHTS, LAYERS, ROUNDS, TOL = 10**9, 8, 11, 1e-3
NOT_YET = "It has not been run on a GPU yet."
ROWS = {
    SOLVE: [
        ("weights", "{weights:.2g}"),
        ("`minimum_norm_` to γ < 0.001, in copies of the weights", "{copies:.2g}"),
        ("the same in the fastest and in the slowest round", "{fastest:.2g}, {slowest:.2g}"),
        ("memory beside the model, in models", "{extra memory:.2g}"),
    ],
    ARM: [
        ("regularised loss after training on the digits", "{regularised loss:.4g}"),
        ("the same run on a CPU, as stored", "{as stored:.4g}"),
    ],
    TESTS: [("tests for CUDA: passed, failed, skipped", "{passed}, {failed}, {skipped}")],
}
Part = dict[str, Any]


def square_layers(weights: int, device: torch.device) -> nn.Sequential:
    """Eight square layers of about so many weights in all, He-initialised where they are."""
    width = round((weights / LAYERS) ** 0.5)
    draw = torch.Generator(device).manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(LAYERS):
        layer = nn.utils.skip_init(nn.Linear, width, width, bias=False, device=device)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=draw)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Meter:
    """Times what a device does, and on a GPU counts the memory that it takes."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.counts = device, device.type == "cuda"

    def finish(self) -> None:
        """Wait until everything is done."""
        if self.counts:
            torch.cuda.synchronize(self.device)

    def seconds(self, run: Callable[[], Any]) -> float:
        """How long it takes until everything is done."""
        self.finish()
        began = time.perf_counter()
        run()
        self.finish()
        return time.perf_counter() - began

    def held(self) -> int:
        """Bytes that tensors hold now; the most that they will have held is counted from here."""
        if not self.counts:
            return 0
        torch.cuda.reset_peak_memory_stats(self.device)
        return torch.cuda.memory_allocated(self.device)

    def most(self) -> int:
        """The most bytes since then."""
        return torch.cuda.max_memory_allocated(self.device) if self.counts else 0


def solve(device: torch.device, small: bool) -> Part:
    """The time of a solve in place, in copies of the weights, and the memory that it takes."""
    model, meter = square_layers(WEIGHTS // 10_000 if small else WEIGHTS, device), Meter(device)
    group = mlp_group(model).to(device)
    weights = [value.detach() for value in model.parameters()]
    start = [value.clone() for value in weights]
    size = sum(value.nbytes for value in weights)
    ratios, extra, passes = [], [], 0.0

    def copy() -> None:
        for value, first in zip(weights, start, strict=True):
            value.copy_(first)

    def balance() -> None:
        nonlocal passes
        found = minimum_norm_(model, group, tol=TOL)
        passes = found.passes
        if not found.converged:
            raise SystemExit(f"the solve ended at an imbalance of {found.imbalance:.1e}")

    copy()
    balance()  # everything gets warm
    end = time.monotonic() + SECONDS[SOLVE]
    for _ in tqdm(range(3 if small else ROUNDS), desc=SOLVE, unit="round"):
        copied, before = meter.seconds(copy), meter.held()
        ratios.append(meter.seconds(balance) / copied)
        extra.append((meter.most() - before) / size)
        if time.monotonic() > end:
            break
    return {
        "weights": sum(value.numel() for value in weights),
        "rounds": len(ratios),
        "copies": statistics.median(ratios),
        "fastest": min(ratios),
        "slowest": max(ratios),
        "extra memory": max(extra) if meter.counts else None,  # in models
        "passes": passes,
    }


def the_arm(small: bool) -> Settings:
    """SGD in the minimum-norm gauge at every step: seven of the paper's layers on the digits."""
    if small:
        return settings("digits", "sgd", small=True, arm="every", epochs=1)
    return settings("digits", "sgd", depth=7, arm="every")


def arm(device: torch.device, small: bool) -> Part:
    """One run of the paper's experiment, beside the same run that the book has stored."""
    one = the_arm(small)
    began = time.perf_counter()
    runs = run_all([one], device=device, minutes=SECONDS[ARM] / 60)
    if not runs:
        raise SystemExit(f"{one.epochs} epochs did not end within {SECONDS[ARM]:.0f} seconds")
    known = stored("digits-small" if small else "digits")
    (before,) = [run for run in known if replace(run.settings, epochs=one.epochs) == one]
    here, there = runs[0].regularised, before.regularised[: one.epochs + 1]
    return {
        "settings": one.as_dict(),
        "seconds": time.perf_counter() - began,
        "regularised loss": here[-1],
        "as stored": there[-1],
        "largest difference": max(abs(a - b) / b for a, b in zip(here, there, strict=True)),
        "imbalance": max(runs[0].curves.imbalance),
    }


def cuda_tests(device: torch.device, small: bool) -> Part:
    """How the tests that need CUDA end; without it they are skipped."""
    tests = ROOT / "tests"
    where = [tests / "test_group.py", tests / "test_action.py"] if small else [tests]
    with tempfile.TemporaryDirectory() as beside:
        report = pathlib.Path(beside, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", f"--junitxml={report}"]
        limit = SECONDS[TESTS]
        try:
            done = subprocess.run([*command, *where], cwd=ROOT, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"the tests did not end within {limit:.0f} seconds") from None
        if done.returncode not in (0, 1):  # all passed, some failed
            raise SystemExit(f"pytest ended with {done.returncode}: no test was run")
        suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    count = {kind: int(suite.attrib[kind]) for kind in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    return {"passed": passed, "failed": failed, "skipped": count["skipped"]}


PARTS: dict[str, Callable[[torch.device, bool], Part]] = {SOLVE: solve, ARM: arm, TESTS: cuda_tests}


def begun(path: pathlib.Path, about: Part) -> dict[str, Any]:
    """The results that a file holds, if they come from here; or none."""
    record = json.loads(path.read_text("utf8")) if path.exists() else {}
    return record if record.get("about") == about else {"about": about, "parts": {}}


def table(record: dict[str, Any] | None) -> str:
    """What the appendix says: the results on a GPU, or that there are none."""
    if record is None or record["about"]["small"] or record["about"]["device"] == "cpu":
        return NOT_YET
    lines = [f"| what | on one {record['about']['name']} |", "|---|---:|"]
    for part, rows in ROWS.items():
        for name, text in rows if part in record["parts"] else ():
            lines.append(f"| {name} | {text.format(**record['parts'][part])} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is not there yet, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="sizes that a CPU does in seconds")
    parser.add_argument("--fresh", action="store_true", help="measure everything again")
    parser.add_argument("--results", type=pathlib.Path, help="where a trial writes")
    options = parser.parse_args()
    trial = options.device == "cpu" or options.small
    if trial != (options.results is not None):
        parser.error("a trial, and nothing else, needs --results FILE")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU, or this torch was not built for CUDA")
    device, path = torch.device(options.device), options.results or RESULTS
    name = "CPU" if options.device == "cpu" else torch.cuda.get_device_name(device)
    record = begun(path, {**provenance(device), "name": name, "small": options.small})
    if options.fresh:
        record["parts"] = {}
    for part, measure in tqdm(PARTS.items(), desc="in all", unit="part"):
        if part not in record["parts"]:
            record["parts"][part] = measure(device, options.small)
            text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
            write_whole(path, text.encode())
    if not trial:
        write_table("accelerator.py", table(record))
    tqdm.write(json.dumps(record["parts"], indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
