"""Runs of words: what is written for lecturers alone, and what stands in the students' files."""

import json
import random
import re
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

from gaugebook.packed import unpacked
from gaugebook.search import INDEX
from tools.teach import load

ROOT = Path(__file__).parents[2]
LECTURER = ROOT / "lecturer"
RUN = 8  # words in a row: as many are no accident
READ = {".html", ".js", ".txt", ".md", ".ipynb", ".json", ".csv", ".inv", ".xml", ".bib"}
APART = re.compile(
    r"\$\$.*?\$\$|\$[^$\n]*\$|\{[\w:-]+\}`[^`]*`|`[^`\n]*`|<[/a-zA-Z!][^<>]*>|\]\([^)]*\)",
    re.DOTALL,
)
WORD = re.compile(r"[^\W\d_]+|[|.:;!?]|\n\s*\n")


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Each run of words in a text, within its sentences and between its formulas.

    >>> len(list(runs("one two three four five six seven eight nine. Ten")))
    2
    """
    row: list[str] = []
    for word in WORD.findall(APART.sub(" | ", text)):
        if word[0].isalpha():
            row.append(word.lower())
            if len(row) >= RUN:
                yield tuple(row[-RUN:])
        else:
            row.clear()


def of(texts: Iterable[str]) -> set[int]:
    """The runs of all of them, as numbers."""
    return {hash(run) for text in texts for run in runs(text)}


def of_a_file(path: Path) -> str:
    """What a file says, as far as words go."""
    text = path.read_text("utf8", errors="replace")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        about = [json.dumps(cell.get("metadata", {}), ensure_ascii=False) for cell in cells]
        return "\n\n".join(["".join(cell["source"]) for cell in cells] + about)
    if path.name == INDEX:
        return json.dumps(unpacked(text), ensure_ascii=False).replace("\\n", "\n")
    if path.suffix == ".html":
        return unescape(re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL))
    return text


def for_students(folder: Path) -> Iterator[Path]:
    """The files of a site, or of a folder of notebooks, that hold words."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in READ)


def public() -> Iterator[str]:
    """What the book says itself: a lecturer's page may quote it, with its letters as words, too."""
    book = [*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
    for path in [*book, *(ROOT / "gaugelib").rglob("*.py"), *(ROOT / "gaugelib").rglob("*.js")]:
        yield of_a_file(path)
        yield of_a_file(path).replace("$", "")
    for collection in load().values():
        if collection.exam is None:
            for task in collection.tasks:
                yield task(random.Random(0)).question


def lecturers() -> Iterator[tuple[str, str]]:
    """Each text for lecturers alone, with where it stands."""
    for path in sorted(LECTURER.rglob("*.md")):
        yield str(path.relative_to(ROOT)), path.read_text("utf8")
    for collection in load().values():
        for task in collection.tasks:
            made = task(random.Random(0))
            said = [made.solution, *(why for _, why in made.marks)]
            said += [why for answer in made.answers for _, why in answer.mistakes]
            yield task.where, "\n\n".join(said + [made.question] * (collection.exam is not None))


def found(folder: Path) -> dict[str, list[str]]:
    """What of the lecturers' texts stands in the students' files: by text, the runs of words."""
    theirs = of(of_a_file(path) for path in for_students(folder))
    known = of(public())
    leaks: dict[str, list[str]] = {}
    for where, text in lecturers():
        seen = {run for run in runs(text) if hash(run) in theirs and hash(run) not in known}
        if seen:
            leaks[where] = sorted(" ".join(run) for run in seen)
    return leaks
