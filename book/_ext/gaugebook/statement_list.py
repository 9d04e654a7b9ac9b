"""The list of statements: every theorem, lemma, proposition, corollary and definition of the book.

Nothing of it is written by hand. Number, title and place are those of the statement, its tests are
what the line `Checked by` below it names, and its functions are those whose docstrings name it.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from .checked import count, source_address
from .search import chapter_number, reading_order, tidy
from .statements import Statement, carriers, in_code, link

UNLABELLED = re.compile(r"[a-z]+-\d+")


class statement_list(nodes.General, nodes.Element):
    """Stands where the list will be; there is no list before all pages have been read."""


class Statements(SphinxDirective):
    """The list."""

    def run(self) -> list[nodes.Node]:
        """Its place."""
        self.env.metadata[self.env.docname]["statements"] = True
        return [statement_list()]


class FillList(SphinxPostTransform):
    """The list, a section for each chapter."""

    default_priority = 3
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """On the page that has it."""
        for node in list(self.document.findall(statement_list)):
            named = carriers(self.env)
            sections = [self.section(*chapter, named) for chapter in chapters(self.env)]
            node.replace_self(nodes.container("", *sections, classes=["statement-list"]))

    def section(self, anchor: str, title: str, pages: list[str], named) -> nodes.section:
        """The statements of a chapter."""
        items = [
            self.item(statement, named.get(statement.label, []))
            for page in pages
            for statement in self.env.gaugebook_statements.get(page, [])
        ]
        return nodes.section(
            "", nodes.title("", title), nodes.bullet_list("", *items), ids=[anchor]
        )

    def item(self, statement: Statement, names: list[str]) -> nodes.list_item:
        """A statement: what it is called, and where it lives."""
        page, label = self.env.docname, statement.label
        title = [part.deepcopy() for part in statement.title]
        first = nodes.paragraph(
            "",
            "",
            link(page, "prf", "ref", label, nodes.inline("", label)),
            nodes.Text(" "),
            *title,
        )
        if not UNLABELLED.fullmatch(label):
            first += [nodes.Text(" "), nodes.literal("", label, classes=["label"])]
        words = in_code(page, names) if names else []
        if statement.tests:
            words += [nodes.Text(" " * bool(words)), *self.tests(statement)]
        second = [nodes.paragraph("", "", *words, classes=["in-code"])] if words else []
        return nodes.list_item("", first, *second)

    def tests(self, statement: Statement) -> list[nodes.Node]:
        """How many, and in which files."""
        named = [*statement.tests, *statement.controls]
        files = list(dict.fromkeys(name.partition("::")[0] for name in named))
        source = source_address(self.app)
        told = (
            f"{count(len(statement.tests), 'test')}, {count(len(statement.controls), 'control')}: "
        )
        words: list[nodes.Node] = [nodes.Text(told)]
        for k, file in enumerate(files):
            shown = nodes.literal("", file)
            place = nodes.reference("", "", shown, refuri=f"{source}/{file}", internal=False)
            words += [nodes.Text(", " * (k > 0)), place if source else shown]
        return [*words, nodes.Text(".")]


def chapters(env) -> list[tuple[str, str, list[str]]]:
    """Of each chapter with statements: an anchor, its title and its pages, in reading order."""
    found: list[tuple[str, str, list[str]]] = []
    for page in env.toctree_includes.get(env.config.root_doc, []):
        pages = list(reading_order(env, page))
        if any(env.gaugebook_statements.get(one) for one in pages):
            number = chapter_number(env, page)
            title = f"{number}. " * bool(number) + tidy(env.titles[page].astext())
            found.append((f"statements-{len(found) + 1}", title, pages))
    return found


def list_chapters(app, env) -> list[str]:
    """The chapters stand among the contents of the page, as sections that were written would."""
    for page in [name for name, known in env.metadata.items() if "statements" in known]:
        entries = [
            nodes.list_item(
                "",
                addnodes.compact_paragraph(
                    "",
                    "",
                    nodes.reference("", title, internal=True, refuri=page, anchorname=f"#{anchor}"),
                ),
            )
            for anchor, title, _ in chapters(env)
        ]
        top = env.tocs[page][0]
        top[1:] = [nodes.bullet_list("", *entries)]
    return []


def setup(app) -> None:
    """When all pages have been read."""
    app.add_directive("statements", Statements)
    app.add_post_transform(FillList)
    app.connect("env-updated", list_chapters)
