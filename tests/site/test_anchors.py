"""Statements, exercises, figures and widgets have a number and a place that can be linked to."""

import pytest
from bs4 import Tag

from gaugebook.anchors import linked
from tests.site import markup
from tools.site_browser import pages

THEOREM = (
    '<div class="proof theorem admonition" id="thm-a">\n<p class="admonition-title">'
    '<span class="caption-number">Theorem 1.1 </span> (It holds)</p><p>So.</p></div>'
)
FIGURE = (
    '<figure class="{}align-default" id="fig-a"><p>A slider.</p><figcaption>\n'
    '<p><span class="caption-number">Fig. 1.1 </span><span class="caption-text">It slides.</span>'
    '<a class="headerlink" href="#fig-a" title="Link to this image">#</a></p></figcaption></figure>'
)
KINDS = ".theorem, .lemma, .proposition, .corollary, .definition, .exercise"


def test_statement_links_to_itself_and_the_link_says_where_to():
    body = linked(THEOREM)
    assert '(It holds)<a class="headerlink" href="#thm-a" title="Link to Theorem 1.1"' in body
    assert 'aria-label="Link to Theorem 1.1">#</a></p><p>So.' in body


def test_a_proof_and_a_remark_without_number_get_no_link():
    for body in ('<div class="proof admonition" id="proof"><p>Proof.</p></div>', "<p>Text.</p>"):
        assert linked(body) == body


def test_a_widget_says_that_it_is_interactive_and_a_picture_does_not():
    assert "Fig. 1.1 (interactive) </span>" in linked(FIGURE.format("interactive "))
    both = linked(FIGURE.format("") + FIGURE.format("interactive "))
    assert both.count("(interactive)") == 1
    assert both.index("(interactive)") > both.index("</figure>")


def numbered(view: Tag) -> bool:
    """Whether a widget stands in a figure with a number, a caption and an anchor."""
    figure = view.find_parent("figure")
    if figure is None or not figure.get("id"):
        return False
    number, text = (figure.select_one(f".caption-{part}") for part in ("number", "text"))
    if number is None or text is None:
        return False
    return "(interactive)" in number.get_text() and len(text.get_text().split()) > 5


def test_every_widget_has_a_number_a_caption_and_an_anchor(site):
    views = [
        view
        for page in pages(site)
        for view in markup.read(site / page).find_all("script", markup.VIEW)
    ]
    assert len(views) >= 16
    assert [str(view.parent)[:120] for view in views if not numbered(view)] == []


def test_control_a_widget_outside_a_figure_is_noticed(site):
    page = (site / "book/symmetry.html").read_text("utf8").replace("<figure", "<div")
    soup = markup.BeautifulSoup(page, "html.parser")
    assert not any(map(numbered, soup.find_all("script", markup.VIEW)))


def test_every_statement_and_exercise_has_a_link_to_itself(site):
    boxes = [box for page in pages(site) for box in markup.read(site / page).select(KINDS)]
    boxes = [box for box in boxes if "admonition" in box["class"]]
    assert len(boxes) > 60
    for box in boxes:
        link = box.select_one(".admonition-title a.headerlink")
        assert link is not None, box["id"]
        assert link["href"] == f"#{box['id']}"


SHOWN = "(link) => Number(getComputedStyle(link).opacity)"


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_the_link_is_there_for_mouse_and_keyboard_and_not_on_paper(open_page, axe, theme, width):
    page = open_page("book/symmetry.html", width=width, theme=theme)
    for box in ("#thm-rescaling", "#fig-incidence", "#any-wiring > h2"):
        link = page.locator(f"{box} a.headerlink").first
        page.mouse.move(0, 0)
        assert link.evaluate(SHOWN) == 0
        link.locator("xpath=..").hover()
        assert link.evaluate(SHOWN) == 1
        page.mouse.move(0, 0)
        link.focus()
        assert link.evaluate(SHOWN) == 1
        assert link.get_attribute("aria-label").startswith("Link to ")
        assert axe(page, within=box) == []
    page.emulate_media(media="print")
    assert not link.is_visible()


WIDTHS = """() => [...document.querySelectorAll("figure .widget-live")]
  .map((widget) => widget.closest(".cell").clientWidth - widget.clientWidth)"""


def test_a_caption_takes_no_width_from_its_widget(open_page):
    page = open_page("book/symmetry.html", width=320)
    assert set(page.evaluate(WIDTHS)) == {0}
    page.add_style_tag(content=".bd-article figure.interactive { padding: .53rem; }")  # the control
    assert min(page.evaluate(WIDTHS)) > 10
