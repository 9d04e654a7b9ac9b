"""What no page uses is not shipped: style rules, glyphs, scripts, pages of earlier builds.

The theme brings Font Awesome twice, as a script of 1.5 MB and as fonts of 0.3 MB; the script is
left out by `templates/static/webpack-macros.html`, as is Bootstrap's, of which the book needs what
`book/site/menus.js` does. All fonts are cut here to the glyphs in use.
"""

import logging
import re
import shutil
from collections.abc import Iterable
from hashlib import sha256
from html import unescape
from pathlib import Path
from tempfile import NamedTemporaryFile

from fontTools import subset, version

from .glyphs import Letters, files
from .purge import Vocabulary, purge, without_unused

TEMPLATES = Path(__file__).parent / "templates"
LATIN = set(range(0x20, 0x7F))  # what a script may write, whatever the pages say
# Names, punctuation and space in code have the colour of all code, in both themes.
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
ICON = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
# From these a browser takes the heights to which it aligns the letters of a script. Without them it
# draws the others a little differently.
MEASURES = (
    set("THEZOCQSLU"),
    set("fijkdbhuvxwnmrzoescpqgy"),
    set("ΓΒΕΖΘΟΩΔΞΛΠΣΦΨΥ"),
    set("βθδζλξαειοπστωγημρφχψκν"),
)
# Scripts of every page, and what must stand on a page for them to have something to do.
NEEDED_FOR = {"design-tabs.js": "sd-tab-set", "predict.js": "predict-form"}
UNUSED = (
    "scripts/fontawesome.js",
    "scripts/bootstrap.js",
    "webpack-macros.html",
    "sbt-webpack-macros.html",
)


def remember(app, pagename, templatename, context, doctree) -> None:
    """Note the pages that this build writes."""
    app.gaugebook_written.add(pagename)


def sweep(app, exception) -> None:
    """Remove what an earlier build left: it would be published with the rest.

    Pages, their sources, and pictures: of a page that is gone, or of a solution that is now hidden.
    And what was made of that build to take along (tools/take_along).
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
    shutil.rmtree(site / "take-along", ignore_errors=True)


def trim(app, exception) -> None:
    """Cut style sheets and icon fonts to what the written pages name."""
    if exception is not None or app.builder.format != "html" or app.config.gaugebook_draft:
        return
    site, static = Path(app.outdir), Path(app.outdir) / "_static"
    known = Path(app.srcdir) / ".cache" / "fonts"
    for path in [*static.rglob("*.map"), *(static / name for name in UNUSED)]:
        path.unlink(missing_ok=True)
    pages = texts(site, "*.html")
    parts = texts(static / "widgets", "*.js")  # their classes are their own
    scripts = [text for text in texts(static, "*.js") if text not in parts]
    vocabulary = Vocabulary.of(pages, scripts)
    points: set[int] = set()
    styles = {
        sheet: purge(sheet.read_text("utf8"), vocabulary) for sheet in sorted(static.rglob("*.css"))
    }
    for sheet, style in without_unused(styles, [*pages, *scripts, *parts]).items():
        points.update(int(rule[2], 16) for rule in ICON.finditer(style))
        # An icon says nothing: its glyph is kept from screen readers.
        style = ICON.sub(r'\1{content:"\\\2";content:"\\\2" / ""}', style)
        sheet.write_text(style, "utf8")
    for font in (static / "vendor/fontawesome/webfonts").iterdir():
        if font.suffix == ".woff2":
            cut_font(font, points, known)
        else:
            font.unlink()
    points = set(map(ord, set().union(*map(unescape, pages)))) | LATIN
    for font in static.glob("fonts/*.woff2"):
        cut_font(font, points, known)
    cut_formulas(static / "katex", app.gaugebook_katex.formulas(), known)


def cut_formulas(folder: Path, formulas: Iterable[str], known: Path) -> None:
    """Keep of each font of the formulas the letters that some formula sets in it."""
    sheet = (folder / "katex.min.css").read_text("utf8")
    letters = Letters(sheet)
    for formula in formulas:
        letters.feed(formula)
    for name, face in files(sheet).items():
        if used := letters.by_face[face]:
            kept = used.union(*(measure for measure in MEASURES if used & measure))
            cut_font(folder / "fonts" / name, set(map(ord, kept)), known)


def drop_scripts(app, pagename, templatename, context, doctree) -> None:
    """Leave out of a page the scripts that would find nothing on it."""
    body = context.get("body", "")
    for script in list(context.get("script_files", [])):
        name = str(getattr(script, "filename", "")).rpartition("/")[2]
        if name in NEEDED_FOR and NEEDED_FOR[name] not in body:
            context["script_files"].remove(script)


def drop_plain(app, pagename, templatename, context, doctree) -> None:
    """Leave out the elements that tell code from code of the same colour."""
    if "body" in context:
        context["body"] = PLAIN.sub(r"\1", context["body"])


def texts(folder: Path, pattern: str) -> list[str]:
    """The contents of the files of a kind."""
    return [path.read_text("utf8") for path in sorted(folder.rglob(pattern))]


def cut_font(path: Path, points: set[int], known: Path) -> None:
    """Keep only these glyphs of a woff2 font; what was cut before lies in the folder `known`.

    It is known by all that it depends on: the font, the glyphs, who cuts it and how.
    """
    how = f"{sorted(points)} {version} {Path(__file__).read_text('utf8')}"
    cut = known / f"{sha256(path.read_bytes() + how.encode()).hexdigest()}.woff2"
    if not cut.exists():
        known.mkdir(parents=True, exist_ok=True)
        options = subset.Options(flavor="woff2")
        with subset.load_font(str(path), options) as font:
            subsetter = subset.Subsetter(options)
            subsetter.populate(unicodes=points & set(font.getBestCmap()))
            subsetter.subset(font)
            with NamedTemporaryFile(dir=known, delete=False) as whole:  # others may read there
                subset.save_font(font, whole, options)
        Path(whole.name).replace(cut)
    path.write_bytes(cut.read_bytes())


def setup(app) -> None:
    """The templates come first, so that they win over the theme's."""
    # A package of code styles lets every logger write: of cutting fonts, five hundred lines.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    app.gaugebook_written = set()
    app.connect("html-page-context", remember)
    app.connect("html-page-context", drop_scripts, priority=900)
    app.connect("html-page-context", drop_plain, priority=900)
    app.connect("build-finished", sweep)
    app.connect(
        "config-inited",
        lambda app, config: config.templates_path.insert(0, str(TEMPLATES)),
    )
    app.connect("build-finished", trim, priority=900)  # the theme writes pygments.css late
