"""What no page uses is not shipped: style rules, icon glyphs, scripts, pages of earlier builds.

The theme brings Font Awesome twice, as a script of 1.5 MB and as fonts of 0.3 MB; the script is
left out by `templates/static/webpack-macros.html`, and the fonts are cut here to the glyphs in use.
"""

import re
from pathlib import Path

from fontTools import subset

from .purge import Vocabulary, purge

TEMPLATES = Path(__file__).parent / "templates"
ICON = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
UNUSED = (
    "scripts/fontawesome.js",
    "webpack-macros.html",
    "sbt-webpack-macros.html",
)


def remember(app, pagename, templatename, context, doctree) -> None:
    """Note the pages that this build writes."""
    app.gaugebook_written.add(pagename)


def sweep(app, exception) -> None:
    """Remove what an earlier build left: it would be published with the rest.

    Pages, their sources, and pictures: of a page that is gone, or of a solution that is now hidden.
    """
    if exception is not None or app.builder.format != "html":
        return
    site, known = Path(app.outdir), app.gaugebook_written | app.env.found_docs | {"index"}
    for path in [*site.rglob("*.html"), *(p for p in site.glob("_sources/**/*") if p.is_file())]:
        page = path.relative_to(site).as_posix().removeprefix("_sources/")
        if page.rsplit(".", 1)[0] not in known and not page.startswith("_static/"):
            path.unlink()
    shown = {name for _, name in app.env.images.values()}
    for path in (site / app.builder.imagedir).glob("*"):
        if path.name not in shown:
            path.unlink()


def trim(app, exception) -> None:
    """Cut style sheets and icon fonts to what the written pages name."""
    if exception is not None or app.builder.format != "html":
        return
    site, static = Path(app.outdir), Path(app.outdir) / "_static"
    for path in [*static.rglob("*.map"), *(static / name for name in UNUSED)]:
        path.unlink(missing_ok=True)
    vocabulary = Vocabulary.of(texts(site, "*.html"), texts(static, "*.js"))
    points: set[int] = set()
    for sheet in static.rglob("*.css"):
        style = purge(sheet.read_text("utf8"), vocabulary)
        points.update(int(rule[2], 16) for rule in ICON.finditer(style))
        # An icon says nothing: its glyph is kept from screen readers.
        style = ICON.sub(r'\1{content:"\\\2";content:"\\\2" / ""}', style)
        sheet.write_text(style, "utf8")
    for font in (static / "vendor/fontawesome/webfonts").iterdir():
        if font.suffix == ".woff2":
            cut_font(font, points)
        else:
            font.unlink()


def texts(folder: Path, pattern: str) -> list[str]:
    """The contents of the files of a kind."""
    return [path.read_text("utf8") for path in sorted(folder.rglob(pattern))]


def cut_font(path: Path, points: set[int]) -> None:
    """Keep only these glyphs of a woff2 font."""
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=False)
    font = subset.load_font(str(path), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=points & set(font.getBestCmap()))
    subsetter.subset(font)
    subset.save_font(font, str(path), options)


def setup(app) -> None:
    """The templates come first, so that they win over the theme's."""
    app.gaugebook_written = set()
    app.connect("html-page-context", remember)
    app.connect("build-finished", sweep)
    app.connect(
        "config-inited",
        lambda app, config: config.templates_path.insert(0, str(TEMPLATES)),
    )
    app.connect("build-finished", trim, priority=900)  # the theme writes pygments.css late
