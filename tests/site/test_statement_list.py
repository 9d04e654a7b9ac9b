"""The list of statements says of each what its own page says, in the order of the book."""

import re

import pytest
import yaml

from gaugebook.course import chapters_of, contents_of
from tests.meta.prose import ROOT
from tests.site import markup

BOX = re.compile(
    r'<div class="proof (?:definition|theorem|lemma|proposition|corollary) admonition"'
    r' id="(?P<id>[^"]+)">\s*<p class="admonition-title"><span class="caption-number">'
    r"(?P<number>[^<]*?) ?</span>"
)
TOLD = re.compile(r"<summary>Checked by ([^<]*)</summary>")


def listed(contents):
    """The pages of a part of the contents, as they are read."""
    for entry in contents:
        if "file" in entry:
            yield entry["file"]
        yield from listed(entry.get("chapters", []) + entry.get("sections", []))


def stated(site):
    """Address and number of every statement, and how many tests it has, from its own page."""
    for name in listed(yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))["parts"]):
        page = (site / f"{name}.html").read_text("utf8")
        boxes = list(BOX.finditer(page))
        for box, after in zip(boxes, [*boxes[1:], None]):
            told = TOLD.search(page, box.end(), after.start() if after else len(page))
            address = f"{name.removeprefix('book/')}.html#{box['id']}"
            yield address, box["number"], told[1].split(", with ") if told else []


@pytest.fixture(scope="module")
def page(site):
    return markup.read(site / "book" / "statements.html")


def test_every_statement_is_listed_once_with_its_number_in_reading_order(site, page):
    found = [
        (link["href"], link.get_text())
        for item in page.select(".statement-list li")
        for link in item.select("p:first-child > a")
    ]
    assert found == [(address, number) for address, number, _ in stated(site)]
    assert len(found) > 70


def test_chapters_are_headings_and_stand_in_the_page_s_contents(page):
    headings = [h2.get_text().rstrip("#") for h2 in page.select(".statement-list h2")]
    assert headings[0].endswith("The symmetry")
    assert len(headings) == len(chapters_of(contents_of(ROOT)))
    within = [a.get_text().strip() for a in page.select(".page-toc a, .bd-toc-item a")]
    assert [title for title in headings if title not in within] == []


def test_an_item_counts_the_tests_as_its_own_page_does(site, page):
    items = page.select(".statement-list li")
    for item, (address, _, told) in zip(items, stated(site), strict=True):
        said = item.get_text()
        assert all(part in said for part in told), (address, told, said)
        assert bool(told) != ("#def" in address)


def test_an_item_names_the_function_that_carries_it(page):
    (item,) = [li for li in page.select("li") if li.find("code", string="thm-unique")]
    assert "In code: minimum_norm" in " ".join(item.get_text().split())
    assert "The canonical form" in item.get_text()
