"""Every figure is sharp, legible and on the page's own ground: wide and narrow, light and dark.

Of its four drawings a page fetches one, and that when it comes near the view; nothing moves then.
"""

import gzip
import json

import pytest

from tests.meta.prose import ROOT
from tests.site import drawn, findings
from tests.site.visit import unfolded
from tools.execute_notebooks import find_notebooks

LEAST_LETTER = 11  # CSS pixels; exponents are smaller
MOST_BYTES, MOST_SENT = 130_000, 25_000  # of one drawing, and as a compressing server sends it


def named_in(notebook):
    """The names of the figures of a notebook, in order."""
    cells = json.loads(notebook.read_text("utf8"))["cells"]
    drawn = [cell for cell in cells if "widget-view" not in json.dumps(cell.get("outputs"))]
    known = [cell["metadata"].get("mystnb", {}).get("figure") for cell in drawn]
    return [figure["name"] for figure in known if figure]


FIGURES = {path.stem: named_in(path) for path in find_notebooks(ROOT / "book") if named_in(path)}
CHAPTERS = list(FIGURES)
chapters = pytest.mark.parametrize("chapter", CHAPTERS)
themes = pytest.mark.parametrize("theme", ["light", "dark"])


def page_of(site, chapter):
    return site / "book" / f"{chapter}.html"


@pytest.fixture
def altered(tmp_path):
    """A page with something replaced, beside the files that it shows."""

    def alter(path, *changes):
        text = path.read_text("utf8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "book").mkdir(parents=True)
        for shared in ("_images", "_static"):
            (folder / shared).symlink_to(path.parents[1] / shared)
        (folder / "book" / path.name).write_text(text, "utf8")
        return folder / "book" / path.name

    return alter


def test_there_are_figures():
    assert sum(map(len, FIGURES.values())) >= 15


@chapters
def test_every_figure_is_drawn_for_both_themes_and_for_phones(site, chapter):
    page = page_of(site, chapter)
    assert [name for name, _ in drawn.pictures(page)] == FIGURES[chapter]
    assert drawn.missing(page) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('class="only-dark"', 'class="only-light"'),
        ("<source ", "<sauce "),
        (' height="', ' data-height="'),
        ('loading="lazy"', ""),
        (".svg", ".gone.svg"),
    ],
)
def test_control_a_figure_that_lacks_one_of_these_is_found(site, altered, old, new):
    assert drawn.missing(altered(page_of(site, "symmetry"), (old, new))) != []


def drawings(site, chapter):
    """Each drawing of a chapter: its figure, its theme, whether it is wide or narrow, its text."""
    page = page_of(site, chapter)
    for name, both in drawn.pictures(page):
        for picture, theme in zip(both, ("light", "dark"), strict=True):
            for width, path in drawn.files(page, picture).items():
                yield name, theme, width, path.read_text("utf8")


@chapters
def test_letters_and_lines_stand_out_from_the_ground(site, chapter):
    found = [
        f"{name}, {theme}, {width}: {fault}"
        for name, theme, width, svg in drawings(site, chapter)
        for fault in drawn.illegible(svg, theme)
    ]
    assert found == []


@chapters
def test_control_drawings_for_the_light_would_be_lost_in_the_dark(site, chapter):
    for _, theme, _, svg in drawings(site, chapter):
        if theme == "light":
            assert drawn.illegible(svg, "dark") != []


@chapters
def test_the_ground_is_the_page_s(site, chapter):
    for _, _, _, svg in drawings(site, chapter):
        first = svg[svg.index("<path") :]
        assert 'style="fill: none"' in first[: first.index("/>")]


@chapters
def test_a_narrow_drawing_fits_a_phone_and_has_all_its_panels_in_one_column(site, chapter):
    shapes = {
        (name, width): (drawn.points(svg)["width"], drawn.panels(svg))
        for name, theme, width, svg in drawings(site, chapter)
        if theme == "light"
    }
    for name in FIGURES[chapter]:
        (whole, wide), (part, narrow) = shapes[name, "wide"], shapes[name, "narrow"]
        assert part <= 250 < whole
        assert len(narrow) == len(wide) > 0
        assert len({round(left) for left, _ in narrow}) == 1
        assert len({round(top) for _, top in narrow}) == len(narrow)


def test_control_the_wide_drawings_have_their_panels_in_rows(site):
    rows = [
        len({round(left) for left, _ in drawn.panels(svg)})
        for _, _, width, svg in drawings(site, "pairing")
        if width == "wide"
    ]
    assert max(rows) == 2


@chapters
def test_no_drawing_is_heavy(site, chapter):
    for name, theme, width, svg in drawings(site, chapter):
        content = svg.encode("utf8")
        assert len(content) < MOST_BYTES, (name, theme, width)
        assert len(gzip.compress(content, 6)) < MOST_SENT, (name, theme, width)


SHOWN = """() => [...document.querySelectorAll(".cell_output figure picture img")]
  .filter((img) => img.checkVisibility())
  .map((img) => [img.closest("figure").id, img.currentSrc.split("/").pop(), img.clientWidth])"""


def letter_sizes(page, site, width):
    """The smallest letters of each figure that is shown, in CSS pixels."""
    page.set_viewport_size({"width": width, "height": 800})
    walk(page)
    for name, file, shown in page.evaluate(SHOWN):
        svg = (site / "_images" / file).read_text("utf8")
        smallest = min(size for size, _ in drawn.letters(svg))
        yield name, smallest * shown / drawn.points(svg)["width"]


WALK = """async () => {
  const figures = ".cell_output figure, .bd-article img:not(.cell_output figure img)";
  for (const figure of document.querySelectorAll(figures)) {
    figure.scrollIntoView();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
  const shown = [...document.querySelectorAll("picture img")].filter((i) => i.checkVisibility());
  await Promise.all(shown.map((img) => img.decode()));
}"""


def walk(page):
    """Go past every figure and wait for it."""
    page.evaluate(WALK)


@chapters
def test_letters_are_large_enough_on_a_phone_and_on_a_wide_page(view, site, chapter):
    page = view(f"book/{chapter}.html")
    for width in (375, 1280):
        with unfolded(page):
            sizes = dict(letter_sizes(page, site, width))
        assert list(sizes) == FIGURES[chapter]
        assert [(name, size) for name, size in sizes.items() if size < LEAST_LETTER] == []
    assert findings.sideways(page) == []


def test_control_the_wide_drawings_would_be_too_small_on_a_phone(open_page, site, altered, serve):
    path = altered(page_of(site, "pairing"), ("<source ", "<sauce "))
    page = open_page(serve(path.parents[1]) + "book/pairing.html", clean=False)
    assert min(size for _, size in letter_sizes(page, site, 375)) < 8


def fetched(page):
    """The drawings that a page asks for from now on."""
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.url.endswith(".svg") else None)
    return asked


def wanted(site, chapter, theme, width):
    """The names of the drawings that fit."""
    page = page_of(site, chapter)
    which = ("light", "dark").index(theme)
    return [drawn.files(page, both[which])[width].name for _, both in drawn.pictures(page)]


@themes
@pytest.mark.parametrize(("pixels", "width"), [(375, "narrow"), (1280, "wide")])
def test_of_each_figure_one_drawing_is_fetched_and_not_before_it_is_near(
    open_page, site, theme, pixels, width
):
    page = open_page("search.html", width=pixels, theme=theme)
    asked = fetched(page)
    page.goto(page.url.replace("search", "book/pairing"), wait_until="load")
    early = len(asked)
    walk(page)
    names = [url.rsplit("/", 1)[1] for url in asked if "/_images/" in url]
    assert sorted(names) == sorted(wanted(site, "pairing", theme, width))
    assert early < len(names)


HEIGHTS = """() => [...document.querySelectorAll("picture img")]
  .filter((img) => img.checkVisibility()).map((img) => Math.round(img.clientHeight))"""


def heights_before_and_after(page, url):
    """How much room the figures take before any of them has come, and when all have."""
    held = []
    page.route("**/_images/*.svg", lambda route: held.append(route))
    page.goto(url, wait_until="commit")
    page.locator("footer").first.wait_for(state="attached")
    page.wait_for_load_state("domcontentloaded")
    before = page.evaluate(HEIGHTS)
    page.unroute("**/_images/*.svg")
    for route in held:
        route.continue_()
    walk(page)
    return before, page.evaluate(HEIGHTS)


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_moves_when_a_figure_comes(open_page, width):
    page = open_page("search.html", width=width)
    before, after = heights_before_and_after(page, page.url.replace("search", "book/pairing"))
    assert before == after
    assert min(before) > 150


def test_control_without_its_size_a_figure_pushes_the_text_down(open_page, site, altered, serve):
    path = altered(page_of(site, "pairing"), (' height="', ' data-height="'))
    page = open_page("search.html", clean=False)
    before, after = heights_before_and_after(page, serve(path.parents[1]) + "book/pairing.html")
    assert before != after


@themes
def test_paper_gets_the_wide_drawings_for_the_light_though_they_were_far(open_page, site, theme):
    page = open_page("book/pairing.html", theme=theme)
    asked = fetched(page)
    page.pdf()
    page.emulate_media(media="print")
    shown = [file for _, file, _ in page.evaluate(SHOWN)]
    assert shown == wanted(site, "pairing", "light", "wide")
    filters = "[...document.querySelectorAll('picture img')].map((i) => getComputedStyle(i).filter)"
    assert set(page.evaluate(filters)) == {"none"}
    here = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert {url.rsplit("/", 1)[1] for url in [*here, *asked]} >= set(shown)
