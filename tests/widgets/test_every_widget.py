"""What a widget needs: each is told what it lacks, and a copy of its folders lacks nothing."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.widgets.node import WIDGETS

ROOT = WIDGETS.parents[1]
NAMES = sorted(path.parent.name for path in WIDGETS.glob("*/widget.js"))
NEEDS = {
    "gaugelib/widgets/__init__.py": "from gaugelib.widgets.{name} import {kind} as {kind}",
    "gaugelib/widgets/{name}/__init__.py": "class {kind}(BookWidget):",
    "gaugelib/widgets/{name}/widget.js": "export default {{ render }};",
    "gaugelib/widgets/{name}/style.css": ".gl-",
    "gaugelib/widgets/{name}/still.py": "still picture",
    "tests/widgets/{name}/__init__.py": "",
    "tests/widgets/{name}/test_widget.py": "def test_",
    "tests/widgets/{name}/widget.test.mjs": "test(",
    "tests/widgets/{name}/test_on_page.py": "def test_",
}
HEIGHTS = "book/_ext/gaugebook/heights.json"


def lacks(name: str, root: Path) -> list[str]:
    """What is missing from a widget, each with the place where it should be."""
    kind = name.title().replace("_", "")
    found = []
    for place, text in NEEDS.items():
        path, text = root / place.format(name=name), text.format(name=name, kind=kind)
        if not path.is_file() or text not in path.read_text("utf8"):
            found.append(f"{path.relative_to(root)}: {text or 'an empty file'}")
    code, tests = (root / part / "widgets" / name for part in ("gaugelib", "tests"))
    written = {path: path.read_text("utf8") for path in code.rglob("*.py")}
    for path, text in written.items():
        others = set(re.findall(r"gaugelib\.widgets\.(\w+)", text)) - {name, "base", "shared"}
        found += [f"{path.relative_to(root)}: imports {other}" for other in sorted(others)]
    for method in ("draw", "in_words"):
        if not any(f"    def {method}(self" in text for text in written.values()):
            found.append(f"{code.relative_to(root)}: a picture with {method}()")
    ran = "".join(path.read_text("utf8") for path in tests.glob("test_*.py"))
    for path in sorted(tests.glob("*.mjs")):
        if f'NodeTests("{name}/{path.name}"' not in ran:
            found.append(f"{path.relative_to(root)}: a NodeTests that runs it")
    shown = [
        path.stem
        for path in root.glob("book/*.ipynb")
        if re.search(rf"from gaugelib\.widgets import .*\b{kind}\b", path.read_text("utf8"))
    ]
    if not shown:
        found.append(f"book: a page that shows {kind}")
    measured = json.loads((root / HEIGHTS).read_text("utf8"))
    found += [f"{HEIGHTS}: book/{page}" for page in shown if f"book/{page}" not in measured]
    return found


def users(widgets: Path) -> dict[str, set[str]]:
    """Of each part in `shared/` the widgets that use it, directly or through another part."""
    parts = {p.name: p for p in (widgets / "shared").glob("*.[jp]*") if p.name != "__init__.py"}
    found = {name: set() for name in parts}

    def follow(widget: str, path: Path) -> None:
        here = r"\./" if path.parent.name == "shared" else r"\.\./shared/"
        text = path.read_text("utf8")
        named = re.findall(rf'from "{here}(\w+\.js)"', text)
        named += [f"{name}.py" for name in re.findall(r"gaugelib\.widgets\.shared\.(\w+)", text)]
        for name in named:
            if widget not in found[name]:
                found[name].add(widget)
                follow(widget, parts[name])

    for path in widgets.glob("*/*.[jp]*"):
        if path.parent.name != "shared":
            follow(path.parent.name, path)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_has_all_that_a_widget_needs(name):
    assert lacks(name, ROOT) == []


def test_what_is_shared_is_used_by_two_widgets_or_more():
    assert [name for name, widgets in users(WIDGETS).items() if len(widgets) < 2] == []


CODE, TESTS = "gaugelib/widgets/gauge_race", "tests/widgets/gauge_race"


@pytest.fixture
def copied(tmp_path):
    """One widget by itself: its two folders, the page that shows it, and what names it."""
    for place in (
        "gaugelib/widgets/gauge_race",
        "gaugelib/widgets/shared",
        "tests/widgets/gauge_race",
    ):
        shutil.copytree(ROOT / place, tmp_path / place)
    (tmp_path / HEIGHTS).parent.mkdir(parents=True)
    for place in ("gaugelib/widgets/__init__.py", "book/learning.ipynb", HEIGHTS):
        shutil.copy(ROOT / place, tmp_path / place)
    return tmp_path


def test_a_copied_widget_is_complete(copied):
    assert lacks("gauge_race", copied) == []


FILES = [place.format(name="gauge_race") for place in NEEDS]


@pytest.mark.parametrize("place", [*FILES, "book/learning.ipynb"])
def test_a_missing_file_is_named(copied, place):
    (copied / place).unlink()
    found = lacks("gauge_race", copied)
    assert any(each.startswith(place.split("/learning")[0]) for each in found), found


@pytest.mark.parametrize(
    ("place", "old", "new", "told"),
    [
        (
            "gaugelib/widgets/__init__.py",
            "GaugeRace as",
            "Other as",
            "import GaugeRace as GaugeRace",
        ),
        (f"{CODE}/widget.js", "default {", "const x = {", "export default"),
        (f"{CODE}/still.py", "in_words", "words", "with in_words()"),
        (
            f"{CODE}/still.py",
            "widgets.shared",
            "widgets.majoriser",
            "majoriser",
        ),
        (f"{TESTS}/test_widget.py", "/widget.test", "/other.test", "NodeTests"),
        ("book/learning.ipynb", "import GaugeRace", "import Other", "a page that shows GaugeRace"),
        (HEIGHTS, "book/learning", "book/other", "heights.json: book/learning"),
    ],
)
def test_what_is_missing_in_a_file_is_named(copied, place, old, new, told):
    text = (copied / place).read_text("utf8")
    assert old in text
    (copied / place).write_text(text.replace(old, new), "utf8")
    found = lacks("gauge_race", copied)
    assert len(found) == 1, found
    assert told in found[0]


def test_a_part_that_one_widget_uses_alone_is_found(copied):
    assert users(copied / "gaugelib/widgets")["format.js"] == {"gauge_race"}
