"""On a page that is not running: solutions open by their titles, stubs say how to be answered."""

import re

import pytest

from tests.site import markup
from tools.site_browser import pages

PAGES = [
    "symmetry",
    "minimum_norm",
    "conservation",
    "pairing",
    "soft_gauge",
    "second_order",
    "two_symmetries",
    "which_gauge",
    "beyond_neurons",
]


@pytest.fixture(
    params=[(1280, "light", True), (320, "dark", True), (1280, "light", False)], ids=str
)
def page(request, open_page):
    width, theme, scripts = request.param
    return open_page("book/pairing_exercises.html", width=width, theme=theme, scripts=scripts)


def test_a_solution_opens_by_keyboard_and_by_its_whole_title(page):
    solution = page.locator("details.solution").first
    inside, title = solution.locator("section"), solution.locator("summary")
    assert title.inner_text().startswith("Solution to Exercise 4.1")
    assert not inside.is_visible()
    title.focus()
    page.keyboard.press("Enter")
    assert inside.is_visible()
    box = title.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert not inside.is_visible()
    assert "#" not in page.url  # it does not jump


def test_a_solution_has_a_link_back_to_its_exercise(page):
    solution = page.locator("details.solution").first
    solution.locator("summary").click()
    solution.get_by_role("link", name="Back to Exercise 4.1").click()
    page.wait_for_url("**#ex-half-life")


def test_the_first_cell_is_folded_and_can_be_opened(page):
    setup = page.locator("details.setup")
    assert setup.count() == 1
    assert not setup.locator("pre").is_visible()
    setup.locator("summary").click()
    assert "import gaugelib" in setup.locator("pre").inner_text()


def test_open_solutions_are_accessible(open_page, axe):
    page = open_page("book/symmetry_exercises.html", width=320)
    for fold in page.locator("details.solution, details.setup").all():
        fold.locator("summary").first.click()
    assert axe(page) == []


def test_every_notebook_page_folds_its_first_cell_and_no_other(site):
    folded = {p for p in pages(site) if markup.read(site / p).select("details.setup")}
    running = {p for p in pages(site) if markup.read(site / p).select("div.cell_input")}
    assert len(running) >= 11  # the first page runs, too, and shows no cell
    assert folded == running
    for name in running:
        cells = markup.read(site / name).select("div.cell")
        assert [bool(cell.select("details.setup")) for cell in cells].index(True) == 0
        assert sum(bool(cell.select("details.setup")) for cell in cells) == 1


@pytest.mark.parametrize("chapter", PAGES)
def test_every_stub_says_how_an_answer_is_checked_and_no_solution_does(site, chapter):
    page = markup.read(site / f"book/{chapter}_exercises.html")
    waiting = [o for o in page.select(".cell_output") if re.search(r"Not yet:", o.get_text())]
    said = page.select(".verdict-how")
    assert len(waiting) == len(said) >= 4
    assert all(one.find_parent(class_="cell_output") in waiting for one in said)
    assert not page.select(".solution .verdict-how")
    for one in said:
        download = one.find("a", download=True)
        assert (site / "book" / download["href"]).resolve().is_file()


def test_no_solution_is_told_by_its_title_to_jump(site):
    for page in pages(site):
        assert markup.read(site / page).select("summary a") == []
