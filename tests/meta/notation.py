"""What `book/notation.md` says of each symbol, and on which pages: as a machine reads it.

A section belongs to the pages that its first sentence links to, with their exercises; one without
such a sentence belongs to all. In a table whose last column is headed *where*, each row names its
own pages instead.
"""

import re
from dataclasses import dataclass

from tests.meta.symbols import formulas, symbols

# A letter by itself, perhaps with indices, an argument and what it is equal to.
ALONE = re.compile(
    r"(?P<letter>\\math[a-z]+ ?\w|\\[A-Za-z]+|\w)"
    r"(?P<index>_(?:\{[^}]*\}|\\[A-Za-z]+|.))?(?:\(.*\)|=.*)?"
)
LINK = re.compile(r"\]\((\w+)\)")
CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Meaning:
    """A row of a table."""

    symbols: tuple[str, ...]  # all that it shows in its first cell
    heads: frozenset[str]  # the letters that stand there by themselves; with a _ if with an index
    pages: frozenset[str]  # none: on all
    says_where: bool
    row: str

    def holds_on(self, page: str) -> bool:
        """Whether a symbol on this page may mean this."""
        return not self.pages or page.removesuffix("_exercises") in self.pages


def meanings(text: str) -> list[Meaning]:
    """All rows of the page."""
    found = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        _, _, body = section.partition("\n")
        intro, _, table = (
            body.strip().partition("\n\n") if body.strip()[0] != "|" else ("", "", body)
        )
        lines = [line for line in table.splitlines() if line.startswith("|")]
        own = cells(lines[0])[-1] == "where"
        for line in lines[2:]:
            row = cells(line)
            shown = list(formulas(row[0]))
            named = LINK.findall(row[-1] if own else intro)
            every = tuple(s for formula in shown for s in symbols(formula))
            alone = [ALONE.fullmatch(formula) for formula in shown]
            heads = frozenset(a["letter"] + ("_" if a["index"] else "") for a in alone if a)
            found.append(Meaning(every, heads, frozenset(named), own, line))
    return found


def cells(line: str) -> list[str]:
    """The cells of a row."""
    return [cell.strip() for cell in CELL.split(line)[1:-1]]


def unexplained(page: str, used: set[str], known: list[Meaning]) -> set[str]:
    """The symbols of a page that no row of the page's explains."""
    return used - {s for meaning in known if meaning.holds_on(page) for s in meaning.symbols}


def ambiguous(page: str, used: set[str], known: list[Meaning]) -> dict[str, list[str]]:
    """The letters that two rows explain on a page, without a row that names the page."""
    found = {}
    here = [one for one in known if one.holds_on(page)]
    for head in {head for one in here for head in one.heads}:
        rows = [one for one in here if head in one.heads]
        if len(rows) > 1 and not any(one.says_where for one in rows) and head.rstrip("_") in used:
            found[head] = [one.row for one in rows]
    return found


def unused(known: list[Meaning], used: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The rows of the last tables that name a page on which their letter does not occur."""
    return [
        (one.row, page)
        for one in known
        if one.says_where
        for page in sorted(one.pages)
        if not any(
            symbol in used.get(page, set()) | used.get(f"{page}_exercises", set())
            for symbol in one.symbols
        )
    ]
