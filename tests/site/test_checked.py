"""Under a statement a closed line counts its tests; opened, it names and links them."""

import re

import pytest

from gaugebook.checked import folded

CODE = '<code class="docutils literal notranslate"><span class="pre">{}</span></code>'
ONE, TWO = (CODE.format(f"tests/a/test_b.py::test_{name}") for name in ("one", "two"))
SENTENCE = f"Checked by {ONE} and {TWO}; its control is {ONE}."


def test_the_line_counts_tests_and_controls():
    assert "<summary>Checked by 2 tests, with 1 control</summary>" in folded(SENTENCE, "")
    other = f"Checked by {ONE}; its controls are {ONE} and {TWO}."
    assert "<summary>Checked by 1 test, with 2 controls</summary>" in folded(other, "")


def test_each_test_is_linked_to_its_file_where_that_is_known():
    links = re.findall(r'href="([^"]*)"', folded(SENTENCE, "https://example.org/blob/abc"))
    assert links == ["https://example.org/blob/abc/tests/a/test_b.py"] * 3
    assert "href" not in folded(SENTENCE, "")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tests_of_a_statement_are_unfolded_by_keyboard(open_page, axe, theme):
    page = open_page("book/minimum_norm.html", width=320, theme=theme)
    folds = page.locator("details.checked")
    assert folds.count() >= 8
    assert page.locator("p:has(code):visible", has_text="Checked by").count() == 0
    first = folds.first
    assert re.fullmatch(r"Checked by \d+ tests?, with \d+ controls?", first.inner_text())
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.locator("code").first.is_visible()
    assert axe(page, within="details.checked[open]") == []
