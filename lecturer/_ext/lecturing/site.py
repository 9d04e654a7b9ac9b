"""What the built book has, by its labels: statements, figures, equations, predictions, pages.

The lecturer's pages are made from the student's site as it was built: nothing is executed or
typeset a second time, and what a lecturer reads is what the students see.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import join, normpath

from bs4 import BeautifulSoup, Tag

# What belongs to a page of its own: links to a heading, what a reader presses, folded code.
BESIDE = "a.headerlink, button, .pst-js-only, .code-names, .in-code"


class KitError(ValueError):
    """What a lecturer's page asks for is not in the book; says what and where."""


@dataclass(frozen=True)
class Thing:
    """Something of the book that can be pointed at."""

    page: str  # book/symmetry
    anchor: str  # "" for the page itself
    words: str  # what a link to it says: "Theorem 3 (Only signs and path products)"

    @property
    def address(self) -> str:
        """From the site's root."""
        return f"{self.page}.html" + (f"#{self.anchor}" if self.anchor else "")


class Site:
    """A built site.

    Args:
        folder: of its pages; beside it lies `cells.json`, which the build wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "book").is_dir():
            raise KitError(f"no built book in {folder}: run make book first")
        self._pages: dict[str, str] = {}
        self._elements: dict[str, Tag] = {}
        self._things: dict[str, Thing] = {}

    @cached_property
    def pages(self) -> list[str]:
        """The pages of the book."""
        return sorted(f"book/{path.stem}" for path in (self.folder / "book").glob("*.html"))

    def html(self, page: str) -> str:
        """A page as it is."""
        if page not in self._pages:
            path = self.folder / f"{page}.html"
            if not path.exists():
                raise KitError(f"the book has no page {page}")
            self._pages[page] = path.read_text("utf8")
        return self._pages[page]

    @cached_property
    def _places(self) -> dict[str, str]:
        """Of each anchor its page."""
        found: dict[str, str] = {}
        for page in self.pages:
            for anchor in re.findall(r'\bid="([^"]+)"', self.html(page)):
                found.setdefault(anchor, page)
        return found

    def place(self, label: str) -> tuple[str, str]:
        """The page and the anchor that a label means: `thm-x`, `fig-x`, `symmetry`, `symmetry#x`.

        Raises:
            KitError: there is none.
        """
        page, _, anchor = label.partition("#")
        if f"book/{page}" in self.pages:
            if anchor and not re.search(rf'\bid="{re.escape(anchor)}"', self.html(f"book/{page}")):
                raise KitError(f"book/{page} has no place #{anchor}")
            return f"book/{page}", anchor
        for name in (label, f"equation-{label}"):
            if name in self._places:
                return self._places[name], name
        raise KitError(f"the book has nothing of the name {label!r}")

    def element(self, label: str) -> Tag:
        """The element of that name.

        Raises:
            KitError: there is none.
        """
        if label not in self._elements:
            page, anchor = self.place(label)
            self._elements[label] = parsed(cut(self.html(page), anchor))
        return self._elements[label]

    def thing(self, label: str) -> Thing:
        """What a label means, with the words that a link to it says."""
        if label not in self._things:
            self._things[label] = self._thing(label)
        return self._things[label]

    def _thing(self, label: str) -> Thing:
        page, anchor = self.place(label)
        if not anchor:
            return Thing(
                page, "", words_of(parsed(heading(self.html(page).partition("<article")[2])))
            )
        if anchor.startswith("equation-"):
            number = self.element(label).select_one(".eqno")
            return Thing(page, anchor, f"equation {words_of(number)}".rstrip())
        html = cut(self.html(page), anchor)
        if html.startswith("<section"):
            return Thing(page, anchor, words_of(parsed(heading(html))))
        return Thing(page, anchor, named(self.element(label)))

    def fragment(self, element: Tag, root: str, page: str) -> str:
        """HTML of an element for a page elsewhere: its links lead where they led.

        Args:
            element: which.
            root: from that other page to the site's root, such as `../../`.
            page: the page of the element.
        """
        copy = BeautifulSoup(str(element), "html.parser")
        for part in copy.select(BESIDE):
            part.decompose()
        for part in copy.find_all(id=True):
            del part["id"]
        for part in copy.find_all(["a", "img", "source"]):
            for name in ("href", "src", "srcset"):
                if part.has_attr(name):
                    part[name] = elsewhere(part[name], root, page)
        return str(copy)

    @cached_property
    def times(self) -> dict[str, list[dict]]:
        """Of each page how long its cells took, in this build of the book."""
        path = self.folder.with_name("cells.json")
        if not path.exists():
            raise KitError(f"{path.name} is not beside {self.folder}: run make book again")
        return json.loads(path.read_text("utf8"))


def cut(html: str, anchor: str) -> str:
    """The element of a page with that id, from its tag to the one that closes it.

    >>> cut('<p><div id="a"><div>x</div></div></p>', "a")
    '<div id="a"><div>x</div></div>'

    Raises:
        KitError: the page has none, or it is not closed.
    """
    begins = re.search(rf'<(\w+)\b[^>]*\bid="{re.escape(anchor)}"[^>]*>', html)
    if begins is None:
        raise KitError(f"no element of the page is named {anchor!r}")
    depth = 0
    for tag in re.compile(rf"<(/?){begins[1]}\b[^>]*>").finditer(html, begins.start()):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return html[begins.start() : tag.end()]
    raise KitError(f"the element {anchor!r} of the page does not end")


def heading(html: str) -> str:
    """The first heading of a page, or of a section of it.

    >>> heading("<section><h2>A title</h2><h3>Another</h3></section>")
    '<h2>A title</h2>'
    """
    found = re.search(r"<(h[1-6])\b.*?</\1>", html, re.DOTALL)
    if found is None:
        raise KitError("a page of the book has no heading")
    return found[0]


def parsed(html: str) -> Tag:
    """One element; whoever changes it copies it first."""
    return BeautifulSoup(html, "html.parser").find(True)


def elsewhere(href: str, root: str, page: str) -> str:
    """A relative address of a page, from another place.

    >>> elsewhere("pairing.html#thm-a", "../../", "book/symmetry")
    '../../book/pairing.html#thm-a'
    >>> elsewhere("#thm-b", "../", "book/symmetry")
    '../book/symmetry.html#thm-b'
    """
    if re.match(r"[a-z][a-z0-9+.-]*:|//", href):
        return href
    if href.startswith("#"):
        return f"{root}{page}.html{href}"
    path, mark, anchor = href.partition("#")
    return root + normpath(join(page, "..", path)) + mark + anchor


def named(element: Tag) -> str:
    """The number and the title of a statement, figure or section."""
    if "predict" in element.get("class", []):
        question = element.select_one("p:not(.admonition-title)")
        return f"prediction “{shortened(words_of(question))}”"
    caption = element.select_one(".caption-number")
    title = element.select_one(".admonition-title, figcaption, h2, h3")
    if element.name == "figure" and caption is not None:
        return words_of(caption).replace("(interactive)", "").strip()
    if title is not None:
        return words_of(title)
    return shortened(words_of(element))


def shortened(words: str, most: int = 60) -> str:
    """The beginning of a text, up to a word's end.

    >>> shortened("How do their losses compare?", 12)
    'How do…'
    """
    if len(words) <= most:
        return words
    return words[:most].rpartition(" ")[0] + "…"


def words_of(element: Tag | None) -> str:
    """The text of an element on one line; of a formula what a screen reader reads.

    >>> words_of(BeautifulSoup("<p>The  norm<a class='headerlink'>#</a></p>", "html.parser"))
    'The norm'
    """
    if element is None:
        return ""
    copy = BeautifulSoup(str(element), "html.parser")
    for part in copy.select("a.headerlink, [aria-hidden=true], annotation"):
        part.decompose()
    return " ".join(copy.get_text().split())
