"""The first of each term on a page is a quiet link to the glossary, which shows its definition.

Terms and definitions stand in `book/glossary.md`, and in its front matter their other forms and
the pages to which an everyday word keeps. The links are made when a page is written. The
definitions lie in a script that `book/site/terms.js` loads when a reader moves.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

from .plain import ELLIPSIS
from .search import readable, tidy

PAGE = "book/glossary"
SCRIPT = "_static/glossary.js"
# What is not running prose, or leads elsewhere already.
OTHER = (
    nodes.title, nodes.rubric, nodes.reference, addnodes.pending_xref, nodes.literal,
    nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.caption, nodes.legend,
    nodes.table, nodes.citation, nodes.comment, addnodes.glossary,
)  # fmt: skip
# Choices are clicked on, answers are shut at first, a list of statements has links of its own.
APART = frozenset(("predict", "predicted", "statement-list"))


@dataclass(frozen=True)
class Term:
    """A word of the book."""

    name: str
    anchor: str
    definition: str  # plain text
    forms: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()  # names of the pages where it has this meaning; all if empty


def terms(document: nodes.document, matter: dict) -> list[Term]:
    """The terms of the glossary, with what its front matter says of them.

    Raises:
        ExtensionError: the front matter names what is no term, or a definition is no plain text.
    """
    said = {key: matter.get(key, {}) for key in ("forms", "only")}
    said = {key: json.loads(one) if isinstance(one, str) else one for key, one in said.items()}
    listed = {key: {n: c.split(", ") for n, c in one.items()} for key, one in said.items()}
    found = []
    for item in document.findall(nodes.definition_list_item):
        (term,), body = item.findall(nodes.term), item[-1]
        name, told = tidy(readable(term)), tidy(readable(body[0]))
        if ELLIPSIS in told:
            raise ExtensionError(f"the definition of {name} has a formula that no line can hold")
        forms, only = (listed[key].get(name, ()) for key in ("forms", "only"))
        found.append(Term(name, term["ids"][0], told, tuple(forms), frozenset(only)))
    if unknown := {*said["forms"], *said["only"]} - {term.name for term in found}:
        raise ExtensionError(f"no terms of the glossary: {sorted(unknown)}")
    return found


def finder(known: Iterable[Term]) -> tuple[re.Pattern, dict[str, Term]]:
    """What finds a term in a text, the longest first, and which term each form belongs to."""
    owner = {form.lower(): term for term in known for form in (term.name, *term.forms)}
    forms = sorted(owner, key=lambda form: (-len(form), form))
    words = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in forms)
    return re.compile(rf"(?<![\w-])(?:{words or '(?!)'})(?![\w-])", re.IGNORECASE), owner


def pieces(text: str, pattern: re.Pattern, owner: dict[str, Term], seen: set[str]) -> Iterator:
    """A text in strings, and in pairs of a string and the term of which it is the first."""
    end = 0
    for hit in pattern.finditer(text):
        term = owner[tidy(hit[0]).lower()]
        if term.name not in seen:
            seen.add(term.name)
            yield text[end : hit.start()]
            yield hit[0], term
            end = hit.end()
    yield text[end:]


def is_prose(text: nodes.Text) -> bool:
    """Whether it stands in a paragraph of the page, and in nothing that is left alone."""
    node, inside = text.parent, False
    while node is not None:
        if isinstance(node, OTHER) or not APART.isdisjoint(node.get("classes", ())):
            return False
        inside = inside or isinstance(node, nodes.paragraph)
        node = node.parent
    return inside


def link(document: nodes.document, known: Iterable[Term], address: str) -> None:
    """Make the links of a page; where it defines a term, in bold, nothing needs to be looked up."""
    pattern, owner = finder(known)
    seen: set[str] = set()
    for text in [*document.findall(nodes.Text)]:
        if not is_prose(text):
            continue
        parts = list(pieces(text.astext(), pattern, owner, seen))
        if len(parts) == 1 or isinstance(text.parent, nodes.strong):
            continue
        made: list[nodes.Node] = []
        for part in parts:
            if isinstance(part, str):
                made.append(nodes.Text(part))
            else:
                to = {"refuri": f"{address}#{part[1].anchor}", "internal": True}
                made.append(nodes.reference("", part[0], classes=["term"], **to))
        text.parent.replace(text, made)


class Terms(SphinxPostTransform):
    """After the references of a page are resolved."""

    default_priority = 700
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Link the terms of every page but the glossary itself."""
        name = self.env.docname
        if PAGE not in self.env.found_docs or name == PAGE:
            return
        known = [t for t in known_to(self.app) if not t.only or name.rpartition("/")[2] in t.only]
        link(self.document, known, self.app.builder.get_relative_uri(name, PAGE))


def known_to(app) -> list[Term]:
    """Those of this book, read once for each build."""
    if app.gaugebook_terms is None:
        app.gaugebook_terms = terms(app.env.get_doctree(PAGE), app.env.metadata[PAGE])
    return app.gaugebook_terms


def write_definitions(app, exception) -> None:
    """The script that holds them, by the anchors of their terms."""
    if exception is None and app.builder.format == "html" and PAGE in app.env.found_docs:
        told = {term.anchor: term.definition for term in known_to(app)}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        Path(app.outdir, SCRIPT).write_text(f"window.bookGlossary={text};\n", "utf8")


def setup(app) -> None:
    """When a page is written, and when all are."""
    app.gaugebook_terms = None
    app.add_post_transform(Terms)
    app.connect("build-finished", write_definitions)
