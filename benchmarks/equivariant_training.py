r"""What keeps a run on a page, and what happens to circular convolutions.

    python benchmarks/equivariant_training.py [PART ...]

About ten minutes on one core. It writes gaugelib/equivariance/training.json after each run;
what is there already is kept, so a run that was stopped is resumed. Delete the file to begin anew.
Each entry of the file is a part, a list of rows; a row has the names below and what was measured.

The network without a constraint (`equivariant_staying.py`): Linear(3, 3), ReLU, Linear(3, 1), no
biases, from the page of S_3 at (a, b) = (0.9, 0.3), the side without the teacher (-1/2, 1). The
sample is 200 normal draws in all six orders. Rates: 0.05, with Adam 0.01; batches of 120.

- `staying`: `method`, `way` ("full" batches, "whole" orbits, or "cut" orbits), `dtype`, `runs`
  with batches of their own; after each of some `steps` the `distance` of each run from its page;
  for each run the step (looked at every 100) at which it had `escaped`, to less than half of the
  loss in the trap; at the end its `loss`, the nearest `page`, how far `off` it is, and ac, bc.
- `sums`: which sums are plain, sorted or fixed: over `inputs`, `units` and `examples`; the
  `largest` distance within 1000 steps.
- `kicked`: infinitely many inputs; from the trap and a `kick` along the direction of negative
  curvature across the page. Growth a step, `measured` and `predicted` by the eigenvalue.
- `bowl`: samples of so many `draws`. In the trap there the eigenvalues of the Hessian across the
  page, and the `curvature` in the direction that goes down with infinitely many inputs: second
  differences over a `reach`.

Circular convolutions (`equivariant_rings.py`), 24 runs a row, each with its own teacher and start:

- `rings`: signals of length `d`, `kernel`, `bias`, channels `taught` and `channels`; the kinds of
  ends (`solved`: less than a thousandth of the loss of the best constant), and how many runs
  have `turned` the sign of an output weight.
- `relaxed`: the full network from the convolution's `start` or `end`, with noise of 0.01, on `all
  shifts` of 100 signals or on as many `drawn` signals; at the end the `distance` to the nearest
  page, the `cycles` of its units under the shift, and how many units have `moved`.

A Deep Sets layer on three inputs (`equivariant_codings.py`), plain descent, 200 draws:

- `codings`: it is coded as a matrix of `entries`, as `delta and sum`, or `projected`, from
  the `wrong` or the `right` side: how many of 24 runs `crossed` a = b, and were `solved`.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import sys
from collections.abc import Callable, Iterator

from equivariant_codings import CODINGS, coded
from equivariant_rings import Ring
from equivariant_staying import SUMS, bowl, kicked, staying, summed
from tqdm import tqdm

FILE = pathlib.Path(__file__).parent.parent / "gaugelib" / "equivariance" / "training.json"
RUNS = 20
RINGS = ((3, 3, False, 1), (8, 8, False, 1), (8, 3, False, 1), (12, 12, False, 1),
         (8, 8, True, 1), (8, 8, False, 2))  # fmt: skip
RELAXED = ((3, 3, False, 1), (8, 8, False, 1), (8, 3, False, 1))
TEACHERS = ((1.0, 0.0), (-0.5, 1.0), (1.0, 0.4), (0.4, 1.0))
Row = dict[str, object]


def plans() -> dict[str, list[Row]]:
    """The names of all rows."""
    table: dict[str, list[Row]] = {name: [] for name in PARTS}
    for method, way, dtype in itertools.product(
        ("sgd", "momentum", "adam"), ("full", "whole", "cut"), ("float64", "float32")
    ):
        runs = RUNS if (way, dtype) == ("cut", "float64") else 1
        table["staying"] += [{"method": method, "way": way, "dtype": dtype, "runs": runs}]
    kinds = [(one, one, one) for one in SUMS]
    kinds += [tuple("plain" if k == j else "sorted" for j in range(3)) for k in range(3)]
    names = ("inputs", "units", "examples", "dtype")
    table["sums"] = [
        dict(zip(names, (*kind, dtype))) for dtype in ("float64", "float32") for kind in kinds
    ]
    for dtype, kick in (("float64", 1e-15), ("float64", 3e-15), ("float64", 1e-10),
                        ("float32", 1e-6), ("float32", 3e-6), ("float32", 1e-4)):  # fmt: skip
        table["kicked"] += [{"dtype": dtype, "kick": kick}]
    table["bowl"] = [{"draws": draws} for draws in (50, 200, 1000, 5000)]
    ring = ("d", "kernel", "bias", "taught", "channels")
    table["rings"] = [dict(zip(ring, (*one, m))) for one in RINGS for m in (1, 2, 4)]
    ways = (("start", "all shifts"), ("start", "drawn"), ("end", "all shifts"))
    table["relaxed"] = [
        dict(zip(ring, (*one, 1))) | {"start": start, "data": data}
        for one in RELAXED
        for start, data in ways
    ]
    table["codings"] = [
        {"coding": coding, "teacher": list(teacher), "side": side}
        for coding in CODINGS
        for teacher in TEACHERS
        for side in ("wrong", "right")
    ]
    return table


def ring_row(d: int, kernel: int, bias: bool, taught: int, channels: int) -> dict:
    """A row of `rings`."""
    return Ring(d, kernel, bias, taught).trained(channels)


def relaxed_row(
    d: int, kernel: int, bias: bool, taught: int, channels: int, start: str, data: str
) -> dict:
    """A row of `relaxed`."""
    ring = Ring(d, kernel, bias, taught)
    ring.trained(channels)
    return ring.relaxed(channels, start, data)


def coded_row(coding: str, teacher: list[float], side: str) -> dict:
    """A row of `codings`."""
    return coded(coding, (teacher[0], teacher[1]), side)


PARTS: dict[str, Callable[..., dict]] = {
    "staying": staying,
    "sums": summed,
    "kicked": kicked,
    "bowl": bowl,
    "rings": ring_row,
    "relaxed": relaxed_row,
    "codings": coded_row,
}


def rounded(value):
    """Numbers to six digits."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def missing(stored: dict[str, list[Row]], parts: list[str]) -> Iterator[tuple[str, Row]]:
    """Rows that are not in the file."""
    for name, rows in plans().items():
        done = [{key: row[key] for key in rows[0]} for row in stored[name]]
        if name in parts:
            yield from ((name, row) for row in rows if row not in done)


def main(parts: list[str]) -> None:
    """Run what is not in the file."""
    stored: dict[str, list[Row]] = {name: [] for name in PARTS}
    if FILE.exists():
        stored |= json.loads(FILE.read_text(encoding="utf-8"))
    for name, row in tqdm(list(missing(stored, parts or list(PARTS))), desc="rows"):
        stored[name].append(row | rounded(PARTS[name](**row)))
        write(stored)


def write(stored: dict[str, list[Row]]) -> None:
    """One line for each row, in the order of the plans."""
    parts = []
    for name, plan in plans().items():
        keys = plan[0].keys()
        rows = sorted(stored[name], key=lambda row, k=keys, p=plan: p.index({n: row[n] for n in k}))
        parts.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
    FILE.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
