"""What a page says of itself where it is linked to: title, first sentences, a picture, its address.

Search engines and those who show a link as a card read this, and nobody else: no page loads these
pictures. A card needs whole addresses; a book that knows none (`repository`) has sentences only.

The extension `sphinxext-opengraph` does as much, but takes TeX for sentences and a drawing (SVG,
which no card shows) for a picture.
"""

import re
import shutil
from html import escape
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes

from .figures import looks
from .plain import ELLIPSIS
from .search import is_folded, readable, tidy, titles

FOLDER = "_static/cards"
COVER = "book/images/one-function-two-networks.png"
COVERS = "One function, two networks: the arrows differ, the curves coincide."
ENOUGH, LONG = (
    110,
    300,
)  # letters of a description: it ends with the sentence that reaches the first
SENTENCE = re.compile(r"(?<=[.?!])\s+")
HIDDEN = ("tag_hide-output", "tag_remove-output")


def address_of(app, pagename: str) -> str:
    """Where a page is published; "" if nobody knows."""
    base = app.config.html_baseurl
    return urljoin(f"{base.rstrip('/')}/", app.builder.get_target_uri(pagename)) if base else ""


def title_of(app, pagename: str, context) -> str:
    """The title of a page as plain text; one that several pages have, with its chapter's before."""
    if pagename not in app.env.titles:
        return context.get("title", "")
    names = [node.astext() for node in app.env.titles.values()]
    own = list(titles(app.env, pagename))
    return ": ".join(own if names.count(app.env.titles[pagename].astext()) > 1 else own[-1:])


def description(document: nodes.document) -> str:
    """The first sentences of a page's own prose, its formulas as plain text."""
    told = ""
    for paragraph in document.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section) or is_folded(paragraph):
            continue
        for sentence in SENTENCE.split(tidy(readable(paragraph))):
            if len(told) >= ENOUGH or (told and len(told) + len(sentence) > LONG):
                return told
            if ELLIPSIS not in sentence:
                told = f"{told} {sentence}".strip()
    return told


def is_open(node: nodes.Node) -> bool:
    """Whether a reader sees it without opening anything."""
    while node.parent is not None:
        if is_folded(node) or any(name in node.get("classes", ()) for name in HIDDEN):
            return False
        node = node.parent
    return True


def picture(document: nodes.document) -> tuple[str, str]:
    """The first figure of a page that is dots and not lines, and its words; else the book's.

    The page is not written yet: then its images have other addresses.
    """
    for node in document.findall(lambda one: isinstance(one, looks | nodes.image)):
        path = node.get("png") or node.get("uri", "")
        if path.endswith(".png") and is_open(node):
            return path.lstrip("/"), node.get("alt", "")
    return COVER, COVERS


def remember_picture(app, document, pagename) -> None:
    """Before a page is written."""
    app.gaugebook_pictures[pagename] = picture(document)


def describe(app, pagename, templatename, context, doctree) -> None:
    """Say it in the head of a page."""
    book, title = app.config.html_title, title_of(app, pagename, context)
    if pagename == app.config.root_doc or not title:
        title = book
    told = (description(doctree) if doctree is not None else "") or f"{title} – {book}"
    said = {"og:title": title, "og:site_name": book, "og:type": "article", "og:description": told}
    if address := address_of(app, pagename):
        path, words = app.gaugebook_pictures.get(pagename, (COVER, COVERS))
        card = "cover" if path == COVER else pagename.rpartition("/")[2]
        app.gaugebook_cards[card] = Path(app.srcdir, path)
        said |= {
            "og:url": address,
            "og:image": urljoin(app.config.html_baseurl, f"{FOLDER}/{card}.png"),
            "og:image:alt": words,
            "twitter:card": "summary_large_image",
        }
    tags = [f'<meta name="description" content="{escape(told)}" />']
    tags += [f'<meta property="{k}" content="{escape(tidy(v))}" />' for k, v in said.items()]
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def copy_pictures(app, exception) -> None:
    """Put the pictures where the pages say that they are."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir, FOLDER)
        for card, path in app.gaugebook_cards.items():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / f"{card}.png")


def setup(app) -> None:
    """When a page is written, and when all are."""
    app.gaugebook_pictures, app.gaugebook_cards = {}, {}
    app.connect("doctree-resolved", remember_picture)
    app.connect("html-page-context", describe, priority=600)
    app.connect("build-finished", copy_pictures)
