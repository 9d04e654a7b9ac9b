"""The site as a zip: unpacked on a stick, it opens by a double click and asks for no network.

The same site gives the same bytes: the files are sorted, and bear the time of the revision.
"""

import io
import sys
import zipfile
from datetime import datetime
from html import escape
from pathlib import Path

from .linked import FOLDER, named
from .site import AmissError

sys.path.append(str(Path(__file__).parents[2] / "book" / "_ext"))

from gaugebook.access import DOOR as PAGE

DOOR = "open-me.html"
INSIDE = "site"
MODE = 0o100644 << 16  # a file that its owner may write and everyone read


def contents(site: Path, first: str, address: str, stem: str) -> dict[str, bytes]:
    """What is in the zip: names and bytes.

    Args:
        site: the built site.
        first: its first page, which names what can be taken along.
        address: where the site is published, ending in a slash; "" if nowhere.
        stem: the name of the files to take along.

    Raises:
        AmissError: there is no such page.
    """
    files = {}
    for path in site.rglob("*"):
        name = path.relative_to(site).as_posix()
        if path.is_file() and not name.startswith(f"{FOLDER}/"):
            files[name] = path.read_bytes()
    if first not in files:
        raise AmissError(f"no {first} in {site}")
    # The zip holds neither itself nor the PDF: its first page leads to the published ones at most.
    files[first] = named(
        files[first].decode("utf8"), stem, f"{address}{FOLDER}/" if address else ""
    ).encode()
    return files


def pack(
    files: dict[str, bytes], stem: str, title: str, day: datetime, language: str = "en"
) -> bytes:
    """The zip: one folder, in it a page to open and the site."""
    door = PAGE.format(language=language, title=escape(title), first=f"{INSIDE}/index.html")
    whole = {f"{stem}/{DOOR}": door.encode()}
    whole |= {f"{stem}/{INSIDE}/{name}": body for name, body in files.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(whole):
            entry = zipfile.ZipInfo(name, day.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, MODE
            archive.writestr(entry, whole[name])
    return out.getvalue()
