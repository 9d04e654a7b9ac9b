"""Which tests can notice a mutant, the likely ones first.

The map of what each test reaches is made once for each test file and kept under .cache; it is made
anew when the library, a helper of the tests or the file itself changes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutation_sites import Mutant

LEFT_OUT = ("tests/site", "tests/tools", "tests/meta", "tests/widgets")
"""Tests that need a browser or Node, or that read files and run commands."""
BUDGETS = (2.0, 20.0)
"""Seconds of tests that the first child tries, and the second; the third tries the rest."""
FIRST_FILES = 4


@dataclass(frozen=True)
class Case:
    """A test: its node id, its seconds, and what it reaches as FILE:LINE."""

    name: str
    seconds: float
    lines: frozenset[str]

    @property
    def file(self) -> str:
        """The file it stands in."""
        return self.name.split("::")[0]


@dataclass(frozen=True)
class Reach:
    """What the tests reach.

    Attributes:
        tests: all that pass on the library as it is.
        before: test file -> lines that importing and collecting it reaches.
        failing: tests that do not pass on the library as it is.
    """

    tests: Sequence[Case]
    before: Mapping[str, frozenset[str]]
    failing: Sequence[str] = ()

    @property
    def at_import(self) -> frozenset[str]:
        """Lines that every file reaches when it is imported."""
        files = list(self.before.values())
        return frozenset.intersection(*files) if files else frozenset()


def test_files(root: Path, core: Iterable[str]) -> list[str]:
    """Case files that ask the library in-process, and the core's own files with doctests."""
    files = []
    for path in sorted(root.glob("tests/**/test_*.py")):
        name = path.relative_to(root).as_posix()
        starts_processes = re.search(r"^import subprocess", path.read_text(), re.MULTILINE)
        if not name.startswith(LEFT_OUT) and not starts_processes:
            files.append(name)
    return files + [name for name in core if ">>>" in (root / name).read_text()]


def digest(root: Path, names: Iterable[str]) -> str:
    """Of the names and contents of files."""
    total = hashlib.sha256()
    for name in sorted(names):
        total.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return total.hexdigest()[:16]


def common_files(root: Path) -> list[str]:
    """What every test may depend on: the library and the tests' helpers."""
    paths = [*root.glob("gaugelib/**/*.py"), root / "pyproject.toml"]
    paths += [p for p in root.glob("tests/**/*.py") if not p.name.startswith("test_")]
    names = (p.relative_to(root).as_posix() for p in paths)
    return sorted(name for name in names if not name.startswith(LEFT_OUT))


def read_reach(answers: Mapping[str, Mapping]) -> Reach:
    """The map, from what `mutation_fork.reach` answered for each file."""
    tests, before, failing = [], {}, []
    for file, answer in answers.items():
        names = answer["lines"]
        before[file] = frozenset(names[k] for k in answer["before"])
        for name, test in answer["tests"].items():
            lines = frozenset(names[k] for k in test["lines"])
            if test["passed"] is True:
                tests.append(Case(name, test["seconds"], lines))
            elif test["passed"] is False:
                failing.append(name)
    return Reach(tests, before, failing)


def importers(sources: Mapping[str, str]) -> Callable[[str], list[str]]:
    """For a file, itself and the files that import from it."""

    def of(file: str) -> list[str]:
        module = re.escape(file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        pattern = re.compile(rf"^\s*(from|import) {module}\b(?!\.)", re.MULTILINE)
        return [file, *(f for f, text in sources.items() if f != file and pattern.search(text))]

    return of


def candidates(mutant: Mutant, reach: Reach, users: Sequence[str]) -> list[Case]:
    """Tests that run what is changed; where that runs at import, those that use the module."""
    place = f"{mutant.file}:{mutant.reach}"
    if mutant.reach and place not in reach.at_import:
        collected = {file for file, lines in reach.before.items() if place in lines}
        return [t for t in reach.tests if place in t.lines or t.file in collected]
    starts = tuple(f"{user}:" for user in users)
    return [t for t in reach.tests if any(line.startswith(starts) for line in t.lines)]


def batches(mutant: Mutant, tests: Sequence[Case], killer: str = "") -> list[list[str]]:
    """Tests in the order in which they are tried, in up to four children.

    The test that noticed the mutant last time comes first; near tests are thought likelier than
    far ones, and quick ones are tried before slow ones.
    """
    parts = set(mutant.file.removesuffix(".py").split("/")[1:])

    def cost(test: Case) -> float:
        near = any(part in test.file for part in parts)
        return (test.seconds + 0.02) * (1 if near else 4)

    known = [test.name for test in tests if test.name == killer]
    rest = sorted((t for t in tests if t.name != killer), key=lambda t: (cost(t), t.name))
    found: list[list[str]] = [known] if known else []
    for number, budget in enumerate((*BUDGETS, float("inf"))):
        batch, files, spent = [], set[str](), 0.0
        for test in rest:
            full = number == 0 and test.file not in files and len(files) == FIRST_FILES
            if spent + test.seconds <= budget and not full:
                batch.append(test)
                files.add(test.file)
                spent += test.seconds
        rest = [test for test in rest if test not in batch]
        if batch:
            found.append([test.name for test in batch])
    return found


def load(path: Path, key: str) -> dict | None:
    """What was kept under a key, if it still holds."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    return kept["answer"] if kept["key"] == key else None


def keep(path: Path, key: str, answer: dict) -> None:
    """Keep an answer under a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "answer": answer}))
    part.replace(path)
