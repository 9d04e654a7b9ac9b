"""Numbered statements of the book: what each must carry, read from the Markdown."""

import ast
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = "theorem|lemma|proposition|corollary"
OPENING = re.compile(
    rf"^\s*[:`]{{3,}}\{{prf:(?P<kind>{KINDS})\}}[ \t]*(?P<title>.*)$", re.MULTILINE
)
LABEL = re.compile(r"\A(?:\s*:[\w-]+:.*\n)*?\s*:label:[ \t]*(?P<label>\S+)")
PROOF = re.compile(r"^\s*[:`]{3,}\{prf:proof\}", re.MULTILINE)
CHECKED = re.compile(
    r"Checked by (?P<tests>[^;\n]+); its controls? (?:is|are) (?P<controls>[^\n]+)"
)
TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)`")


@dataclass(frozen=True)
class Statement:
    """A theorem, lemma, proposition or corollary, with the text up to the next one."""

    kind: str
    title: str
    text: str

    @property
    def label(self) -> str:
        """Its label, or nothing."""
        found = LABEL.match(self.text)
        return found["label"] if found else ""

    @property
    def name(self) -> str:
        """How a complaint refers to it."""
        return f"{self.kind} {self.label or self.title or self.text.strip()[:40]!r}"


def statements(markdown: str) -> list[Statement]:
    """The numbered statements of a page, in order."""
    found = list(OPENING.finditer(markdown))
    ends = [m.start() for m in found[1:]] + [len(markdown)]
    return [
        Statement(m["kind"], m["title"], markdown[m.end() + 1 : end])
        for m, end in zip(found, ends)  # one end too many where there is none
    ]


def complaints(statement: Statement, root: pathlib.Path) -> Iterator[str]:
    """What a statement lacks: label, proof, a test that checks it, a control that must fail."""
    if not statement.label:
        yield f"{statement.name} has no label"
    if not PROOF.search(statement.text):
        yield f"{statement.name} has no proof"
    checked = CHECKED.search(statement.text)
    if not checked:
        yield f"{statement.name} does not say `Checked by …; its control is …`"
        return
    for part in ("tests", "controls"):
        named = TEST.findall(checked[part])
        if not named:
            yield f"{statement.name} names no test among its {part}"
        for file, name in named:
            if name not in tests_in(root / file):
                yield f"{statement.name} names {file}::{name}, which does not exist"


def tests_in(path: pathlib.Path) -> set[str]:
    """The names of the test functions that a file defines."""
    if not path.is_file():
        return set()
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    }
