r"""Which descents of small equivariant networks come to their teacher, and which do not.

    python benchmarks/two_symmetries.py

About nine minutes on one core. Writes gaugelib/equivariance/runs.json after each group of rows;
what is there already is kept, so a run that was stopped is resumed. Delete the file to begin anew.

Student and teacher are Deep Sets networks: W = (a - b)I + b11ᵀ and v = c1 for each channel. The
teacher, `goal`, has one channel, (a, b) and c = 1. Inputs are standard normal, three where no `n`
is given; their mean is exact, but where `inputs` counts those drawn, each in all orders. Starts: a
and b drawn with standard deviation 0.7, and c = 1, or 1/m in each of m channels. The right side is
that of the sign that a - b has in the teacher; where all stand on one side, the two numbers of a
pair were put in the order that this asks for. Descent is in the inherited metric at a rate of 0.05,
but where said otherwise. A run is solved when its loss is below 1e-4; in `width`, where some go to
0 as a power of the time only, below 1e-3.

Counts are lists where they were taken after several numbers of steps (`steps`). Numbers have four
digits; what is below 1e-7 is rounding, and 0. No count in `starts`, `leaps` and `relaxed` with 50
inputs changes where the starts are nudged by 1e-12, relative.

- `starts`: by `n`, `goal` and `side`: `runs`, together 200; `crossed`, those in which the sign of
  a - b changed; `solved`; the least and largest `loss` at the end; `late`: for each that was solved
  between the two counts r² - c² at the start, r the size of a row, and the least |c| on the way.
- `minima`: with c = 1, by `n` and `goal`: `minima` as [a, b, loss], from the least loss in each
  direction, and `zero`, the loss of the network that gives 0. Where `goal` is "all":
  `depth`, the loss of the second minimum over `zero`, and `count`, the number of minima, for the
  teachers at each `angle` in degrees of (a√n, b√(n(n - 1))), a plane with the distances of W.
- `width`: by `channels` and `weights`, "fixed" at 1/m or "trained", for the teacher (-0.5, 1), at
  a `rate` of 0.2 m or 0.1: `right`, how many began with a channel on the right side; `solved`, at
  first after as long as 2500 steps at 0.05; `solved_right` and `solved_wrong`: those that began
  with such a channel, or without; `failed_right` and `failed_wrong`: the losses of the others.
- `leaps`: by `goal` and `rate`, on the other side: `above`, how many began at a rate above the
  bound of the theorem; `crossed`; `within`, how many crossed in a step at a rate below it; `solved`
  and `diverged` after 3000 steps.
- `sharing`: plain weight sharing of the coordinates `shared`, (a, b) or (δ, b) with δ = a - b, by
  `goal` and `side`, at a rate of 0.05/6: `crossed`, `across` (at the end) and `solved`.
- `relaxed`: by `inputs` (0: infinitely many), `goal`, `noise` and `start`: networks without
  constraint, at a rate of 0.1, from 20 starts on the other side with a, b > 0, or from the trap to
  which as many steps as the first count led on the page. W has normal noise of this standard
  deviation; each of the 20 has inputs of its own. `constrained`: how many of the traps are
  solved; `solved`; `taken`, the steps until then; `landed`, page -> how many of the solved end
  within 0.05 of it; `losses` of the others. Where `start` is "curvature": the `least` eigenvalue of
  the Hessian across the page at the traps, balanced, and their losses, `trap`.
"""

from __future__ import annotations

import itertools
import json
import math
import pathlib
from collections.abc import Callable

import torch
from deep_sets_channels import (
    RATE,
    RUNS,
    SOLVED,
    TRAPPED,
    Channels,
    channels,
    count,
    drawn,
    loss_and_slopes,
    on_side,
    raw,
    step,
    teacher,
    teachers,
)
from relaxed_networks import NOISES, relaxed
from torch import Tensor
from tqdm import tqdm

FILE = pathlib.Path(__file__).parent.parent / "gaugelib" / "equivariance" / "runs.json"
TEACHERS = ((1.0, 0.0), (1.0, -0.5), (1.0, 0.4), (-0.5, 1.0))
SHARED = ("a, b", "δ, b")
WEIGHTS = {"fixed": (0.2, (4000, 8000)), "trained": (0.1, (8000, 16000))}
RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def starts(n: int, nudge: float = 0.0) -> list[dict]:
    """From all over the page."""
    pairs = drawn(RUNS).repeat(len(TEACHERS), 1, 1) * (1 + nudge)
    net = first = channels(pairs)
    aim = teachers([goal for goal in TEACHERS for _ in range(RUNS)])
    excess = (n * net.b**2 + 2 * net.b * net.delta + net.delta**2 - net.c**2)[:, 0]
    crossed, least, solved, at = torch.zeros(len(pairs)) > 0, net.c[:, 0], [], (4000, 24000)
    for k in range(at[-1] + 1):
        loss, slopes = loss_and_slopes(n, net, aim)
        crossed = crossed | (net.delta * first.delta <= 0)[:, 0]
        least = least.minimum(net.c[:, 0].abs())
        if k in at:
            solved.append(loss < SOLVED)
        net = step(net, slopes, RATE)
    rows = []
    for (k, goal), side in itertools.product(enumerate(TEACHERS), ("right", "wrong")):
        these = torch.zeros_like(crossed)
        these[k * RUNS : (k + 1) * RUNS] = True
        these &= (first.delta * aim.delta > 0)[:, 0] == (side == "right")
        late = these & ~solved[0] & solved[-1]
        rows.append({
            "n": n, "goal": goal, "side": side, "runs": count(these), "steps": at,
            "crossed": count(crossed & these), "solved": [count(s & these) for s in solved],
            "loss": [float(loss[these].min()), float(loss[these].max())],
            "late": [[float(e), float(c)] for e, c in zip(excess[late], least[late])],
        })  # fmt: skip
    return rows


def by_direction(n: int, goal: Channels, turn: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Directions (a, b) on the page, the least loss on each ray and where it is, and that of 0."""
    a, b = turn.cos() / math.sqrt(n), turn.sin() / math.sqrt(n * (n - 1))
    ray = Channels((a - b)[:, None], b[:, None], torch.ones_like(a)[:, None])
    # a quadratic function of the output weight, as of the distance from 0
    up, down, zero = (
        loss_and_slopes(n, ray._replace(c=c * ray.c), goal)[0] for c in (1.0, -1.0, 0.0)
    )
    far = ((down - up) / (2 * (up + down - 2 * zero))).clamp(min=0)
    return torch.stack([a, b], 1), zero - (down - up) * far / 4, far, zero[0]


def minima(n: int, nudge: float = 0.0) -> list[dict]:
    """Least losses by direction, and their minima; last, for n = 3, all teachers."""
    rows = []
    for goal in TEACHERS:
        found, zero = lowest(n, teacher(*goal))
        rows.append({"n": n, "goal": goal, "minima": found, "zero": zero})
    if n != 3:
        return rows
    angles, depth, many = list(range(0, 360, 4)), [], []
    for angle in angles:
        t = math.radians(angle)
        found, zero = lowest(n, teacher(math.cos(t) / 3**0.5, math.sin(t) / 6**0.5))
        many.append(len(found))
        depth.append(max(found[-1][2] / zero, 0.0))
    return [*rows, {"n": n, "goal": "all", "angle": angles, "depth": depth, "count": many}]


def lowest(n: int, aim: Channels) -> tuple[list[list[float]], float]:
    """Minima as [a, b, loss], the least first, and the loss at 0."""
    turn = (torch.arange(720, dtype=torch.float64) + 0.5) * math.pi / 360
    _, least, far, zero = by_direction(n, aim, turn)
    found = []
    for middle in turn[(least < least.roll(1)) & (least <= least.roll(-1)) & (far > 0)]:
        for half in (1e-2, 2e-5, 4e-8):
            near = middle + half * torch.linspace(-1, 1, 1001, dtype=turn.dtype)
            where, least, far, _ = by_direction(n, aim, near)
            best = least.argmin()
            middle = near[best]
        found.append([*(where[best] * far[best]).tolist(), float(least[best])])
    return sorted(found, key=lambda one: (round(one[2], 7), one[0])), float(zero)


def width(m: int, nudge: float = 0.0) -> list[dict]:
    """Several channels."""
    runs = RUNS if m < 6 else RUNS // 2
    rows, aim = [], teacher(-0.5, 1.0)
    for weights, (rate, at) in WEIGHTS.items():
        rate *= m if weights == "fixed" else 1
        net, below = channels(drawn(runs, m, m) * (1 + nudge), 1 / m), []
        right, at = (net.delta < 0).any(1), (round(2500 * RATE / rate), *at)
        for k in range(at[-1] + 1):
            loss, slopes = loss_and_slopes(3, net, aim)
            if k in at:
                below.append(count(loss < 10 * SOLVED))
            net = step(net, slopes, rate, weights == "fixed")
        done = loss < 10 * SOLVED
        rows.append({
            "channels": m, "weights": weights, "runs": runs, "rate": rate, "steps": at,
            "right": count(right), "solved": below, "solved_right": count(done & right),
            "solved_wrong": count(done & ~right),
            "failed_right": sorted(loss[~done & right].tolist()),
            "failed_wrong": sorted(loss[~done & ~right].tolist()),
        })  # fmt: skip
    return rows


def bound(net: Channels, aim: Channels) -> Tensor:
    """Rates below this leave the sign of a - b, three inputs."""
    r, most = ((3 * x.b**2 + 2 * x.b * x.delta + x.delta**2).sqrt() for x in (net, aim))
    c = net.c.abs()
    return (2 * r / (3 * c * (c * r + aim.c * most)))[:, 0]


def leaps(n: int, nudge: float = 0.0) -> list[dict]:
    """Steps that are large."""
    cases = list(itertools.product(TRAPPED, RATES))
    pairs = torch.cat([on_side(drawn(RUNS), goal, "wrong") for goal, _ in cases])
    net, aim = channels(pairs * (1 + nudge)), teachers([g for g, _ in cases for _ in range(RUNS)])
    rate = torch.tensor([r for _, r in cases], dtype=pairs.dtype).repeat_interleave(RUNS)
    above = rate >= bound(net, aim)
    crossed = within = torch.zeros_like(above)
    for _ in range(3000):
        loss, slopes = loss_and_slopes(n, net, aim)
        allowed, last = rate < bound(net, aim), net.delta
        net = step(net, slopes, rate[:, None])
        now = (net.delta * last <= 0)[:, 0]
        crossed, within = crossed | now, within | (now & allowed)
    parts = above, crossed, within, loss < SOLVED, ~(loss < 1e3)
    names = ("above", "crossed", "within", "solved", "diverged")
    return [
        {"n": n, "goal": goal, "rate": r, "runs": RUNS}
        | {x: count(p[k * RUNS : (k + 1) * RUNS]) for x, p in zip(names, parts)}
        for k, (goal, r) in enumerate(cases)
    ]


def sharing(n: int, nudge: float = 0.0) -> list[dict]:
    """Plain weight sharing."""
    cases = list(itertools.product(TRAPPED, ("right", "wrong")))
    pairs = torch.cat([on_side(drawn(RUNS), *case) for case in cases]) * (1 + nudge)
    aim, rows, at = teachers([g for g, _ in cases for _ in range(RUNS)]), [], (4000, 16000)
    for shared in SHARED:
        net = first = channels(pairs)
        crossed, solved = torch.zeros(len(pairs)) > 0, []
        for k in range(at[-1] + 1):
            loss, slopes = loss_and_slopes(n, net, aim)
            crossed = crossed | (net.delta * first.delta <= 0)[:, 0]
            if k in at:
                solved.append(loss < SOLVED)
            net = step(net, raw(n, slopes, shared), RATE / 6)
        for k, (goal, side) in enumerate(cases):
            part = slice(k * RUNS, (k + 1) * RUNS)
            rows.append({
                "n": n, "goal": goal, "shared": shared, "side": side, "runs": RUNS, "steps": at,
                "crossed": count(crossed[part]),
                "across": count((net.delta * first.delta < 0)[part]),
                "solved": [count(s[part]) for s in solved],
            })  # fmt: skip
    return rows


MEASURE: dict[str, tuple[str, Callable[..., list[dict]], tuple[int, ...]]] = {
    "starts": ("n", starts, (3, 2)),
    "minima": ("n", minima, (3, 2, 4)),
    "width": ("channels", width, (1, 2, 3, 4, 6, 8)),
    "leaps": ("n", leaps, (3,)),
    "sharing": ("n", sharing, (3,)),
    "relaxed": ("inputs", relaxed, tuple(NOISES)),
}


def rows(part: str, value: int, nudge: float = 0.0) -> list[dict]:
    """The rows of a part for which `n`, `channels` or `inputs` is this; `nudge`: of the starts."""
    return rounded(MEASURE[part][1](value, nudge=nudge))


def rounded(value):
    """Numbers to four digits, tuples as lists."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    if isinstance(value, float):  # smaller ones are rounding
        return float(f"{value:.4g}") if abs(value) > 1e-7 else 0.0
    return value


def main() -> None:
    """Measure what is not in the file."""
    stored: dict[str, list[dict]] = {part: [] for part in MEASURE}
    if FILE.exists():
        stored = json.loads(FILE.read_text(encoding="utf-8"))
    for part, (name, _, values) in MEASURE.items():
        done = {row[name] for row in stored[part]}
        for value in tqdm([v for v in values if v not in done], desc=part):
            stored[part] += rows(part, value)
            write(stored)


def write(stored: dict[str, list[dict]]) -> None:
    """One line for each row."""
    parts = [
        f'"{part}": [\n' + ",\n".join(json.dumps(one) for one in rows) + "\n]"
        for part, rows in stored.items()
    ]
    FILE.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
