"""Slides in Chromium, from the disk: nothing is cut, widgets keep their keys, notes, paper.

The decks of the chapters are those of `make lecturer`; what a deck can do is tried on a sample deck
that has one slide of each kind.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.lecturer.slides import KIT, misfits
from tools import lecturer_slides
from tools.lecturer_slides import ROOT, SLIDES

SAMPLE = Path(__file__).parent / "deck"
CHAPTERS = sorted(path.stem for path in (ROOT / "lecturer" / "slides").glob("*.md"))
TITLE, LIST, STATED, FIGURE, POLL, DIALS, PLANE = range(7)
pytestmark = pytest.mark.xdist_group("slides")


@pytest.fixture(scope="module")
def sample(site, tmp_path_factory) -> Path:
    """The sample deck, beside a site."""
    kit = tmp_path_factory.mktemp("kit")
    for each in site.iterdir():
        (kit / each.name).symlink_to(each.resolve())
    (deck,) = lecturer_slides.build(site, kit, SAMPLE)
    return deck


@pytest.fixture
def show(sample, open_page):
    """Opens the sample deck at a slide."""

    def at(slide: int = 0, query: str = "", **how) -> Page:
        return opened(open_page, sample, f"{query}#/{slide}", **how)

    return at


def opened(open_page, deck: Path, where: str = "", *, width=1024, height=768, **how) -> Page:
    page = open_page(deck.as_uri() + where, width=width, height=height, **how)
    page.locator("html[data-deck]").wait_for(state="attached")
    return page


def here(page: Page) -> int:
    return page.evaluate("Reveal.getIndices().h")


# ---------------------------------------------------------------- every deck


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_nothing_is_cut_on_any_slide(chapter, open_page):
    deck = KIT / SLIDES / f"{chapter}.html"
    assert deck.exists(), f"no slides in {KIT}: run make lecturer first"
    assert misfits(opened(open_page, deck)) == []


def test_control_what_is_cut_is_noticed(show):
    page = show()
    assert misfits(page) == []
    page.evaluate(
        """() => {
          const [title, list, stated, figure, poll] = document.querySelectorAll(".slide");
          title.querySelector(".keys").style.fontSize = "20px";
          list.querySelector("li").textContent = "word ".repeat(300);
          stated.querySelector(".proof .math").style.marginLeft = "920px";
          figure.querySelector("h2").style.cssText = "width: 90px; height: 20px";
          poll.querySelector("p").style.cssText = "width: 1200px";
        }"""
    )
    found = [line.partition(" ")[0] for line in misfits(page)]
    assert sorted(set(found)) == ["1", "2", "3", "4", "5"]


# ---------------------------------------------------------------- widgets on slides


def test_a_widget_begins_in_the_slides_state_and_fills_the_slide(show):
    page = show(DIALS)
    dials = page.locator("section.present input[type=range]")
    assert dials.first.get_attribute("aria-valuetext") == "a = 4.000"
    frame = page.locator("section.present .gl-canvas").bounding_box()
    assert frame["width"] > 980
    assert frame["height"] > 640


def test_arrow_keys_turn_a_dial_and_not_the_slide(show):
    page = show(DIALS)
    dial = page.locator("section.present input[type=range]").first
    dial.focus()
    page.keyboard.press("ArrowRight")
    assert here(page) == DIALS
    assert dial.get_attribute("aria-valuetext") != "a = 4.000"
    page.locator("section.present select").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    assert here(page) == DIALS
    page.keyboard.press("Escape")  # the keys are the slides' again
    page.keyboard.press("ArrowRight")
    assert here(page) == PLANE


def test_a_remote_turns_the_slide_from_within_a_widget(show):
    page = show(DIALS)
    page.locator("section.present input[type=range]").first.focus()
    page.keyboard.press("PageDown")
    assert here(page) == PLANE
    page.locator("section.present input").first.focus()
    page.keyboard.press("PageUp")
    assert here(page) == DIALS
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize("size", [(1024, 768), (1920, 1080)])
def test_the_point_follows_the_pointer_where_slides_are_magnified(show, size):
    page = show(PLANE, width=size[0], height=size[1])
    point = page.locator("section.present .gl-handle .gl-point")
    page.locator("section.present input[type=checkbox]").first.uncheck()
    before = point.bounding_box()
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y - 120, steps=3)
    page.mouse.up()
    page.wait_for_timeout(50)
    after = point.bounding_box()
    assert after["x"] - before["x"] == pytest.approx(90, abs=12)  # on the grid of its steps
    assert after["y"] - before["y"] == pytest.approx(-120, abs=12)
    assert here(page) == PLANE


def test_a_widget_comes_back_from_the_full_screen_as_large_as_it_was(show):
    page = show(DIALS)
    root = page.locator("section.present .gl-widget")
    before = root.bounding_box()
    page.locator("section.present .gl-whole").press("Enter")
    page.locator("dialog[open] > .gl-widget").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('dialog.gl-screen')")
    assert (root.bounding_box(), here(page)) == (before, DIALS)
    assert misfits(page) == []


# ---------------------------------------------------------------- questions, looks, notes, paper


def test_the_answer_of_a_poll_comes_a_step_later(show):
    page = show(POLL)
    right = page.locator("section.present .right")
    assert not right.locator("strong").is_visible()
    assert not page.locator("section.present .computed").is_visible()
    page.keyboard.press("ArrowRight")
    assert here(page) == POLL
    assert right.locator("strong").is_visible()
    assert page.locator("section.present .computed").inner_text().startswith("Computed: ")
    page.keyboard.press("ArrowRight")
    assert here(page) == FIGURE + 2


def test_slides_are_named_regions_and_accessible(show, axe):
    page = show(clean=False)  # axe asks for style sheets, which a page on the disk may not
    assert page.title() == "A sample deck: slides"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert axe(page) == []
    for k in (LIST, STATED, FIGURE, POLL, DIALS):
        page.evaluate("(k) => Reveal.slide(k)", k)
        assert axe(page, within="section.present") == [], k
    names = page.get_by_role("region", include_hidden=True)
    assert names.count() == 7
    assert page.locator("aside.notes:visible").count() == 0


def test_dark_and_contrast_are_a_key_each_and_as_readable(show, axe):
    page = show(POLL, clean=False)
    page.keyboard.press("ArrowRight")
    seen = []
    for key in "dcd":
        page.keyboard.press(key)
        seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert axe(page, "color-contrast", within="section.present") == [], key
    assert seen == ["rgb(20, 24, 29)", "rgb(0, 0, 0)", "rgb(255, 255, 255)"]


def test_the_speaker_sees_the_notes_in_a_window_of_her_own(show):
    page = show(LIST)
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("any positive number").wait_for()
    assert notes.locator("math").count() >= 2
    assert notes.locator("ol li").count() == 2  # the board version
    page.keyboard.press("ArrowRight")
    notes.get_by_text("Read it aloud").wait_for()


def test_on_paper_each_slide_is_a_page_and_notes_are_another(sample, chromium):
    pdf = PdfReader(lecturer_slides.print_deck(chromium, sample))
    assert len(pdf.pages) == 7
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [768, 576]  # points
    assert "Which bar grows" in pdf.pages[DIALS].extract_text()
    assert "a = 4.000" in pdf.pages[DIALS].extract_text()  # the widget, in the slide's state
    assert "Computed" in pdf.pages[POLL].extract_text()
    with_notes = PdfReader(lecturer_slides.print_deck(chromium, sample, notes=True))
    assert len(with_notes.pages) == 7 + 6
    assert "any positive number" in with_notes.pages[2].extract_text()
