"""Who gets a sheet: the students of a table, or those named."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from tools.teach.problem import ProblemError

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class Student:
    """Somebody who gets numbers of their own; `id` names the file."""

    id: str
    name: str = ""


CLASS = Student("class")  # one sheet for all, with the numbers that a problem has without a student


def students(table: Path | None, named: list[str]) -> list[Student]:
    """The students of a CSV file with a column `student` (and `name`), and those named.

    Without either there is one sheet for the class.

    Raises:
        ProblemError: the file cannot be read so, or an id is no file's name or comes twice.
    """
    found = [Student(one) for one in named] + (_read(table) if table else [])
    seen: set[str] = set()
    for student in found:
        if not ID.fullmatch(student.id):
            raise ProblemError(
                f"{student.id!r} names a file, so it is made of letters, digits and . _ @ -"
            )
        if student.id.lower() in seen:
            raise ProblemError(f"the student {student.id} comes twice")
        if student.id.lower() == CLASS.id:
            raise ProblemError("the id 'class' is the sheet for all: give that student another")
        seen.add(student.id.lower())
    return found or [CLASS]


def _read(table: Path) -> list[Student]:
    if not table.is_file():
        raise ProblemError(f"there is no file {table}: give a CSV file with a column student")
    with table.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
        if not rows or "student" not in rows[0]:
            raise ProblemError(f"{table} has no column student, or no row: its first line is heads")
    return [Student(_cell(row, "student"), _cell(row, "name")) for row in rows]


def _cell(row: dict, head: str) -> str:
    return (row.get(head) or "").strip()
