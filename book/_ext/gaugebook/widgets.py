"""The place of a live widget: its height is reserved, and a still picture stands behind it.

A widget's output carries two representations, the view and an `image/png`. myst-nb would keep the
view alone; here the picture, with its alternative text, follows it inside `<noscript>`: for a
browser without scripts, and for paper.
The views themselves are mounted by `book/site/widgets.js`, when they come near the window. Until
then their place is as high as they will be, so that nothing on the page moves: `heights.json` holds
what `tools/widget_heights.py` measured, at some widths of the place, and `book.css` chooses.
"""

import json
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import NbElementRenderer
from sphinx.transforms.post_transforms import SphinxPostTransform

VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = "image/png"
HEIGHTS = Path(__file__).with_name("heights.json")


class StillBehindView(SphinxPostTransform):
    """Runs just before myst-nb keeps one representation of each output (priority 4)."""

    default_priority = 3
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Move each picture into the view that it stands for, and make the view's place."""
        known = iter(json.loads(HEIGHTS.read_text("utf8")).get(self.env.docname, []))
        for bundle in list(self.document.findall(is_bundle)):
            by_type = {child["mime_type"]: child for child in bundle.children}
            if VIEW in by_type:
                by_type[VIEW].insert(0, raw(place(next(known, {}))))
            if VIEW in by_type and PICTURE in by_type:
                by_type[VIEW].extend(
                    [
                        raw("<noscript>"),
                        *by_type[PICTURE].children,
                        raw("</noscript>"),
                    ]
                )
                bundle.remove(by_type[PICTURE])


def place(heights: dict[str, int]) -> str:
    """Where a view is mounted: until then, as high as it will be at each width of the place.

    >>> place({"288": 1400, "328": 1380})  # doctest: +ELLIPSIS
    '<div class="widget-live pst-js-only"><div class="widget-room" style="--at-288:1400px;...
    """
    style = ";".join(f"--at-{width}:{height}px" for width, height in heights.items())
    room = f'<div class="widget-room" style="{style}"><div></div></div>'
    return f'<div class="widget-live pst-js-only">{room}</div>'


def is_bundle(node: nodes.Node) -> bool:
    """Whether the node holds the alternative representations of one output."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def raw(html: str) -> nodes.raw:
    """Markup that docutils has no node for."""
    return nodes.raw("", html, format="html")


def read_alt_from_outputs() -> None:
    """Let an output say its own alternative text: metadata `{"image/png": {"alt": ...}}`.

    myst-nb takes it from the cell only, where two pictures of one cell would have to share it.
    """
    render = NbElementRenderer.render_image
    if getattr(render, "reads_alt", False):
        return

    def render_image(self, data):
        images = render(self, data)
        alt = data.output_metadata.get(data.mime_type, {}).get("alt")
        if alt is not None:
            images[0]["alt"] = alt
        return images

    render_image.reads_alt = True  # type: ignore[attr-defined]
    NbElementRenderer.render_image = render_image


def setup(app) -> None:
    """Register the transform and the reading of alternative texts."""
    read_alt_from_outputs()
    app.add_post_transform(StillBehindView)
