"""The pages become one document: ids once, links to where they led, solutions at the end."""

import re
from html.parser import HTMLParser

import pytest

from tests.take_along.scanned import scan
from tests.take_along.small_site import ADDRESS, CHAPTER, EXERCISES, IMPRINT, INTRO, PAGES, build
from tools.take_along import paper, stills
from tools.take_along.joined import join
from tools.take_along.site import AmissError, address, read


class Parts(HTMLParser):
    """Ids and links of a document, read by other means than those that made it."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" and "href" in found else []


@pytest.fixture
def joined(tmp_path):
    def made(address="", **bodies):
        return join(read(build(tmp_path / "site", address, **bodies)), IMPRINT)

    return made


def test_pages_come_in_the_order_in_which_they_are_turned(tmp_path):
    names = [page.name for page in read(build(tmp_path))]
    assert names == [*(f"book/{name}" for name in PAGES)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda site: (site / "index.html").unlink(), "no built site in .* run make book first"),
        (
            lambda site: (site / "book" / "notation.html").unlink(),
            "book/notation.html comes twice or is missing",
        ),
        (
            lambda site: (site / "book" / "notation.html").write_text(
                '<link rel="next" title="x" href="intro.html" />'
            ),
            "book/intro.html comes twice",
        ),
    ],
)
def test_control_an_order_with_a_hole_or_a_circle_is_refused(tmp_path, change, says):
    change(build(tmp_path))
    with pytest.raises(AmissError, match=says):
        read(tmp_path)


def test_the_address_is_what_all_pages_say(tmp_path):
    pages = read(build(tmp_path / "known", ADDRESS))
    assert address(pages) == ADDRESS
    assert address(read(build(tmp_path / "unknown"))) == ""
    with pytest.raises(AmissError, match="different addresses"):
        address([*pages[1:], *read(build(tmp_path / "other", "https://other.org/"))[:1]])


@pytest.mark.parametrize("where", ["", ADDRESS])
def test_every_id_is_there_once_and_every_inner_link_leads_to_one(joined, where):
    found = Parts(joined(where).html)
    assert len(found.ids) == len(set(found.ids)) > 10
    inner = [link[1:] for link in found.links if link.startswith("#")]
    assert len(inner) > 10
    assert set(inner) <= set(found.ids)
    assert {"book-chapter", "book-chapter--claim", "book-notation--sum"} <= set(inner)
    assert "https://example.org/x" in found.links
    far = ("search.html", "_sources/book/chapter.ipynb", "book/reference.html#add")
    others = {f"{where}{page}" for page in far}
    assert (others <= set(found.links)) is bool(where)
    assert not any(link.endswith(".html") and not link.startswith("http") for link in found.links)


@pytest.mark.parametrize(
    ("bodies", "says"),
    [
        (
            {"chapter": CHAPTER.replace("#sum", "#product")},
            "links to notation.html#product, where nothing is",
        ),
        ({"chapter": CHAPTER.replace('id="claim"', 'id="sums"')}, "these ids twice"),
        ({"intro": INTRO.replace("noscript", "div")}, "a widget without a picture"),
    ],
)
def test_control_a_link_to_nothing_an_id_twice_a_widget_without_a_still_are_refused(
    joined, bodies, says
):
    with pytest.raises(AmissError, match=says):
        joined(**bodies)


def test_a_still_stands_for_a_widget_with_a_code_that_leads_to_it(joined):
    book = joined(ADDRESS)
    assert book.widgets == 1
    figure = re.search(r'<figure class="interactive".*?</figure>', book.html, re.DOTALL)[0]
    assert 'alt="A still."' in figure
    assert not re.search("widget|noscript|script", figure)
    where = f"{ADDRESS}book/intro.html#fig-live"
    assert f'<a href="{where}">' in figure
    assert scan(figure[figure.index("<svg") :]) == where


def test_without_an_address_a_still_names_its_page(joined):
    html = joined().html
    assert "<code>book/intro.html#fig-live</code>" in html
    assert "<svg" not in html


@pytest.mark.parametrize(
    "text", ["a", ADDRESS, f"{ADDRESS}book/two_symmetries.html#fig-six-pages", "x" * 100]
)
def test_a_code_says_what_it_was_made_of(text):
    drawing = stills.code(text)
    assert scan(drawing) == text
    assert (
        scan(stills.code(text + "'")) != text
    )  # the reader of codes does not repeat what it is told


def test_on_paper_nothing_is_folded_dark_or_to_be_pressed(joined):
    html = joined().html
    screen = ("<details", "<summary", "<script", "headerlink", "only-dark", "Dark", "loading=")
    pressed = ("<input", "<button", "Commit", "Your answer", "To take along", "It adds.")
    assert [said for said in (*screen, *pressed) if said in html] == []
    for kept in ('alt="Light."', "It imports.", "a line of code", "The first cell", "a choice"):
        assert html.count(kept) == 1


def test_solutions_stand_at_the_end_of_the_chapters_each_linked_both_ways(joined):
    book = joined()
    order = ["What is one and one?", "<h1>Solutions</h1>", "The answer is two.", "A sum is a sum"]
    assert sorted(order, key=book.html.index) == order
    assert book.solutions == 1
    exercise, solution = "book-exercises--ex-one", "book-exercises--book/x-solution-1"
    before, after = book.html.split("<h1>Solutions</h1>")
    assert f'href="#{solution}"' in before
    assert f'data-of="{solution}"' in before
    assert f'id="{exercise}"' in before
    assert f'id="{solution}"' in after
    assert f'href="#{exercise}"' in after
    assert f'data-of="{exercise}"' in after


def test_a_question_says_on_which_page_it_is_answered(joined):
    html = joined().html
    place = "book-chapter--claim"
    assert f'<a href="#{place}">The answer</a>: page' in html
    assert f'data-of="{place}"' in html
    assert "end of the page" not in html


def test_a_book_without_solutions_has_no_appendix_for_them(joined):
    book = joined(exercises=EXERCISES[: EXERCISES.index("<details")] + "</section>")
    assert book.solutions == 0
    assert "Solutions" not in book.html


def test_the_contents_have_every_chapter_and_section_with_room_for_its_page(joined):
    book = joined()
    lines = [(h.level, h.words) for h in book.headings]
    assert lines == [
        (1, "A small book"),
        (1, "1. The chapter"),
        (2, "1.1. Sums of a²"),
        (2, "1.2. Exercises"),
        (3, "1.2.1. Balance"),
        (1, "Solutions"),
        (2, "1. The chapter"),
        (1, "Notation"),
        (2, "Signs"),
    ]
    nav = re.search('<nav class="contents">.*?</nav>', book.html, re.DOTALL)[0]
    shown = [h.place for h in book.headings if h.level < 3]
    assert re.findall(r'data-of="([^"]+)"', nav) == shown
    assert {*Parts(nav).links} == {f"#{heading.place}" for heading in book.headings}


def test_the_title_page_says_who_what_and_which(joined):
    html = joined(ADDRESS).html
    title = html[html.index('<section class="title-page">') : html.index("<nav")]
    for said in (
        "A small book",
        "Two authors",
        "Version 1.2",
        "abc1234",
        "4 March 2026",
        ADDRESS,
        "Free.",
    ):
        assert said in title
    assert scan(title) == ADDRESS


def test_a_formula_is_named_by_what_it_says_and_drawn_once(joined):
    html = joined().html
    assert html.count('<span aria-label="a²" class="math" role="img">') == 2  # in the contents, too
    assert not re.search("annotation|katex-mathml|aria-hidden", html)


@pytest.mark.parametrize(
    ("href", "leads"),
    [
        ("chapter.html#a", "#book-chapter--a"),
        ("#b", "#book-intro--b"),
        ("../book/chapter.html", "#book-chapter"),
        ("../genindex.html#x", f"{ADDRESS}genindex.html#x"),
        ("https://example.org/chapter.html", "https://example.org/chapter.html"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_a_link_leads_to_the_same_place_on_paper(href, leads):
    known = {"book/intro": {"b"}, "book/chapter": {"a"}}
    assert paper.lead(href, "book/intro", known, ADDRESS) == leads
