"""Lines end where a reader expects: not before a comma, and not within a part of a name."""

import os
from pathlib import Path

import pytest

from gaugebook.identifiers import breakable
from gaugebook.mathematics import glued
from tests.site import findings
from tests.site.visit import resize, unfolded
from tools.site_browser import SITE, pages

PAGES = [p for p in pages(Path(os.environ.get("BOOK_SITE", SITE))) if p.startswith("book/")]
every_page = pytest.mark.parametrize("page", PAGES or ["book/intro.html"])
WIDTHS = (320, 375, 1280)
PIECE = '<span class="katex-base">{}</span>'
FORMULA = '<span class="katex">M<span class="katex-html" aria-hidden="true">{}</span></span>'


def at_each_width(page, *finders):
    """What is found at any width, with everything unfolded."""
    found = []
    with unfolded(page):
        for width in WIDTHS:
            resize(page, width)
            found += [f"{width}: {one}" for find in finders for one in find(page)]
    return found


@every_page
def test_no_comma_is_left_alone_and_no_name_is_cut_within_a_part(view, page):
    assert at_each_width(view(page), findings.orphans, findings.chopped) == []


def test_control_without_the_rule_commas_are_left_alone(open_page):
    page = open_page("book/symmetry.html")
    page.add_style_tag(content=".unbroken { white-space: normal; }")
    assert len(at_each_width(page, findings.orphans)) >= 3


def test_control_without_the_joints_names_are_cut(open_page):
    page = open_page("book/notation.html")
    page.evaluate("() => document.querySelectorAll('wbr').forEach((e) => e.remove())")
    page.add_style_tag(content=".bd-article code { overflow-wrap: anywhere; }")
    assert len(at_each_width(page, findings.chopped)) >= 3


def word(text):
    return f'<span class="pre">{text}</span>'


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("gaugelib.balance.objective", ["gaugelib.", "balance.", "objective"]),
        ("relative_imbalance", ["relative_", "imbalance"]),
        ("tests/a/test_b.py::test_c", ["tests/", "a/", "test_", "b.", "py::", "test_", "c"]),
        ("rescale(params,", ["rescale(", "params,"]),
        ("every=10", ["every=10"]),
        ("0.001", ["0.001"]),
        ("__init__", ["__init__"]),
        ("&lt;br&gt;", ["&lt;br&gt;"]),
        ("from_", ["from_"]),
    ],
)
def test_a_name_breaks_at_its_joints(name, parts):
    assert breakable(word(name)) == word("<wbr>".join(parts))


def test_only_words_in_code_are_broken():
    assert breakable('<a href="a_b.html">a_b</a>') == '<a href="a_b.html">a_b</a>'


def test_what_follows_a_formula_shares_the_line_of_its_last_piece():
    pieces = PIECE.format("a") + PIECE.format("b")
    assert glued(FORMULA.format(pieces), ",") == (
        FORMULA.format(PIECE.format("a"))
        + '<span class="unbroken"><span class="katex"><span class="katex-html" aria-hidden="true">'
        + PIECE.format("b")
        + "</span></span>,</span>"
    )


def test_what_follows_a_formula_that_was_refused_is_kept():
    assert glued(r"\wrong", ",") == r"\wrong,"
