"""The public surface is small, written once, and every name is documented by an example."""

import ast
import inspect
import types

import pytest

import gaugelib
from tests.meta.prose import ROOT

MOST_NAMES = 40


def exported(source: str) -> set[str]:
    """The names that `X as X` imports make public."""
    return {
        alias.asname
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }


def undocumented(name: str, thing: object) -> str:
    """What is missing from a name's documentation; nothing if nothing is."""
    text = inspect.getdoc(thing) or ""
    if not text or (isinstance(thing, type) and text == inspect.getdoc(thing.__mro__[1])):
        return f"{name} has no docstring"
    if not isinstance(thing, types.ModuleType) and ">>>" not in text:
        return f"{name} has no example in its docstring"
    return ""


def test_all_names_what_the_package_exports():
    source = (ROOT / "gaugelib" / "__init__.py").read_text(encoding="utf-8")
    assert set(gaugelib.__all__) == exported(source)
    assert len(gaugelib.__all__) == len(set(gaugelib.__all__)) <= MOST_NAMES


@pytest.mark.parametrize("name", gaugelib.__all__)
def test_public_name_is_documented(name):
    assert undocumented(name, getattr(gaugelib, name)) == ""


def bare(): ...


def told():
    """Says something."""


def shown():
    """Shows something.

    >>> 1 + 1
    2
    """


class Heir(ValueError): ...


@pytest.mark.parametrize("thing", [bare, told, Heir])
def test_a_name_without_documentation_or_example_is_refused(thing):
    assert undocumented("thing", thing) != ""


def test_a_name_with_an_example_is_accepted():
    assert undocumented("shown", shown) == ""


def test_an_import_without_as_is_private():
    assert exported("from a import b as b, c\nfrom d import e as f") == {"b"}
