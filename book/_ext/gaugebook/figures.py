"""A figure in four looks: wide and narrow, light and dark, drawn as lines and not as dots.

The kernels of the build draw them (`looks`), beside the PNG that a notebook stores. A
page shows the one that fits its width and its theme and fetches no other, and that only when it
comes near the view. Where no notebook is executed, the stored PNG is all there is.
"""

import hashlib
import os
import re
import shutil
import tempfile
from html import escape
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from myst_nb.core.render import NbElementRenderer
from sphinx.util.images import get_image_size

LOOKS = Path(__file__).with_name("looks.py")
START = '__import__("runpy").run_path({path!r})["offer"]()\n'  # leaves no name behind
# A kernel warns that others on this machine might listen: to a build that would only be alarming.
QUIET = 'get_config().IPKernelApp.log_level = "ERROR"\n'
NARROW = "screen and (max-width: 640px)"
VIEW = re.compile(r' viewBox="0 0 ([\d.]+) ([\d.]+)"')
THEMES = ("light", "dark")
LATER = 'loading="lazy" decoding="async"'


class looks(nodes.General, nodes.Element):
    """The images of one figure; each says in `look` which it is."""


def begin(app) -> None:
    """Put the drawing of looks among the start-up files of the kernels of this build."""
    app.gaugebook_ipython = tempfile.mkdtemp(prefix="gaugebook-"), os.environ.get("IPYTHONDIR")
    profile = Path(app.gaugebook_ipython[0], "profile_default")
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "looks.py").write_text(START.format(path=str(LOOKS)), "utf8")
    (profile / "ipython_kernel_config.py").write_text(QUIET, "utf8")
    os.environ["IPYTHONDIR"] = app.gaugebook_ipython[0]


def end(app, exception) -> None:
    """Leave the environment as it was."""
    folder, before = app.gaugebook_ipython
    shutil.rmtree(folder, ignore_errors=True)
    os.environ.pop("IPYTHONDIR")
    if before is not None:
        os.environ["IPYTHONDIR"] = before


def read_looks_from_outputs() -> None:
    """Let myst-nb take the looks out of an output's metadata, and show them in place of the PNG."""
    render = NbElementRenderer.render_image
    if getattr(render, "reads_looks", False):
        return

    def render_image(self, data):
        images = render(self, data)
        metadata = data.output_metadata.get(data.mime_type, {})
        drawn = metadata.pop("looks", None)
        if drawn is None:
            return images
        if not metadata:  # the executed notebook is saved as it would be without the looks
            del data.output_metadata[data.mime_type]
        views = (image_of(self, look, svg, images[0]) for look, svg in drawn.items())
        return [looks("", *views, png=images[0]["uri"], alt=images[0].get("alt", ""))]

    render_image.reads_looks = True  # type: ignore[attr-defined]
    NbElementRenderer.render_image = render_image


def image_of(renderer, look: str, svg: str, png: nodes.image) -> nodes.image:
    """One look as an image, stored under a name made of its content."""
    svg, size = in_pixels(svg)
    content = svg.encode("utf8")
    name = f"{hashlib.sha256(content).hexdigest()}.svg"
    uri = renderer.write_file([name], content, exists_ok=True)
    return nodes.image(uri=uri, alt=png.get("alt", ""), look=look, pixels=size)


def in_pixels(svg: str) -> tuple[str, tuple[int, int]]:
    """A drawing measured in whole CSS pixels, as the page's markup does, and not in points."""
    width, height = (float(part) for part in VIEW.search(svg).groups())
    size = round(width * 4 / 3), round(height * 4 / 3)
    head, rest = svg.split(">", 1)
    for side, length in zip(("width", "height"), size):
        head, changed = re.subn(rf' {side}="[^"]*"', f' {side}="{length}"', head)
        if changed != 1:
            raise ValueError(f"a drawing has no {side}: {head}")
    return f"{head}>{rest}", size


def visit_looks(translator, node: looks) -> None:
    """A picture for each theme; the theme's style sheet shows one of the two."""
    images = {image["look"]: image for image in node.children}
    for theme in THEMES:
        wide, narrow = images[theme], images[f"{theme} narrow"]
        translator.body.append(
            f'<picture><source media="{NARROW}" srcset="{address(translator, narrow)}"'
            f'{pixels(narrow["pixels"])}><img alt="{escape(wide["alt"])}" class="only-{theme}"'
            f' src="{address(translator, wide)}"{pixels(wide["pixels"])} {LATER}></picture>'
        )
    raise nodes.SkipNode


def visit_image(translator, node: nodes.image) -> None:
    """Any other image: it says how large it is, so that nothing moves when it comes."""
    path = Path(translator.builder.srcdir, node["uri"].lstrip("/"))
    known = get_image_size(path) if path.is_file() else None
    type(translator).visit_image(translator, node)  # docutils' own
    more = (pixels(known) if known else "") + ("" if depth(node) == 1 else f" {LATER}")
    translator.body[-1] = translator.body[-1].replace("<img", f"<img{more}", 1)


def depth(node: nodes.Node | None) -> int:
    """In how many sections a node stands: what is in the first alone may be seen at once."""
    return 0 if node is None else isinstance(node, nodes.section) + depth(node.parent)


def pixels(size: tuple[int, int]) -> str:
    """The attributes that keep room for an image."""
    return f' width="{size[0]}" height="{size[1]}"'


def address(translator, node: nodes.image) -> str:
    """Where the written page finds an image."""
    builder, uri = translator.builder, node["uri"]
    return f"{builder.imgpath}/{quote(builder.images[uri])}" if uri in builder.images else uri


def setup(app) -> None:
    """Kernels draw the looks, the reader of notebooks takes them, the pages show them."""
    read_looks_from_outputs()
    app.connect("builder-inited", begin)
    app.connect("build-finished", end)
    app.add_node(looks, html=(visit_looks, None))
    app.add_node(nodes.image, override=True, html=(visit_image, lambda translator, node: None))
