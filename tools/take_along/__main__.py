"""The command: `python -m tools.take_along pdf|zip|link`."""

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book" / "_ext"))

from . import imprint, linked, packed, site  # noqa: E402


def pdf(options, pages, said, where) -> str:
    """Print the book; says what is in it."""
    from tools.site_browser import sealed_chromium

    from . import bound, joined, looked_over, printing

    # Of a PDF by Chromium, whose table of objects is a little longer than it says, pypdf warns.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    book = joined.join(pages, said, where)
    with sealed_chromium() as browser:
        printed = printing.printed(book.html, options.site, browser)
    whole = bound.bound(printed, book.headings, said)
    found = looked_over.look_over(whole)
    path = write(options.to / f"{said.stem}.pdf", whole)
    return f"{path}: {found}, {book.widgets} stills, {book.solutions} solutions"


def zipped(options, pages, said, where) -> str:
    """Pack the site; says how much that is."""
    files = packed.contents(options.site, f"{pages[0].name}.html", where, said.stem)
    whole = packed.pack(files, said.stem, said.title, said.date, said.language)
    path = write(options.to / f"{said.stem}.zip", whole)
    return f"{path}: {len(files)} files, {len(whole) / 1e6:.1f} MB"


def link(options, pages, said, where) -> str:
    """Name both on the site's first page; says where they are."""
    linked.link(options.site, f"{pages[0].name}.html", said.stem, options.to)
    return f"{options.site / linked.FOLDER}: named on {pages[0].name}.html"


def write(path: Path, content: bytes) -> Path:
    """Write a file, into a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def main(arguments: list[str] | None = None) -> None:
    """Read the site, and do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("pdf", "zip", "link"))
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "take-along")
    parser.add_argument("--address", default="", help="of the site, if its pages do not say it")
    options = parser.parse_args(arguments)
    try:
        pages = site.read(options.site)
        where = site.address(pages) or (options.address and options.address.rstrip("/") + "/")
        do = {"pdf": pdf, "zip": zipped, "link": link}[options.what]
        print(do(options, pages, imprint.read(), where))
    except site.AmissError as amiss:
        sys.exit(f"take along: {amiss}")


if __name__ == "__main__":
    main()
