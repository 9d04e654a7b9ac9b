"""What a PDF holds, counted, and whether anything in it is amiss."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from .site import AmissError

FOOT = 86  # points; a heading that begins lower has no room for a line of text under it
WORDS = 150  # signs; the running head and the number of a page are fewer
HERE = ("http://127.0.0.1", "http://localhost", "file:")


@dataclass(frozen=True)
class Found:
    """What is in it."""

    pages: int
    headings: int
    inner: int  # links within the book
    outer: int  # links out of it
    size: int  # bytes

    def __str__(self) -> str:
        """In a line."""
        return (
            f"{self.pages} pages, {self.headings} headings, {self.inner} links within the book and "
            f"{self.outer} out of it, {self.size / 1e6:.1f} MB"
        )


def look_over(pdf: bytes) -> Found:
    """Count, and refuse a book in which something is amiss.

    Raises:
        AmissError: says all that is: links to nowhere or to the machine that printed, empty pages,
            headings at the foot of a page, fonts that are not embedded, no tags, title or language.
    """
    reader = PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"]
    known = set(reader.named_destinations)
    amiss, inner, outer = [], 0, 0
    for k, page in enumerate(reader.pages, 1):
        for link in links(page):
            if "/Dest" in link:
                inner += 1
                if str(link["/Dest"]) not in known:
                    amiss.append(f"page {k} links to {link['/Dest']}, which is nowhere")
            else:
                outer += 1
                where = str(link["/A"]["/URI"])
                if where.startswith(HERE):
                    amiss.append(f"page {k} links to {where}")
        if empty(page):
            amiss.append(f"page {k} is empty")
        amiss += [f"page {k}: the font {name} is not embedded" for name in strange(page)]
    heads = list(flat(reader.outline))
    for item in heads:
        if item.top is not None and float(item.top) < FOOT:
            amiss.append(f"{item.title!r} stands alone at the foot of a page")
    if root.get("/MarkInfo", {}).get("/Marked") != True or "/StructTreeRoot" not in root:  # noqa: E712
        amiss.append("it has no tags")
    if not root.get("/Lang") or not (reader.metadata or {}).get("/Title"):
        amiss.append("it has no language or no title")
    if amiss:
        raise AmissError("the book on paper is not as it should be:\n" + "\n".join(amiss))
    return Found(len(reader.pages), len(heads), inner, outer, len(pdf))


def links(page: PageObject) -> Iterator[DictionaryObject]:
    """The places of a page that can be clicked."""
    for annotation in page.get("/Annots", []):
        link = annotation.get_object()
        if link["/Subtype"] == "/Link":
            yield link


def empty(page: PageObject) -> bool:
    """Whether nothing is between the head and the foot: such a page draws its head alone."""
    contents = page.get_contents()
    drawn = b"" if contents is None else contents.get_data()
    if "/XObject" in page["/Resources"] or drawn.count(b"Tj") + drawn.count(b"TJ") >= WORDS:
        return False
    # Chromium draws sign by sign, or, in newer versions, a run of them at once.
    return len("".join(page.extract_text().split())) < WORDS


def strange(page: PageObject) -> Iterator[str]:
    """The fonts that the page needs and the file does not hold."""
    for font in page["/Resources"].get("/Font", {}).values():
        whole = font.get_object()
        inside = [f.get_object() for f in whole.get("/DescendantFonts", [whole])]
        for one in inside:
            sketch = one.get("/FontDescriptor", {})
            held = any(f"/FontFile{kind}" in sketch for kind in ("", "2", "3"))
            if one["/Subtype"] != "/Type3" and not held:
                yield str(one.get("/BaseFont"))


def flat(outline: list) -> Iterator:
    """The items of an outline, without its steps."""
    for item in outline:
        if isinstance(item, list):
            yield from flat(item)
        else:
            yield item
