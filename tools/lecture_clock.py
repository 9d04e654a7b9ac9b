"""How long a deck takes to give, by the clock: what is said, written, asked and tried.

    python -m tools.lecture_clock [CHAPTER ...]

An estimate with its assumptions in the open: words read aloud, signs written on the board, and so
many minutes for a poll and for a widget. Who speaks more slowly changes the first lines below.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "lecturer" / "_ext"), str(ROOT / "book" / "_ext")]

from lecturing.plans import board_of  # noqa: E402

LECTURER = ROOT / "lecturer"
WORDS = 130  # said in a minute
SIGNS = 80  # written in a minute
POLL = 3.0  # minutes: ask, vote, answer
WIDGET = 2.0  # minutes: show, move, say what was seen

FENCE = re.compile(r"^(:{3,})\{([\w-]+)\} *([^\n]*)\n(.*?)^\1 *$", re.DOTALL | re.MULTILINE)
WRITTEN = re.compile(r"\{board-of\}`([^`]+)`")
ROLE = re.compile(r"\{[\w-]+\}`([^`<]*)[^`]*`")


@dataclass(frozen=True)
class Clock:
    """The minutes of a deck."""

    said: float
    written: float
    asked: float
    tried: float

    @property
    def minutes(self) -> float:
        """All of them."""
        return self.said + self.written + self.asked + self.tried


def clock(source: str, boards) -> Clock:
    r"""The minutes of a deck.

    Args:
        source: its Markdown.
        boards: a function from a label to the lines that are written for it.

    >>> deck = ":::{notes}\n" + "word " * 260 + "{board-of}`thm-a`\n:::\n"
    >>> clock(deck, lambda label: "x" * 160)
    Clock(said=2.0, written=2.0, asked=0.0, tried=0.0)
    """
    words = polls = widgets = signs = 0
    for _, name, _, body in FENCE.findall(source):
        polls += name == "poll"
        widgets += name == "live"
        if name == "notes":
            signs += sum(len(written(boards(label))) for label in WRITTEN.findall(body))
            words += len(ROLE.sub(r"\1", WRITTEN.sub("", body)).split())
    return Clock(words / WORDS, signs / SIGNS, POLL * polls, WIDGET * widgets)


def written(lines: str) -> str:
    r"""What the hand writes: TeX without its commands' names.

    >>> written(r"1. $\frac{a}{b} \le \theta_{ij}$")
    'a/b≤xij'
    """
    text = re.sub(r"^\s*(?:\d+\.|-)\s+", "", lines, flags=re.MULTILINE)
    text = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", text)
    text = re.sub(r"\\(?:le|leq)\b", "≤", text)
    text = re.sub(r"\\(?:left|right|big|Big|quad|,|;|!|mathrm|mathbf|text|operatorname)", "", text)
    text = re.sub(r"\\[A-Za-z]+", "x", text)
    return re.sub(r"[\s${}\\_^`*]", "", text)


def of_chapter(chapter: str, folder: Path = LECTURER) -> Clock:
    """The minutes of a chapter's deck."""
    source = (folder / "slides" / f"{chapter}.md").read_text("utf8")
    return clock(source, lambda label: board_of(folder, chapter, label))


def main(chapters: list[str]) -> None:
    """Print a table."""
    known = sorted(path.stem for path in (LECTURER / "slides").glob("*.md"))
    print(f"{'chapter':16} {'said':>5} {'board':>5} {'polls':>5} {'tried':>5} {'all':>5}")
    for chapter in chapters or known:
        c = of_chapter(chapter)
        parts = c.said, c.written, c.asked, c.tried, c.minutes
        print(f"{chapter:16} " + " ".join(f"{minutes:5.1f}" for minutes in parts))


if __name__ == "__main__":
    main(sys.argv[1:])
