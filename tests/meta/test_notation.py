"""Every symbol of the book is explained, and none means two things on a page without a word."""

from itertools import chain

import pytest

from tests.meta.notation import ambiguous, meanings, unexplained, unused
from tests.meta.prose import ROOT, markdown, sources
from tests.meta.symbols import formulas, symbols

TEXT = markdown(ROOT / "book" / "notation.md")
KNOWN = meanings(TEXT)
USED = {
    path.stem: set(chain.from_iterable(map(symbols, formulas(markdown(path)))))
    for path in sources()
    if path.stem != "notation"
}
pages = pytest.mark.parametrize("page", USED)


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (r"\frac1p\lVert g_a\theta\rVert_p^p", ["p", "g", "a", r"\theta", "p", "p"]),
        (r"\mathbf Hv_h+\mathbf{H}", [r"\mathbf H", "v", "h", r"\mathbf H"]),
        (r"\operatorname{tr}\mathrm{diag}(x)", [r"\mathrm{tr}", r"\mathrm{diag}", "x"]),
        (r"\frac{d}{dt}\log L, \frac{d\Delta}{d\tau}", ["t", "L", r"\Delta", r"\tau"]),
        (r"e^{-\lambda t}e", [r"\lambda", "t", "e"]),
        (r"\text{for all }a, \sqrt{do}", ["a", "d", "o"]),
        (r"\mathbf 1\le\mathbb E\,\dot\theta'^2", [r"\mathbf 1", r"\mathbb E", r"\theta"]),
    ],
)
def test_symbols_of_a_formula(formula, found):
    assert list(symbols(formula)) == found


def test_formulas_of_a_text_are_not_those_of_its_code():
    assert list(formulas("$a$ `$b$` $$c\nd$$\n```\n$e$\n```\n5\\$ and $f$")) == ["a", "c\nd", "f"]


@pages
def test_every_symbol_of_a_page_is_explained(page):
    assert unexplained(page, USED[page], KNOWN) == set()


@pages
def test_no_letter_means_two_things_on_a_page_without_its_being_said(page):
    assert ambiguous(page, USED[page], KNOWN) == {}


def test_the_last_tables_name_only_pages_on_which_the_letter_occurs():
    assert unused(KNOWN, USED) == []


def test_every_page_that_is_named_is_there():
    assert {page for one in KNOWN for page in one.pages} <= USED.keys()
    assert sum(map(len, USED.values())) > 400  # the formulas have been found


def without(row):
    lines = [line for line in TEXT.splitlines() if not line.startswith(row)]
    assert len(lines) == len(TEXT.splitlines()) - 1
    return meanings("\n".join(lines))


@pytest.mark.parametrize(
    ("row", "page", "symbol"),
    [
        (r"| $\sigma$ | a positively", "symmetry", r"\sigma"),
        (r"| $\varphi$", "conservation", r"\varphi"),
        (r"| $\varrho$", "which_gauge", r"\varrho"),
        (r"| $M$, $\mathrm{Fix}$", "second_order", r"\mathrm{Fix}"),
    ],
)
def test_control_a_row_that_is_gone_is_missed(row, page, symbol):
    assert symbol in unexplained(page, USED[page], without(row))


def test_control_a_symbol_of_one_chapter_is_unknown_in_another():
    assert unexplained("symmetry", {r"\Phi", r"\theta"}, KNOWN) == {r"\Phi"}


@pytest.mark.parametrize(
    ("row", "page", "letter"),
    [
        (r"| $a$, $b$ | the two weights", "two_symmetries", "a"),
        (r"| $e$ | the miss", "sharpness", "e"),
        (r"| $y$ | logarithms of the parameters, or", "pairing", "y"),
    ],
)
def test_control_a_second_meaning_is_noticed(row, page, letter):
    assert letter in ambiguous(page, USED[page], without(row))


def test_control_a_row_that_names_a_page_too_many_is_noticed():
    stray = (
        "## A\n\n| a | b | where |\n|---|---|---|\n| $\\varphi$ | coordinates | [1](symmetry) |\n"
    )
    assert [page for _, page in unused(meanings(stray), USED)] == ["symmetry"]
