"""One network measured, in the environment that has its package: `python -m published.worker`.

    python -m published.worker NAME FOLDER

Writes what it found into FOLDER after each of its two parts, and skips a part that is there.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import warnings
from typing import Any

import torch
from published.measure import outputs_of, weights_only
from published.networks import NETWORKS
from published.runtime import static

import gaugelib as gl


def digits(value: Any) -> Any:
    """The same with five significant digits."""
    if isinstance(value, dict):
        return {key: digits(part) for key, part in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main(name: str, folder: pathlib.Path) -> None:
    """Both parts."""
    torch.set_num_threads(1)
    stem = re.sub(r"\W+", "_", name)
    weights, scales = folder / f"{stem}.weights.json", folder / f"{stem}.scales.pt"
    runtime = folder / f"{stem}.runtime.json"
    network = NETWORKS[name]()
    if not weights.exists():
        found, moved = weights_only(network)
        torch.save(moved, scales)
        weights.write_text(json.dumps(digits(found)), encoding="utf-8")
    if not runtime.exists():
        true = outputs_of(network, gl.params_of(network.model))
        found = static(network, torch.load(scales, weights_only=True), true)
        runtime.write_text(json.dumps(digits(found)), encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
