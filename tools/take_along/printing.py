"""Chromium prints the joined document twice: only then is it known on which page a place is.

The contents keep room for the numbers, so the second print breaks where the first one did. That is
looked at, not believed.
"""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from tools.site_browser import served

from .site import AmissError

WHERE = "book-on-paper.html"  # the document is at the site's root, where it is not stored
HOW = {"prefer_css_page_size": True, "print_background": True, "tagged": True}
LONG = 1_800_000  # ms; a whole book takes minutes
FILL = """(numbers) => document.querySelectorAll("span.at").forEach((span) => {
  span.textContent = numbers[span.dataset.of] ?? "";
})"""
ASKED = '() => [...document.querySelectorAll("span.at")].map((span) => span.dataset.of)'
READY = """async () => {
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  return [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src);
}"""


def places(reader: PdfReader, asked: Iterable[str]) -> dict[str, tuple[int, float]]:
    """The page, counted from 1, and the height on it in points, of each place.

    Raises:
        AmissError: nothing in the PDF links to a place, or it was not printed.
    """
    index = {page.indirect_reference.idnum: k for k, page in enumerate(reader.pages, 1)}
    found = {}
    for name, destination in reader.named_destinations.items():
        page = destination.raw_get("/Page")
        if isinstance(page, IndirectObject):
            found[name.removeprefix("/")] = index[page.idnum], float(destination.top or 0)
    if missing := sorted(set(asked) - set(found)):
        raise AmissError(f"nobody knows the page of {missing}")
    return {place: found[place] for place in asked}


def twice(page: Page, made: Callable[[], bytes]) -> bytes:
    """Print, write the numbers of the pages into the document, print again.

    Raises:
        AmissError: a place was not found, or the numbers have moved what they count.
    """
    asked = set(page.evaluate(ASKED))
    first = numbers(made(), asked)
    page.evaluate(FILL, first)
    pdf = made()
    second = numbers(pdf, asked)
    if moved := sorted(place for place in asked if first[place] != second[place]):
        raise AmissError(f"with its numbers the book has other pages: {moved}")
    return pdf


def numbers(pdf: bytes, asked: Iterable[str]) -> dict[str, int]:
    """The page of each place."""
    found = places(PdfReader(io.BytesIO(pdf)), asked)
    return {place: page for place, (page, _) in found.items()}


def printed(html: str, site: Path, browser: Browser) -> bytes:
    """The document as a PDF, tagged, with its links and without an outline.

    Args:
        html: with addresses that are relative to the site's root.
        site: the folder of the site.
        browser: a Chromium.

    Raises:
        AmissError: a picture is missing, something was asked for that the site does not have.
    """
    failed: list[str] = []
    with served(site) as address:
        page = browser.new_page()
        page.set_default_timeout(LONG)
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.on("response", lambda got: failed.append(got.url) if got.status >= 400 else None)
        whole = {"body": html, "content_type": "text/html; charset=utf-8"}
        page.route(address + WHERE, lambda route: route.fulfill(**whole))
        page.goto(address + WHERE, wait_until="load")
        page.emulate_media(media="print")
        failed += page.evaluate(READY)
        if failed:
            raise AmissError(f"the book on paper asks for what is not there: {sorted(set(failed))}")
        pdf = twice(page, lambda: page.pdf(**HOW))
        page.close()
    return pdf
