"""The list of statements says of each what its own page says, in the order of the book."""

import pytest
import yaml

from tests.meta.prose import ROOT
from tests.site import markup

BOXES = ("definition", "theorem", "lemma", "proposition", "corollary")


def listed(contents):
    """The pages of a part of the contents, as they are read."""
    for entry in contents:
        if "file" in entry:
            yield entry["file"]
        yield from listed(entry.get("chapters", []) + entry.get("sections", []))


def stated(site):
    """Address, number and counted tests of every statement, from its own page."""
    for name in listed(yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))["parts"]):
        page = markup.read(site / f"{name}.html")
        for box in page.select(", ".join(f"div.proof.{kind}" for kind in BOXES)):
            number = box.select_one(".caption-number").get_text().strip()
            yield f"{name.removeprefix('book/')}.html#{box['id']}", number


@pytest.fixture(scope="module")
def page(site):
    return markup.read(site / "book" / "statements.html")


def test_every_statement_is_listed_once_with_its_number_in_reading_order(site, page):
    found = [
        (link["href"], link.get_text())
        for item in page.select(".statement-list li")
        for link in item.select("p:first-child > a")
    ]
    assert found == list(stated(site))
    assert len(found) > 70


def test_chapters_are_headings_and_stand_in_the_page_s_contents(page):
    headings = [h2.get_text().rstrip("#") for h2 in page.select(".statement-list h2")]
    assert headings[0].endswith("The symmetry")
    assert len(headings) == 8
    within = [a.get_text().strip() for a in page.select(".page-toc a, .bd-toc-item a")]
    assert [title for title in headings if title not in within] == []


def test_an_item_counts_the_tests_as_its_own_page_does(site, page):
    for item in page.select(".statement-list li"):
        link = item.select_one("p:first-child > a")["href"]
        name, _, anchor = link.partition("#")
        if anchor.startswith("def"):
            continue
        own = markup.read(site / "book" / name).find("div", id=anchor)
        told = own.find_next("details", class_="checked").select_one("summary").get_text()
        said = item.select_one("p.in-code").get_text()
        for part in told.removeprefix("Checked by ").split(", with "):
            assert part in said, (anchor, told, said)


def test_an_item_names_the_function_that_carries_it(page):
    (item,) = [li for li in page.select("li") if li.find("code", string="thm-unique")]
    assert "In code: minimum_norm" in " ".join(item.get_text().split())
    assert "The canonical form" in item.get_text()
