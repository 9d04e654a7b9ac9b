"""Does the suite notice when the library is wrong? Counts the mutants of the core that it kills.

    make mutation SAMPLE=300 SEED=1

Each mutant is one small change of meaning (`mutation_sites`), tried in a process of its own
(`mutation_fork`) on the tests that reach it (`mutation_tests`). Answers are kept under
.cache/mutation: a run that is stopped goes on where it was. Survivors that cannot be told from the
library are explained in tests/meta/mutants.toml, by the line's text and not by its number.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import importlib
import json
import os
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.mutation_sites import Mutant, mutants
from tools.mutation_tests import (
    Reach,
    batches,
    candidates,
    common_files,
    digest,
    importers,
    keep,
    load,
    read_reach,
    test_files,
)

CORE = (
    "gaugelib/group.py",
    "gaugelib/action.py",
    "gaugelib/bounds.py",
    "gaugelib/noether.py",
    "gaugelib/balance/**/*.py",
    "gaugelib/mlp.py",
    "gaugelib/tracing/**/*.py",
    "gaugelib/optim/*.py",
    "gaugelib/soft/*.py",
)
EXPLAINED = Path("tests/meta/mutants.toml")
STORE = Path(".cache/mutation")
ENOUGH = 0.92
MAPPING_SECONDS = 900.0


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: `killed`, `survived` or `trouble`, and by which test."""

    verdict: str
    by: str = ""
    seconds: float = 0.0
    tree: str = ""


def sample(found: Iterable[Mutant], size: int, seed: str) -> list[Mutant]:
    """A uniform draw that hardly changes when the library does: those of smallest hash."""
    ordered = sorted(found, key=lambda m: hashlib.sha256(f"{seed}\n{m.name}".encode()).digest())
    return sorted(ordered[:size], key=lambda m: (m.file, m.line, m.start, m.new))


def explanations(text: str) -> dict[tuple[str, str, str, str], str]:
    """(file, scope, before, after) -> why the tests cannot see it."""
    listed = tomllib.loads(text).get("mutant", [])
    found = {(m["file"], m["scope"], m["before"], m["after"]): m["why"] for m in listed}
    if len(found) < len(listed) or not all(why.strip() for why in found.values()):
        raise ValueError(f"{EXPLAINED}: a mutant is listed twice or without a reason")
    return found


def what(mutant: Mutant) -> tuple[str, str, str, str]:
    """How a mutant is named where it is explained."""
    return mutant.file, mutant.scope, mutant.before, mutant.after


Work = Callable[[], dict]
Done = tuple[str, dict, float]


def side_by_side(
    begin: Callable[[str, Work, float], int],
    end: Callable[[str, int], dict],
    workers: int,
    tasks: collections.deque[tuple[str, Work, float]],
) -> Iterator[Done]:
    """Run tasks (name, work, seconds) in children; more may be put in while it goes on."""
    running: dict[int, str] = {}
    while tasks or running:
        while tasks and len(running) < workers:
            name, work, seconds = tasks.popleft()
            running[begin(name, work, seconds)] = name
        pid, status, used = os.wait4(-1, 0)
        if pid in running:
            name = running.pop(pid)
            yield name, end(name, status), used.ru_utime + used.ru_stime


class Run:
    """The processes of one run, and what it remembers."""

    def __init__(self, root: Path, workers: int) -> None:
        from tools import mutation_fork

        self.fork, self.root, self.workers = mutation_fork, root, workers
        self.store = root / STORE
        (self.store / "answers").mkdir(parents=True, exist_ok=True)

    def children(self, tasks: collections.deque) -> Iterator[Done]:
        """See `side_by_side`."""

        def answer(name: str) -> Path:
            return self.store / "answers" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

        return side_by_side(
            lambda name, work, seconds: self.fork.child(answer(name), work, seconds),
            lambda name, status: self.fork.outcome(answer(name), status),
            self.workers,
            tasks,
        )

    def reach(self, core: Sequence[str], within: Sequence[str]) -> Reach:
        """What the tests reach, asked of those files that have changed."""
        files = [f for f in test_files(self.root, core) if f.startswith(tuple(within))]
        answers = {}
        common, sources = common_files(self.root), {name: self.root / name for name in core}
        how = hashlib.sha256(Path(self.fork.__file__).read_bytes()).hexdigest()[:16]
        keys = {file: how + digest(self.root, [*common, file]) for file in files}
        paths = {f: self.store / "reach" / (f.replace("/", "-") + ".json") for f in files}
        tasks: collections.deque = collections.deque()
        for file in files:
            kept = load(paths[file], keys[file])
            if kept is None:
                tasks.append((file, partial(self.fork.reach, sources, file), MAPPING_SECONDS))
            else:
                answers[file] = kept
        for file, answer, _ in shown(self.children(tasks), len(tasks), "reach", "file"):
            if "tests" not in answer:
                raise SystemExit(f"{file} cannot be run: {answer['by']}")
            keep(paths[file], keys[file], answer)
            answers[file] = answer
        return read_reach({file: answers[file] for file in files})

    def try_all(self, chosen: Sequence[Mutant], reach: Reach, core: Sequence[str]) -> dict:
        """A verdict for each mutant; those that this tree has given before are kept."""
        tests = sorted({*test_files(self.root, core), *common_files(self.root)})
        tree, kept = digest(self.root, tests), self.verdicts()
        found = {m: kept[m.name] for m in chosen if m.name in kept and kept[m.name].tree == tree}
        users = importers({name: (self.root / name).read_text() for name in core})
        left: dict[str, tuple[Mutant, list[list[str]], float]] = {}
        seconds = {test.name: test.seconds for test in reach.tests}
        tasks: collections.deque = collections.deque()

        def put(mutant: Mutant, ahead: list[list[str]], spent: float) -> None:
            left[mutant.name] = (mutant, ahead[1:], spent)
            path, batch = self.root / mutant.file, ahead[0]
            allowed = {name: 3 + 4 * seconds[name] for name in batch}
            work = partial(self.fork.ask, path, mutant.apply, allowed)
            tasks.appendleft((mutant.name, work, 30 + 4 * sum(seconds[name] for name in batch)))

        def settle(mutant: Mutant, verdict: Verdict) -> Verdict:
            found[mutant] = verdict
            line = {"name": mutant.name} | vars(verdict)
            with (self.store / "verdicts.jsonl").open("a") as file:
                file.write("\n" + json.dumps(line))  # on a line of its own, if one is torn
            return verdict

        def verdicts() -> Iterator[Verdict]:
            for mutant in reversed([m for m in chosen if m not in found]):
                killer = kept[mutant.name].by if mutant.name in kept else ""
                ahead = batches(mutant, candidates(mutant, reach, users(mutant.file)), killer)
                if ahead:
                    put(mutant, ahead, 0.0)
                else:
                    yield settle(mutant, Verdict("survived", "no test reaches it", 0.0, tree))
            for name, answer, used in self.children(tasks):
                mutant, ahead, spent = left.pop(name)
                if answer["verdict"] == "survived" and ahead:
                    put(mutant, ahead, spent + used)
                else:
                    spent = round(spent + used, 2)
                    yield settle(mutant, Verdict(answer["verdict"], answer["by"], spent, tree))

        for _ in shown(verdicts(), len(chosen), "mutants", "mutant", len(found)):
            pass
        return {m: found[m] for m in chosen}

    def verdicts(self) -> dict[str, Verdict]:
        """What earlier runs found, the last word of each."""
        path, found = self.store / "verdicts.jsonl", {}
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
            except ValueError:  # the line at which a run was stopped
                continue
            name = entry.pop("name")
            found[name] = Verdict(**entry)
        return found


def shown(of: Iterable, total: int, title: str, unit: str, initial: int = 0) -> Iterator:
    """With a progress bar, whose monitor would be a thread: children are forked here."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    return iter(tqdm(of, total=total, desc=title, unit=unit, initial=initial, smoothing=0.1))


def report(verdicts: Mapping[Mutant, Verdict], reasons: Mapping, known: set) -> tuple[str, bool]:
    """The table, the survivors and the score; and whether all is well."""
    rows: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    survivors, explained, odd = [], [], []
    for mutant, verdict in verdicts.items():
        reason, seen = reasons.get(what(mutant)), verdict.verdict
        place = f"{mutant.file}:{mutant.line} {mutant.scope}"
        shows = f"{place}\n    - {mutant.before}\n    + {mutant.after}"
        if seen == "survived":
            (explained if reason else survivors).append(f"{shows}\n    {reason or verdict.by}")
            seen = "explained" if reason else seen
        elif seen == "trouble":
            odd.append(f"{shows}\n    {verdict.by}")
        elif reason:
            odd.append(f"{shows}\n    explained in {EXPLAINED}, but killed by {verdict.by}")
        rows[mutant.file][seen] += 1
    columns = ("killed", "explained", "survived", "trouble")
    lines = [f"{'module':<36}" + "".join(f"{name:>11}" for name in columns)]
    total = sum(rows.values(), collections.Counter())
    for name, row in [*sorted(rows.items()), ("all", total)]:
        lines.append(f"{name:<36}" + "".join(f"{row[c]:>11}" for c in columns))
    stale = [" | ".join(key) for key in reasons if key not in known]
    for title, entries in (
        ("Explained survivors", explained),
        ("Survivors", survivors),
        ("To be looked at", odd),
        (f"Stale explanations in {EXPLAINED}: no such mutant", stale),
    ):
        lines += ["", f"{title}: {len(entries)}", *entries] if entries else []
    count = total.total()
    score = total["killed"] / count if count else 0.0
    lines.append(f"\n{total['killed']} of {count} mutants killed: {score:.1%}, wanted {ENOUGH:.0%}")
    open_ones = total["killed"] / max(1, count - total["explained"])
    lines.append(f"{open_ones:.1%} of those that are not explained")
    return "\n".join(lines), bool(score >= ENOUGH and not odd and not stale)


def main(arguments: Sequence[str], root: Path = Path()) -> int:
    """Run a sample and print what became of it."""
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=300, help="how many mutants are drawn")
    parser.add_argument("--seed", default="1", help="which ones")
    parser.add_argument("--workers", type=int, default=2, help="how many processes")
    parser.add_argument("--only", default="", help="draw only where FILE::SCOPE begins so")
    parser.add_argument("--tests", nargs="*", default=[""], help="ask only tests that begin so")
    asked = parser.parse_args(arguments)
    core = sorted(path.relative_to(root).as_posix() for g in CORE for path in root.glob(g))
    everything = [m for name in core for m in mutants(name, (root / name).read_bytes())]
    pool = [m for m in everything if f"{m.file}::{m.scope}".startswith(asked.only)]
    path = root / EXPLAINED
    reasons = explanations(path.read_text()) if path.exists() else {}
    began = time.monotonic()
    run = Run(root.resolve(), asked.workers)
    reach = run.reach(core, asked.tests)
    if reach.failing:
        raise SystemExit("These tests fail on the library as it is:\n" + "\n".join(reach.failing))
    verdicts = run.try_all(sample(pool, asked.sample, asked.seed), reach, core)
    text, well = report(verdicts, reasons, {what(m) for m in everything})
    print(f"\n{text}\n{len(everything)} mutants in all, {time.monotonic() - began:.0f} s")
    return 0 if well else 1


def warm_up() -> None:
    """Import once, before the fork, what each child would spend seconds on.

    torch loads its compiler at the first question about a shape.
    """
    for name in ("numpy", "hypothesis", "torch", "torch.fx", "torch._dynamo", "torch._numpy"):
        with contextlib.suppress(ImportError):  # the last two are torch's own affair
            importlib.import_module(name)


if __name__ == "__main__":
    warm_up()
    sys.exit(main(sys.argv[1:]))
