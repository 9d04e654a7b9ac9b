"""The first of each term on a page leads to its definition and shows it; the index lists it."""

import json
import re

import pytest
from docutils import nodes
from sphinx.errors import ExtensionError

from gaugebook.glossary import Term, finder, link, pieces, terms
from gaugebook.indexed import heading
from gaugebook.packed import unpacked
from tests.meta.prose import ROOT
from tests.site import findings, markup
from tests.site.visit import at_rest
from tools.site_browser import pages

KNOWN = [Term("gauge", "g", "", ("gauges",)), Term("minimum-norm gauge", "m", "")]


def found(text, seen=()):
    parts = pieces(text, *finder(KNOWN), set(seen))
    return [(word, term.anchor) for word, term in (p for p in parts if not isinstance(p, str))]


def document(*children):
    page = nodes.document(None, None)
    page += nodes.section("", nodes.title("", "A gauge"), *children)
    return page


def linked(page):
    link(page, KNOWN, "glossary.html")
    return [node.astext() for node in page.findall(nodes.reference) if "term" in node["classes"]]


def test_the_longest_term_is_found_and_each_once_in_any_of_its_forms():
    text = "Minimum-norm  gauge, Gauges, a gauge and a minimum-norm gauge."
    assert found(text) == [("Minimum-norm  gauge", "m"), ("Gauges", "g")]
    assert found(text, {"gauge"}) == [("Minimum-norm  gauge", "m")]


@pytest.mark.parametrize("text", ["a gaugelib", "gauge-log", "regauge", "re-gauge", "gauge_norm"])
def test_a_part_of_another_word_is_no_term(text):
    assert found(text) == []


def test_what_is_no_running_prose_is_left_alone():
    sentence = nodes.paragraph("", "No such word here, but ", nodes.literal("", "gauge"))
    shown = nodes.figure(
        "", nodes.caption("", "A gauge"), nodes.legend("", nodes.paragraph("", "gauge"))
    )
    choice = nodes.admonition("", nodes.paragraph("", "a gauge"), classes=["predict"])
    assert linked(document(sentence, shown, choice)) == []
    assert linked(document(sentence, shown, choice, nodes.paragraph("", "Its gauge."))) == ["gauge"]


def test_a_page_that_defines_a_term_needs_no_link_to_it():
    bold = nodes.paragraph("", "", nodes.strong("", "gauge"))
    assert linked(document(bold, nodes.paragraph("", "This gauge."))) == []
    assert linked(document(nodes.paragraph("", "This gauge."), bold.deepcopy())) == ["gauge"]


def test_front_matter_that_names_no_term_is_refused():
    item = nodes.definition_list_item(
        "", nodes.term("", "gauge", ids=["g"]), nodes.definition("", nodes.paragraph("", "A way."))
    )
    page = nodes.document(None, None, "", nodes.definition_list("", item))
    matter = {"forms": json.dumps({"gauge": "gauges, dials"}), "only": {"gauge": "here"}}
    assert terms(page, matter) == [
        Term("gauge", "g", "A way.", ("gauges", "dials"), frozenset({"here"}))
    ]
    with pytest.raises(ExtensionError, match="gouge"):
        terms(page, {"forms": {"gouge": "gouges"}})


def test_titles_stand_in_the_index_with_their_article_behind():
    assert heading("The canonical form") == "Canonical form, the"
    assert heading("Ward identity") == "Ward identity"
    assert heading("Theorems") == "Theorems"


@pytest.mark.slow
def test_links_of_a_built_page(small):
    soup = markup.read(small / "book/page.html")
    shown = [(a["href"], a.get_text()) for a in soup.select("a.term")]
    assert shown == [
        ("glossary.html#term-gauge", "gauge"),
        ("glossary.html#term-minimum-norm-gauge", "minimum-norm gauge"),
        ("glossary.html#term-charge", "charges"),
    ]
    assert markup.read(small / "book/glossary.html").select("a.term") == []


@pytest.mark.slow
def test_the_index_lists_terms_and_statements_and_is_in_the_contents(small):
    listed = {
        a.get_text(): a["href"] for a in markup.read(small / "genindex.html").select("article a")
    }
    assert listed["orbit"] == "book/glossary.html#term-orbit"
    assert listed["Ward identity for p, the"] == "book/page.html#thm-w"
    places = [p for page in unpacked((small / "searchindex.js").read_text("utf8")) for p in page[3]]
    assert ["term", "term-gauge", "gauge", "", "A way to write it. A charge has none."] in places
    contents = markup.read(small / "book/page.html").select(".bd-docs-nav a")
    assert (contents[-1].get_text().strip(), contents[-1]["href"]) == ("Index", "../genindex.html")


@pytest.mark.slow
def test_a_definition_is_shown_to_pointer_and_keyboard_and_dismissed(small, serve, open_page, axe):
    page = open_page(f"{serve(small)}book/page.html", width=320, theme="dark")
    word, tip = page.locator("a.term").nth(1), page.get_by_role("tooltip")
    word.hover()
    tip.wait_for()
    assert tip.inner_text() == "The lightest."
    assert word.get_attribute("aria-describedby") == tip.get_attribute("id")
    assert axe(page) == findings.sideways(page) == []
    tip.hover()  # it stays while the pointer is on it
    page.wait_for_timeout(400)
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert tip.count() == 0
    word.focus()
    for _ in range(2):  # past another link
        page.keyboard.press("Shift+Tab")
    tip.wait_for()
    assert tip.inner_text() == "A way to write it. A charge has none."
    page.mouse.move(1, 1)
    page.wait_for_timeout(400)
    assert tip.is_visible()  # the keyboard is still there
    for _ in range(2):
        page.keyboard.press("Tab")
    page.get_by_text("The lightest.").wait_for()
    page.keyboard.press("Escape")
    assert tip.count() == 0
    assert word.get_attribute("aria-describedby") is None
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-minimum-norm-gauge")


LINKED = re.compile(r'<a class="term reference internal" href="glossary\.html#([^"]+)"')
# Where a term is not linked: where it is defined, and in titles and links.
OTHERS = re.compile(
    r'<(?:(strong|h[1-4]|a)\b[^>]*|(p) class="admonition-title")>(.*?)</(?:\1|\2)>', re.DOTALL
)


def test_every_term_of_the_book_is_met_and_none_is_linked_twice_on_a_page(site):
    glossary = markup.read(site / "book/glossary.html")
    names = {term["id"]: term.find(string=True) for term in glossary.select("dl.glossary dt")}
    assert 40 <= len(names) <= 60
    met, elsewhere = set(), ""
    for page in set(pages(site)) - {"book/glossary.html", "genindex.html", "search.html"}:
        text = (site / page).read_text("utf8")
        links = LINKED.findall(text)
        assert len(set(links)) == len(links), page
        met.update(links)
        elsewhere += " ".join(found[3] for found in OTHERS.finditer(text)).lower()
    assert len(met) > 0.6 * len(names)
    unmet = [name for anchor, name in names.items() if anchor not in met]
    assert [name for name in unmet if name.lower() not in elsewhere] == []
    definitions = (site / "_static/glossary.js").read_text("utf8")
    told = json.loads(definitions.removeprefix("window.bookGlossary=").rstrip(";\n"))
    assert list(told) == list(names)
    assert max(map(len, told.values())) < 200


def test_definitions_wait_until_a_reader_moves(open_page, site):
    page = open_page("book/symmetry.html")
    at_rest(page)
    assert page.evaluate("window.bookGlossary") is None
    page.keyboard.press("Tab")
    page.wait_for_function("() => window.bookGlossary")


def test_each_definition_says_where_the_term_is_at_home():
    text = (ROOT / "book/glossary.md").read_text("utf8")
    body = text.split(":::{glossary}\n")[1].split("\n:::")[0]
    entries = re.split(r"\n\n(?=\S)", body)
    assert len(entries) >= 40
    home = re.compile(r"\n\n  (\{prf:ref\}|\{eq\}|\[)[^\n]+\Z")
    assert [entry for entry in entries if not home.search(entry.rstrip())] == []
    names = [entry.split("\n")[0].lower() for entry in entries]
    assert names == sorted(names)
