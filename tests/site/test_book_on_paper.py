"""A PDF of two pages of the site: its numbers are true, and all that belongs to it is there."""

import dataclasses
import io
import re

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, Fit, NameObject, TextStringObject

from tools.take_along import bound, imprint, printing
from tools.take_along.joined import Heading, join
from tools.take_along.looked_over import flat, look_over
from tools.take_along.site import AmissError, address, read

PAGES = ("book/intro", "book/symmetry_exercises")
HEAD = "TheGaugeSymmetryofNeuralNetworks"
ADDRESS = "https://someone.github.io/a-book/"


@pytest.fixture(scope="module")
def made(site, chromium):
    """The document and the PDF of it."""
    pages = [page for page in read(site) if page.name in PAGES]
    said = imprint.read()
    book = join(pages, said, ADDRESS)
    return book, bound.bound(printing.printed(book.html, site, chromium), book.headings, said)


@pytest.fixture(scope="module")
def texts(made):
    """What is written on each page, without spaces: a PDF has places instead."""
    return [squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(made[1])).pages]


def squeezed(text):
    return re.sub(r"\s+", "", text)


def body(texts):
    """The number of the first page after the contents."""
    return next(k for k, text in enumerate(texts, 1) if "TakeaneuralnetworkwithReLU" in text)


def test_the_contents_and_the_outline_name_the_pages_on_which_the_headings_are(made, texts):
    book, pdf = made
    begin = body(texts)
    listed = "".join(texts[1 : begin - 1]).partition("Contents")[2]
    reader = PdfReader(io.BytesIO(pdf))
    outline = [reader.get_destination_page_number(item) + 1 for item in flat(reader.outline)]
    seen, above = 0, begin
    for heading, page in zip(book.headings, outline, strict=True):
        words = squeezed(heading.words)
        found = [
            k for k in range(begin, len(texts) + 1) if words in texts[k - 1].removeprefix(HEAD)
        ]
        assert page in found, heading
        assert page >= above  # in the order of the book
        above = page
        if heading.level < 3:
            assert listed.startswith(f"{words}{page}"), (heading, listed)
            listed = listed.removeprefix(f"{words}{page}")
            seen += 1
    assert listed == ""
    assert seen >= 7


def test_it_holds_the_still_the_code_and_the_solutions_at_the_end(made, texts):
    reader = PdfReader(io.BytesIO(made[1]))
    [still] = [k for k, text in enumerate(texts) if "Fig.1(interactive)" in text]
    assert "/XObject" in reader.pages[still]["/Resources"]
    outer = [place["/A"]["/URI"] for place in places(reader.pages[still]) if "/A" in place]
    assert f"{ADDRESS}book/intro.html#fig-first-touch" in outer
    stub, solved = (
        next(k for k, text in enumerate(texts) if piece in text)
        for piece in ('"relu":...', '"relu":1')
    )
    last = max(k for k, text in enumerate(texts) if "Exercise1.7" in text)
    assert still < stub < solved <= last


def test_a_solution_and_its_exercise_lead_to_each_other(made, texts):
    reader = PdfReader(io.BytesIO(made[1]))
    pages = {page.indirect_reference.idnum: k for k, page in enumerate(reader.pages)}
    where = {
        name: pages[place.raw_get("/Page").idnum]
        for name, place in reader.named_destinations.items()
    }
    exercise = where["/book-symmetry_exercises--ex-balance"]
    assert "Aneuronhasincomingweights" in texts[exercise]
    inner = [place["/Dest"] for place in places(reader.pages[exercise]) if "/Dest" in place]
    led = {where[name] for name in inner}
    assert any("SolutiontoExercise1.2" in texts[k] and "BacktoExercise1.2" in texts[k] for k in led)


def places(page):
    """What can be clicked on a page."""
    return [place.get_object() for place in page.get("/Annots", [])]


def test_a_formula_can_be_heard(made):
    reader = PdfReader(io.BytesIO(made[1]))
    told, waiting = set(), [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop().get_object()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            told.add(str(node.get("/Alt", "")))
            waiting += [node.raw_get("/K")] if "/K" in node else []
    assert "σ(az) = aᵏσ(z)" in told


def test_it_says_what_it_is_and_has_the_date_of_its_revision(made):
    said = imprint.read()
    reader = PdfReader(io.BytesIO(made[1]))
    assert reader.metadata.title == said.title
    assert reader.metadata.author == said.authors
    assert reader.metadata.creation_date == said.date
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_nothing_is_amiss_with_it(made):
    found = look_over(made[1])
    assert found.pages == len(PdfReader(io.BytesIO(made[1])).pages)
    assert found.headings == len(made[0].headings)
    assert found.inner > 20
    assert found.outer > 10


def linked(writer, key):
    return next(place for page in writer.pages for place in places(page) if key in place)


def nowhere(writer):
    linked(writer, "/Dest")[NameObject("/Dest")] = NameObject("/nowhere")


def this_machine(writer):
    address = TextStringObject("http://127.0.0.1:1/a.html")
    linked(writer, "/A")["/A"][NameObject("/URI")] = address


def no_font(writer):
    font = next(iter(writer.pages[0]["/Resources"]["/Font"].values())).get_object()
    sketch = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
    for key in [key for key in sketch if key.startswith("/FontFile")]:
        del sketch[key]


def no_tags(writer):
    writer.root_object[NameObject("/MarkInfo")] = DictionaryObject()


def at_the_foot(writer):
    fit = Fit.xyz(left=0, top=60)
    writer.add_outline_item(title="Low", page_number=0, fit=fit)


SMALL = f"""<html lang="en"><title>Small</title><h1 id="h">A heading</h1><p>{"Words. " * 60}
<a href="#h">up</a> <a href="https://example.org/">out</a></p></html>"""
SPOILT = {
    "'Low' stands alone at the foot": at_the_foot,
    "which is nowhere": nowhere,
    "links to http://127.0.0.1": this_machine,
    "is empty": lambda writer: writer.add_blank_page(),
    "is not embedded": no_font,
    "it has no tags": no_tags,
    "no language or no title": lambda writer: writer.root_object.pop("/Lang"),
}


@pytest.fixture(scope="module")
def small(chromium):
    """A PDF in which nothing is amiss, of one page."""
    page = chromium.new_page()
    page.set_content(SMALL)
    pdf = page.pdf(tagged=True)
    page.close()
    heading = Heading(1, "h", "A heading", "A heading")
    return bound.bound(pdf, [heading], imprint.read())


def test_a_small_pdf_is_not_accused(small):
    found = look_over(small)
    assert (found.pages, found.headings, found.inner, found.outer) == (1, 1, 1, 1)


@pytest.mark.parametrize("says", SPOILT)
def test_control_what_is_amiss_is_found(small, says):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(small)))
    SPOILT[says](writer)
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(AmissError, match=says):
        look_over(out.getvalue())


def test_two_prints_of_one_document_give_the_same_bytes(chromium):
    table = "<html lang=en><title>T</title><table><tr><th>a<th>b<tr><td>1<td>2</table></html>"
    page, prints = chromium.new_page(), []
    for before in ("", "<p>Another document.</p>" * 3):
        page.set_content(before)
        page.set_content(table)
        prints.append(page.pdf(tagged=True))
    page.close()
    ids = [set(bound.NODE.findall(pdf)) for pdf in prints]
    assert ids[0] != ids[1]  # the control: as they come they differ
    said = imprint.read()
    assert bound.bound(prints[0], [], said) == bound.bound(prints[1], [], said)


def test_the_same_print_of_the_same_revision_gives_the_same_bytes(small):
    said = imprint.read()
    other = dataclasses.replace(said, version="9.9")
    assert bound.bound(small, [], said) == bound.bound(small, [], said)
    assert bound.bound(small, [], said) != bound.bound(small, [], other)


@pytest.mark.parametrize(("pages", "says"), [((1, 2), "has other pages"), ((), "nobody knows")])
def test_control_numbers_that_move_what_they_count_are_refused(pages, says):
    class Document:
        def evaluate(self, script, *numbers):
            return None if numbers else ["here"]

    drawn = iter(pages)

    def printed():
        writer = PdfWriter()
        for _ in range(3):
            writer.add_blank_page(100, 100)
        if pages:
            writer.add_named_destination("here", next(drawn))
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    with pytest.raises(AmissError, match=says):
        printing.twice(Document(), printed)


def test_the_site_says_where_it_lies_or_says_nothing(site):
    assert address(read(site)) in {"", ADDRESS} or address(read(site)).startswith("https://")


def test_the_first_page_says_once_what_can_be_taken_along(site):
    from tools.take_along.linked import named

    page = (site / "book" / "intro.html").read_text("utf8")
    assert named(page, "stem", "") == page
    assert "take-along/stem.pdf" in named(page, "stem", "take-along/")
