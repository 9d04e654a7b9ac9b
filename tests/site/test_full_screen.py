"""Every widget fills the screen: opened by keyboard, nothing scrolls, labels are large."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from gaugelib.widgets import PhasePlane, ProofReplay
from tests.site.visit import resize
from tests.widgets.on_page import cleaned_up, shown_by
from tools.site_browser import SITE

BUILT = Path(os.environ.get("BOOK_SITE", SITE)) / "book"
# A page with widgets names their module; where there is no site, the fixture of that name fails.
PAGES = sorted(f.name for f in BUILT.glob("*.html") if "widget-view+json" in f.read_text("utf8"))
PROJECTOR = (683, 512)  # 1024 by 768 pixels at 150 %
SCREENS = (PROJECTOR, (1024, 768), (1280, 720), (1920, 1080))
with_widgets = pytest.mark.parametrize("name", PAGES or ["symmetry.html"])


@contextmanager
def whole(page: Page, index: int) -> Iterator[Locator]:
    """A widget in full screen, entered and left by keyboard; gives its root."""
    toggle = page.locator(".gl-frame > .gl-whole").nth(index)
    toggle.focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open] > .gl-widget").wait_for()
    rest(page)
    yield page.locator("dialog[open] > .gl-widget")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('dialog.gl-screen')")


def rest(page: Page) -> None:
    """Wait until the widget was laid out and drawn for its size: two frames."""
    frame = "new Promise((go) => requestAnimationFrame(() => setTimeout(go)))"
    page.evaluate(f"() => {frame}.then(() => {frame})")


def traces(page: Page) -> list:
    """What a widget leaves on its page, once that has come to rest: no two frames differ in it."""
    found = page.evaluate(TRACES)
    for _ in range(100):
        rest(page)
        if (now := page.evaluate(TRACES)) == found:
            return found
        found = now
    raise AssertionError(f"the page does not come to rest: {found}")


def count(page: Page) -> int:
    return page.locator(".gl-widget").count()


@pytest.fixture
def opened(open_page):
    """Opens a page of the book and takes away its prose: axe walks through all that there is."""

    def open_it(name: str, width: int, height: int, theme: str = "light") -> Page:
        page = open_page(f"book/{name}", width=width, height=height, theme=theme)
        page.evaluate(WITHOUT_PROSE)
        rest(page)
        return page

    return open_it


@with_widgets
def test_on_a_projector_nothing_scrolls_and_all_can_be_read_and_touched(opened, axe, name):
    page = opened(name, *PROJECTOR)
    for index in range(count(page)):
        with whole(page, index) as root:
            assert root.evaluate(UNFIT, [11, 24]) == [], index
            assert axe(page, within="dialog[open]") == []


@with_widgets
def test_on_larger_screens_it_fits_and_grows(opened, name):
    page = opened(name, 1280, 720)
    page.evaluate(REFUSED)  # a window that fills the screen cannot be resized, a page can
    for index in range(count(page)):
        inline = page.locator(".gl-widget").nth(index).evaluate(LETTERS)
        letters = []
        with whole(page, index) as root:
            for width, height in SCREENS[1:]:
                page.set_viewport_size({"width": width, "height": height})
                rest(page)
                assert root.evaluate(UNFIT, [13, 29]) == [], (index, width)
                letters.append(root.evaluate(LETTERS))
        page.set_viewport_size({"width": 1280, "height": 720})
        assert min(letters) > inline, index
        assert letters[-1] > 1.5 * inline  # for the back row


@with_widgets
def test_it_is_as_accessible_in_the_dark_and_leaves_nothing_behind(opened, axe, name):
    page = opened(name, *PROJECTOR, theme="dark")
    for index in range(count(page)):
        before = traces(page)
        with whole(page, index) as root:
            assert page.evaluate("document.activeElement.textContent") == "Leave full screen"
            paper = root.evaluate("(e) => getComputedStyle(e).backgroundColor")
            assert paper == "rgb(23, 28, 34)"
            assert axe(page, "color-contrast", within="dialog[open]") == []
        assert traces(page) == before
        back = page.locator(".gl-frame > .gl-whole").nth(index)
        assert back.evaluate("(e) => e === document.activeElement")


@with_widgets
def test_every_widget_is_a_group_with_a_human_name(view, name):
    page = view(f"book/{name}")
    for root in page.locator(".gl-widget").all():
        assert root.get_attribute("role") == "group"
        words = (root.get_attribute("aria-label") or "").split()
        assert len(words) > 1  # not the name of a class
        label = f"Full screen: {' '.join(words)}"
        assert root.locator("xpath=..").get_by_role("button", name=label, exact=True).count() == 1


# ---------------------------------------------------------------- on scratch pages


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


def test_it_works_where_no_page_may_fill_the_screen(show):
    page = show({"a": ProofReplay()}, width=683, height=512)
    page.evaluate(REFUSED)
    with whole(page, 0) as root:
        assert root.evaluate(UNFIT, [11, 24]) == []
        assert page.evaluate("document.fullscreenElement") is None
        for _ in range(20):  # the page around is out of reach
            page.keyboard.press("Tab")
            assert page.evaluate(INSIDE)


def test_the_window_fills_the_screen_and_leaves_it_with_the_widget(show):
    page = show({"a": ProofReplay()})
    filled = "() => document.fullscreenElement !== null"
    with whole(page, 0) as root:
        assert page.evaluate(filled)
        page.evaluate("document.exitFullscreen()")  # as the browser's own Escape does
        root.wait_for(state="detached")
    with whole(page, 0):
        assert page.evaluate(filled)
    page.wait_for_function("() => document.fullscreenElement === null")


@pytest.mark.parametrize(("width", "height"), [(375, 667), (667, 375)])
def test_on_a_phone_it_scrolls_rather_than_shrinks(show, width, height):
    page = show({"a": ProofReplay()}, width=width, height=height)
    with whole(page, 0) as root:
        assert root.evaluate(LETTERS) >= 13
        assert root.evaluate("(e) => e.scrollWidth <= e.parentElement.clientWidth")
        assert "gl-canvas" not in (root.get_attribute("class") or "")


def test_the_widget_works_there_and_the_point_follows_the_pointer(show):
    page = show({"a": PhasePlane()}, width=1920, height=1080)
    with whole(page, 0) as root:
        point = root.locator(".gl-handle .gl-point").bounding_box()
        x, y = point["x"] + point["width"] / 2, point["y"] + point["height"] / 2
        root.get_by_role("checkbox").uncheck()
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 120, y - 90)
        page.mouse.up()
        rest(page)
        moved = root.locator(".gl-handle .gl-point").bounding_box()
        assert moved["x"] - point["x"] == pytest.approx(-120, abs=12)  # on the grid of its steps
        assert moved["y"] - point["y"] == pytest.approx(-90, abs=12)


def test_a_view_that_ends_in_full_screen_gives_everything_back(show):
    page = show({"a": ProofReplay(), "b": PhasePlane()}, "ab")
    page.locator(".gl-whole").first.press("Enter")
    page.locator("dialog[open] > .gl-widget").wait_for()
    rest(page)
    held, left = cleaned_up(page)
    assert len(held) > 20
    assert left == []
    assert page.locator("dialog, .gl-frame").count() == 0


def test_what_does_not_fit_is_noticed(show):
    page = show({"a": ProofReplay()}, width=683, height=512)
    with whole(page, 0) as root:
        assert root.evaluate(UNFIT, [11, 24]) == []
        root.locator(".gl-reason").evaluate("(e) => { e.style.minHeight = '300px'; }")
        assert any("too high" in line for line in root.evaluate(UNFIT, [11, 24]))
        root.locator(".gl-claim").first.evaluate("(e) => { e.style.fontSize = '9px'; }")
        assert any("px letters" in line for line in root.evaluate(UNFIT, [11, 24]))
    resize(page, 1280)


WITHOUT_PROSE = """() => {
  for (const e of document.querySelectorAll("article :is(p, ul, ol, table, pre, .math)")) {
    if (!e.closest(".widget-live")) e.remove();
  }
}"""

# What does not fit the screen, scrolls, or has letters or targets that are smaller than asked.
UNFIT = """(root, [letter, target]) => {
  const found = [];
  const scale = Number(getComputedStyle(root).getPropertyValue("--gl-scale"));
  for (const e of [root.parentElement, root, ...root.querySelectorAll("*")]) {
    if (e.closest(".gl-spoken") || e.ownerSVGElement) continue;
    const { width, right, bottom } = e.getBoundingClientRect();
    const { display, visibility } = getComputedStyle(e);
    if (width === 0 || visibility === "hidden") continue;
    const name = `${e.tagName}.${e.className.baseVal ?? e.className}`;
    if (right > innerWidth + 1 || bottom > innerHeight + 1) found.push(`${name} is cut`);
    if (display === "inline" || e.tagName === "SELECT" || e.clientHeight === 0) continue;
    const [wide, high] = [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight];
    if (Math.max(wide, high) > 2) found.push(`${name}: ${wide} px too wide, ${high} too high`);
  }
  for (const e of root.querySelectorAll("*")) {
    const told = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!told || e.closest(".gl-spoken") || e.getBoundingClientRect().width === 0) continue;
    const matrix = e.ownerSVGElement && e.getScreenCTM(); // b is not 0 where the text is turned
    const times = matrix ? Math.hypot(matrix.a, matrix.b) : scale;
    const size = times * parseFloat(getComputedStyle(e).fontSize);
    if (size < letter - 0.05) found.push(`${size} px letters: ${e.textContent.slice(0, 30)}`);
  }
  for (const e of root.parentElement.querySelectorAll("button, input, select")) {
    const { width, height } = e.getBoundingClientRect();
    if (Math.min(width, height) < target) found.push(`${e.className}: ${width} x ${height} px`);
  }
  return found;
}"""

# The size of the letters of a widget, as they are seen.
LETTERS = """(root) => {
  const { transform, fontSize } = getComputedStyle(root);
  return parseFloat(fontSize) * (transform === "none" ? 1 : new DOMMatrix(transform).a);
}"""

# What full screen could leave behind on the page.
TRACES = """() => {
  const all = (selector, of) => [...document.querySelectorAll(selector)].flatMap(of);
  return [
    document.querySelectorAll("dialog, [inert], .gl-canvas, .gl-screen").length,
    ...all(".gl-frame", (e) => [e.childElementCount, e.style.minHeight]),
    ...all(".gl-widget", (e) => [e.style.width, e.offsetHeight]),
  ];
}"""

REFUSED = """() => {
  Element.prototype.requestFullscreen = () => Promise.reject(new Error("not here"));
}"""

INSIDE = """() => document.activeElement === document.body
  || document.querySelector("dialog[open]").contains(document.activeElement)"""
