"""Which sheets are there already: each file says what it was made of."""

import hashlib
import os
from pathlib import Path

from tools.teach import look, paper, said
from tools.teach.loading import Collection
from tools.teach.paper import Posed
from tools.teach.roster import Student

# What makes a sheet: if one of these changes, every sheet is written anew.
SOURCES = (look.STYLE, *(Path(module.__file__) for module in (look, paper, said)))


def stamp_of(
    title: str, student: Student, each: list[Posed], collection: Collection, large: bool
) -> str:
    """A hash of all that a sheet shows: it is the same if and only if the sheet would be."""
    tasks = [(one.task.title, one.task.stars, one.task.minutes, one.made.points) for one in each]
    # A word to choose stands on the sheet among the others, whichever is the right one.
    fields = [
        [(answer.name, answer.unit, answer.choices) for answer in one.made.answers] for one in each
    ]
    shown = (
        title,
        student,
        tasks,
        fields,
        [one.made.question for one in each],
        collection.exam,
        large,
    )
    digest = hashlib.sha256(repr(shown).encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def stamped(path: Path, stamp: str) -> bool:
    """Whether the file is there, whole, and made of the same."""
    if not path.is_file():
        return False
    with path.open(encoding="utf8") as lines:
        return f'<meta name="stamp" content="{stamp}">' in lines.read(400)


def whole(path: Path, text: str) -> None:
    """Write a file all at once: whoever stops in between leaves the old one, or none."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, "utf8")
    os.replace(draft, path)
