"""The pages of a built site, in the order in which a reader turns them, and the site's address."""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup, Tag

DOOR = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)\.html"')
NEXT = re.compile(r'<link rel="next"[^>]* href="([^"]+)\.html"')
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]+)"')
SHEET = re.compile(r'<link rel="stylesheet" href="([^":?]+)[^"]*"')
ARTICLE = re.compile(r'<article class="bd-article"[^>]*>.*?</article>', re.DOTALL)


class AmissError(ValueError):
    """Something of the site is not as the book on paper needs it; says what and where."""


@dataclass(frozen=True)
class Page:
    """One page of the site."""

    name: str  # without .html, from the site's root
    html: str

    def article(self) -> Tag:
        """Its text, parsed anew: whoever asks may change it.

        Raises:
            AmissError: the page has no article, or two.
        """
        found = ARTICLE.findall(self.html)
        if len(found) != 1:
            raise AmissError(f"{self.name}.html has {len(found)} articles, where one is meant")
        return BeautifulSoup(found[0], "html.parser").article

    def sheets(self) -> list[str]:
        """The style sheets that it names, from the site's root."""
        return [inside(self.name, href) for href in SHEET.findall(self.html)]


def inside(name: str, href: str) -> str:
    """Where a relative address on a page leads, from the site's root.

    >>> inside("book/symmetry", "../_images/a.png")
    '_images/a.png'
    """
    return normpath(join(dirname(name), href))


def read(site: Path) -> list[Page]:
    """The pages, from the one behind the front door to the last that a reader can turn to.

    The search page and the index have no place in that order, and none on paper.

    Raises:
        AmissError: there is no site, a page is missing, or the order runs in a circle.
    """
    door = site / "index.html"
    found = DOOR.search(door.read_text("utf8")) if door.exists() else None
    if found is None:
        raise AmissError(f"no built site in {site}: run make book first")
    pages: dict[str, Page] = {}
    name = unescape(found[1])
    while name:
        path = site / f"{name}.html"
        if name in pages or not path.exists():
            raise AmissError(f"{name}.html comes twice or is missing, after {list(pages)[-1:]}")
        pages[name] = page = Page(name, path.read_text("utf8"))
        after = NEXT.search(page.html)
        name = inside(name, unescape(after[1])) if after else ""
    return list(pages.values())


def address(pages: list[Page]) -> str:
    """Where the site is published, ending in a slash; "" if its pages do not say it.

    Raises:
        AmissError: the pages disagree.
    """
    said = set()
    for page in pages:
        if found := CANONICAL.search(page.html):
            whole, end = unescape(found[1]), f"{page.name}.html"
            if not whole.endswith(f"/{end}"):
                raise AmissError(f"{end} says that it lies at {whole}")
            said.add(whole.removesuffix(end))
    if len(said) > 1:
        raise AmissError(f"the pages name different addresses of the site: {sorted(said)}")
    return said.pop() if said else ""
