"""Write problem sheets: one for each student; for the lecturer solutions, marks and answers."""

import argparse
from pathlib import Path

from tqdm import tqdm

from tools.teach import look, marking, paper, said
from tools.teach.course import overlay_of
from tools.teach.loading import BOOK, FOLDER, ROOT, Collection, load
from tools.teach.paper import Posed
from tools.teach.problem import ProblemError, Task
from tools.teach.roster import CLASS, Student, students
from tools.teach.said import Typesetter, typesetter
from tools.teach.seeds import PUBLIC, drawn, salt_of
from tools.teach.stamps import stamp_of, stamped, whole

UNSALTED = (
    "No salt is set, so the numbers are the public default's: anybody who has this repository can "
    "compute every student's answers. Set COURSE_SALT, or write a file named salt into the overlay."
)
IN_PUBLIC = (
    "Problems in this repository are public with their solutions, whatever the salt: of the {all} "
    "problems here {secret} come from the course's overlay and are the course's own."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command may be told."""
    parser.add_argument("--chapter", required=True, help="a chapter's file, midterm or final")
    parser.add_argument("--students", type=Path, help="a CSV file with columns student and name")
    parser.add_argument("--student", nargs="+", default=[], metavar="ID", help="or their ids")
    parser.add_argument("--problems", nargs="+", metavar="NAME", help="only these, in this order")
    parser.add_argument("--large", action="store_true", help="large print (20 points)")
    parser.add_argument("--title", help="what stands over the sheet")
    parser.add_argument("--overlay", type=Path, help="the course's own problems and salt")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "sheets", help="the folder")


def run(options: argparse.Namespace) -> int:
    """Write the sheets, and say where they are and who can know the answers."""
    overlay = overlay_of(options.overlay)
    collection = chosen(load(FOLDER, overlay), options.chapter, options.problems)
    salt = salt_of(overlay)
    roster = students(options.students, options.student)
    sheets = {student: posed(collection.tasks, student, salt or PUBLIC) for student in roster}
    secret = sum(task.secret for task in collection.tasks)
    notes = [] if salt else [UNSALTED]
    notes.append(IN_PUBLIC.format(all=len(collection.tasks), secret=secret))
    folder = options.to / options.chapter
    with typesetter() as setter:
        try:
            new = write(folder, collection, sheets, options, " ".join(notes), setter)
        except KeyboardInterrupt:
            print("\nStopped. The same command goes on where it was.")
            return 130
    print(f"{len(sheets)} sheets ({new} new) in {folder / 'students'}")
    print(
        f"Solutions and answers, for you alone: {folder / 'answers.html'}, answers.csv",
        *notes,
        sep="\n",
    )
    return 0


def chosen(found: dict[str, Collection], chapter: str, names: list[str] | None) -> Collection:
    """The collection of that name, with all its problems or those named.

    Raises:
        ProblemError: there is no such collection or problem.
    """
    if chapter not in found:
        raise ProblemError(f"no problems of {chapter}: there are {', '.join(found)}")
    whole = found[chapter]
    by_name = {task.name: task for task in whole.tasks}
    if unknown := [name for name in names or () if name not in by_name]:
        raise ProblemError(f"{chapter} has no problem {unknown[0]}: there are {', '.join(by_name)}")
    return Collection(chapter, tuple(by_name[name] for name in names or by_name), whole.exam)


def posed(tasks: tuple[Task, ...], student: Student, salt: str) -> list[Posed]:
    """The problems with a student's numbers."""
    who = "" if student == CLASS else student.id
    return [Posed(task, task(drawn(task.name, who, salt))) for task in tasks]


def write(
    folder: Path, collection: Collection, sheets, options, note: str, setter: Typesetter
) -> int:
    """Write what is not there already; returns how many sheets were new."""
    title = options.title or title_of(collection)
    suffix = "-large" if options.large else ""
    (folder / "students").mkdir(parents=True, exist_ok=True)
    new = 0
    for student, each in tqdm(sheets.items(), unit="sheet", disable=len(sheets) < 5):
        path = folder / "students" / f"{student.id}{suffix}.html"
        stamp = stamp_of(title, student, each, collection, options.large)
        if not stamped(path, stamp):
            kind = " ".join(["large"] * options.large + ["exam"] * bool(collection.exam))
            head = f"{title} · {student.name or student.id}"
            body = paper.body(title, student, each, collection.exam, setter)
            whole(path, look.page(head, body, setter, stamp=stamp, kind=kind, head=head))
            new += 1
    whole(folder / "answers.csv", marking.table(sheets))
    body = marking.body(title, sheets, note, setter)
    whole(folder / "answers.html", look.page(f"Solutions: {title}", body, setter))
    return new


def title_of(collection: Collection) -> str:
    """What stands over a sheet: the exam's title, or the chapter's of the book."""
    if collection.exam:
        return collection.exam.title
    return f"Problems: {chapter_title(collection.name)}"


def chapter_title(name: str) -> str:
    """The title of a chapter of the book, else its name in words.

    >>> chapter_title("symmetry"), chapter_title("week_one")
    ('The symmetry', 'Week one')
    """
    path = BOOK / f"{name}.ipynb"
    return said.heading(path) if path.is_file() else name.replace("_", " ").capitalize()
