"""What `trace_group` knows, listed from its own table of rules while the book is built.

    .. known-operations::

Each rule has a row: its operations by their names in ATen, and the first sentence of its docstring.
Then follow the operations that only move entries, and those that are refused, with the reason.
"""

import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .reference import library

TABLE = "gaugelib.tracing.rules"
SENTENCE = re.compile(r".*?\.(?= |$)")
MOVED = "Only move entries: executed on their labels, or on the positions of a parameter's entries."


def first_sentence(docstring: str | None) -> str:
    """Up to the first full stop that a space or the end follows; nothing if there is none."""
    found = SENTENCE.match(" ".join((docstring or "").split()))
    return found[0] if found else ""


def rows() -> list[tuple[list[str], str]]:
    """Names of operations, and what is known of them; each name stands in one row."""
    table = library(TABLE)
    told: dict[str, list[str]] = {}
    for name, rule in table.RULES.items():
        if name not in table.MOVES:
            told.setdefault(first_sentence(rule.__doc__), []).append(name)
    told.setdefault(MOVED, []).extend(table.MOVES)
    for name, reason in table.REFUSED.items():
        told.setdefault(f"Refused: {reason}.", []).append(name)
    return [(names, text) for text, names in told.items()]


class KnownOperations(SphinxDirective):
    """A list, whose long rows wrap on a narrow page as a table's would not."""

    def run(self) -> list[nodes.Node]:
        """Names in code above what is said of them."""
        listed = nodes.definition_list(classes=["known-operations"])
        for names, text in rows():
            codes = [p for name in names for p in (nodes.Text(", "), nodes.literal("", name))][1:]
            words = [
                nodes.literal("", part) if number % 2 else nodes.Text(part)
                for number, part in enumerate(text.split("`"))
            ]
            body = nodes.definition("", nodes.paragraph("", "", *words))
            listed += nodes.definition_list_item("", nodes.term("", "", *codes), body)
        return [listed]


def setup(app) -> None:
    """For the reference."""
    app.add_directive("known-operations", KnownOperations)
