"""One style sheet and one script for all pages, instead of a dozen of each.

Runs after `lean` has cut the style sheets. What the parts say stays as it is, in the order in which
the pages name them; only relative addresses are rewritten, for the bundle lies elsewhere.
"""

import re
import shutil
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from rjsmin import jsmin
from sphinx.errors import ExtensionError

FOLDER = "_static/bundle"
SHEET = re.compile(r'<link\b(?=[^>]*\brel="stylesheet")[^>]*\bhref="([^":?]*)[^"]*"[^>]*>\s*')
SCRIPT = re.compile(r'<script\b[^>]*\bsrc="([^":?]*)[^"]*"[^>]*></script>\s*')
IMPORT = re.compile(r'@import\s*(?:url\()?["\']?([^"\');]+)["\']?\)?\s*;')
ADDRESS = re.compile(r"url\(\s*([\"']?)(?!data:|#|[a-z]+://)([^\"')]+)\1\s*\)")
# After every change of the page the theme measures all code on it, so that the keyboard reaches
# what is wide; reach.js does so when something has become wide.
MEASURING = '"complete"===document.readyState?O():window.addEventListener("load",O)'
# Scripts of every page that wait until the page is read, in the order of the pages.
SCRIPTS = (
    "_static/doctools.js",
    "_static/sphinx_highlight.js",
    "_static/clipboard.min.js",
    "_static/copybutton.js",
    "_static/scripts/sphinx-book-theme.js",
    "_static/reach.js",
    "_static/terms.js",
    "_static/menus.js",
    "_static/scripts/pydata-sphinx-theme.js",
)


def relocated(style: str, path: str, folder: str = FOLDER) -> str:
    """A style sheet of the site as it must read in another folder.

    >>> relocated("a{b:url(../c.png)}", "_static/styles/x.css", "_static/bundle")
    'a{b:url(../c.png)}'
    >>> relocated('a{b:url("d/c.png?v=1")}', "_static/x.css", "_static/bundle")
    'a{b:url("../d/c.png?v=1")}'
    """
    return ADDRESS.sub(
        lambda found: (
            f"url({found[1]}{relpath(normpath(join(dirname(path), found[2])), folder)}{found[1]})"
        ),
        style,
    )


def whole(site: Path, path: str) -> str:
    """A style sheet for the bundle under its name, with those that it imports in their place."""
    style = f"/*! {path} */{relocated((site / path).read_text('utf8'), path)}\n"
    return IMPORT.sub(lambda found: whole(site, normpath(join(dirname(path), found[1]))), style)


def in_one_order(sequences: list[list[str]]) -> list[str]:
    """All names of the sequences, in an order that agrees with each of them.

    Raises:
        ExtensionError: there is none, so that a bundle would change which rule wins.
    """
    order = max(sequences, key=len, default=[])
    for sequence in sequences:
        places = [order.index(name) if name in order else -1 for name in sequence]
        if -1 in places or places != sorted(places):
            raise ExtensionError(f"style sheets in another order than {order}: {sequence}")
    return order


def named(tags: re.Pattern, html: str, page: str) -> list[str]:
    """The files of the site that a page names by these tags."""
    return [normpath(join(dirname(page), tag[1])) for tag in tags.finditer(html)]


def replaced(tags: re.Pattern, html: str, page: str, files: set[str], one: str) -> str:
    """A page with one tag in place of the first that names one of the files, and no other such."""
    found = [t for t in tags.finditer(html) if normpath(join(dirname(page), t[1])) in files]
    for tag in reversed(found):
        html = html[: tag.start()] + (one if tag is found[0] else "") + html[tag.end() :]
    return html


def write(site: Path, text: str, kind: str) -> str:
    """Write a bundle under a name that tells its content; returns the name."""
    name = f"{FOLDER}/book-{sha256(text.encode()).hexdigest()[:12]}.{kind}"
    (site / name).write_text(text, "utf8")
    return name


def bundle_all(app, exception) -> None:
    """Write both bundles, and name them in every page."""
    if exception is not None or app.builder.format != "html" or app.config.gaugebook_draft:
        return
    site = Path(app.outdir)
    shutil.rmtree(site / FOLDER, ignore_errors=True)
    (site / FOLDER).mkdir(parents=True)
    pages = {
        path.relative_to(site).as_posix(): path.read_text("utf8")
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }
    sheets = in_one_order([named(SHEET, html, page) for page, html in pages.items()])
    style = write(site, "".join(whole(site, path) for path in sheets), "css")
    # A semicolon first, so that no part's "use strict" reaches the others.
    scripts = ";" + "\n;".join((site / path).read_text("utf8") for path in SCRIPTS)
    if scripts.count(MEASURING) != 1:
        raise ExtensionError("the theme's script is another than the one that is changed here")
    script = write(site, jsmin(scripts.replace(MEASURING, "0"), keep_bang_comments=True), "js")
    for page, html in pages.items():
        root = "../" * page.count("/")
        link = f'<link rel="stylesheet" href="{root}{style}" />\n'
        html = replaced(SHEET, html, page, set(sheets), link)
        defer = f'<script defer src="{root}{script}"></script>\n'
        html = replaced(SCRIPT, html, page, set(SCRIPTS), defer)
        (site / page).write_text(html, "utf8")
    for path in sheets:
        (site / path).unlink()


def setup(app) -> None:
    """After `lean`, whose cuts it takes over."""
    app.connect("build-finished", bundle_all, priority=950)
