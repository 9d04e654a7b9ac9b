"""Every page of the site is self-contained, typeset, accessible, narrow, linked and light."""

import os
from pathlib import Path

import pytest

from tests.site import findings, markup
from tests.site.visit import at_rest, resize
from tools.site_browser import SITE, pages
from tools.site_weight import LIMIT, weigh_all, write

# Where there is no site, the fixture of that name fails; the front door has a test of its own.
ALL = [page for page in pages(Path(os.environ.get("BOOK_SITE", SITE))) if page != "index.html"]
every_page = pytest.mark.parametrize("page", ALL or ["search.html"])


@every_page
def test_page_is_self_contained_typeset_and_alive_when_served(view, page):
    shown = view(page)
    at_rest(shown)
    assert findings.raw_mathematics(shown) == []
    found = findings.widgets(shown)
    assert sorted(found["views"]) == sorted(found["mounted"])
    assert set(found["views"]) == set(found["anywidgets"])


@every_page
def test_page_is_self_contained_on_the_disk(open_page, file_url, page):
    at_rest(open_page(file_url(page)))


@every_page
def test_page_is_legible_without_scripts(open_page, page):
    assert open_page(page, scripts=False).locator("h1, a").first.is_visible()


@every_page
def test_page_has_no_accessibility_violation(view, axe, page):
    shown = view(page)
    assert findings.cut(shown, ".formula, .highlight pre") == []
    assert axe(shown) == []
    resize(shown, 320)
    assert axe(shown, but=findings.COLOURS) == []


@every_page
def test_page_is_as_legible_in_the_dark(view, axe, page):
    assert axe(view(page, theme="dark"), *findings.COLOURS) == []


@every_page
def test_page_does_not_scroll_sideways_at_320_px(view, page):
    shown = view(page, width=320, height=640)
    assert findings.sideways(shown) == []
    assert findings.cut(shown, ".formula") == []
    resize(shown, 375)
    assert findings.cut(shown, ".formula") == []


@every_page
def test_every_widget_has_a_still_picture_behind_it(site, page):
    assert markup.views_without_still(site / page) == []


@every_page
def test_every_image_has_an_alternative_text(site, page):
    assert markup.images_without_alt(site / page) == []


@every_page
def test_every_link_within_the_site_resolves(site, page):
    assert markup.broken_links(site / page, site) == []


@every_page
def test_no_id_is_repeated(site, page):
    assert markup.repeated_ids(site / page) == []


def test_front_door_leads_to_the_first_page(open_page, axe, serve, site, site_url, tmp_path):
    open_page(site_url, scripts=False).locator("article h1").wait_for()
    door = (site / "index.html").read_text("utf8")
    assert markup.broken_links(site / "index.html", site) == []
    open_door = door.replace('http-equiv="refresh"', 'name="refresh"')
    assert open_door != door
    (tmp_path / "index.html").write_text(open_door, "utf8")
    assert axe(open_page(serve(tmp_path))) == []


def test_every_page_is_light(chromium, site):
    weights = weigh_all(chromium, site)
    print(write(weights, site.parent))
    assert {w.page for w in weights} == set(pages(site))
    assert [w for w in weights if w.plain > LIMIT] == []
