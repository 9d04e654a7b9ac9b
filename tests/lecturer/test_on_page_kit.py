"""The kit that `make lecturer` writes: every link leads somewhere, every page is readable."""

import re
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.lecturer.slides import KIT
from tests.meta.prose import ROOT
from tools.teach import CHAPTERS

LINK = re.compile(r'\b(?:href|src|action)="([^"]+)"')
ELSEWHERE = re.compile(r"(?:https?|mailto|data|javascript):")
NAMED = re.compile(r'\bid="([^"]+)"')
LOOKED_AT = ("index", "plans", "lectures/pairing", "sheets/midterm")
WIDER = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def pages():
    found = sorted((KIT / "lecturer").rglob("*.html"))
    assert found, f"no kit in {KIT}: run make lecturer first"
    return found


@cache
def anchors(page: Path) -> frozenset[str]:
    return frozenset(unescape(name) for name in NAMED.findall(page.read_text("utf8")))


def dead(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for href in map(unescape, LINK.findall(page.read_text("utf8"))):
        if ELSEWHERE.match(href):
            continue
        path, _, anchor = href.partition("#")
        target = (page.parent / unquote(path.partition("?")[0])).resolve() if path else page
        anchor = unquote(anchor.partition("?")[0])  # behind the mark stands a widget's state
        of_a_page = target.suffix == ".html" and "slides" not in target.parts
        lost = anchor and of_a_page and target.exists() and anchor not in anchors(target)
        if lost or not target.exists():
            found.append(href)
    return found


def test_every_link_of_the_kit_leads_somewhere(pages):
    assert {str(page.relative_to(KIT)): dead(page) for page in pages if dead(page)} == {}


def test_control_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<a href="none.html">x</a><a href="#here" id="there">y</a><a href="#there">z</a>'
    )
    assert dead(page) == ["none.html", "#here"]


def test_there_is_all_for_every_chapter(pages):
    names = {str(page.relative_to(KIT / "lecturer")) for page in pages}
    chapters = [path.stem for path in (ROOT / "lecturer" / "lectures").glob("*.md")]
    assert sorted(chapters) == sorted(CHAPTERS)
    for chapter in chapters:
        wanted = {f"{kind}/{chapter}.html" for kind in ("lectures", "slides", "sheets")}
        assert wanted <= names


def test_some_links_open_a_widget_in_a_state(pages):
    states = [
        href for page in pages for href in LINK.findall(page.read_text("utf8")) if "?" in href
    ]
    assert sum("#fig-" in href for href in states) >= 8


@pytest.mark.parametrize("name", LOOKED_AT)
def test_pages_are_accessible_in_both_themes_and_on_a_phone(name, serve, open_page, axe):
    where = f"{serve(KIT)}lecturer/{name}.html"
    page = open_page(where, width=320, height=640, theme="light")
    assert not page.evaluate(WIDER)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert axe(page) == []
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark'; }")
    assert axe(page, "color-contrast") == []
