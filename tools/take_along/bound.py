"""The printed book gets its outline and its metadata, both of its revision and not of the day."""

import io

from pypdf import PdfReader, PdfWriter
from pypdf.generic import Fit, NameObject, TextStringObject

from .imprint import Imprint
from .joined import Heading
from .printing import places


def bound(pdf: bytes, headings: list[Heading], imprint: Imprint) -> bytes:
    """The PDF with an outline, a title, a language, dates and numbers of pages.

    The first page is page 1, on paper as in a reader's window: who is told "page 60" types it.

    Raises:
        AmissError: a heading is nowhere in the print.
    """
    reader = PdfReader(io.BytesIO(pdf))
    found = places(reader, [heading.place for heading in headings])
    writer = PdfWriter(clone_from=reader)
    above: list = []
    for heading in headings:
        page, top = found[heading.place]
        parent = above[heading.level - 2] if heading.level > 1 and above else None
        item = writer.add_outline_item(
            title=heading.words,
            page_number=page - 1,
            parent=parent,
            fit=Fit.xyz(left=0, top=top),
            is_open=False,
        )
        above[heading.level - 1 :] = [item]
    writer.set_page_label(0, len(reader.pages) - 1, style="/D")
    writer.page_mode = "/UseOutlines"
    writer.root_object[NameObject("/Lang")] = TextStringObject(imprint.language)
    day = f"D:{imprint.date:%Y%m%d%H%M%S}Z"
    writer.metadata = {
        "/Title": imprint.title,
        "/Author": imprint.authors,
        "/Subject": imprint.subject,
        "/Keywords": f"version {imprint.version} {imprint.revision}".strip(),
        "/Creator": "make pdf",
        "/Producer": "Chromium, pypdf",
        "/CreationDate": day,
        "/ModDate": day,
    }
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
