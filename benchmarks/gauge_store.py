"""How the measurements of the chapter "Which gauge?" are rounded and written down."""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from torch import Tensor

from gaugelib.experiments.provenance import provenance


def mean_and_error(values: Tensor) -> list[float]:
    """The mean, and its standard error."""
    return [float(values.mean()), float(values.std() / math.sqrt(len(values)))]


def rounded(value: Any) -> Any:
    """Numbers to five digits, None for what is not finite."""
    if isinstance(value, Mapping):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def write(file: pathlib.Path, stored: Mapping[str, Sequence[Any]]) -> None:
    """One line for each row of each part, and where they come from."""
    origin = {
        "command": f"python benchmarks/which_gauge_{file.stem}.py",
        "versions": {k: v for k, v in provenance("cpu").items() if k != "commit"},
        "date": str(date.today()),
    }
    parts = [f'"provenance": {json.dumps(origin)}']
    for name, rows in stored.items():
        if name != "provenance":
            lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in rows)
            parts.append(f'"{name}": [\n{lines}\n]')
    file.parent.mkdir(exist_ok=True)
    file.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")
