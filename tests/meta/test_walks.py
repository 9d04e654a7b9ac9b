"""The walks through the code on the book's page for developers lead where the code goes."""

import ast
import pathlib
import re
import sys
from collections.abc import Callable

import pytest
import torch
from torch import nn

from gaugelib import hat, minimum_norm, mlp_group, params_of, trace_group
from tests.meta.prose import ROOT

PAGE = ROOT / "book" / "developers.md"
PLACE = re.compile(r"`(?P<file>(?:gaugelib|book)/[\w/]+\.(?:py|js|css))(?:::(?P<name>[\w.]+))?`")
STEP = re.compile(r"^\d+\. ", re.MULTILINE)

# What a walk's heading promises, done once; a walk through the page of a browser is only looked up.
DONE: dict[str, Callable[[], object]] = {
    "From a model to its group": lambda: trace_group(
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1)),
        torch.ones(1, 1, 4, 4),
    ),
    "From a network to its lightest writing": lambda: minimum_norm(
        params_of(hat()), mlp_group(hat())
    ),
}


def walks(page: str) -> dict[str, str]:
    """Heading -> numbered steps, of each section that has such."""
    sections = [section.partition("\n") for section in page.split("\n## ")[1:]]
    return {heading: text for heading, _, text in sections if STEP.search(text)}


def lost(page: str, root: pathlib.Path) -> list[str]:
    """Files that are named and not there, and names that their files do not define."""
    return [
        match[0]
        for match in PLACE.finditer(page)
        if not (root / match["file"]).is_file()
        or (match["name"] and match["name"] not in defined(root / match["file"]))
    ]


def defined(path: pathlib.Path) -> set[str]:
    """Functions, classes, methods and constants of a Python file; what a script declares."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return set(re.findall(r"(?:function|class|const|let) (\w+)", text))
    found: set[str] = set()

    def read(body: list[ast.stmt], scope: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(scope + node.name)
            if isinstance(node, ast.ClassDef):
                read(node.body, f"{scope}{node.name}.")
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", 0)]
            found.update(scope + target.id for target in targets if isinstance(target, ast.Name))

    read(ast.parse(text).body, "")
    return found


def entered(act: Callable[[], object]) -> list[tuple[str, str]]:
    """File and name of each function of the library, in the order of their first calls."""
    calls: dict[tuple[str, str], None] = {}

    def note(frame, event, _):
        code, made = frame.f_code, type(frame.f_locals.get("self"))
        file, name = code.co_filename, code.co_qualname
        if file == "<string>" and made.__module__.startswith("gaugelib."):  # of a dataclass
            file, name = sys.modules[made.__module__].__file__, f"{made.__qualname__}.__init__"
        if event == "call" and file.startswith(str(ROOT / "gaugelib")):
            calls[pathlib.Path(file).relative_to(ROOT).as_posix(), name] = None

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return list(calls)


def astray(steps: str, calls: list[tuple[str, str]]) -> list[str]:
    """Names that were not called; and steps whose first name was called before that of the last."""
    found, latest = [], -1
    for step in STEP.split(steps)[1:]:
        named = [match for match in PLACE.finditer(step) if match["name"]]
        for number, match in enumerate(named):
            within = [
                k for k, (file, name) in enumerate(calls)
                if file == match["file"] and f"{name}.".startswith(f"{match['name']}.")
            ]  # fmt: skip
            if not within:
                found.append(f"{match[0]} was not called")
            elif number == 0:
                if within[0] < latest:
                    found.append(f"{match[0]} is called earlier")
                latest = within[0]
    return found


def test_every_place_that_the_page_names_is_there():
    page = PAGE.read_text(encoding="utf-8")
    assert len(walks(page)) >= len(DONE)
    assert lost(page, ROOT) == []


@pytest.mark.parametrize("heading", DONE)
def test_a_walk_goes_as_the_code_does(heading):
    steps = walks(PAGE.read_text(encoding="utf-8"))[heading]
    assert astray(steps, entered(DONE[heading])) == []


@pytest.fixture
def root(tmp_path):
    (tmp_path / "gaugelib").mkdir()
    (tmp_path / "gaugelib" / "a.py").write_text("FREE: int = 1\nclass A:\n    def b(self): ...\n")
    (tmp_path / "gaugelib" / "a.js").write_text("export function draw() {}\nconst SIZE = 1;\n")
    return tmp_path


@pytest.mark.parametrize(
    "place", ["a.py", "a.py::FREE", "a.py::A", "a.py::A.b", "a.js::draw", "a.js::SIZE"]
)
def test_a_place_that_is_there_is_accepted(root, place):
    assert lost(f"see `gaugelib/{place}`", root) == []


@pytest.mark.parametrize("place", ["b.py", "a.py::b", "a.py::A.c", "a.js::draws"])
def test_control_a_place_that_is_not_there_is_found(root, place):
    assert lost(f"see `gaugelib/{place}`", root) == [f"`gaugelib/{place}`"]


def test_control_another_order_or_an_idle_function_is_found():
    calls = [("gaugelib/a.py", "A.__init__"), ("gaugelib/a.py", "f")]
    sound = "1. `gaugelib/a.py::A` makes\n2. `gaugelib/a.py::f` ends\n"
    assert astray(sound, calls) == []
    assert astray(sound, calls[::-1]) == ["`gaugelib/a.py::f` is called earlier"]
    assert astray(sound, calls[:1]) == ["`gaugelib/a.py::f` was not called"]
