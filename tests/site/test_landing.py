"""A link to a statement lands on it, though the widgets above it grow while the page loads."""

import pytest

STATEMENTS = {
    "symmetry": "prop-unbounded",
    "minimum_norm": "prop-largest",
    "conservation": "prop-heavy-ball",
    "pairing": "thm-mirror",
    "soft_gauge": "prop-stiff",
}
TOP = "(id) => Math.round(document.getElementById(id).getBoundingClientRect().top)"
WITHIN = 160  # the header's height, and a little room


def landed(page, label):
    return 0 <= page.evaluate(TOP, label) <= WITHIN


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("chapter", STATEMENTS)
def test_a_link_from_elsewhere_lands_on_its_statement(open_page, chapter, width):
    label = STATEMENTS[chapter]
    page = open_page(f"book/{chapter}.html#{label}", width=width)
    page.wait_for_function("document.documentElement.dataset.widgets === 'mounted'")
    page.wait_for_timeout(300)
    assert landed(page, label)


def test_a_reader_who_has_begun_to_move_is_left_alone(open_page):
    page = open_page("book/minimum_norm.html")
    page.evaluate("() => { history.replaceState(null, '', '#prop-largest'); }")
    page.keyboard.press("Tab")
    page.evaluate("() => window.dispatchEvent(new Event('load'))")
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.scrollY") < 100
    other = open_page("book/minimum_norm.html")  # control: one who has not is led on
    other.evaluate("() => { history.replaceState(null, '', '#prop-largest'); }")
    other.evaluate("() => window.dispatchEvent(new Event('load'))")
    other.wait_for_timeout(300)
    assert landed(other, "prop-largest")
