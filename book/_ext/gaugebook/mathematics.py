"""Formulas are typeset while the book is built: a page needs no script, a mistake fails the build.

KaTeX writes visual HTML together with MathML, which is what a screen reader reads.
Equation numbers and `{eq}` references stay Sphinx's own.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from .katex import Katex, TexError

STATIC = Path(__file__).parent / "vendor" / "katex" / "static"
LOGGER = logging.getLogger(__name__)
# What is printed already carries its number by Sphinx, so KaTeX must not add a second one.
NUMBERED = re.compile(r"\\(begin|end)\{(equation|align|alignat|gather)\}")

# What follows a formula without a space belongs to it: a comma, "-th", or "-norm" up to its hyphen.
CLOSING = re.compile(r"[^\s\u2013\u2014-]*(?:-\w{0,3}\b)?")
LAST_PIECE = re.compile(r'(.*)(<span class="katex-base">.*</span>)(</span></span>)', re.DOTALL)
GLUED = (
    '{head}{end}<span class="unbroken"><span class="katex"><span class="katex-html"'
    ' aria-hidden="true">{piece}{end}{after}</span>'
)


def start(app) -> None:
    """One typesetter and one list of mistakes per build."""
    app.gaugebook_katex = Katex(share=not getattr(app.config, "gaugebook_draft", False))
    app.gaugebook_mistakes = []


def typeset(translator, node: nodes.Element, tex: str, *, display: bool) -> str:
    """HTML of `tex`; a mistake is noted with its place, so that one build reports them all."""
    app = translator.builder.app
    try:
        return app.gaugebook_katex.render(tex, display=display)
    except TexError as problem:
        LOGGER.error("%s in the formula: %s", problem, tex.strip(), location=node)
        app.gaugebook_mistakes.append(tex)
        return translator.encode(tex)


def visit_inline(translator, node: nodes.math) -> None:
    """A formula within a line."""
    body = typeset(translator, node, node.astext(), display=False)
    if "after" in node:
        body = glued(body, escape(node["after"], quote=False))
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate") + body)
    translator.body.append("</span>")
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    """A displayed formula with its number, if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate"))
    body = typeset(translator, node, display_source(node), display=True)
    translator.body.append(f'<div class="formula">{body}</div>')
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        if node["ids"]:
            translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def display_source(node: nodes.math_block) -> str:
    r"""TeX of a displayed formula, as Sphinx reads it: `\\` breaks, a blank line separates."""
    tex = node.astext()
    if node.get("nowrap"):
        return NUMBERED.sub(r"\\\1{\2*}", tex)
    parts = [part.strip() for part in tex.split("\n\n") if part.strip()]
    lines = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    if len(lines) == 1:
        return lines[0]
    return r"\begin{gathered}" + r"\\".join(lines) + r"\end{gathered}"


def glued(body: str, after: str) -> str:
    """KaTeX's HTML with what follows the formula, on the line of the formula's last piece.

    A formula may break between its pieces, and a browser takes their end for a place to break, too;
    so what may not be torn apart, the last piece and the comma, gets an element of its own.
    """
    found = LAST_PIECE.fullmatch(body)
    if found is None:  # a formula that was refused
        return body + after
    head, piece, end = found.groups()
    return GLUED.format(head=head, piece=piece, end=end, after=after)


class KeepPunctuation(SphinxPostTransform):
    """A line may end after an inline formula, but not between it and its comma or full stop."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Give the formula what follows it."""
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            place = parent.index(formula) + 1
            after = parent[place] if place < len(parent) else None
            closing = CLOSING.match(after.astext())[0] if isinstance(after, nodes.Text) else ""
            if closing:
                formula["after"] = closing
                parent[place] = nodes.Text(after.astext()[len(closing) :])


def add_style(app, pagename, templatename, context, doctree) -> None:
    """Only a page with formulas loads the style sheet, and thereby the fonts."""
    if doctree is not None and next(doctree.findall(is_formula), None) is not None:
        app.add_css_file("katex/katex.min.css")


def is_formula(node: nodes.Node) -> bool:
    """Whether KaTeX is asked for this node."""
    return isinstance(node, nodes.math | nodes.math_block)


def finish(app, exception) -> None:
    """Close the typesetter; any mistake fails the build, with or without -W."""
    app.gaugebook_katex.close()
    sheet = Path(app.outdir, "_static", "katex", "katex.min.css")
    if exception is None and sheet.exists():
        sheet.write_text(app.gaugebook_katex.sheet(), "utf8")
    if app.gaugebook_mistakes and exception is None:
        raise ExtensionError(f"{len(app.gaugebook_mistakes)} formulas could not be typeset")


def setup(app) -> None:
    """Register the renderer under the name that `html_math_renderer` asks for."""
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect(
        "config-inited",
        lambda app, config: config.html_static_path.append(str(STATIC)),
    )
    app.add_post_transform(KeepPunctuation)
    app.connect("builder-inited", start)
    app.connect("html-page-context", add_style)
    app.connect("build-finished", finish)
