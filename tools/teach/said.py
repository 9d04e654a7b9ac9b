"""Markdown with formulas as HTML: what a problem says, on a sheet."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
    if role["role"] not in LINKS:
        raise ProblemError(f"the role {role[0]} is not for problems: use {{in}}`words <label>`")
    if found := WORDS.fullmatch(role["text"]):
        return found["words"]
    if role["text"] not in titles():
        raise ProblemError(f"{role[0]} is no statement of the book: write {{in}}`words <label>`")
    return titles()[role["text"]]


def linked(text: str) -> str:
    """The Markdown with the same roles as links, for a page of the book.

    >>> linked("By {in}`thm-unique` it is, as {in}`the chapter <minimum_norm>` says.")
    'By {prf:ref}`thm-unique` it is, as [the chapter](minimum_norm) says.'

    Raises:
        ProblemError: as `plain`.
    """
    return ROLE.sub(_as_link, text)


def _as_link(role: re.Match) -> str:
    words = _as_words(role)
    named = WORDS.fullmatch(role["text"])
    label = named["label"] if named else role["text"]
    if label in titles():
        return f"{{prf:ref}}`{words} <{label}>`" if named else f"{{prf:ref}}`{label}`"
    page = any((BOOK / f"{label}.{kind}").is_file() for kind in ("ipynb", "md"))
    return f"[{words}]({label})" if page else words


def heading(notebook: Path) -> str:
    """The title of a page of the book."""
    for cell in json.loads(notebook.read_text("utf8"))["cells"]:
        if found := re.search(r"^# +(.+)", "".join(cell["source"]), re.MULTILINE):
            return found[1].strip()
    raise ProblemError(f"{notebook} has no title")


@cache
def titles() -> dict[str, str]:
    """Of each labelled statement of the book its kind and title, in words."""
    found = {}
    for path in sorted(BOOK.glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for kind, title, label in STATEMENT.findall("".join(cell["source"])):
                    found[label] = f"the {kind} “{title.strip()}”"
    return found
