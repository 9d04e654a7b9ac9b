"""Reading the book's sources as text: Markdown files and the Markdown cells of notebooks."""

import json
import pathlib
import re
from collections.abc import Iterator

from tools.execute_notebooks import find_notebooks

ROOT = pathlib.Path(__file__).parents[2]

FENCE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,}|:{3,}|\$\$)\s*(?P<rest>.*)$")
ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|eqs?|figs?|secs?|ch|thm|no|pp?|al|approx|resp|[A-Z])\.$", re.IGNORECASE
)
SENTENCE_END = re.compile(r"(?<=[^\d\s])[.!?][*_)\]\"'”’]*(?= +[*_(\[\"“‘]*[A-Z])")


def sources() -> list[pathlib.Path]:
    """Every page of the book."""
    pages = [p for p in (ROOT / "book").rglob("*.md") if "_ext" not in p.parts]
    return sorted(pages) + find_notebooks()


def markdown(path: pathlib.Path) -> str:
    """A page's Markdown; a notebook's cells are joined, code cells left out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def crowded_lines(text: str) -> Iterator[str]:
    """Lines of more than one sentence, outside code, mathematics and tables."""
    closing = None
    for line in text.splitlines():
        fence = FENCE.match(line)
        if closing is not None:
            if fence and fence["fence"].startswith(closing):
                closing = None
            continue
        if fence and fence["fence"][0] in "`~$":
            if not (fence["fence"] == "$$" and fence["rest"].rstrip().endswith("$$")):
                closing = fence["fence"]
            continue
        if line.lstrip().startswith(("|", ":", "#", "%", "<")):
            continue
        line = re.sub(
            r"^\s*(?:[-*] |\d+\. )?\*\*[^*]+[.?!]\*\* ", "", line
        )  # a title run into its text
        plain = re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", "x", line)
        for end in SENTENCE_END.finditer(plain):
            if not ABBREVIATION.search(plain[: end.start() + 1]):
                yield line.strip()
                break
