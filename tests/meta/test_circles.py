"""No module imports one that imports it back, be it through others or for types only."""

import ast
import graphlib
import pathlib
from collections.abc import Iterator

import pytest

from tests.meta.prose import ROOT


def imports(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """What the imports outside functions name: a module, or a module and what is taken from it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not read here"
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node)


def graph(package: pathlib.Path) -> dict[str, set[str]]:
    """Of each module of a package the modules that it imports from it."""
    paths = {}
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        paths[module.removesuffix(".__init__")] = path
    found = {}
    for module, path in paths.items():
        named = [".".join(each) for each in imports(ast.parse(path.read_text(encoding="utf-8")))]
        found[module] = {n if n in paths else n.rpartition(".")[0] for n in named} & set(paths)
    return found


def circle(modules: dict[str, set[str]]) -> list[str]:
    """The modules of a circle, one after the other; none if there is none."""
    try:
        graphlib.TopologicalSorter(modules).prepare()
    except graphlib.CycleError as found:
        return found.args[1]
    return []


def test_no_circle_among_the_widgets():
    modules = graph(ROOT / "gaugelib")
    widgets = {name: found for name, found in modules.items() if ".widgets" in name}
    assert len(widgets) > 30
    assert circle(widgets) == []


SOUND = {
    "__init__.py": "from p.a import f as f",
    "a.py": "from p.b import g\nimport p.c.d",
    "b.py": "def g():\n    from p.a import f",
    "c/__init__.py": "import math",
    "c/d.py": "from p import c",
}


@pytest.fixture
def package(tmp_path):
    def write(**others):
        for name, text in {**SOUND, **{f"{key}.py": text for key, text in others.items()}}.items():
            (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "p" / name).write_text(text)
        return graph(tmp_path / "p")

    return write


def test_a_package_without_a_circle_is_accepted(package):
    modules = package()
    assert modules["p.a"] == {"p.b", "p.c.d"}
    assert modules["p.c.d"] == {"p.c"}
    assert circle(modules) == []


@pytest.mark.parametrize(
    "back",
    [
        "from p.a import f",
        "import p.a",
        "from p import a",
        "from p import f",  # through the front door
        "if TYPE_CHECKING:\n    from p.a import F",
        "try:\n    import p.a\nexcept ImportError:\n    pass",
    ],
)
def test_a_circle_is_found(package, back):
    found = circle(package(b=back))
    assert found[0] == found[-1]
    assert {"p.a", "p.b"} <= set(found)
