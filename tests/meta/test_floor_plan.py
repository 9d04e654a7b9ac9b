"""The library's floors: a module imports from lower floors only, and never sideways."""

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

from tests.meta.prose import ROOT
from tests.meta.tracked import tracked_files

PACKAGE = ROOT / "gaugelib"
FLOORS = (
    {"group"},
    {"memory"},
    {"action", "gradient", "modules", "networks", "tracing"},
    {"balance", "curvature", "flow", "mlp", "noether", "soft"},
    {"optim", "proofs", "testing", "check", "data"},
    {"plot"},
    {"experiments"},
    {"widgets"},  # on top: one of them shows what the experiments stored
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
PLOTTING = 5
LONGEST_FILE = 300
# They leave the caller's device, precision or graph, and do not belong below the plotting floor.
LEAVING = {"cuda", "float", "numpy", "item"}


def room(path: pathlib.Path, package: pathlib.Path) -> str:
    """The module that a file belongs to; a subpackage is one room."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST, path: pathlib.Path, package: pathlib.Path) -> Iterator[str]:
    """The rooms that a file's imports lead to; the package's own front door is the room ''."""
    here = ("gaugelib", *path.relative_to(package).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(here[: len(here) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            inside = base == ["gaugelib"]
            targets = [[*base, a.name] if inside and a.name in FLOOR else base for a in node.names]
        else:
            continue
        for target in targets:
            if target[0] == "gaugelib":
                yield target[1] if len(target) > 1 else ""


def trespasses(package: pathlib.Path) -> list[str]:
    """Every import that does not lead downstairs."""
    found = []
    for path in sorted(package.rglob("*.py")):
        if path == package / "__init__.py":
            continue
        own = room(path, package)
        if own not in FLOOR:
            found.append(f"{path.relative_to(package)} has no floor: give it one in the floor plan")
            continue
        for other in imported_rooms(ast.parse(path.read_text(encoding="utf-8")), path, package):
            if other != own and FLOOR.get(other, len(FLOORS)) >= FLOOR[own]:
                found.append(f"{path.relative_to(package)} imports {other or 'gaugelib itself'}")
    return found


def departures(package: pathlib.Path) -> list[str]:
    """Calls below the plotting floor that leave the caller's device, precision or graph."""
    return [
        f"{path.relative_to(package)}:{node.lineno} calls .{node.func.attr}("
        for path in sorted(package.rglob("*.py"))
        if FLOOR.get(room(path, package), 0) < PLOTTING
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEAVING
    ]


def test_modules_import_from_lower_floors_only():
    assert trespasses(PACKAGE) == []


def test_core_keeps_device_precision_and_graph():
    assert departures(PACKAGE) == []


def test_a_file_holds_one_idea():
    written = [p for p in tracked_files("*.py", "*.js", "*.css") if "vendor" not in p.parts]
    sizes = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in written}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}
    vague = re.compile(r"^_?(utils?|helpers?|misc|common)\.\w+$")
    assert [p.name for p in written if vague.match(p.name)] == []


@pytest.fixture
def package(tmp_path):
    package = tmp_path / "gaugelib"
    (package / "widgets").mkdir(parents=True)
    (package / "__init__.py").write_text("from gaugelib.action import rescale as rescale\n")
    (package / "group.py").write_text("import torch\n")
    (package / "action.py").write_text("from gaugelib.group import GaugeGroup\nimport math\n")
    (package / "widgets" / "_base.py").write_text("import anywidget\n")
    (package / "widgets" / "one.py").write_text(
        "from gaugelib.widgets._base import B\nfrom . import _base\n"
    )
    return package


def test_a_sound_package_is_accepted(package):
    assert trespasses(package) == []
    assert departures(package) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("group.py", "from gaugelib.action import rescale"),  # upstairs
        ("group.py", "from .action import rescale"),
        ("action.py", "import gaugelib.tracing"),  # sideways
        ("action.py", "from . import modules"),
        ("action.py", "from gaugelib import modules"),
        ("action.py", "import gaugelib"),  # the front door is above every floor
        ("action.py", "from gaugelib import rescale"),
        ("plot.py", "from gaugelib.widgets import one"),
        ("plot.py", "from .experiments import stored"),
        (
            "group.py",
            "def f():\n    from gaugelib.balance import imbalance",
        ),  # hidden in a function
        ("attic.py", "import math"),  # no floor
    ],
)
def test_an_import_that_does_not_lead_down_is_refused(package, file, line):
    (package / file).write_text(line + "\n")
    assert trespasses(package) != []


def test_leaving_the_callers_device_is_refused(package):
    (package / "action.py").write_text("def f(x):\n    return x.item()\n")
    assert departures(package) == ["action.py:2 calls .item("]
