"""Each page says what it is where it is linked to, and a fork's page names the fork's address."""

import pickle
from types import SimpleNamespace

import pytest
from docutils import nodes

from gaugebook.described import COVER, ENOUGH, LONG, description, is_open, picture
from gaugebook.figures import looks
from gaugebook.repository import Repository, add_links
from tests.site import markup
from tools.site_browser import pages

ADDRESS = "https://teacher.github.io/class-book/"
PNG = b"\x89PNG\r\n\x1a\n"


def said(path):
    """What the head of a page says, by its name; and its canonical address."""
    soup = markup.read(path)
    tags = soup.find_all("meta", content=True)
    told = {tag.get("property") or tag.get("name"): tag["content"] for tag in tags}
    links = soup.find_all("link", rel="canonical")
    assert len(links) <= 1
    return told, links[0]["href"] if links else ""


def page_of(*sentences):
    document = nodes.document(None, None)
    document += nodes.section("", nodes.title("", "A title"))
    document[0] += nodes.note("", nodes.paragraph("", "You need a pen."))
    for sentence in sentences:
        document[0] += nodes.paragraph("", "", *sentence)
    return document


@pytest.mark.parametrize(
    ("slug", "address"),
    [
        ("Teacher/class-book", ADDRESS),
        ("teacher/Teacher.github.io", "https://teacher.github.io/"),
        ("someone/teacher.github.io", "https://someone.github.io/teacher.github.io/"),
    ],
)
def test_the_address_of_the_site_comes_from_that_of_the_repository(slug, address):
    assert Repository(slug, "").site == address


@pytest.mark.parametrize(
    ("own", "address"), [("", "https://a.github.io/b/"), ("https://c.org/", "https://c.org/")]
)
def test_an_address_of_its_own_comes_first(tmp_path, own, address, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    config = SimpleNamespace(html_baseurl=own, html_theme_options={})
    add_links(SimpleNamespace(confdir=tmp_path), config)
    assert config.html_baseurl == address


def test_a_description_is_the_first_sentences_without_tex():
    formula = nodes.math("", r"\theta_e^2")
    document = page_of(
        [nodes.Text("Here "), formula, nodes.Text(" is squared, ")], [nodes.Text("x. " * 300)]
    )
    told = description(document)
    assert told.startswith("Here θₑ² is squared, x. x.")
    assert ENOUGH <= len(told) <= LONG


def test_a_sentence_that_no_line_can_hold_is_left_out():
    array = nodes.math("", r"\begin{array}{c}1\end{array}")
    first = [nodes.Text("There is "), array, nodes.Text(". A short one.")]
    assert description(page_of(first)) == "A short one."


@pytest.mark.slow
def test_every_page_of_a_fork_has_a_card_with_its_own_address(fork):
    site = fork("teacher/class-book")
    pictures = set()
    for page in pages(site):
        if page == "index.html":  # it leads on at once
            continue
        told, canonical = said(site / page)
        assert 20 <= len(told["description"]) <= LONG + 100, page
        assert told["og:description"] == told["description"]
        assert "\\" not in told["description"] + told["og:title"]
        assert canonical == told["og:url"] == ADDRESS + page
        assert told["og:image:alt"]
        picture = site / told["og:image"].removeprefix(ADDRESS)
        assert picture.read_bytes().startswith(PNG)
        pictures.add(picture.name)
    assert len(pictures) > 10
    assert "cover.png" in pictures


@pytest.mark.slow
def test_titles_of_cards_tell_the_pages_apart(fork):
    site = fork("teacher/class-book")
    names = [said(site / page)[0]["og:title"] for page in pages(site) if page.startswith("book/")]
    assert len(set(names)) == len(names)
    assert "The symmetry: Exercises" in names


@pytest.mark.slow
def test_a_book_without_an_address_has_sentences_and_no_card(fork):
    told, canonical = said(fork("") / "book/symmetry.html")
    assert told["description"]
    assert canonical == ""
    assert not {"og:url", "og:image"} & told.keys()
    assert not (fork("") / "_static/cards").exists()


def test_the_picture_of_a_figure_that_is_drawn_as_lines_is_the_stored_one(site):
    document = pickle.loads((site.parent / ".doctrees/book/second_order.doctree").read_bytes())
    drawn = next(filter(is_open, document.findall(looks)))
    path, words = picture(document)
    assert path == drawn["png"].lstrip("/")
    assert words == drawn["alt"] == drawn[0]["alt"]
    source = site.parents[1] / path
    assert source.read_bytes().startswith(PNG)


def test_control_a_picture_that_a_reader_has_to_open_is_passed_over():
    shown, hidden = (nodes.image(uri=f"{name}.png", alt=name) for name in ("shown", "hidden"))
    folded = nodes.container("", hidden, design_component="dropdown")
    cell = nodes.container("", nodes.image(uri="told.png"), classes=["cell", "tag_hide-output"])
    assert picture(nodes.document(None, None, "", folded, cell))[0] == COVER
    assert picture(nodes.document(None, None, "", folded, cell, shown)) == ("shown.png", "shown")
