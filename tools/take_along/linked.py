"""The first page of the published site names what can be taken along; elsewhere nothing dangles.

The source of that page has one paragraph that begins with "To take along" and says which commands
make both. Where the files are there, this paragraph is another.
"""

import re
import shutil
from pathlib import Path

from .site import AmissError

FOLDER = "take-along"
PARAGRAPH = re.compile(r"<p(?: class=\"[^\"]*\")?>To take along\b.*?</p>", re.DOTALL)


def named(html: str, stem: str, folder: str, sizes: tuple[int, int] | None = None) -> str:
    """A page whose paragraph leads to both files; to none, if the folder is "".

    Args:
        html: the page.
        stem: the name of the files, without suffix.
        folder: where they are, as seen from the page, ending in a slash.
        sizes: their bytes, of the PDF and of the zip, if known.

    Raises:
        AmissError: the page has no such paragraph, or two.
    """
    found = PARAGRAPH.findall(html)
    if len(found) != 1:
        raise AmissError(
            f"the first page has {len(found)} paragraphs that begin with "
            '"To take along", where one is meant'
        )
    if not folder:
        return html if "<a " not in found[0] else html.replace(found[0], "")

    def leading(kind: str, words: str) -> str:
        return f'<a class="reference external" href="{folder}{stem}.{kind}">{words}</a>'

    big = [f" ({size / 1e6:.0f} MB)" for size in sizes] if sizes else ["", ""]
    said = (
        f"<p>To take along: {leading('pdf', 'the book as a PDF')}{big[0]}, "
        f"and {leading('zip', 'the site as a zip')}{big[1]}, which works from a stick, "
        "without a network.</p>"
    )
    return html.replace(found[0], said)


def link(site: Path, first: str, stem: str, made: Path) -> None:
    """Put both files into the site and name them on its first page.

    Raises:
        AmissError: a file is missing, or the page has no place for its name.
    """
    files = [made / f"{stem}.{kind}" for kind in ("pdf", "zip")]
    if missing := [str(path) for path in files if not path.exists()]:
        raise AmissError(f"there is no {' and no '.join(missing)}: run make pdf and make zip first")
    page = site / first
    up = "../" * first.count("/")
    sizes = tuple(path.stat().st_size for path in files)
    html = named(page.read_text("utf8"), stem, f"{up}{FOLDER}/", sizes)
    shutil.rmtree(site / FOLDER, ignore_errors=True)
    (site / FOLDER).mkdir()
    for path in files:
        shutil.copy(path, site / FOLDER)
    page.write_text(html, "utf8")
