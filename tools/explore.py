"""Look for examples that no property test has met: `explore.py --seed 1 --minutes 30`.

Runs the property tests alone, with new random examples, one pass for each seed, until the time is
over. What fails is kept in the folder: the log with the example and the line that draws it again,
and a patch that adds it to its test as an explicit `@example` (`git apply FILE`). Ctrl-C ends the
search and keeps what was found.
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

try:
    from tools.tally import counts
except ModuleNotFoundError:  # run as a script
    from tally import counts

ROOT = pathlib.Path(__file__).parents[1]


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    found = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = found.add_argument
    add("--seed", type=int, default=1, help="of the first pass (default: %(default)s)")
    add("--minutes", type=float, help="how long (default: one pass, to its end)")
    add("--times", type=float, default=5.0, help="the examples of `make test` (default: 5)")
    add("--jobs", type=int, default=1, help="passes at a time (default: %(default)s)")
    add("--folder", type=pathlib.Path, default=ROOT / ".cache" / "explore", help="what is found")
    add("tests", nargs="*", default=["tests"], help="files or folders (default: all)")
    return found


def command(seed: int, options: argparse.Namespace, end: float | None) -> list[str]:
    """One pass, as a command. In one process: hypothesis writes no patches from workers."""
    return [
        *(sys.executable, "-m", "pytest", "-q", "-n0", "--tb=short"),
        *("--explore", str(options.folder), "--times", str(options.times)),
        *(() if end is None else ("--until", str(end))),
        f"--hypothesis-seed={seed}",
        f"--junitxml={report(seed, options.folder)}",
        *("--ignore=tests/site", *options.tests),
    ]


def report(seed: int, folder: pathlib.Path) -> pathlib.Path:
    """Where a pass writes its counts."""
    return folder / f"seed-{seed}.xml"


def search(options: argparse.Namespace) -> bool:
    """Pass after pass until the time is over; whether all went well."""
    folder: pathlib.Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    end = None if options.minutes is None else time.time() + 60 * options.minutes
    seeds: Iterator[int] = itertools.count(options.seed)
    running: dict[int, subprocess.Popen] = {}
    well, by_hand = True, False
    first = options.jobs if end is None else None  # without a time: as many passes as jobs
    try:
        for seed in itertools.islice(seeds, first):
            running[seed] = begin(seed, options, end)
            while len(running) >= options.jobs and not over(end):
                well &= gather(running, folder, end)
                time.sleep(0.2)
            if over(end):
                break
        while running and not over(end):
            well &= gather(running, folder, end)
            time.sleep(0.2)
    except KeyboardInterrupt:
        by_hand = True
        print("stopping", flush=True)
        for process in running.values():
            process.send_signal(signal.SIGINT)  # pytest then still writes what it found
    while running:  # each ends its present test
        well &= gather(running, folder, end, by_hand)
        time.sleep(0.2)
    return well


def over(end: float | None) -> bool:
    """Whether the time is up."""
    return end is not None and time.time() >= end


def begin(seed: int, options: argparse.Namespace, end: float | None) -> subprocess.Popen:
    """Start a pass, with its log beside its report; the terminal's Ctrl-C does not reach it."""
    report(seed, options.folder).unlink(missing_ok=True)
    with log(seed, options.folder).open("wb") as file:
        return subprocess.Popen(
            command(seed, options, end),
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def log(seed: int, folder: pathlib.Path) -> pathlib.Path:
    """Where a pass writes what pytest says."""
    return folder / f"seed-{seed}.log"


def gather(
    running: dict[int, subprocess.Popen],
    folder: pathlib.Path,
    end: float | None,
    by_hand: bool = False,
) -> bool:
    """Take out the passes that have ended, say how they went; whether they went well."""
    well = True
    for seed, process in list(running.items()):
        if process.poll() is None:
            continue
        del running[seed]
        n = counts(report(seed, folder))
        bad = n["failures"] + n["errors"]
        # 2: interrupted, as it should be by hand or when the time is over
        fine = not bad and process.returncode in ({0, 2} if by_hand or over(end) else {0})
        stopped = ", stopped" if process.returncode == 2 else ""
        print(f"seed {seed}: {n['tests'] - bad} hold, {bad} fail{stopped}", flush=True)
        if not fine:
            print(log(seed, folder).read_text(encoding="utf-8", errors="replace"), flush=True)
        well &= fine
    return well


def main(arguments: Sequence[str] | None = None) -> int:
    """Search, and say where the findings are; exit status 1 if there are any."""
    options = parser().parse_args(arguments)
    options.folder = options.folder.resolve()
    if search(options):
        return 0
    print(f"What was found is in {options.folder}: seed-*.log, and as explicit examples")
    for patch in sorted(options.folder.glob("patches/*.patch")):
        print(f"  git apply {patch}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
