"""Where `course.yml` hides solutions no cell tagged `solution` is in the book, anywhere.

sphinx-exercise has a setting `hide_solutions` of its own: it drops the directive that opens a
solution, keeps the cells after it, and fails at the one that closes it. So it is refused. Here
the cells go before the notebook is read, so that they are neither executed nor on the page, nor in
the search index, nor in the notebook that it offers.
"""

import json
import re
from pathlib import Path

from sphinx.errors import ExtensionError

from .course import FILE

TAG = "solution"
WISH = re.compile(r"^\s*hide_solutions:\s*(?:true|yes|on)\b", re.MULTILINE | re.IGNORECASE)
LEFT = re.compile(r"\{solution(?:-start|-end)?\}")


def without_solutions(source: str) -> str:
    """The notebook's JSON without the cells that bear the tag."""
    notebook = json.loads(source)
    notebook["cells"] = [
        cell for cell in notebook["cells"] if TAG not in cell["metadata"].get("tags", [])
    ]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def refuse_the_old_wish(app, config) -> None:
    """Who hid solutions in `_config.yml` is told where that is said now."""
    path = Path(app.confdir, "_config.yml")
    if config.hide_solutions or (path.exists() and WISH.search(path.read_text("utf8"))):
        raise ExtensionError(
            f"{path} sets hide_solutions, which nothing reads: take it out, and write "
            f"`solutions: hidden` into {FILE}, or a day from which they are shown"
        )


def refuse_what_is_left(source: str, page: str) -> None:
    """A solution that bears no tag would be published with the page's source."""
    if left := LEFT.search(source):
        raise ExtensionError(
            f"{FILE} hides solutions, and {page} has a {left[0]} in a place without the tag "
            f'"{TAG}": put the solution into notebook cells of its own, from its start to its end, '
            f'and give each the tag "{TAG}"'
        )


def setup(app) -> None:
    """When the configuration is read."""
    app.connect("config-inited", refuse_the_old_wish)
