"""Widgets are mounted when they come near, and their room is kept: nothing on the page moves."""

import json
import os
from pathlib import Path

import pytest

from tools.site_browser import SITE
from tools.widget_heights import PLACES, TABLE, WINDOWS, at_width, pages_with_widgets

LIVE = "() => [...document.querySelectorAll('.widget-live')].map((e) => 'model' in e.dataset)"
NEAR = """() => [...document.querySelectorAll(".widget-live")].map((e) => {
  const { top, bottom } = e.getBoundingClientRect();
  return bottom > -innerHeight && top < 2 * innerHeight;
})"""
TO = """(k) => document.querySelectorAll(".widget-live")[k]
  .scrollIntoView({ block: "center", behavior: "instant" })"""
SHIFTS = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().map((e) => e.value)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done([]), 500);
})"""
# Where there is no site, the fixture of that name fails.
WITH_WIDGETS = pages_with_widgets(Path(os.environ.get("BOOK_SITE", SITE)))
WIDTHS = (288, 380, 672, 704)
# Letters of another system are wider or narrower, so that text breaks into other lines.
OTHER_LETTERS = 0.1


@pytest.fixture
def untouched(chromium, site_url):
    """Opens a page as a reader does, without mounting what is far."""
    contexts = []

    def opened(page, width=1280, *, without=()):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 800}))
        tab = contexts[-1].new_page()
        for address in without:
            tab.route(address, lambda route: route.abort())
        tab.goto(site_url + page)
        tab.evaluate("() => document.fonts.ready.then(() => null)")
        return tab

    yield opened
    for context in contexts:
        context.close()


def test_the_table_knows_every_widget(site):
    pages = pages_with_widgets(site)
    table = json.loads(TABLE.read_text("utf8"))
    assert {f"{name}.html" for name in table} == set(pages)
    widths = {str(width) for width in WINDOWS}
    for name, heights in table.items():
        views = (site / f"{name}.html").read_text("utf8").count("widget-view+json")
        assert len(heights) == views, f"run python -m tools.widget_heights: {name} has {views}"
        assert all(set(height) == widths for height in heights)


@pytest.mark.parametrize("page", WITH_WIDGETS or ["book/symmetry.html"])
def test_the_kept_room_is_as_high_as_the_widget(untouched, page):
    empty = untouched(page, without=["**/_static/widgets.js*"])  # nothing is mounted
    full = untouched(page)
    full.evaluate("() => bookWidgets.mountAll().then(() => null)")
    for width in WIDTHS:
        kept, live = (at_width(tab, WINDOWS[width], PLACES) for tab in (empty, full))
        for (wide, room), (_, height) in zip(kept, live, strict=True):
            assert wide == width
            # Where this fails after a change of a widget: python -m tools.widget_heights
            assert abs(room - height) <= OTHER_LETTERS * height, (page, room, height)


def test_only_what_is_near_is_mounted_and_it_moves_nothing(untouched, site):
    tab = untouched("book/minimum_norm.html")
    tab.wait_for_timeout(1000)
    assert tab.evaluate(LIVE) == tab.evaluate(NEAR)
    assert not any(tab.evaluate(LIVE))
    for k in range(len(tab.evaluate(LIVE))):
        tab.evaluate(TO, k)
        tab.wait_for_function(f"'model' in document.querySelectorAll('.widget-live')[{k}].dataset")
    assert all(tab.evaluate(LIVE))


def test_what_is_passed_by_is_not_mounted(untouched):
    tab = untouched("book/minimum_norm.html")
    tab.evaluate("() => scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    tab.wait_for_timeout(1000)
    assert tab.evaluate(LIVE) == tab.evaluate(NEAR)


def test_paper_shows_the_still_of_what_is_not_mounted(untouched, site):
    tab = untouched("book/minimum_norm.html")
    asked = []
    tab.on("requestfinished", lambda request: asked.append(request.url))
    stills = tab.locator("noscript").evaluate_all(
        '(all) => all.map((e) => /src="([^"]*)"/.exec(e.textContent)?.[1].split(\'/\').pop())'
    )
    tab.pdf()
    got = {url.rsplit("/", 1)[1] for url in asked}
    assert len(tab.evaluate(LIVE)) >= 6
    assert {name for name in stills if name} <= got


def test_a_file_that_is_missing_is_said_on_the_page(chromium, site_url):
    context = chromium.new_context()
    tab = context.new_page()
    tab.route("**/_static/widgets/majoriser-*", lambda route: route.abort())
    tab.goto(f"{site_url}book/minimum_norm.html")
    tab.evaluate("() => bookWidgets.mountAll().then(() => null)")
    assert "did not come" in (tab.locator("[role=alert].widget-error").text_content() or "")
    assert tab.locator(".gl-widget").count() >= 5
    context.close()
