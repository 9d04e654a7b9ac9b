"""Measure how high each widget of the built book is, for the room that is kept for it.

    python -m tools.widget_heights

Writes `book/_ext/gaugebook/heights.json`, from which the next build reserves the heights. To be run
after a change of what a widget shows at first; `tests/site/test_room.py` says when.
"""

import json
from pathlib import Path

from playwright.sync_api import Browser, Page

from tools.site_browser import SITE, pages, sealed_chromium, served

TABLE = SITE.parents[1] / "book" / "_ext" / "gaugebook" / "heights.json"
# The width of a widget's place, and a window that gives it: phones, tablets, a desktop's column.
WINDOWS = {
    288: 320, 328: 360, 343: 375, 358: 390, 380: 412, 398: 430, 448: 480, 568: 600,
    624: 1200, 648: 680, 672: 1280, 704: 768,
}  # fmt: skip
VIEW = 'type="application/vnd.jupyter.widget-view+json"'
PLACES = """() => [...document.querySelectorAll(".widget-live")].map((place) =>
  ["Width", "Height"].map((side) => Math.round(place[`offset${side}`])))"""


def opened(browser: Browser, address: str) -> Page:
    """A page whose widgets are all mounted."""
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(address)
    page.evaluate("() => bookWidgets.mountAll().then(() => null)")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    return page


def at_width(page: Page, window: int, script: str) -> list:
    """What a script returns in a window of this width."""
    page.set_viewport_size({"width": window, "height": 800})
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r, 50)))")
    return page.evaluate(script)


def heights(browser: Browser, address: str) -> list[dict[str, int]]:
    """For each widget of a page its height by the width of its place.

    Raises:
        ValueError: a place has another width than the windows were chosen for.
    """
    page = opened(browser, address)
    found: list[dict[str, int]] = []
    for width, window in WINDOWS.items():
        measured = at_width(page, window, PLACES)
        found = found or [{} for _ in measured]
        for table, (wide, high) in zip(found, measured, strict=True):
            if wide != width:
                raise ValueError(f"a place of {wide} px, not {width}, in a window of {window} px")
            table[str(width)] = high
    page.context.close()
    return found


def measure(browser: Browser, site: Path = SITE) -> dict[str, list[dict[str, int]]]:
    """The heights of the widgets of every page that has some."""
    with served(site) as address:
        return {
            page.removesuffix(".html"): heights(browser, address + page)
            for page in pages_with_widgets(site)
        }


def pages_with_widgets(site: Path = SITE) -> list[str]:
    """The pages of the site that show a widget."""
    return [page for page in pages(site) if VIEW in (site / page).read_text("utf8")]


if __name__ == "__main__":
    with sealed_chromium() as chromium:
        TABLE.write_text(json.dumps(measure(chromium), indent=1) + "\n", "utf8")
