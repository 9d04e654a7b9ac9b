"""Decks: each chapter's slides as one page, by the builder of sphinx-revealjs.

A heading begins a slide. The builder, reveal.js and its view for the speaker are the package's; the
page around the slides, their style and their keys are ours (`lecturer/deck`), because the package's
themes load a page's worth of fonts, and none of them is large or plain enough for the back row.
"""

import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_revealjs.writers import RevealjsSlideTranslator

from .core import site_of
from .slides import for_slides, notes, spoken

HERE = Path(__file__).parent
DECK = HERE.parents[1] / "deck"
# Of reveal.js: the rest is themes, plugins and maps that no deck names.
KEPT = ("LICENSE", "dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js")
SHARED = re.compile(r"\.katex \.(k\d+)\.\1\.\1\{[^}]*\}")
END = "</div></section>\n"
KEYS = '<p class="keys">→ forward · S notes · O overview · F full screen · D dark · C contrast</p>'


def settings() -> dict:
    """What differs from the configuration of the lecturer's pages."""
    from gaugebook.mathematics import STATIC

    return {
        "extensions": ["myst_parser", "sphinx_revealjs", "gaugebook.mathematics", "lecturing"],
        "include_patterns": ["slides/*.md"],
        "exclude_patterns": [],
        "lecturing_slides": True,
        "templates_path": [str(HERE / "templates")],
        "revealjs_html_theme": "revealjs-simple",
        "revealjs_static_path": [str(DECK), str(STATIC)],
    }


class DeckTranslator(RevealjsSlideTranslator):
    """One section for each slide, named by its heading; in it a box of the canvas's size."""

    def visit_section(self, node: nodes.section) -> None:
        """Begin a slide; the title slide ends where the next one begins."""
        self.section_level += 1
        if self.section_level > 2:
            raise ValueError(f"{node[0].astext()!r}: a deck has no deeper headings than ##")
        first = node.parent.first_child_matching_class(nodes.section)
        if self.section_level == 2 and node.parent[first] is node:
            self.body.append(KEYS + END)
        name = node["ids"][0]
        kind = "title" if self.section_level == 1 else "plain"
        self.body.append(
            f'<section id="{name}" aria-roledescription="slide" aria-labelledby="{name}-title">'
            f'<div class="slide {kind}">\n'
        )

    def depart_section(self, node: nodes.section) -> None:
        """End a slide."""
        self.section_level -= 1
        alone = node.first_child_matching_class(nodes.section) is None
        if self.section_level == 1 or alone:
            self.body.append(END)

    def visit_title(self, node: nodes.title) -> None:
        """The heading, which names its slide; elsewhere, and for the page's name, as ever."""
        if not isinstance(node.parent, nodes.section):
            super().visit_title(node)
            return
        self.body.append(f'<h{self.section_level} id="{node.parent["ids"][0]}-title">')
        self.context.append(f"</h{self.section_level}>\n")

    def depart_title(self, node: nodes.title) -> None:
        """Its end."""
        if not isinstance(node.parent, nodes.section):
            super().depart_title(node)
            return
        self.body.append(self.context.pop())


def visit_notes(translator, node: notes) -> None:
    """Notes are written apart, and formulas in them without what a style sheet must arrange."""
    for formula in node.findall(nodes.math):
        if "after" in formula:  # gaugebook.mathematics had glued it to the formula
            place = formula.parent.index(formula) + 1
            formula.parent.insert(place, nodes.Text(formula["after"]))
            del formula["after"]
    translator.context.append(translator.body)
    translator.body = []


def depart_notes(translator, node: notes) -> None:
    """Put them where they belong."""
    said = spoken("".join(translator.body))
    translator.body = translator.context.pop()
    translator.body.append(f'<aside class="notes">{said}</aside>\n')


class OnSlides(SphinxPostTransform):
    """What the directives took from the book's pages is made fit for slides."""

    default_priority = 800
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Change the markup, in decks alone."""
        if self.config.lecturing_slides:
            for part in self.document.findall(nodes.raw):
                part[:] = [nodes.Text(for_slides(part.astext()))]


def no_contents(app, doctree) -> None:
    """A deck stands by itself: no table of contents names it."""
    if app.config.lecturing_slides:
        app.env.metadata[app.env.docname]["orphan"] = True


def first_deck(app, config) -> None:
    """Sphinx wants a first page: it is the first deck."""
    if config.lecturing_slides:
        decks = sorted(Path(app.srcdir, "slides").glob("*.md"))
        config.root_doc = config.master_doc = f"slides/{decks[0].stem}" if decks else "slides"


def finish(app, exception) -> None:
    """Keep of reveal.js what decks load, and take from the book the styles of its formulas."""
    if exception is not None or not app.config.lecturing_slides:
        return
    static = Path(app.outdir, "slides", "_static")
    shutil.rmtree(static, ignore_errors=True)
    shutil.move(Path(app.outdir, "_static"), static)
    (static / "reveal").mkdir()
    for name in KEPT:
        shutil.copy(static / "revealjs" / name, static / "reveal")
    shutil.rmtree(static / "revealjs")
    with (static / "katex" / "katex.min.css").open("a", encoding="utf8") as sheet:
        for book in (site_of(app).folder / "_static" / "bundle").glob("*.css"):
            sheet.writelines(found[0] for found in SHARED.finditer(book.read_text("utf8")))


def setup(app) -> None:
    """Register what decks need, where the builder of slides is."""
    app.add_node(notes, html=(visit_notes, depart_notes))
    app.add_post_transform(OnSlides)
    app.connect("doctree-read", no_contents)
    app.connect("config-inited", first_deck)
    app.connect("build-finished", finish, priority=900)  # after the sheet was written
    app.set_translator("revealjs", DeckTranslator)
