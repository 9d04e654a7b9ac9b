"""What was measured on trained networks, read back from the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError


def measured(name: str) -> dict[str, Any]:
    """The stored measurements of one experiment, with where they come from.

    Args:
        name: the experiment, as a file of `gaugelib/gauges/stored` without its ending.

    Returns:
        What the benchmark wrote; `provenance` says with which command and which versions.

    Raises:
        GaugeError: if there is no such experiment.
    """
    folder = files("gaugelib.gauges") / "stored"
    names = sorted(item.name.removesuffix(".json") for item in folder.iterdir())
    if name not in names:
        raise GaugeError(f"no measurements called {name!r}; there are {names}")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
