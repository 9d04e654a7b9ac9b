"""Small repairs of the theme for screen readers and keyboards, each with its reason.

Those that are markup of the theme stand as templates in `templates/`.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes

# sphinx-proof and sphinx-exercise give these names to every proof and exercise: ids must be unique.
# A proof has no class of its own, and its first word no element: the style needs both.
PROOF = re.compile(r'<div class="proof admonition" id="proof">\s*<p>Proof\.')
ARGUMENT = '<div class="proof argument admonition">\n<p><em>Proof.</em>'
REPEATED = re.compile(r' id="(?:proof|proof-content|exercise-content|solution-content)"')

# myst-nb names what unfolds an output otherwise than its own words do.
UNFOLDING = re.compile(r'<summary aria-label="Toggle hidden content">')

TOGGLE = re.compile(
    r'(<a class="[^"]*" href="[^"]*">\s*([^<]*?)\s*</a>\s*<details[^>]*>)\s*<summary>'
)


def repair_page(app, pagename, templatename, context, doctree) -> None:
    """Repair what has already become HTML."""
    if "body" in context:
        body = PROOF.sub(ARGUMENT, context["body"])
        context["body"] = UNFOLDING.sub("<summary>", REPEATED.sub("", body))
    if "katex" in context.get("title", "") and doctree is not None:
        # A typeset title would reach <title> as MathML, TeX and symbols run together.
        context["title"] = app.env.titles[pagename].astext()


def name_toggles(app, pagename, templatename, context, doctree) -> None:
    """The arrows that unfold the contents have no words: each is named after its chapter."""
    written = context["generate_toctree_html"]

    def named(*arguments, **options):
        return TOGGLE.sub(
            r'\1<summary aria-label="Pages of \2">',
            str(written(*arguments, **options)),
        )

    context["generate_toctree_html"] = named


def visit_citation(translator, node: nodes.citation) -> None:
    """A bibliography entry as an item of its list: docutils' role for it is deprecated."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        translator.body.append('<div role="list" class="citation-list">\n')
    translator.body.append(translator.starttag(node, "div", CLASS="citation", role="listitem"))


def depart_citation(translator, node: nodes.citation) -> None:
    """Close the entry, and the list after its last one."""
    translator.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        translator.body.append("</div>\n")


DOOR = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0; url={first}">
</head>
<body><main><h1><a href="{first}">{title}</a></h1></main></body>
</html>
"""


def write_front_door(app, exception) -> None:
    """The site's own address leads to the first page: with a title, a language and a link."""
    if exception is None and app.builder.format == "html":
        door = DOOR.format(
            language=app.config.language,
            title=escape(app.config.html_title),
            first=app.builder.get_target_uri(app.config.root_doc),
        )
        Path(app.outdir, "index.html").write_text(door, "utf8")
        # Else GitHub Pages leaves out every folder that begins with an underscore.
        Path(app.outdir, ".nojekyll").touch()


def setup(app) -> None:
    """After the theme has filled the page's context."""
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.connect("html-page-context", repair_page, priority=900)
    app.connect("html-page-context", name_toggles, priority=900)
    app.connect("build-finished", write_front_door, priority=100)
