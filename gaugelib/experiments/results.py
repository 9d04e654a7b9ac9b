r"""Results that travel with the library, and what the chapter reads from them.

>>> runs = stored("digits-small")  # three depths, two optimisers, three arms, five seeds
>>> curves = curves_of(runs, "regularised", optimiser="sgd", depth=3, arm="once")
>>> tuple(curves.shape)  # seeds, epochs + 1
(5, 31)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor

from gaugelib.experiments.settings import EXPONENT, Settings
from gaugelib.experiments.store import Run, read_runs
from gaugelib.experiments.suites import ARMS
from gaugelib.group import GaugeError

STORED = ("digits", "digits-small", "digits-rates", "digits-large-steps", "digits-decay")
"""The suites whose results are shipped.

Each result says what it was computed with. The suite `"paper"` has to be run.
"""

QUANTITIES = ("regularised", "loss", "penalty", "train_error", "test_error", "imbalance")


def stored(name: str) -> tuple[Run, ...]:
    """The runs of a suite as they were computed once, their curves to five significant digits.

    Raises:
        GaugeError: if the results of that suite are not shipped.
    """
    if name not in STORED:
        raise GaugeError(f"stored are the results of {STORED}, found {name!r}")
    return read_runs((files("gaugelib.experiments") / "stored" / f"{name}.json").read_text("utf-8"))


def select(runs: Iterable[Run], **wanted: Any) -> tuple[Run, ...]:
    """The runs whose settings have these values, such as `depth=3, arm="once"`.

    Raises:
        GaugeError: naming a setting that does not exist.

    Example:
        >>> len(select(stored("digits-small"), optimiser="egd", depth=7, arm="never"))
        5
    """
    runs = tuple(runs)
    for name in wanted:
        if runs and not hasattr(runs[0].settings, name):
            raise GaugeError(f"a run has no setting {name!r}")
    return tuple(
        run for run in runs if all(getattr(run.settings, k) == v for k, v in wanted.items())
    )


def curves_of(runs: Iterable[Run], quantity: str = "regularised", **wanted: Any) -> Tensor:
    """One curve for each selected run, (seeds, epochs + 1), in float64, ordered by seed.

    Entry [:, 0] is measured before the first step. Where a run diverged, its curve is infinite.
    The selected runs must differ in their seed alone, lest unlike things be averaged.

    Args:
        runs: what `stored` or `run_all` gave.
        quantity: one of `QUANTITIES`.
        **wanted: as of `select`.

    Raises:
        GaugeError: if nothing is selected, the quantity is unknown, or the runs are not alike.
    """
    if quantity not in QUANTITIES:
        raise GaugeError(f"the quantity must be one of {QUANTITIES}, found {quantity!r}")
    found = sorted(select(runs, **wanted), key=lambda run: run.settings.seed)
    if len({replace(run.settings, seed=0) for run in found}) != 1:
        raise GaugeError(f"{wanted} must select runs that differ in their seed alone, and some")
    width = found[0].settings.epochs + 1
    table = torch.full((len(found), width), torch.inf, dtype=torch.float64)
    for row, run in zip(table, found, strict=True):
        curve = run.regularised if quantity == "regularised" else getattr(run.curves, quantity)
        row[: len(curve)] = torch.tensor(curve, dtype=torch.float64)
    return table


def alike(runs: Iterable[Run]) -> dict[str, tuple[Run, ...]]:
    """Runs grouped by all that is neither data set, depth, arm nor seed, under a title each.

    Example:
        >>> list(alike(stored("digits-small")))
        ['SGD, η = 0.02, λ = 0.0001', 'EGD, η = 0.1, λ = 5e-06']
    """
    groups: dict[Settings, list[Run]] = {}
    for run in runs:
        rest = replace(run.settings, data="", hidden=(1,), arm="never", seed=0)
        groups.setdefault(rest, []).append(run)
    return {_title(rest): tuple(members) for rest, members in groups.items()}


def _title(settings: Settings) -> str:
    extra = "" if settings.init == "he" else f", {settings.init}"
    rate, decay = settings.lr, settings.weight_decay
    return f"{settings.optimiser.upper()}, η = {rate:g}, λ = {decay:g}{extra}"


@dataclass(frozen=True)
class Row:
    """One line of the verdict: an arm of one optimiser and depth.

    Attributes:
        optimiser, depth, arm: which.
        mean: mean over the seeds at each of the epochs.
        wins: at each, for how many seeds it is below the run that was never fixed.
        seeds: of how many.
    """

    optimiser: str
    depth: int
    arm: str
    mean: tuple[float, ...]
    wins: tuple[int, ...]
    seeds: int


def verdict(
    runs: Iterable[Run],
    quantity: str = "regularised",
    epochs: Sequence[int] = (1, 5, 10, 30),
) -> tuple[Row, ...]:
    """Where each arm stands at some epochs, and for how many seeds it beats never fixing.

    Seeds are compared in pairs: with one seed all arms begin at the same function and see the
    examples in the same order.

    Raises:
        GaugeError: as `curves_of` does, or if the arms have different seeds.

    Example:
        >>> row = verdict(stored("digits-small"), epochs=[30])[1]
        >>> row.optimiser, row.depth, row.arm, row.wins, row.seeds
        ('sgd', 3, 'once', (5,), 5)
    """
    runs = tuple(runs)
    kinds = dict.fromkeys((run.settings.optimiser, run.settings.depth) for run in runs)
    kinds = sorted(kinds, key=lambda kind: (list(EXPONENT).index(kind[0]), kind[1]))
    columns = list(epochs)
    rows = []
    arms = [arm for arm in ARMS if select(runs, arm=arm)]
    for optimiser, depth in kinds:
        seeds = {
            arm: {
                run.settings.seed for run in select(runs, optimiser=optimiser, depth=depth, arm=arm)
            }
            for arm in arms
        }
        never = curves_of(runs, quantity, optimiser=optimiser, depth=depth, arm="never")
        for arm in arms:
            chosen = curves_of(runs, quantity, optimiser=optimiser, depth=depth, arm=arm)
            if seeds[arm] != seeds["never"]:
                raise GaugeError(f"arms of {optimiser}, depth {depth}, have different seeds")
            rows.append(
                Row(
                    optimiser,
                    depth,
                    arm,
                    tuple(chosen[:, columns].mean(0).tolist()),
                    tuple((chosen < never)[:, columns].sum(0).tolist()),
                    len(chosen),
                )
            )
    return tuple(rows)


def best_rate(runs: Iterable[Run], quantity: str = "regularised", **wanted: Any) -> Tensor:
    r"""The learning rate whose mean final value is smallest, and that value: a tensor of the two.

    Example:
        >>> rate, _ = best_rate(stored("digits-small"), optimiser="sgd", depth=3, arm="never")
        >>> float(rate)  # the only one there is
        0.02
    """
    chosen = select(runs, **wanted)
    rates = sorted({run.settings.lr for run in chosen})
    finals = torch.stack([curves_of(chosen, quantity, lr=lr)[:, -1].mean() for lr in rates])
    return torch.stack([torch.tensor(rates, dtype=torch.float64)[finals.argmin()], finals.min()])


def panels(
    runs: Iterable[Run], quantities: Sequence[str] = ("regularised", "train_error")
) -> dict[str, dict[str, dict[tuple[int, str], Tensor]]]:
    """Runs of one optimiser, arranged as `gaugelib.plot.learning_curves` draws them.

    Returns:
        Name of a data set -> quantity -> (depth, arm) -> what `curves_of` gives.

    Example:
        >>> found = panels(select(stored("digits-small"), optimiser="sgd"))
        >>> list(found), list(found["digits"]), len(found["digits"]["train_error"])
        (['digits'], ['regularised', 'train_error'], 9)
    """
    runs = tuple(runs)
    if len({run.settings.optimiser for run in runs}) != 1:
        raise GaugeError("panels are for runs of one optimiser; select some")
    keys = sorted({(run.settings.depth, ARMS.index(run.settings.arm)) for run in runs})
    return {
        data: {
            quantity: {
                (depth, ARMS[arm]): curves_of(runs, quantity, data=data, depth=depth, arm=ARMS[arm])
                for depth, arm in keys
                if select(runs, data=data, depth=depth, arm=ARMS[arm])
            }
            for quantity in quantities
        }
        for data in dict.fromkeys(run.settings.data for run in runs)
    }


def text(rows: Iterable[Row], epochs: Sequence[int], digits: int = 4) -> str:
    """The verdict as lines of text: mean, and wins of seeds, at each epoch.

    Args:
        rows: what `verdict` gave.
        epochs: those that it was asked for.
        digits: of the means, after the point.
    """
    head = f"{'':4} {'depth':>5} {'gauge':>6}" + "".join(f"{f'epoch {e}':>16}" for e in epochs)
    lines = [head]
    for row in rows:
        cells = [
            f"{mean:9.{digits}f}" + ("      " if row.arm == "never" else f" ({won}/{row.seeds})")
            for mean, won in zip(row.mean, row.wins, strict=True)
        ]
        line = f"{row.optimiser:4} {row.depth:5} {row.arm:>6}"
        lines.append(line + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)
