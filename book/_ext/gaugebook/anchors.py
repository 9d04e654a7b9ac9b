"""What can be pointed at: statements and exercises link to themselves, widgets have numbers.

A widget with a caption is a figure like others, counted with them, and says that it is interactive.
The number, the caption and the anchor of a widget stand in its cell's metadata, as those of a
picture: `"mystnb": {"figure": {"name": ..., "caption": ...}}`.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from .widgets import VIEW, is_bundle

STATEMENT = re.compile(
    r'(<div class="(?:proof \w+|exercise) admonition" id="(?P<id>[^"]+)">\s*'
    r'<p class="admonition-title"><span class="caption-number">(?P<number>[^<]*?) ?</span>.*?)</p>',
    re.DOTALL,
)
LINK = '<a class="headerlink" href="#{id}" title="Link to {number}">#</a>'
NUMBER = re.compile(
    r'(<figure class="[^"]*\binteractive\b(?:(?!</figure>).)*?'
    r'<span class="caption-number">[^<]*?) ?</span>',
    re.DOTALL,
)
NAMELESS = re.compile(r'(<a class="headerlink" href="[^"]*") title="([^"]*)">')


class Interactive(SphinxPostTransform):
    """Mark the figures that hold a view, before one representation of each output is kept."""

    default_priority = 2
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """A figure with a view in it gets a class."""
        for figure in self.document.findall(nodes.figure):
            views = (
                child["mime_type"] == VIEW
                for bundle in figure.findall(is_bundle)
                for child in bundle.children
            )
            if any(views):
                figure["classes"].append("interactive")


def linked(body: str) -> str:
    """A page's HTML with these links; a link's sign is read as what it leads to."""
    body = STATEMENT.sub(lambda found: f"{found[1]}{LINK.format(**found.groupdict())}</p>", body)
    body = NUMBER.sub(r"\1 (interactive) </span>", body)
    body = body.replace('title="Link to this image"', 'title="Link to this figure"')
    return NAMELESS.sub(r'\1 title="\2" aria-label="\2">', body)


def link(app, pagename, templatename, context, doctree) -> None:
    """When a page is written."""
    if "body" in context:
        context["body"] = linked(context["body"])


def setup(app) -> None:
    """Register the transform and the links."""
    app.add_post_transform(Interactive)
    app.connect("html-page-context", link)
