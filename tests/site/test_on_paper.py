"""A printed widget shows what it shows on the screen, without controls, on less than a page."""

import os
from pathlib import Path

import pytest

from tools.site_browser import SITE

BUILT = Path(os.environ.get("BOOK_SITE", SITE)) / "book"
PAGES = sorted(f.name for f in BUILT.glob("*.html") if "widget-view+json" in f.read_text("utf8"))
WIDTH, HEIGHT = 658, 971  # pixels of an A4 sheet between the margins of print.css


@pytest.mark.parametrize("name", PAGES or ["symmetry.html"])
def test_a_widget_takes_less_than_a_page_and_has_no_dead_control(open_page, name):
    page = open_page(f"book/{name}", width=WIDTH, height=HEIGHT)
    told = page.evaluate(TOLD)
    assert len(page.evaluate(DEAD)) > 0  # on the screen there are controls
    page.emulate_media(media="print")
    assert page.evaluate(DEAD) == []
    assert page.evaluate(TOLD) == told
    for root in page.locator(".gl-widget").all():
        assert root.bounding_box()["height"] < 0.85 * HEIGHT
        assert root.evaluate("(e) => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize(("width", "height"), [(683, 512), (320, 640)])
def test_nothing_floats_over_the_readouts(open_page, width, height):
    page = open_page("book/symmetry.html", width=width, height=height)
    page.mouse.move(width / 2, height / 2)
    for turn in (3000, -300):  # the theme shows its button to a reader who turns back
        page.mouse.wheel(0, turn)
        page.wait_for_timeout(100)
    assert page.evaluate("scrollY") > 500
    assert page.locator("#pst-back-to-top").count() == 1
    assert not page.locator("#pst-back-to-top").is_visible()


DEAD = """() => [...document.querySelectorAll(
    ".gl-frame :is(.gl-whole, .gl-range, .gl-button:not(.gl-cell))")]
  .filter((e) => e.getBoundingClientRect().width > 0).map((e) => e.outerHTML.slice(0, 80))"""

# The readouts that are seen.
TOLD = """() => [...document.querySelectorAll(".gl-widget [data-readout]")]
  .filter((e) => e.textContent && e.getBoundingClientRect().width > 0)
  .map((e) => `${e.dataset.readout}: ${e.textContent}`)"""
