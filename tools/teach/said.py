"""Markdown with formulas as HTML: what a problem says, on a sheet."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from gaugebook.katex import Katex, TexError
from tools.teach.loading import BOOK
from tools.teach.problem import ProblemError

ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]+)`")
WORDS = re.compile(r"(?P<words>.+?)\s*<(?P<label>[^<>]+)>", re.DOTALL)
STATEMENT = re.compile(r"^:{3,}\{prf:(\w+)\} *(.+)\n:label: *(\S+)", re.MULTILINE)
LINKS = ("in", "prf:ref", "ref", "doc")


class Typesetter:
    """Turns Markdown into HTML; formulas by KaTeX, whose style sheet is `sheet()`."""

    def __init__(self, katex: Katex) -> None:
        self._katex = katex
        self._markdown = MarkdownIt("commonmark", {"html": False, "typographer": True})
        self._markdown.enable(["table", "smartquotes"])
        self._markdown.use(dollarmath_plugin, double_inline=True, renderer=self._formula)

    def block(self, text: str) -> str:
        """HTML of paragraphs, lists, tables and formulas.

        Raises:
            ProblemError: a formula or a role is wrong; the message shows it.
        """
        return self._markdown.render(plain(text))

    def line(self, text: str) -> str:
        """HTML of a few words."""
        return self._markdown.renderInline(plain(text))

    def _formula(self, tex: str, options: dict) -> str:
        try:
            html = self._katex.render(tex, display=options["display_mode"])
        except TexError as error:
            raise ProblemError(f"{error} in the formula: {tex.strip()}") from None
        kind = "formula" if options["display_mode"] else "math"
        return f'<span class="{kind}">{html}</span>'

    def sheet(self) -> str:
        """KaTeX's style sheet."""
        return self._katex.sheet()


@contextmanager
def typesetter() -> Iterator[Typesetter]:
    """A typesetter whose formulas carry their styles; its process ends with the block."""
    katex = Katex(share=False)
    try:
        yield Typesetter(katex)
    finally:
        katex.close()


def plain(text: str) -> str:
    """The Markdown with roles that lead into the book as words: paper has no links.

    >>> plain("By {in}`the theorem <thm-unique>` it is.")
    'By the theorem it is.'

    Raises:
        ProblemError: a role is unknown here, or names no statement and has no words.
    """
    return ROLE.sub(_as_words, text)


def _as_words(role: re.Match) -> str:
    words, label = parts(role)
    if role["role"] not in LINKS:
        raise ProblemError(f"the role {role[0]} is not for problems: use {{in}}`words <label>`")
    if not words and label not in statements():
        raise ProblemError(f"{role[0]} is no statement of the book: write {{in}}`words <label>`")
    return words or statements()[label].words


def parts(role: re.Match) -> tuple[str, str]:
    """The words of a role, or none, and its label."""
    found = WORDS.fullmatch(role["text"])
    return (found["words"], found["label"]) if found else ("", role["text"])


def linked(text: str, pages: Iterable[str]) -> str:
    """The Markdown with the same roles as links, for a book that has these pages.

    >>> linked("By {in}`thm-unique` it is, see {in}`the start <symmetry>`.", ["minimum_norm"])
    'By {prf:ref}`thm-unique` it is, see the start.'

    Raises:
        ProblemError: as `plain`.
    """
    there = set(pages)
    return ROLE.sub(lambda role: _as_link(role, there), text)


def _as_link(role: re.Match, pages: set[str]) -> str:
    plainly = _as_words(role)
    words, label = parts(role)
    if label in statements():
        target = f"{words} <{label}>" if words else label
        return f"{{prf:ref}}`{target}`" if statements()[label].page in pages else plainly
    return f"[{words}]({label})" if label in pages else plainly


def heading(notebook: Path) -> str:
    """The title of a page of the book."""
    for cell in json.loads(notebook.read_text("utf8"))["cells"]:
        if found := re.search(r"^# +(.+)", "".join(cell["source"]), re.MULTILINE):
            return found[1].strip()
    raise ProblemError(f"{notebook} has no title")


@dataclass(frozen=True)
class Statement:
    """A statement of the book: its kind and title in words, and its page."""

    words: str
    page: str


@cache
def statements() -> dict[str, Statement]:
    """The statements of the book, by their labels."""
    found = {}
    for path in sorted(BOOK.glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for kind, title, label in STATEMENT.findall("".join(cell["source"])):
                    found[label] = Statement(f"the {kind} “{title.strip()}”", path.stem)
    return found
