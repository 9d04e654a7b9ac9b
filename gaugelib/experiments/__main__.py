"""The command line: `python -m gaugelib.experiments --help`."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tqdm import tqdm

from gaugelib import data
from gaugelib.experiments.results import alike, panels, select, text, verdict
from gaugelib.experiments.runner import run_all
from gaugelib.experiments.settings import EXPONENT, SMALL_HIDDEN, Settings
from gaugelib.experiments.store import Run, write_runs
from gaugelib.experiments.suites import ARMS, SUITES, suite
from gaugelib.group import GaugeError
from gaugelib.plot import learning_curves

ABOUT = """\
Trains the networks of Figures 3 and 4 of the paper with SGD (p = 2) and EGD (p = 1), with the
minimum-norm gauge fixed never, once, or before every step. Each run is one file in the folder.
Stop it whenever you like and give the same command again: finished runs are read, a run that was
interrupted goes on, and the files come out the same.

suites:
"""
EXAMPLES = """
examples:
  python -m gaugelib.experiments paper --folder results --figures figures
  python -m gaugelib.experiments paper --arm never every       the 240 runs of the paper
  python -m gaugelib.experiments paper --data mnist --depth 3 --seeds 1
  python -m gaugelib.experiments digits-small --seeds 2 --epochs 5
"""


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    about = ABOUT + "".join(
        f"  {name:20}{(make.__doc__ or '').splitlines()[0]}\n" for name, make in SUITES.items()
    )
    found = argparse.ArgumentParser(
        prog="python -m gaugelib.experiments",
        description=about,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("suite", choices=list(SUITES), help="which runs")
    add("--folder", default="results", help="where results are stored (default: %(default)s)")
    add("--downloads", help="where data sets are stored (default: the user's cache)")
    part = found.add_argument_group("part of the suite")
    part.add_argument("--data", nargs="+", choices=data.NAMES)
    part.add_argument("--depth", nargs="+", type=int, choices=sorted(SMALL_HIDDEN))
    part.add_argument("--optimiser", nargs="+", choices=list(EXPONENT))
    part.add_argument("--arm", nargs="+", choices=ARMS)
    part.add_argument("--seeds", type=int, help="only the first so many")
    change = found.add_argument_group("other settings")
    change.add_argument("--epochs", type=int)
    change.add_argument("--lr", type=float)
    change.add_argument("--weight-decay", type=float)
    change.add_argument("--batch", type=int)
    change.add_argument("--init", choices=("he", "xavier"))
    change.add_argument("--precision", choices=("float32", "float64"))
    how = found.add_argument_group("how")
    how.add_argument("--device", help="such as cpu or cuda (default: cuda if there is one)")
    how.add_argument("--minutes", type=float, help="begin no epoch after so many")
    how.add_argument("--figures", help="a folder for the figures")
    how.add_argument("--gather", help="a file to gather all results of the part in")
    return found


def chosen(options: argparse.Namespace) -> tuple[Settings, ...]:
    """The runs that the options name, each once.

    Raises:
        GaugeError: if there are none.
    """
    changes = ("epochs", "lr", "weight_decay", "batch", "init", "precision")
    given = {name: value for name in changes if (value := getattr(options, name)) is not None}
    kept = [
        replace(one, **given)
        for one in suite(options.suite)
        if all(
            getattr(options, name) is None or getattr(one, name) in getattr(options, name)
            for name in ("data", "depth", "optimiser", "arm")
        )
        and (options.seeds is None or one.seed < options.seeds)
    ]
    if not kept:
        raise GaugeError(f"no run of '{options.suite}' is of that part")
    return tuple(dict.fromkeys(kept))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 1 if runs are left to do, or on an error."""
    options = parser().parse_args(arguments)
    try:
        asked = chosen(options)
        runs = run_all(
            asked,
            options.folder,
            load=partial(data.load, folder=options.downloads),
            device=options.device,
            minutes=options.minutes,
        )
        if options.gather:
            write_runs(pathlib.Path(options.gather), runs)
        _report(runs, options.figures)
    except GaugeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command goes on\n")
        return 1
    if len(runs) < len(asked):
        sys.stderr.write(f"{len(asked) - len(runs)} of {len(asked)} runs are left to do\n")
        return 1
    return 0


def _report(runs: Sequence[Run], figures: str | None) -> None:
    """The verdict on each data set, and a figure for each group of runs that are alike."""
    for number, (title, group) in enumerate(alike(runs).items(), start=1):
        for name in dict.fromkeys(run.settings.data for run in group):
            some = select(group, data=name)
            last = some[0].settings.epochs
            epochs = [epoch for epoch in (1, 5, 10, 30) if epoch < last] + [last]
            try:
                table = text(verdict(some, epochs=epochs), epochs)
            except GaugeError as error:  # an arm that the others are compared with is not there yet
                table = f"no table yet: {error}"
            tqdm.write(f"\n{name}, {title}: regularised loss\n{table}")
        if figures:
            path = pathlib.Path(figures) / f"{number}-{group[0].settings.optimiser}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            learning_curves(panels(group)).savefig(path, dpi=150)


if __name__ == "__main__":
    sys.exit(main())
