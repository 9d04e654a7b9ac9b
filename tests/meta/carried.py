"""Which names stand in the reference, and which of them a statement's tests call: read, not run."""

import ast
import pathlib
import re
from collections.abc import Iterator
from functools import cache

from tests.meta.statements import CHECKED, TEST, Statement
from tests.meta.test_public_names import exported

ENTRIES = re.compile(
    r"^\.\. reference:: (?P<package>[\w.]+)\n(?P<rest>(?:   .*\n|\n)*)", re.MULTILINE
)
ALIASES = {"Action"}  # types that only signatures name
BOOK = re.compile(r"^ *Book:(?P<labels>[^.]*)\.?", re.MULTILINE)


def public(package: str, root: pathlib.Path) -> set[str]:
    """The functions and classes that a package exports, by its `__init__.py`; no constants."""
    folder = root.joinpath(*package.split("."))
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    names = exported(path.read_text("utf8")) - ALIASES
    return {name for name in names if not name.isupper()}


def entries(page: str, root: pathlib.Path) -> set[str]:
    """The full names that a page of the reference documents."""
    top, found = public("gaugelib", root), set()
    for match in ENTRIES.finditer(page):
        named = [word for word in match["rest"].split() if not word.startswith(":")]
        package = match["package"]
        found |= {f"{package}.{n}" for n in named or public(package, root) - top}
    return found


def named_statements(source: str) -> Iterator[tuple[str, list[str]]]:
    """Of each function or class that names statements of the book: its name, and theirs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for match in BOOK.finditer(ast.get_docstring(node) or ""):
                yield node.name, re.findall(r"[^\s,]+", match["labels"])


@cache
def parsed(path: pathlib.Path) -> ast.Module:
    """A file of tests; many statements name the same."""
    return ast.parse(path.read_text("utf8"))


def called(statement: Statement, root: pathlib.Path) -> set[str]:
    """The names of the library that a statement's tests use, by themselves or through others."""
    checked, found = CHECKED.search(statement.text), set()
    for file, test in TEST.findall(checked["tests"] if checked else ""):
        tree = parsed(root / file)
        functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        ours = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gaugelib")
            for alias in node.names
        }
        todo, done = [test], set()
        while todo:
            name = todo.pop()
            if name in functions and name not in done:
                done.add(name)
                words = [n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name)]
                found |= {ours[word] for word in words if word in ours}
                todo += words
    return found
