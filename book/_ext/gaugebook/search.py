"""The search knows sections, statements, exercises and figures by what a reader reads of them.

Sphinx's own index is of pages: it counts the words of code and of TeX, and leads to the top. Here
an entry is a place that a link can lead to. Its text is prose: without cells, outputs, displayed
formulas and what a reader has to open first (solutions, answers to predictions, hints, the names of
tests). The file `searchindex.js` is loaded by the page of results alone, and `book/site/search.js`
reads it there, from a disk too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx_exercise.nodes import is_exercise_node, is_solution_node

from .packed import packed
from .plain import ELLIPSIS, plain
from .predictions import END

INDEX = "searchindex.js"
UNUSED = ("searchtools.js", "language_data.js")
# Answers to predictions; under a statement, the functions that carry it; the list of statements.
FOLDED = frozenset((END, "in-code", "statement-list"))
AUTHORS = re.compile(r"(?<=\w\w)\. ")  # their end: a full stop, but not that of an initial
SILENT = (
    nodes.literal_block,
    nodes.doctest_block,
    nodes.math_block,
    nodes.raw,
    nodes.comment,
    nodes.image,
    nodes.substitution_definition,
    nodes.label,
    addnodes.desc_signature,
)


@dataclass
class Place:
    """What one result shows, before it is written down."""

    kind: str  # page, section, statement, term, function, exercise, figure or work
    anchor: str
    title: str
    within: str  # title of the section around it; "" at the top of a page
    words: list[str] = field(default_factory=list)

    def as_list(self) -> list[str]:
        """As the index has it."""
        text = "\n".join(filter(None, map(tidy, self.words)))
        return [self.kind, self.anchor, self.title, self.within, text]


def tidy(text: str) -> str:
    """One space between words."""
    return " ".join(text.split())


def readable(node: nodes.Node) -> str:
    """The text of a title or a paragraph, its formulas as plain text."""
    if isinstance(node, nodes.math):
        return plain(node.astext()) + node.get("after", "")
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, SILENT):
        return ""
    return "".join(map(readable, node.children))


def is_folded(node: nodes.Node) -> bool:
    """What a reader has to open first: it would be spoilt by an excerpt."""
    if is_solution_node(node) or node.get("design_component") == "dropdown":
        return True
    if not FOLDED.isdisjoint(node.get("classes", ())):
        return True
    return isinstance(node, nodes.paragraph) and node.astext().startswith("Checked by tests/")


def is_entry(node: nodes.Node) -> bool:
    """Whether it is a term of the glossary."""
    return isinstance(node, nodes.term) and bool(node["ids"])


def places(document: nodes.document, numbers: dict[str, dict[str, tuple]]) -> list[Place]:
    """Every place of a page, in its order.

    Args:
        document: the page, with its references resolved.
        numbers: of its statements, exercises and figures, by type and id.
    """
    found: list[Place] = []
    top = next(iter(document.findall(nodes.section)), None)
    if top is not None:
        gather(top, None, found, numbers)
    return [place for place in found if place.title]


def gather(node: nodes.Element, here: Place | None, found: list[Place], numbers) -> None:
    """Give what stands under a node to the place it belongs to."""
    place = opened(node, here, numbers)
    if place is not None:
        found.append(place)
        here = place
    for child in node.children:
        if isinstance(child, nodes.math_block) and here is not None:
            here.words.append(ELLIPSIS)
        if isinstance(child, (*SILENT, nodes.thead)) or is_folded(child):
            continue
        if isinstance(child, nodes.TextElement | nodes.row):
            if here is not None and not isinstance(child, nodes.title) and not is_entry(child):
                here.words.append(line_of(child))
        else:
            gather(child, here, found, numbers)


def line_of(block: nodes.Element) -> str:
    """The text of a paragraph, or of a row of a table."""
    if isinstance(block, nodes.row):
        return " · ".join(filter(None, (tidy(readable(cell)) for cell in block.children)))
    return readable(block)


def opened(node: nodes.Element, here: Place | None, numbers) -> Place | None:
    """The place that a node opens, if it opens one."""
    anchor = (node.get("ids") or [""])[0]
    if isinstance(node, nodes.section) and not anchor.endswith("-content"):
        title = tidy(readable(node[0]))
        return Place("section" if here else "page", anchor if here else "", title, section_of(here))
    if isinstance(node, addnodes.desc):
        name = (node[0]["ids"] or [""])[0]
        return Place("function", name, name.removeprefix("gaugelib."), section_of(here))
    if isinstance(node, nodes.citation):
        authors = AUTHORS.split(tidy(readable(node.children[-1])))[0]
        return Place("work", anchor, authors, section_of(here))
    if isinstance(node, nodes.definition_list_item) and is_entry(node[0]):
        return Place("term", node[0]["ids"][0], tidy(readable(node[0])), section_of(here))
    number = next((".".join(map(str, of[anchor])) for of in numbers.values() if anchor in of), "")
    if not number:
        return None
    if is_exercise_node(node):
        return exercise(f"Exercise {number}", anchor, here)
    if isinstance(node, nodes.figure):
        return Place("figure", anchor, f"Figure {number}", section_of(here))
    if "realtype" in node:
        own = "".join(readable(part) for part in node.children if isinstance(part, nodes.title))
        title = tidy(f"{node['realtype'].capitalize()} {number} {own}")
        return Place("statement", anchor, title, section_of(here))
    return None


def exercise(name: str, anchor: str, here: Place | None) -> Place | None:
    """An exercise; where it alone fills its section, the section is the exercise."""
    if here is None or here.kind != "section" or here.words:
        return Place("exercise", anchor, name, section_of(here))
    here.kind, here.title = "exercise", f"{name}: {here.title}"
    return None


def section_of(here: Place | None) -> str:
    """The section in which a place lies, itself if it is one."""
    if here is None:
        return ""
    return here.title if here.kind == "section" else here.within


def remember(app, pagename, templatename, context, doctree) -> None:
    """When a page is written: its places."""
    if doctree is not None and pagename in app.env.found_docs:
        numbers = app.env.toc_fignumbers.get(pagename, {})
        app.gaugebook_places[pagename] = places(doctree, numbers)


def titles(env, name: str) -> Iterator[str]:
    """Of the page and, before it, of the chapter that it is listed under."""
    for chapter, pages in env.toctree_includes.items():
        if name in pages and chapter != env.config.root_doc:
            yield from titles(env, chapter)
    yield tidy(readable(env.titles[name]))


def chapter_number(env, name: str) -> str:
    """Of the chapter that a page belongs to; "" for what has no number, such as an appendix."""
    return ".".join(map(str, env.toc_secnumbers.get(name, {}).get("", ())[:1]))


def index(app) -> list[list]:
    """The whole index: of each page its address, its chapter's number, its titles, its places."""
    for name in app.env.found_docs - app.gaugebook_places.keys():  # this build did not write them
        remember(app, name, "", {}, app.env.get_and_resolve_doctree(name, app.builder))
    return [
        [
            app.builder.get_target_uri(name),
            chapter_number(app.env, name),
            list(titles(app.env, name)),
            [place.as_list() for place in app.gaugebook_places[name]],
        ]
        for name in reading_order(app.env, app.config.root_doc)
    ]


def reading_order(env, name: str) -> Iterator[str]:
    """The pages as the contents list them."""
    yield name
    for child in env.toctree_includes.get(name, []):
        yield from reading_order(env, child)


def write_index(app, exception) -> None:
    """After the pages; the parts of Sphinx's own search go."""
    if exception is None and app.builder.format == "html" and not app.config.gaugebook_draft:
        Path(app.outdir, INDEX).write_text(packed(index(app)), "utf8")
        for name in UNUSED:
            Path(app.outdir, "_static", name).unlink(missing_ok=True)


def start(app) -> None:
    """Sphinx makes no index of its own; its page of results is written all the same."""
    app.gaugebook_places = {}
    if app.builder.format == "html":
        app.builder.search = False


def setup(app) -> None:
    """Before the builder is prepared, with each page, and at the end."""
    app.connect("builder-inited", start)
    app.connect("html-page-context", remember)
    app.connect("html-collect-pages", lambda app: [("search", {}, "search.html")])
    app.connect("build-finished", write_index, priority=500)
