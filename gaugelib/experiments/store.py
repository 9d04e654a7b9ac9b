"""Runs as files: written whole or not at all, and read with distrust."""

from __future__ import annotations

import json
import math
import os
import pathlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gaugelib.experiments.settings import Settings
from gaugelib.group import GaugeError

FORMAT = 1
Provenance = Mapping[str, Any]


@dataclass
class Curves:
    r"""What a run has measured: one number per epoch, before training and after each epoch.

    Attributes:
        loss: mean log-loss $L(\theta)$ on the training examples.
        penalty: $R_p(\theta) = \frac1p\sum|W_{ij}|^p$ over the weights, with the optimiser's $p$.
        train_error, test_error: share of examples put into a wrong class.
        imbalance: $\gamma$, the largest relative imbalance of a hidden unit, for the same $p$.
    """

    loss: list[float] = field(default_factory=list)
    penalty: list[float] = field(default_factory=list)
    train_error: list[float] = field(default_factory=list)
    test_error: list[float] = field(default_factory=list)
    imbalance: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    r"""A finished run: its settings, its curves, and what it was run with.

    A run whose loss stopped being finite is `diverged`, and its curves end before that.
    """

    settings: Settings
    curves: Curves
    diverged: bool
    provenance: Provenance

    @property
    def regularised(self) -> list[float]:
        r"""The regularised loss $L(\theta) + \lambda R_p(\theta)$ before and after each epoch."""
        decay = self.settings.weight_decay
        return [a + decay * b for a, b in zip(self.curves.loss, self.curves.penalty, strict=True)]


def write_whole(path: pathlib.Path, content: bytes) -> None:
    """Write a file so that, whatever happens, its name holds all of the content or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_run(path: pathlib.Path, run: Run) -> None:
    """Store one run in a file of its own."""
    write_whole(path, (json.dumps(_as_dict(run), indent=1, sort_keys=True) + "\n").encode())


def read_run(path: pathlib.Path) -> Run:
    """The run that a file holds.

    Raises:
        GaugeError: naming the file, if it is not a whole result.
    """
    try:
        return _from_dict(json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GaugeError(f"'{path}' does not hold a finished run: {error}") from error


def write_runs(path: pathlib.Path, runs: Iterable[Run], digits: int = 5) -> None:
    """Gather runs in one compact file, their curves rounded to so many significant digits."""
    lines = []
    for run in runs:
        plain = _as_dict(run)
        plain["curves"] = {
            name: [float(f"{value:.{digits}g}") for value in curve]
            for name, curve in plain["curves"].items()
        }
        lines.append(json.dumps(plain, separators=(",", ":"), sort_keys=True))
    write_whole(path, ("[\n" + ",\n".join(lines) + "\n]\n").encode())


def read_runs(text: str) -> tuple[Run, ...]:
    """The runs that `write_runs` gathered."""
    return tuple(_from_dict(plain) for plain in json.loads(text))


def _as_dict(run: Run) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "settings": run.settings.as_dict(),
        "curves": asdict(run.curves),
        "diverged": run.diverged,
        "provenance": dict(run.provenance),
    }


def _from_dict(plain: Any) -> Run:
    names = {"format", "settings", "curves", "diverged", "provenance"}
    if not isinstance(plain, dict) or plain.keys() != names or plain["format"] != FORMAT:
        raise GaugeError(f"a run of format {FORMAT} has the fields {sorted(names)}")
    run = Run(
        Settings.from_dict(plain["settings"]),
        Curves(**plain["curves"]),
        plain["diverged"],
        plain["provenance"],
    )
    curves = asdict(run.curves)
    lengths = {len(curve) for curve in curves.values()}
    whole = run.settings.epochs + 1
    if len(lengths) != 1 or not (min(lengths) == whole or (run.diverged and min(lengths) < whole)):
        raise GaugeError(f"curves must have {whole} entries each, found {sorted(lengths)}")
    for name, curve in curves.items():
        if not all(isinstance(v, float | int) and math.isfinite(v) for v in curve):
            raise GaugeError(f"'{name}' must be finite numbers")
    return run
