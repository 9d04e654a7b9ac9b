"""A page that holds widgets and nothing else, with a ledger of what they take and give back."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import ipywidgets

LEDGER = Path(__file__).parent / "ledger.js"
RUNTIME = Path(__file__).parents[2] / "book/site/widgets.js"
STATES = RUNTIME.with_name("states.js")
_KIND = "application/vnd.jupyter.widget"

_RUNTIME = '<script defer src="widgets.js"></script>'
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Scratch</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>LEDGER</script>
<script type="KIND-state+json">STATE</script>
<script defer src="widgets.js"></script></head>
<body><main><h1>Scratch</h1>VIEWS</main></body></html>
"""


def scratch_page(
    widgets: dict[str, ipywidgets.DOMWidget], views: Iterable[str], *, linked: bool = False
) -> str:
    """HTML with one view for each letter of `views`, each the name of a widget.

    The runtime of the book must lie beside the page as `widgets.js`. If the page is `linked`, each
    view stands in a figure, `fig-` and its name, and `states.js` must lie there, too.
    """
    entries = {
        name: {
            "model_module": "anywidget",
            "state": {k: v for k, v in widget.get_state().items() if k != "layout"},
        }
        for name, widget in widgets.items()
    }
    view = '<script type="KIND-view+json">{"model_id": "%s"}</script>'
    page = _PAGE
    if linked:
        view = f'<figure id="fig-%s">{view}</figure>'
        page = page.replace(_RUNTIME, f'<script defer src="states.js"></script>\n{_RUNTIME}')
    parts = {
        "LEDGER": LEDGER.read_text(encoding="utf8"),
        "STATE": json.dumps({"state": entries}).replace("</", r"<\/"),
        "VIEWS": "".join(view.replace("%s", name) for name in views).replace("KIND", _KIND),
        "KIND": _KIND,
    }
    return re.sub("LEDGER|KIND|STATE|VIEWS", lambda found: parts[found[0]], page)
