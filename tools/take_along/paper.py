"""A page's article as it stands on paper: nothing to press, nothing folded, every id its own.

The functions change the article that they are given, and nothing else.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from bs4 import BeautifulSoup, NavigableString, Tag

from gaugebook.plain import ELLIPSIS

from .site import AmissError, inside

REFERRING = ("aria-labelledby", "aria-describedby", "for", "headers")
# What only a screen has a use for.
GONE = (
    "script, button, input, form.answer, a.headerlink, div.toctree-wrapper, .pst-js-only, "
    ".visually-hidden, .sd-summary-state-marker"
)
# Lines to unfold by that say nothing of their own: what they unfold speaks for itself.
MUTE = "details.checked > summary, details.hide > summary"
FRONT = "To take along"  # of this sentence the reader of the book on paper has no need


def key(name: str, place: str = "") -> str:
    """The id in the book on paper of a place on a page.

    >>> key("book/symmetry", "thm-rescaling")
    'book-symmetry--thm-rescaling'
    """
    return name.replace("/", "-") + (f"--{place}" if place else "")


def strip(article: Tag) -> None:
    """Take away what only a screen has a use for."""
    for element in article.select(f"{GONE}, {MUTE}"):
        element.decompose()
    for paragraph in article.find_all("p"):
        if paragraph.get_text().startswith(FRONT):
            paragraph.decompose()


def unfold(article: Tag) -> None:
    """What a reader can open is open, and what opened it is its title."""
    for details in [article, *article.find_all("details")]:
        if details.name != "details":
            continue
        details.name = "div"
        details["class"] = [*details.get("class", []), "unfolded"]
    for summary in article.find_all("summary"):
        summary.name = "p"
        summary["class"] = [*summary.get("class", []), "unfolded-title"]


def ink(article: Tag, name: str) -> None:
    """Of each picture the one for white paper, at its own address, at once."""
    for picture in article.find_all("picture"):
        picture.replace_with(picture.find("img").extract())  # its sources are for narrow pages
    for dark in article.select("img.only-dark"):
        dark.decompose()
    for image in article.find_all("img"):
        image["class"] = [c for c in image.get("class", []) if not c.startswith("only-")]
        for attribute in ("loading", "decoding"):
            image.attrs.pop(attribute, None)
        if not image["src"].startswith("data:"):
            image["src"] = inside(name, image["src"])


def speak(article: Tag, formula: Callable[[str], str]) -> None:
    """A formula is a picture with a name: of what its letters mean, nothing else reaches a PDF.

    On the screen that is said in MathML, out of sight; what is out of sight is not printed.

    Args:
        article: the page.
        formula: gives a formula's TeX as a line of text, or an ellipsis.
    """
    for math in article.select(".math"):
        tex = math.select_one("annotation")
        if tex is None:
            continue
        line = formula(tex.get_text())
        math["role"], math["aria-label"] = "img", tex.get_text() if ELLIPSIS in line else line
        for hidden in math.select(".katex-mathml"):
            hidden.decompose()
        for shown in math.select(".katex-html"):
            shown.attrs.pop("aria-hidden", None)


def places(article: Tag, name: str) -> set[str]:
    """All ids on a page.

    Raises:
        AmissError: one stands there twice.
    """
    ids = Counter(element["id"] for element in article.find_all(id=True))
    if twice := [one for one, times in ids.items() if times > 1]:
        raise AmissError(f"{name}.html has these ids twice: {twice}")
    return set(ids)


def rename(article: Tag, name: str) -> None:
    """Every id, and what refers to one, bears the page's name."""
    for element in article.find_all(True):
        if "id" in element.attrs:
            element["id"] = key(name, element["id"])
        for attribute in REFERRING:
            if attribute in element.attrs:
                value = element[attribute]
                words = value if isinstance(value, list) else value.split()
                element[attribute] = " ".join(key(name, word) for word in words)


def lead(href: str, name: str, known: Mapping[str, set[str]], address: str) -> str:
    """Where a link of a page leads in the book on paper; "" if nowhere.

    Args:
        href: as it stands on the page.
        name: the page.
        known: the ids on each page of the book.
        address: of the site, ending in a slash, for what is not in the book; "" if unknown.

    Raises:
        AmissError: it leads to a place that is not there.
    """
    if ":" in href.split("/")[0].split("#")[0]:
        return href
    path, _, place = href.partition("#")
    target = inside(name, path) if path else f"{name}.html"
    page = target.removesuffix(".html")
    if page in known and target.endswith(".html"):
        if place and place not in known[page]:
            raise AmissError(f"{name}.html links to {href}, where nothing is")
        return f"#{key(page, place)}"
    return f"{address}{target}" + (f"#{place}" if place else "") if address else ""


def relink(article: Tag, name: str, known: Mapping[str, set[str]], address: str) -> None:
    """Links between pages become links within the book; those to nowhere become text."""
    for link in article.find_all("a"):
        to = lead(link.get("href", ""), name, known, address) if link.get("href") else ""
        if to:
            link["href"] = to
            for attribute in ("download", "title"):
                link.attrs.pop(attribute, None)
        else:
            link.name = "span"
            for attribute in ("href", "download"):
                link.attrs.pop(attribute, None)


def lower(article: Tag, by: int) -> None:
    """Headings stand as deep as the page does in the book."""
    for level in range(6, 0, -1):
        for heading in article.find_all(f"h{level}"):
            heading.name = f"h{min(level + by, 6)}"
            heading["class"] = [*heading.get("class", []), f"was-h{level}"]


def text(html: str) -> BeautifulSoup:
    """A piece of HTML to be put somewhere."""
    return BeautifulSoup(html, "html.parser")


def words(element: Tag) -> str:
    """A heading as a line of text, for the outline; it stays as it is."""
    copy = BeautifulSoup(str(element), "html.parser")
    for math in copy.select(".math"):
        after = "".join(
            str(node)
            for piece in math.select(".unbroken")
            for node in piece.children
            if isinstance(node, NavigableString)
        )
        math.replace_with(math.get("aria-label", math.get_text()) + after)
    return " ".join(copy.get_text().split())
