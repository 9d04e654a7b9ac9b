"""The tests nearest to what was changed, as many as half a minute takes.

    python -m tools.quick [--since COMMIT] [--seconds 40]

Nearest first: a changed file's own tests and examples, then the tests that import it, then those
that import what imports it, and so on. What needs the built site is left to `make browser`.
"""

import argparse
import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("gaugelib", "tests", "tools", "book/_ext")
MOST = 40  # files of tests: to find the tests in one takes a while, too
RULES = (
    "tests/meta"  # of notebooks, prose and the floor plan: they read files and import none of them
)


def changed(since: str) -> list[str]:
    """What differs from a commit or is not in git yet; files that are gone are left out."""

    def git(*words: str) -> list[str]:
        told = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        )
        return told.stdout.splitlines()

    names = {
        *git("diff", "--name-only", since),
        *git("ls-files", "--others", "--exclude-standard"),
    }
    return sorted(name for name in names if (ROOT / name).is_file())


def modules() -> dict[str, str]:
    """Dotted name -> file, of everything that a test may import."""
    found = {}
    for folder in FOLDERS:
        base = ROOT / "book/_ext" if folder == "book/_ext" else ROOT
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(base).with_suffix("").parts
            dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[dotted] = path.relative_to(ROOT).as_posix()
    return found


def imported(file: str, known: dict[str, str]) -> Iterator[str]:
    """The files of ours that a file imports; what a folder hands on is looked up where it is."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (where(alias.name, name, known) for name in _used(file, alias.asname))
                yield where(alias.name, "", known)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (where(node.module, alias.name, known) for alias in node.names)


def where(module: str, name: str, known: dict[str, str]) -> str:
    """The file in which a name of a module stands; "" if it is none of ours."""
    if f"{module}.{name}" in known:
        return known[f"{module}.{name}"]
    file = known.get(module, "")
    if file.endswith("__init__.py"):
        for node in _tree(file).body:
            if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
                return where(node.module or "", name, known)
    return file


def _used(file: str, module: str | None) -> set[str]:
    """The attributes of a module that a file names, as in `gl.rescale`."""
    return {name for base, name in _attributes(file) if base == module} if module else set()


@cache
def _attributes(file: str) -> set[tuple[str, str]]:
    return {
        (node.value.id, node.attr)
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf8"))


@cache
def users_of_each() -> tuple[dict[str, str], dict[str, set[str]]]:
    """What a test may import, and for each file of it those that do."""
    known, users = modules(), {}
    for file in known.values():
        for other in imported(file, known):
            users.setdefault(other, set()).add(file)
    return known, users


def nearest(names: Iterable[str]) -> list[list[str]]:
    """Test files by their distance from the changed files, each named once.

    A file that is no module (a style sheet, a script, a notebook) is near to the tests in folders
    of its own folder's name, and to the rules.
    """
    known, users = users_of_each()
    rings, seen = [set(names)], set(names)
    for name in names:
        if name not in known.values():
            rings[0] |= {f for f in known.values() if Path(name).parent.name in Path(f).parts[:-1]}
    while rings[-1]:
        near = set().union(*(users.get(file, set()) for file in rings[-1])) - seen
        seen |= near
        rings.append(near)
    rules = {file for file in known.values() if file.startswith(RULES)}
    return [sorted(filter(is_test, ring)) for ring in [*rings, rules - seen]]


def is_test(file: str) -> bool:
    """Whether pytest finds something in it that needs no built site."""
    if not file.endswith(".py") or not (ROOT / file).is_file():
        return False
    if file.startswith("gaugelib/"):
        return ">>>" in (ROOT / file).read_text("utf8")
    name = Path(file).name
    on_page = file.startswith("tests/site/") or name.startswith("test_on_page")
    return name.startswith("test_") and not on_page


def main(arguments: list[str] | None = None) -> int:
    """Run the tests, ring by ring, until one fails or the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--since", default="HEAD", help="the commit to compare with")
    parser.add_argument("--seconds", type=float, default=40, help="begin no test after these")
    options = parser.parse_args(arguments)
    names = changed(options.since)
    if not names:
        print(f"nothing differs from {options.since}: name an earlier commit (SINCE=HEAD~1)")
        return 0
    near = [file for ring in nearest(names) for file in ring]
    files = near[:MOST]
    print(
        f"{len(names)} files differ from {options.since}, {len(near)} files of tests are near: ",
        end="",
    )
    print(f"the nearest {len(files)}, for {options.seconds:g} s", flush=True)
    until = time.time() + options.seconds
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--until", str(until), *files]
    status = subprocess.run(command, cwd=ROOT, env=os.environ | {"CI": "true"}).returncode
    interrupted = status == 2 and time.time() >= until
    return 0 if interrupted else status


if __name__ == "__main__":
    sys.exit(main())
