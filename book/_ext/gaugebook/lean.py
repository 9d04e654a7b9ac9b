"""What no page uses is not shipped: icon glyphs, the rules that name them, and theme scripts.

The theme brings Font Awesome twice, as a script of 1.5 MB and as fonts of 0.3 MB; the script is
left out by `templates/static/webpack-macros.html`, and the fonts are cut here to the glyphs in use.
"""

import re
from pathlib import Path

from fontTools import subset

TEMPLATES = Path(__file__).parent / "templates"
ICON = re.compile(r"\bfa-[a-z0-9-]+")
RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
UNUSED = ("scripts/fontawesome.js", "webpack-macros.html", "sbt-webpack-macros.html")


def remember(app, pagename, templatename, context, doctree) -> None:
    """Note the pages that this build writes."""
    app.gaugebook_written.add(pagename)


def sweep(app, exception) -> None:
    """Remove pages that an earlier build left: they would be published with the rest."""
    if exception is not None or app.builder.format != "html":
        return
    known = app.gaugebook_written | app.env.found_docs | {"index"}
    for path in Path(app.outdir).rglob("*.html"):
        page = path.relative_to(app.outdir).with_suffix("").as_posix()
        if page not in known and not page.startswith("_static/"):
            path.unlink()


def trim(app, exception) -> None:
    """Cut the icon fonts and their style sheet to what the written pages name."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    used = used_icons(Path(app.outdir))
    sheet = static / "styles/pydata-sphinx-theme.css"
    style, points = cut_rules(sheet.read_text("utf8"), used)
    sheet.write_text(re.sub(r"/\*# sourceMappingURL=\S+\*/", "", style), "utf8")
    for font in (static / "vendor/fontawesome/webfonts").iterdir():
        if font.suffix == ".woff2":
            cut_font(font, points)
        else:
            font.unlink()
    for path in [*static.rglob("*.map"), *(static / name for name in UNUSED)]:
        path.unlink(missing_ok=True)


def used_icons(site: Path) -> set[str]:
    """Class names of icons on any page, or put there by a script of the site."""
    found: set[str] = set()
    for path in [*site.rglob("*.html"), *(site / "_static").rglob("*.js")]:
        if path.name not in ("fontawesome.js",):
            found.update(ICON.findall(path.read_text("utf8")))
    return found


def cut_rules(style: str, used: set[str]) -> tuple[str, set[int]]:
    """The style sheet with only the rules of used icons, and their code points.

    The rules that stay tell screen readers that an icon says nothing (`/ ""`).
    """
    points: set[int] = set()

    def keep(rule: re.Match[str]) -> str:
        if used.isdisjoint(ICON.findall(rule[1])):
            return ""
        points.add(int(rule[2], 16))
        return rf'{rule[1]}{{content:"\{rule[2]}";content:"\{rule[2]}" / ""}}'

    return RULE.sub(keep, style), points


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
        "config-inited", lambda app, config: config.templates_path.insert(0, str(TEMPLATES))
    )
    app.connect("build-finished", trim)
