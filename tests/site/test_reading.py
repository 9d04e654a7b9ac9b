"""What a reader does with the site: search, choose colours, print, read without scripts."""

import pytest
from fontTools.ttLib import TTFont

from tests.site import findings, markup
from tools.site_browser import pages

BOTH = pytest.mark.parametrize("where", ["served", "disk"])


# Of what is folded on the screen all is on paper, but labels, buttons, links to itself,
# the source of a formula and the figure for the dark.
NOT_SHOWN = "summary, summary *, .copybtn, .copybtn *, annotation, .headerlink, .only-dark"
FOLDED = f"details :not({NOT_SHOWN})"
HIDDEN = """(parts) => parts
  .flatMap((part) => [...document.querySelectorAll(`.bd-article ${part}`)])
  .filter((e) => !e.checkVisibility({ opacityProperty: true }))
  .map((e) => e.outerHTML.slice(0, 120))"""
CLOSING = 'dialog[open] a[href^="#"]'
ON_PAPER = ["> section > h1", ".solution p", FOLDED, ".widget-live > *"]
CUT = """() => [...document.querySelectorAll(".bd-article pre")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.slice(0, 80))"""


@pytest.fixture
def at(site_url, file_url):
    """The address of a page, over HTTP or on the disk."""
    return lambda where, page: file_url(page) if where == "disk" else site_url + page


@BOTH
def test_search_finds_a_page_by_a_word_of_it(open_page, at, where):
    page = open_page(at(where, "search.html") + "?q=symmetry")
    page.locator("#search-results li a").first.wait_for()
    assert "book/symmetry.html" in "".join(
        link.get_attribute("href") or "" for link in page.locator("#search-results li a").all()
    )


def test_search_for_nonsense_finds_nothing(open_page):
    page = open_page("search.html?q=zzqxjk")
    page.get_by_text("Nothing in this book matches").wait_for()
    assert page.locator("#search-results li a").count() == 0


@BOTH
def test_excerpts_of_results_show_formulas_as_text_and_no_source(open_page, at, where):
    page = open_page(at(where, "search.html") + "?q=symmetry")
    excerpts = page.locator("#search-results p.context")
    excerpts.first.wait_for()
    text = " ".join(excerpts.all_text_contents())
    assert "symmetry" in text.lower()
    assert "aᵢxᵢ" in text
    assert "\\" not in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contents_open_on_a_phone(open_page, axe, theme):
    page = open_page("book/notation.html", width=320, theme=theme)
    contents = page.locator("nav.bd-docs-nav a", has_text="Bibliography")
    assert not contents.is_visible()
    page.locator(".primary-toggle").click()
    contents.wait_for()
    assert axe(page) == []
    page.keyboard.press("Escape")
    contents.wait_for(state="hidden")
    page.locator(".primary-toggle").click()
    contents.click()
    page.wait_for_url("**/bibliography.html")


CHOSEN = "What matters, and where on the orbit"
ARRIVED = """() => {
  const here = document.activeElement, { top } = here.getBoundingClientRect();
  return here.matches("#what-matters-and-where-on-the-orbit > h2") && top >= 0 && top < 130;
}"""


@pytest.mark.parametrize("how", ["tap", "Enter"])
def test_contents_of_a_page_close_after_a_choice_and_the_reader_goes_on_there(open_page, how):
    page = open_page("book/soft_gauge.html", width=375, height=700)
    page.locator(".secondary-toggle").click()
    choice = page.locator("dialog[open] a", has_text=CHOSEN)
    choice.wait_for()
    choice.click() if how == "tap" else choice.press("Enter")
    page.locator("dialog[open]").wait_for(state="detached")
    page.wait_for_function(ARRIVED)
    page.locator(".secondary-toggle").click()  # and they open again, whole
    page.locator("dialog[open] a", has_text=CHOSEN).wait_for()


def test_control_without_the_script_they_stay_open(open_page):
    page = open_page("book/soft_gauge.html", width=375, height=700)

    def without(route):
        script = route.fetch().text()
        assert script.count(CLOSING) == 1
        body = script.replace(CLOSING, "no-such-link")
        route.fulfill(body=body, content_type="text/javascript")

    page.route("**/_static/bundle/*.js", without)
    page.reload()
    page.locator(".secondary-toggle").click()
    page.locator("dialog[open] a", has_text=CHOSEN).click()
    page.wait_for_url("**#what-matters-and-where-on-the-orbit")
    assert page.locator("dialog[open]").count() == 1


@BOTH
def test_search_is_reached_by_keyboard(open_page, at, where):
    page = open_page(at(where, "book/intro.html"))
    page.keyboard.press("Control+k")
    page.keyboard.type("symmetry")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()


@BOTH
@pytest.mark.parametrize("system", ["light", "dark"])
def test_colours_follow_the_system_until_the_reader_chooses(open_page, at, where, system):
    page = open_page(at(where, "book/intro.html"), theme=system)
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == system
    other = {"light": "dark", "dark": "light"}[system]
    for patience in [500, 2_000, 8_000]:  # another process stores the choice, when it has the time
        while page.evaluate(theme) != other:
            page.locator(".theme-switch-button:visible").click()
        page.wait_for_timeout(patience)
        page.reload()
        if page.evaluate(theme) == other:
            break
    assert page.evaluate(theme) == other
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == other


def test_paper_shows_everything_and_cuts_nothing(open_page):
    page = open_page("book/symmetry.html", width=700, theme="dark")
    page.emulate_media(media="print")
    assert findings.sideways(page) == []
    assert page.evaluate(HIDDEN, ON_PAPER) == []
    assert page.locator("details.hide .cell_output pre", has_text="gelu").is_visible()
    assert not page.locator("details.hide > summary").first.is_visible()
    assert page.evaluate(CUT) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_every_page_says_under_which_licence_it_may_be_used(site):
    pages = [p for p in site.rglob("*.html") if p.parent.name == "book"]
    assert len(pages) >= 14
    licence = "https://creativecommons.org/licenses/by/4.0/"
    assert [
        p.name for p in pages if licence not in p.read_text("utf8").split("bd-footer-content")[-1]
    ] == []


COLOURS = """() => [...new Set([...document.querySelectorAll(".highlight pre, .highlight span")]
    .map((part) => getComputedStyle(part).color))]"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_code_on_paper_is_black_and_no_page_is_spent_on_a_title(open_page, theme):
    page = open_page("book/symmetry.html", theme=theme)
    assert len(page.evaluate(COLOURS)) > 1  # on the screen it is coloured
    page.emulate_media(media="print")
    assert page.evaluate(COLOURS) == ["rgb(0, 0, 0)"]
    assert not page.locator("#jb-print-docs-body").is_visible()


VERDICTS = """() => [...document.querySelectorAll("p.verdict")].map((p) => [
    getComputedStyle(p.parentElement).backgroundColor, p.scrollWidth <= p.clientWidth])"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_checkers_verdict_is_text_of_the_page_and_is_not_cut(open_page, axe, theme):
    page = open_page("book/symmetry_exercises.html", width=320, theme=theme)
    verdicts = page.evaluate(VERDICTS)
    assert len(verdicts) >= 7
    assert {tuple(verdict) for verdict in verdicts} == {("rgba(0, 0, 0, 0)", True)}
    assert axe(page, "color-contrast", within=".cell_output:has(p.verdict)") == []


def test_without_scripts_the_still_pictures_are_shown(open_page, site):
    page = open_page("book/symmetry.html", scripts=False)
    stills = markup.read(site / "book/symmetry.html").select("noscript img")
    views = markup.read(site / "book/symmetry.html").find_all("script", markup.VIEW)
    assert len(stills) == len(views) > 0
    for still in stills:
        picture = page.locator(f'img[src="{still["src"]}"]').first
        assert picture.is_visible()
        assert picture.evaluate("e => e.naturalWidth") > 0
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_with_scripts_the_still_pictures_are_not_even_loaded(open_page, site):
    stills = {img["src"] for img in markup.read(site / "book/symmetry.html").select("noscript img")}
    page = open_page("book/symmetry.html")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [url for url in loaded if any(url.endswith(s.removeprefix("..")) for s in stills)]


def test_every_icon_has_a_glyph_in_the_fonts_that_are_shipped(site):
    fonts = (site / "_static/vendor/fontawesome/webfonts").glob("*.woff2")
    glyphs = {point for font in fonts for point in TTFont(font).getBestCmap() or ()}
    style = next((site / "_static/bundle").glob("*.css")).read_text("utf8")
    icons = {name for page in pages(site) for name in page_icons(site / page)}
    assert len(icons) >= 5
    for icon in icons:
        rule = style[style.index(f".{icon}:before") :]
        assert int(rule.split('content:"\\')[1].split('"')[0], 16) in glyphs, icon


def page_icons(path):
    """Icon names on a page, without the classes that only say which font or which size."""
    classes = {
        name for tag in markup.read(path).select("i[class], span[class]") for name in tag["class"]
    }
    kinds = {"fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-fw"}
    return {name for name in classes if name.startswith("fa-")} - kinds


def test_control_a_display_that_may_not_break_is_cut(open_page):
    page = open_page("book/conservation.html", width=375)
    page.add_style_tag(
        content=".bd-article div.math .katex-display > .katex { white-space: nowrap; }"
    )
    assert findings.cut(page, ".formula") != []
