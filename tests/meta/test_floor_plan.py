"""The library's floors: a module imports from lower floors only, never sideways or in a circle."""

import ast
import graphlib
import pathlib
import re

import pytest

from tests.meta.tracked import tracked_files
from tools.floor_plan import DRAWING, FLOOR, FLOORS, PACKAGE, drawing, files, modules, room, rooms

PLOTTING = FLOOR["plot"]
LONGEST_FILE = 300
# They leave the caller's device, precision or graph, and do not belong below the plotting floor.
LEAVING = {"cuda", "float", "numpy", "item"}
# The one file that may, for the solver that it calls is SciPy's.
ADAPTER = "curvature/eigensolver.py"
# The one call that may: a model under trace asks a constant for its numbers.
ANSWER = "tracing/standin.py", "numpy"


def trespasses(package: pathlib.Path) -> list[str]:
    """Every room without a floor, and every import that does not lead downstairs."""
    found = []
    for own, others in rooms(package).items():
        if own not in FLOOR:
            found.append(f"{own} has no floor: give it one in tools/floor_plan.py")
        for other in sorted(others):
            if FLOOR.get(other, len(FLOORS)) >= FLOOR.get(own, 0):
                found.append(f"{own} imports {other or 'gaugelib itself'}")
    return found


def circle(package: pathlib.Path) -> list[str]:
    """Modules that import each other in a circle, also for their types alone; none, if none do."""
    try:
        graphlib.TopologicalSorter(modules(package)).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def departures(package: pathlib.Path) -> list[str]:
    """Calls below the plotting floor that leave the caller's device, precision or graph."""
    return [
        f"{path.relative_to(package)}:{node.lineno} calls .{node.func.attr}("
        for path in files(package)
        if FLOOR.get(room(path, package), 0) < PLOTTING
        and path.relative_to(package).as_posix() != ADAPTER
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEAVING
        and (path.relative_to(package).as_posix(), node.func.attr) != ANSWER
    ]


def test_modules_import_from_lower_floors_only():
    assert trespasses(PACKAGE) == []


def test_no_modules_import_each_other():
    assert circle(PACKAGE) == []


def test_the_drawing_of_the_book_shows_what_is_imported():
    """Drawn anew it is the same; and each line of it names the rooms that a plain search finds."""
    assert DRAWING.read_text(encoding="utf-8") == drawing(), "run python -m tools.floor_plan"
    found: dict[str, set[str]] = {}
    for path in files(PACKAGE):
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"^ *(?:from|import) gaugelib(?:\.| import )(\w+)", text, re.MULTILINE)
        found.setdefault(room(path, PACKAGE), set()).update(names)
    told = re.findall(r"<title>(\w+): imports (.*)</title>", drawing())
    assert {name: set(others.split(", ")) - {"nothing"} for name, others in told} == {
        name: others - {name} for name, others in found.items()
    }


def test_core_keeps_device_precision_and_graph():
    assert departures(PACKAGE) == []


def test_a_file_holds_one_idea():
    written = [p for p in tracked_files("*.py", "*.js", "*.css") if "vendor" not in p.parts]
    sizes = {str(p): len(p.read_text(encoding="utf-8").splitlines()) for p in written}
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


def test_control_another_import_is_another_drawing(package):
    before = drawing(package)
    (package / "widgets" / "one.py").write_text("from gaugelib import group\n")
    assert "widgets: imports action, group<" not in before
    (package / "widgets" / "two.py").write_text("from gaugelib.action import rescale\n")
    assert "widgets: imports action, group<" in drawing(package)


@pytest.mark.parametrize(
    "line",
    [
        "from gaugelib.widgets.one import O",
        "from . import one",
        "def f():\n    import gaugelib.widgets.one",
        "if TYPE_CHECKING:\n    from gaugelib.widgets.one import O",
    ],
)
def test_control_a_circle_is_found_whatever_it_is_for(package, line):
    assert circle(package) == []
    (package / "widgets" / "_base.py").write_text(line + "\n")
    found = circle(package)
    assert set(found) == {"gaugelib.widgets.one", "gaugelib.widgets._base"}


def test_leaving_the_callers_device_is_refused(package):
    (package / "action.py").write_text("def f(x):\n    return x.item()\n")
    assert departures(package) == ["action.py:2 calls .item("]


def test_only_the_adapter_to_scipy_leaves_for_numpy(package):
    (package / "curvature").mkdir()
    (package / ADAPTER).write_text("def f(x):\n    return x.numpy()\n")
    assert departures(package) == []
    (package / "curvature" / "other.py").write_text("def f(x):\n    return x.numpy()\n")
    assert departures(package) == ["curvature/other.py:2 calls .numpy("]


def test_only_a_stand_in_answers_a_model_with_numpy(package):
    (package / "tracing").mkdir()
    (package / ANSWER[0]).write_text("def f(x):\n    return x.numpy()\n")
    (package / "tracing" / "run.py").write_text("def f(x):\n    return x.numpy()\n")
    assert departures(package) == ["tracing/run.py:2 calls .numpy("]
    (package / ANSWER[0]).write_text("def f(x):\n    return x.item()\n")
    assert departures(package)[1:] == ["tracing/standin.py:2 calls .item("]
