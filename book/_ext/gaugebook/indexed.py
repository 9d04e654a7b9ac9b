"""The index of the book: its terms, which Sphinx enters from the glossary, and its statements.

The contents list it as the last page. A statement stands under its title, an article behind it;
what has no title is found by its number.
"""

import re

from docutils import nodes
from sphinx import addnodes

from .search import readable, tidy

ARTICLE = re.compile(r"(The|An?) (.*)")


def heading(title: str) -> str:
    """A title as an index has it."""
    found = ARTICLE.fullmatch(title)
    return f"{found[2][0].upper()}{found[2][1:]}, {found[1].lower()}" if found else title


def entries(document: nodes.document) -> list[tuple]:
    """The entries of a page, as the index domain of Sphinx keeps them."""
    found = []
    for node in document.findall(lambda one: isinstance(one, nodes.Element) and "realtype" in one):
        named = [tidy(readable(part)) for part in node.children if isinstance(part, nodes.title)]
        title = re.sub(r"^\((.*)\)$", r"\1", named[0]) if named else ""
        if title and node.get("ids"):
            found.append(("single", heading(title), node["ids"][0], "", None))
    return found


def enter(app, document) -> None:
    """When a page has been read, after the domain has taken the entries of its own."""
    domain = app.env.get_domain("index")
    domain.entries.setdefault(app.env.docname, []).extend(entries(document))


def list_the_index(app, document) -> None:
    """Put it last in the contents, for `_toc.yml` knows only files and addresses."""
    if app.env.docname == app.config.root_doc:
        *_, last = [None, *document.findall(addnodes.toctree)]
        if last is not None:
            last["entries"].append(("Index", "genindex"))


def setup(app) -> None:
    """When a page has been read; the contents have just been put in (priority 100)."""
    app.connect("doctree-read", list_the_index, priority=200)
    app.connect("doctree-read", enter)
