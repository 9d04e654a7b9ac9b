"""Style sheets are cut to what the site uses, and no reader sees a difference."""

import io
import re
import shutil
from pathlib import Path

import myst_nb
import pydata_sphinx_theme
import pytest
import sphinx_book_theme
import sphinx_design
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops

from gaugebook.bundle import IMPORT, relocated
from gaugebook.lean import cut_font
from gaugebook.purge import Vocabulary, purge, without_unused
from tests.site.visit import at_rest, settle

WHOLE = [  # where the packages keep the style sheets that were cut
    Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static",
    Path(sphinx_book_theme.__file__).parent / "theme/sphinx_book_theme/static",
    Path(sphinx_design.__file__).parent / "static",
    Path(sphinx_design.__file__).parent / "compiled",
    Path(myst_nb.__file__).parent / "static",
]
BOOK = Path(__file__).parents[2] / "book"
FONTS = [BOOK / "site/fonts", BOOK / "_ext/gaugebook/vendor/katex/static/katex/fonts"]
PART = re.compile(r"/\*! (_static/[\w./-]+\.css) \*/")
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


def whole(name, cut):
    """The style sheet as its package has it, if this part of the bundle was cut from one."""
    for folder in WHOLE:
        for path in folder.rglob(Path(name).name) if folder.exists() else []:
            text = IMPORT.sub("", path.read_text("utf8"))
            if len(text) > len(cut):
                return relocated(text, name)
    return None


def with_whole_sheets(bundle):
    """A bundle in which every style sheet that was cut stands whole, and how many they are."""
    pieces = PART.split(bundle)
    found = {n: whole(n, cut) for n, cut in zip(pieces[1::2], pieces[2::2], strict=True)}
    parts = [found[n] or cut for n, cut in zip(pieces[1::2], pieces[2::2], strict=True)]
    return "".join(parts), sum(text is not None for text in found.values())


# Also those that wait until they are near, so that no picture is taken while one comes.
ALL_IMAGES = """() => Promise.all([...document.images].map((image) => {
  image.loading = "eager";
  return image.checkVisibility() ? image.decode() : null;
})).then(() => null)"""


def pictures(page):
    """The page at rest, what is in sight first; with its menu open, and with its search open."""
    at_rest(page)
    page.add_style_tag(content="* { content-visibility: visible !important; }")  # also what is far
    settle(page)
    page.evaluate(ALL_IMAGES)
    page.evaluate("() => window.bookWidgets?.mountAll().then(() => null)")
    page.evaluate(
        "document.querySelector('.bd-sidebar-primary')?.scrollTo(0, 0)"
    )  # not where it was
    page.wait_for_timeout(300)
    yield page.screenshot(animations="disabled")
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
    for _ in range(tries):
        if all(map(same_pixels, pictures(one), pictures(other))):
            return True
        for page in (one, other):
            page.reload()
    return False


def same_pixels(*pair):
    if pair[0] == pair[1]:
        return True
    first, second = (Image.open(io.BytesIO(data)).convert("RGB") for data in pair)
    if first.size != second.size:
        return False
    return max(most for _, most in ImageChops.difference(first, second).getextrema()) <= UNSEEN


@pytest.fixture
def restyled(open_page, site):
    """Opens a page under another style sheet, or with whole fonts."""

    def restyle(where, replacement=None, **options):
        page = open_page("search.html", **options)

        def answer(route):
            path = site / route.request.url.split("/", 3)[3].partition("?")[0]
            route.fulfill(body=replacement(path.read_text("utf8")), content_type="text/css")

        def answer_whole(route):
            name = route.request.url.rsplit("/", 1)[1]
            found = [path for folder in FONTS for path in folder.glob(name)]
            route.fulfill(path=found[0]) if found else route.continue_()

        if replacement:
            page.route("**/*.css*", answer)
        else:
            page.route("**/*.woff2", answer_whole)
        page.goto(where)
        page.evaluate("() => document.fonts.ready.then(() => null)")
        return page

    return restyle


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 420)])
@pytest.mark.parametrize("name", ["book/symmetry.html", "book/notation.html"])
def test_page_looks_the_same_under_whole_style_sheets(open_page, restyled, name, theme, width):
    cut = open_page(name, theme=theme, width=width)
    counts = []

    def replacement(bundle):
        style, count = with_whole_sheets(bundle)
        counts.append(count)
        return style

    full = restyled(cut.url, replacement, theme=theme, width=width)
    assert min(counts) >= 4
    assert looks_the_same(cut, full)


def test_control_a_missing_rule_is_seen(open_page, restyled):
    cut = open_page("book/notation.html")

    def without_half_a_sheet(bundle):
        pieces = PART.split(bundle)
        place = pieces.index("_static/styles/sphinx-book-theme.css") + 1
        pieces[place] = pieces[place][: len(pieces[place]) // 2]
        return "".join(pieces[:1] + pieces[2::2])

    assert not looks_the_same(cut, restyled(cut.url, without_half_a_sheet))


def test_a_font_is_cut_once_to_the_same_glyphs_and_anew_to_others(tmp_path, monkeypatch):
    cuts = []

    def counted(options):
        cuts.append(options)
        return subsetter(options)

    def cut(letters, source="KaTeX_Main-Regular.woff2"):
        path = tmp_path / "font.woff2"
        shutil.copy(FONTS[1] / source, path)
        cut_font(path, set(map(ord, letters)), tmp_path / "known")
        with TTFont(path) as font:
            return "".join(map(chr, sorted(font.getBestCmap()))), path.read_bytes()

    subsetter = subset.Subsetter
    monkeypatch.setattr(subset, "Subsetter", counted)
    first, other = cut("ab"), cut("abc")
    assert (first[0], other[0], len(cuts)) == ("ab", "abc", 2)
    assert (cut("ba"), cut("abc"), len(cuts)) == (first, other, 2)
    bold = cut("ab", "KaTeX_Main-Bold.woff2")
    assert (bold[0], bold[1] != first[1], len(cuts)) == ("ab", True, 3)


PLACES = """() => {
  const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const found = [];
  while (texts.nextNode()) {
    range.selectNodeContents(texts.currentNode);
    for (const { left, top, width } of range.getClientRects()) found.push([left, top, width]);
  }
  return found;
}"""


def apart(one, other):
    """By how many pixels text lies elsewhere on the second page, at most."""
    first, second = (page.evaluate(PLACES) for page in (one, other))
    assert len(first) == len(second) > 100
    return max(abs(a - b) for x, y in zip(first, second, strict=True) for a, b in zip(x, y))


@pytest.mark.parametrize("name", ["book/speed.html", "book/notation.html"])
def test_text_lies_where_whole_fonts_would_put_it(open_page, restyled, name):
    cut = open_page(name)
    assert apart(cut, restyled(cut.url)) < 0.5


def test_control_another_font_puts_it_elsewhere(open_page):
    cut, other = open_page("book/speed.html"), open_page("book/speed.html")
    other.add_style_tag(content="main .bd-article { font-family: monospace }")
    with pytest.raises(AssertionError):
        assert apart(cut, other) < 0.5


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("a{--x:1px;--y:2px;top:var(--y)}", "a{--y:2px;top:var(--y)}"),
        ("a{--x:var(--y);--y:2px}", "a{}"),
        ('a{--x:url("data:;base64,"),2px;top:var(--z)}', "a{top:var(--z)}"),
        ("a{--said:1px}", "a{--said:1px}"),
    ],
)
def test_variable_stays_exactly_when_something_reads_it(style, kept):
    assert without_unused({Path("a"): style}, ["set('--said')"]) == {Path("a"): kept}
