"""The reference has every public name; its docstrings and the book's statements name each other."""

import re

import pytest

from tests.meta.carried import called, entries, named_statements, public
from tests.meta.prose import ROOT, markdown, sources
from tests.meta.statements import statements
from tests.meta.test_theorems import SOUND

PAGES = sorted((ROOT / "book").glob("reference*.md"))
LABEL = re.compile(r"\{prf:\w+\}[^\n]*\n:label: (\S+)")
# What no chapter imports: the steps that a widget replays.
LEFT_OUT = {"gaugelib.proofs"}
PACKAGES = {
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in [ROOT / "gaugelib" / "__init__.py", *ROOT.glob("gaugelib/*/__init__.py")]
} - LEFT_OUT


def documented(pages):
    return set().union(*(entries(page, ROOT) for page in pages))


def missing(pages):
    """Public names without an entry, under their package's name or that of the top level."""
    there = documented(pages)
    return {
        f"{package}.{name}"
        for package in PACKAGES
        for name in public(package, ROOT)
        if not {f"{package}.{name}", f"gaugelib.{name}"} & there
    }


def texts():
    return [page.read_text("utf8") for page in PAGES]


def test_every_public_name_stands_in_the_reference():
    assert len(PACKAGES) > 10
    assert missing(texts()) == set()


def test_control_a_name_that_is_left_out_is_missed():
    pages = [text.replace("minimum_norm MinimumNorm", "MinimumNorm") for text in texts()]
    assert missing(pages) == {"gaugelib.minimum_norm", "gaugelib.balance.minimum_norm"}


def test_no_name_has_two_entries_on_the_pages():
    found = [name for page in texts() for name in entries(page, ROOT)]
    assert sorted(set(found)) == sorted(found)


@pytest.fixture(scope="module")
def told():
    """Name of a function -> statements that its docstring names."""
    return {
        name: labels
        for path in sorted((ROOT / "gaugelib").rglob("*.py"))
        for name, labels in named_statements(path.read_text("utf8"))
    }


@pytest.fixture(scope="module")
def stated():
    """All labels of the book's statements and definitions."""
    return {label for path in sources() for label in LABEL.findall(markdown(path))}


def test_every_statement_that_a_docstring_names_is_in_the_book(told, stated):
    assert len(told) > 40
    assert {
        name: set(labels) - stated for name, labels in told.items() if set(labels) - stated
    } == {}


def test_who_names_a_statement_stands_in_the_reference(told):
    assert set(told) <= {name.rpartition(".")[2] for name in documented(texts())}


def test_control_a_statement_that_is_nowhere_is_noticed(stated):
    (found,) = named_statements(
        'def f():\n    """Do.\n\n    Book: thm-unique, thm-nowhere.\n    """'
    )
    assert found == ("f", ["thm-unique", "thm-nowhere"])
    assert set(found[1]) - stated == {"thm-nowhere"}


def unnamed(found, told):
    """Statements whose tests call functions of the reference, and that no function names."""
    names = {name.rpartition(".")[2] for name in documented(texts())}
    named = {label for labels in told.values() for label in labels}
    return {s.label for s in found if s.label not in named and called(s, ROOT) & names}


def test_every_statement_that_is_tested_through_the_library_is_named_by_a_function(told):
    found = [s for path in sources() for s in statements(markdown(path))]
    assert sum(bool(called(s, ROOT)) for s in found[:20]) > 10
    assert unnamed(found, told) == set()


def test_control_one_that_no_function_names_is_noticed(told):
    text = SOUND.replace("tests/sample.py::test_it_holds", "tests/test_rescaling.py::{}")
    test = "test_rescaling_leaves_the_function_in_place"
    assert unnamed(statements(text.replace("{}", test)), told) == {"thm-sample"}
    assert unnamed(statements(text.replace("{}", "test_nothing")), told) == set()
