"""The reference has an entry for each name; statements and functions lead to each other."""

import re

import pytest
from sphinx.errors import ExtensionError

from gaugebook.reference import library
from tests.meta.carried import entries
from tests.meta.prose import ROOT
from tests.site import markup
from tools.site_browser import pages

SOURCES = sorted((ROOT / "book").glob("reference*.md"))


@pytest.fixture(scope="module")
def reference(site):
    """Address of a page -> the page."""
    return {
        f"{path.stem}.html": markup.read(site / "book" / f"{path.stem}.html") for path in SOURCES
    }


@pytest.fixture(scope="module")
def entry(reference):
    """What stands under a name: its signature and its text."""
    there = [dt for page in reference.values() for dt in page.select("dt.sig[id]")]
    signatures = {dt["id"]: dt for dt in there}
    assert len(signatures) == len(there)
    return lambda name: (signatures[name], signatures[name].find_next_sibling("dd"))


def test_every_name_has_one_entry_with_a_text(entry):
    names = {name for path in SOURCES for name in entries(path.read_text("utf8"), ROOT)}
    assert len(names) > 150
    for name in names:
        signature, text = entry(name)
        assert name in "".join(signature.get_text().split())
        assert len(text.get_text().split()) >= 3, name


def test_a_signature_says_what_may_be_given_and_what_comes_back(entry):
    signature, text = entry("gaugelib.minimum_norm")
    said = " ".join(signature.get_text().split())
    assert said.startswith("gaugelib.minimum_norm(params, group, *, p=2.0, tol=1e-06,")
    assert "→ MinimumNorm" in said
    assert "Mapping[str, Tensor]" in text.get_text()  # the types stand with the parameters
    assert "Mapping" not in said
    assert text.find("a", href=re.compile("#gaugelib.MinimumNorm$")) or signature.find("a")


def test_nothing_of_a_docstring_is_left_unset(reference):
    for page in reference.values():
        texts = [p.get_text() for p in page.select("article p")]
        assert len(texts) > 100
        assert [text for text in texts if re.search(r"`|\$|:math:|:statement:", text)] == []


def test_an_example_is_code(entry):
    _, dd = entry("gaugelib.minimum_norm")
    assert ">>> found = minimum_norm(" in dd.select_one("div.doctest pre").get_text()


MARK = re.compile(
    r'<div class="proof (?:definition|theorem|lemma|proposition|corollary) admonition" id="([^"]+)"'
    r'|<p class="in-code">(.*?)</p>'
)


def pairs(site):
    """Statement and function, for each link from a statement to the function that carries it."""
    for name in pages(site):
        if name == "book/statements.html":
            continue
        statement = ""
        for found in MARK.finditer((site / name).read_text("utf8")):
            statement = found[1] or statement
            for address in re.findall(r'href="([^"]+)"', found[2] or ""):
                yield f"{name}#{statement}", address


def test_statements_and_functions_lead_to_each_other(site, reference):
    found = list(pairs(site))
    assert len({statement for statement, _ in found}) > 55
    assert len({function for _, function in found}) > 45
    back = {
        (f"book/{link['href']}", f"{address}#{dt['id']}")
        for address, page in reference.items()
        for dt in page.select("dt.sig[id]")
        for paragraph in dt.find_next_sibling("dd").find_all("p")
        if paragraph.get_text().startswith("In the book: ")
        for link in paragraph.find_all("a")
        if paragraph.find_parent("dd").find_previous_sibling("dt") is dt
    }
    assert set(found) == back


def test_control_a_statement_that_no_function_carries_says_nothing(site):
    assert "book/second_order.html#thm-fixed" not in dict(pairs(site))
    assert "book/second_order.html#thm-zero-modes" in dict(pairs(site))


def test_without_a_library_the_build_says_what_to_do():
    with pytest.raises(ExtensionError, match=r"pip install -e \."):
        library("gaugelib.nowhere")


def test_control_a_library_that_is_there_is_used():
    assert library("gaugelib").__name__ == "gaugelib"
