"""The printed book gets its outline and its metadata, both of its revision and not of the day."""

import io
import re

from pypdf import PdfReader, PdfWriter
from pypdf.generic import Fit, NameObject, TextStringObject

from .imprint import Imprint
from .joined import Heading
from .printing import places

NODE = re.compile(rb"\((node\d{8})\)")


def steady(pdf: bytes) -> bytes:
    """A print whose names of table heads count from 0, and not from what Chromium did before.

    >>> steady(b"/ID (node00000233) /IDTree [(node00000233) (node00006797)]")
    b'/ID (node00000000) /IDTree [(node00000000) (node00000001)]'
    """
    found = sorted({match[1] for match in NODE.finditer(pdf)})
    rank = {name: b"(node%08d)" % k for k, name in enumerate(found)}
    return NODE.sub(lambda match: rank[match[1]], pdf)


def bound(pdf: bytes, headings: list[Heading], imprint: Imprint) -> bytes:
    """The PDF with an outline, a title, a language, dates and numbers of pages.

    The first page is page 1, on paper as in a reader's window: who is told "page 60" types it.

    Raises:
        AmissError: a heading is nowhere in the print.
    """
    reader = PdfReader(io.BytesIO(steady(pdf)))
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
