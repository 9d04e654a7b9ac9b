"""One question to the tests, asked in a child process: what do they reach, or do they fail?

A child is forked from a process that has imported what is slow and nothing of the library, loads
the library with one module changed, and runs pytest in-process. The files are never touched.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

# What was imported before the fork cannot have its assertions rewritten: it has none of ours.
_EARLY = "ignore::pytest.PytestAssertRewriteWarning"
QUIET = ("-q", "--tb=no", "-W", _EARLY, "-o", "cache_dir=.cache/mutation/pytest")
MEMORY = 16 << 30

Change = Callable[[bytes], "bytes | ast.Module"]


class Altered:
    """A finder of modules that loads some files changed.

    Args:
        changes: the path of a file -> what to make of its source.
    """

    def __init__(self, changes: dict[Path, Change]) -> None:
        self.changes = {str(path.resolve()): change for path, change in changes.items()}
        self.loaded: list[str] = []

    def find_spec(self, name: str, path=None, target=None):
        """As Python finds it, with another loader for a file that is to be changed."""
        if name.split(".")[0] == "torch":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        origin = spec.origin and os.path.realpath(spec.origin) if spec else None
        if origin in self.changes:
            spec.loader = _Loader(name, origin, self)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, altered: Altered) -> None:
        super().__init__(name, path)
        self.altered = altered

    def get_code(self, fullname: str):
        self.altered.loaded.append(self.path)
        source = self.altered.changes[self.path](Path(self.path).read_bytes())
        return compile(source, self.path, "exec", dont_inherit=True)


def marked(file: str) -> Change:
    """A change by which each statement that runs adds FILE:LINE to the built-in `__reached__`."""

    def change(source: bytes) -> ast.Module:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            for name in ("body", "orelse", "finalbody"):
                statements = getattr(node, name, None)
                if isinstance(statements, list):
                    setattr(node, name, [*_with_marks(statements, file)])
        return ast.fix_missing_locations(tree)

    return change


def _with_marks(statements: Sequence[ast.stmt], file: str) -> Iterable[ast.stmt]:
    for k, statement in enumerate(statements):
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (k == 0 and text) and not future:
            call = ast.parse(f"__reached__.add('{file}:{statement.lineno}')").body[0]
            yield ast.copy_location(call, statement)
        yield statement


class Reached:
    """A pytest plugin that notes what each test reaches and what it costs.

    Attributes:
        tests: node id -> seconds of CPU time, lines, and whether it passed.
        before: lines that importing and collecting reached.
    """

    def __init__(self, lines: set[str]) -> None:
        self.tests: dict[str, dict] = {}
        self.lines, self.before = lines, set[str]()

    def pytest_collection_finish(self) -> None:
        """What was reached up to here belongs to no test."""
        self.before = set(self.lines)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        """Take the time and the lines of one test."""
        self.lines.clear()
        began = time.process_time()
        result = yield
        seconds = time.process_time() - began
        entry = self.tests.setdefault(item.nodeid, {"passed": True})
        entry |= {"seconds": round(seconds, 4), "lines": sorted(self.lines)}
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails on the library as it is, or is skipped, can tell nothing."""
        entry = self.tests.setdefault(report.nodeid, {"passed": True})
        if report.failed:
            entry["passed"] = False
        elif report.skipped and not hasattr(report, "wasxfail"):
            entry["passed"] = None


class Chosen:
    """A pytest plugin that runs some tests of the collected files, in a given order.

    Args:
        tests: node id -> seconds of CPU time after which the process is ended.
    """

    def __init__(self, tests: Mapping[str, float]) -> None:
        self.tests, self.order = tests, {name: k for k, name in enumerate(tests)}
        self.killer = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was chosen, in its order."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order),
            key=lambda item: self.order[item.nodeid],
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        """A loop that does not end is ended by the system, in whatever code it is."""
        signal.setitimer(signal.ITIMER_PROF, self.tests[item.nodeid])
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the first failure."""
        if report.failed and not self.killer:
            self.killer = report.nodeid


class _House:
    """Hypothesis looks no further once it has found a counterexample."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        import hypothesis
        from hypothesis import Phase

        phases = [Phase.explicit, Phase.generate, Phase.target]
        hypothesis.settings.register_profile(
            "mutation", hypothesis.settings(derandomize=True, database=None, phases=phases)
        )
        hypothesis.settings.load_profile("mutation")


def reach(sources: dict[str, Path], test_file: str) -> dict:
    """What the tests of one file reach: to be called in a child."""
    lines = builtins.__reached__ = set[str]()  # type: ignore[attr-defined]
    sys.meta_path.insert(0, Altered({path: marked(file) for file, path in sources.items()}))
    seen = Reached(lines)
    status = pytest.main([*QUIET, test_file], plugins=[seen, _House()])
    names = sorted(seen.before.union(*(test.get("lines", ()) for test in seen.tests.values())))
    number = {name: k for k, name in enumerate(names)}
    for test in seen.tests.values():
        test["lines"] = sorted(number[name] for name in test.get("lines", ()))
    before = sorted(number[name] for name in seen.before)
    return {"status": int(status), "lines": names, "before": before, "tests": seen.tests}


def ask(path: Path, change: Change, tests: Mapping[str, float]) -> dict:
    """Whether one of the tests, in this order, fails under a change: to be called in a child.

    Args:
        path: of the file that is changed.
        change: what to make of its source.
        tests: node id -> seconds that it may take.
    """
    altered = Altered({path: change})
    sys.meta_path.insert(0, altered)
    chosen = Chosen(tests)
    files = sorted({name.split("::")[0] for name in tests})
    status = int(pytest.main([*QUIET, "-x", *files], plugins=[chosen, _House()]))
    if str(path.resolve()) not in altered.loaded:
        return {"verdict": "trouble", "by": f"{path} was not imported"}
    if status in (0, 5):
        return {"verdict": "survived", "by": ""}
    if status in (1, 2):  # 2: a file cannot even be imported
        return {"verdict": "killed", "by": chosen.killer or "import"}
    return {"verdict": "trouble", "by": f"pytest ended with {status}"}


def child(answer: Path, work: Callable[[], dict], seconds: float) -> int:
    """Fork; the child writes what `work` returns as JSON and ends. Returns its process id.

    A child that computes for longer than `seconds`, or takes much longer by the clock, is ended by
    the system: `outcome` then tells.
    """
    answer.unlink(missing_ok=True)
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        whole = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(10 * whole + 60)
        written = answer.with_suffix(".part")
        written.write_text(json.dumps(work()))
        written.rename(answer)
        status = 0
    except BaseException as error:  # the parent must never run on in two copies
        answer.write_text(json.dumps({"verdict": "trouble", "by": repr(error)}))
    finally:
        os._exit(status)


def outcome(answer: Path, status: int) -> dict:
    """What a child found, or how it ended."""
    if answer.exists():
        return json.loads(answer.read_text())
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        timed_out = name in ("SIGXCPU", "SIGALRM", "SIGPROF")
        return {"verdict": "killed", "by": "the time limit" if timed_out else name}
    return {"verdict": "trouble", "by": f"the child ended with status {status}"}
