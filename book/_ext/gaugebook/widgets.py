"""A live widget on the page has a still picture behind it, for a browser without scripts.

A widget's output carries two representations, the view and an `image/png`. myst-nb would keep the
view alone; here the picture, with its alternative text, follows it inside `<noscript>`.
The views themselves are mounted by `book/site/widgets.js`.
"""

from docutils import nodes
from myst_nb.core.render import NbElementRenderer
from sphinx.transforms.post_transforms import SphinxPostTransform

VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = "image/png"


class StillBehindView(SphinxPostTransform):
    """Runs just before myst-nb keeps one representation of each output (priority 4)."""

    default_priority = 3
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Move each picture into the view that it stands for."""
        for bundle in self.document.findall(is_bundle):
            by_type = {child["mime_type"]: child for child in bundle.children}
            if VIEW in by_type and PICTURE in by_type:
                by_type[VIEW].extend(
                    [
                        raw("<noscript>"),
                        *by_type[PICTURE].children,
                        raw("</noscript>"),
                    ]
                )
                bundle.remove(by_type[PICTURE])


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
