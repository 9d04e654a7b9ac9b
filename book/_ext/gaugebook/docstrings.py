"""A docstring is written to be read in `help()`; here it becomes what Sphinx reads.

It has Google's sections, mathematics between dollars and names between back-ticks, as the book has.
A line `Book: thm-unique, prop-flow.` names the statements that a function carries: it becomes links
to them, and under each of them the function is named (`statements`).
"""

import re
import textwrap
from collections.abc import Iterator

BOOK = re.compile(r"^(?P<indent> *)Book: (?P<labels>[a-z][\w-]*(?:,\s+[a-z][\w-]*)*)\.$", re.M)
DISPLAY = re.compile(r"^(?P<indent> *)\$\$(?P<tex>.+?)\$\$(?P<end>[.,]?)$", re.M | re.S)
INLINE = re.compile(
    r"(?P<before>.?)(?:\$(?P<tex>[^$]+)\$|(?<!`)`(?P<code>[^`]+)`)(?=(?P<after>.?))"
)
REFUSED = re.compile(r"^( *)GaugeError: ", re.M)
JOINT = "\\ "  # nothing, but reStructuredText needs it between a word and what is set otherwise


def labels(docstring: str) -> list[str]:
    """The statements of the book that a docstring names."""
    return [
        label for line in BOOK.finditer(docstring) for label in re.split(r",\s+", line["labels"])
    ]


def first_paragraph(docstring: str) -> str:
    """What stands before the first empty line."""
    return docstring.strip().split("\n\n")[0]


def as_rst(docstring: str) -> str:
    """The docstring in reStructuredText, its examples untouched."""
    return "\n".join(
        part if part.lstrip().startswith(">>>") else _prose(part) for part in _parts(docstring)
    )


def _parts(docstring: str) -> Iterator[str]:
    """Prose and examples in turn; an example ends with an empty line."""
    held: list[str] = []
    for line in docstring.splitlines():
        shown = bool(held) and held[0].lstrip().startswith(">>>")
        if held and (not line.strip() if shown else line.lstrip().startswith(">>>")):
            yield "\n".join(held)
            held = []
        held.append(line)
    if held:
        yield "\n".join(held)


def _prose(text: str) -> str:
    text = REFUSED.sub(r"\1~gaugelib.GaugeError: ", text)
    return BOOK.sub(_book, INLINE.sub(_inline, DISPLAY.sub(_display, text)))


def _book(found: re.Match) -> str:
    named = ", ".join(f":statement:`{label}`" for label in labels(found[0]))
    return f"{found['indent']}In the book: {named}."


def _display(found: re.Match) -> str:
    body = textwrap.indent(textwrap.dedent(found["tex"]).strip() + found["end"], "   ")
    return textwrap.indent(f"\n.. math::\n\n{body}\n", found["indent"])


def _inline(found: re.Match) -> str:
    before, after = found["before"], found["after"]
    left = before + JOINT * (not (before == "" or before in " ([{"))
    right = JOINT * (not (after == "" or after.isspace()))
    if found["tex"] is not None:
        return f"{left}:math:`{' '.join(found['tex'].split())}`{right}"
    return f"{left}``{' '.join(found['code'].split())}``{right}"
