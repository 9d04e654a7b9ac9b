"""A page names what its widgets are made of; modules, styles and large states lie in files.

myst-nb embeds in a page the whole state of each widget, and with it its module and its style, once
for every instance. Here each distinct module goes, without its comments and with its style, into a
file that all pages share, and each large state into another. `book/site/widgets.js` loads them when
a widget comes near the window. Only the HTML changes: a notebook keeps what it has.
"""

import json
from hashlib import sha256
from pathlib import Path

from rjsmin import jsmin

STATE = "application/vnd.jupyter.widget-state+json"
SOURCE = ("_esm", "_css")
FOLDER = "widgets"
SMALL = 2000  # characters: below that a file of its own is not worth a request


def divided(embedded: str) -> tuple[str, dict[str, str]]:
    """The state that stays in the page, and the files that it names.

    What is no anywidget is left out, such as ipywidgets' layouts: nothing on a page reads it.

    Args:
        embedded: JSON of a page's widgets, as myst-nb embeds it.
    """
    files: dict[str, str] = {}
    entries = json.loads(embedded)["state"]
    kept = {
        model: divided_entry(entry, files)
        for model, entry in entries.items()
        if entry["model_module"] == "anywidget"
    }
    return json.dumps({"state": kept}, ensure_ascii=False).replace("</", r"<\/"), files


def divided_entry(entry: dict, files: dict[str, str]) -> dict:
    """One widget's entry with the names of its parts; the parts are added to the files."""
    state = {key: value for key, value in entry["state"].items() if key not in SOURCE}
    name = str(state.get("_anywidget_id", "widget")).split(".")[-2:][0]
    source = {key: entry["state"][key] for key in SOURCE if key in entry["state"]}
    if "_esm" in source:
        source["_esm"] = jsmin(source["_esm"])
    parts = [part(name, {"state": source}, files)] if source else []
    rest = {"state": state, "buffers": entry.get("buffers", [])}
    if len(json.dumps(rest)) > SMALL:
        parts.append(part(f"{name}-state", rest, files))
        rest = {"state": {}, "buffers": []}
    return {"model_module": "anywidget", "parts": parts, **rest}


def part(name: str, content: dict, files: dict[str, str]) -> str:
    """Add a classic script that hands over the content; its name tells the content."""
    body = json.dumps(content, ensure_ascii=False)
    name = f"{name}-{sha256(body.encode()).hexdigest()[:12]}"
    files[name] = f'(window.widgetParts ??= {{}})["{name}"] = {body};\n'
    return name


def divide_page(app, pagename, templatename, context, doctree) -> None:
    """Replace the state that myst-nb embeds, and write the files beside the runtime."""
    for script in context.get("script_files", []):
        attributes = getattr(script, "attributes", {})
        if attributes.get("type") == STATE:
            attributes["body"], files = divided(attributes["body"])
            for name, text in files.items():
                write(app, name, text)


def write(app, name: str, text: str) -> None:
    """Write a part, and remember that this build has it."""
    folder = Path(app.outdir, "_static", FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.js").write_text(text, "utf8")
    app.gaugebook_parts.add(f"{name}.js")


def sweep(app, exception) -> None:
    """Remove the parts that an earlier build left."""
    if exception is None and app.builder.format == "html" and not app.config.gaugebook_draft:
        for path in Path(app.outdir, "_static", FOLDER).glob("*.js"):
            if path.name not in app.gaugebook_parts:
                path.unlink()


def setup(app) -> None:
    """After myst-nb has added the state to the page."""
    app.gaugebook_parts = set()
    app.connect("html-page-context", divide_page, priority=800)
    app.connect("build-finished", sweep)
