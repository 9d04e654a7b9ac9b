"""Style sheets are cut to what the site uses, and no reader sees a difference."""

import io
from pathlib import Path

import myst_nb
import pydata_sphinx_theme
import pytest
import sphinx_book_theme
import sphinx_design
from PIL import Image, ImageChops

from gaugebook.purge import Vocabulary, purge

WHOLE = [  # where the packages keep the style sheets that were cut
    Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static",
    Path(sphinx_book_theme.__file__).parent / "theme/sphinx_book_theme/static",
    Path(sphinx_design.__file__).parent / "static",
    Path(sphinx_design.__file__).parent / "compiled",
    Path(myst_nb.__file__).parent / "static",
]
# Levels of 255. The browser draws the rounded corner of a box a little differently, by up to 14
# levels, when it puts the box on a layer of its own, and that depends on how busy the machine is.
UNSEEN = 20
WORDS = Vocabulary.of(['<p id="top" class="note wide">'], ['add("open"); prefix = "bs-tip"'])


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        (".note{a:b}", True),
        (".absent{a:b}", False),
        (".note.absent{a:b}", False),
        (".absent .note{a:b}", False),
        ("p:not(.absent){a:b}", True),
        ("p:is(.absent,.note){a:b}", True),
        ("#top{a:b}", True),
        ("#bottom{a:b}", False),
        (".open{a:b}", True),  # a script says it
        (".bs-tip-left{a:b}", True),  # a script could put it together
        ("[class*=absent]{a:b}", True),
        ("p{a:url(x.png)}", True),
        ("@font-face{a:b}", True),
        ("@media print{.absent{a:b}}", False),
        ("@media print{.note{a:b}}", True),
        ('p::after{content:".absent{}"}', True),
        ("@keyframes spin{from{a:b}to{a:c}}", True),
        ('@import "other.css";', True),
    ],
)
def test_rule_stays_exactly_when_the_site_knows_its_names(style, kept):
    assert purge(style, WORDS) == (style if kept else "")


def test_of_several_selectors_those_that_can_apply_stay():
    assert purge(".note,.absent , p>.wide{a:b}", WORDS) == ".note,p>.wide{a:b}"


def test_licence_stays_and_other_comments_go():
    style = "/*! (c), {them} */ @media print{.note{a:b}} /* .absent{ */ .wide{c:d}"
    assert purge(style, WORDS) == "/*! (c), {them} */@media print{.note{a:b}}.wide{c:d}"


def test_style_sheet_that_ends_too_early_is_refused():
    with pytest.raises(ValueError, match="ends within a statement"):
        purge("@media print{.note{a:b}", WORDS)


def whole(site, name):
    """The style sheet as its package has it, if it was cut."""
    for folder in WHOLE:
        for path in folder.rglob(Path(name).name) if folder.exists() else []:
            if path.stat().st_size > (site / "_static" / name).stat().st_size:
                return path
    return None


def pictures(page):
    """The page at rest, with its menu open, and with its search open."""
    page.reload(wait_until="networkidle")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.wait_for_timeout(300)
    yield page.screenshot(full_page=True, animations="disabled")
    page.locator(".dropdown-download-buttons > button").click()
    yield page.screenshot(animations="disabled")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    yield page.screenshot(animations="disabled", caret="hide")


def looks_the_same(one, other, tries=3):
    """Whether two pages show the same pixels.

    A busy machine may take a picture before the page has come to rest; what a style sheet changes
    is different every time.
    """
    return any(all(map(same_pixels, pictures(one), pictures(other))) for _ in range(tries))


def same_pixels(*pair):
    first, second = (Image.open(io.BytesIO(data)).convert("RGB") for data in pair)
    if first.size != second.size:
        return False
    return max(most for _, most in ImageChops.difference(first, second).getextrema()) <= UNSEEN


@pytest.fixture
def restyled(open_page):
    """Opens a page whose style sheets are replaced where `replacement(name)` gives another."""

    def restyle(where, replacement, **options):
        page = open_page("search.html", **options)

        def answer(route):
            other = replacement(route.request.url.partition("/_static/")[2].partition("?")[0])
            route.continue_() if other is None else route.fulfill(
                body=other, content_type="text/css"
            )

        page.route("**/*.css*", answer)
        page.goto(where)
        page.evaluate("() => document.fonts.ready.then(() => null)")
        return page

    return restyle


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 420)])
@pytest.mark.parametrize("name", ["book/symmetry.html", "book/notation.html"])
def test_page_looks_the_same_under_whole_style_sheets(
    open_page, restyled, site, name, theme, width
):
    cut = open_page(name, theme=theme, width=width)
    replaced = []

    def replacement(sheet):
        path = whole(site, sheet)
        replaced.extend([path] if path else [])
        return path.read_text("utf8") if path else None

    full = restyled(cut.url, replacement, theme=theme, width=width)
    assert len(replaced) >= 4
    assert looks_the_same(cut, full)


def test_control_a_missing_rule_is_seen(open_page, restyled, site):
    cut = open_page("book/notation.html")
    sheet = "styles/sphinx-book-theme.css"
    style = (site / "_static" / sheet).read_text("utf8")
    wrong = restyled(cut.url, lambda name: style[: len(style) // 2] if name == sheet else None)
    assert not looks_the_same(cut, wrong)
