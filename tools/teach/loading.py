"""The problems of a folder, and of the overlay that a course adds."""

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from tools.teach.problem import ProblemError, Task

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
FOLDER = ROOT / "lecturer" / "problems"
EXAMS = ("midterm", "final")


if str(BOOK / "_ext") not in sys.path:  # the book's typesetter, for all modules of this package
    sys.path.append(str(BOOK / "_ext"))

from gaugebook.course import chapters_of, contents_of  # noqa: E402

CHAPTERS = tuple(chapters_of(contents_of(ROOT)))  # as the contents name them


@dataclass(frozen=True)
class Exam:
    """What makes a file of problems an exam: `EXAM = Exam(…)` in it.

    Args:
        title: As on the cover.
        minutes: How long it takes.
        aids: What may be used.
        covers: What is examined.
    """

    title: str
    minutes: int
    aids: str
    covers: str


@dataclass(frozen=True)
class Collection:
    """The problems of one file, in its order; `exam` where it is one."""

    name: str
    tasks: tuple[Task, ...]
    exam: Exam | None = None


def load(folder: Path = FOLDER, overlay: Path | None = None) -> dict[str, Collection]:
    """The problems by chapter: in the order of the book, then the exams, then the overlay's own.

    A file of the overlay's folder `problems` adds its problems to the chapter of the same name,
    or a new chapter; a problem of a name that there is already replaces it.

    Raises:
        ProblemError: A folder is not there, a file does not load, or two problems are named alike.
    """
    found = {} if overlay is not None and not folder.is_dir() else _folder(folder, False)
    if overlay is not None and (overlay / "problems").is_dir():
        for name, own in _folder(overlay / "problems", True).items():
            found[name] = _joined(found[name], own) if name in found else own
    _refuse_twins(found)
    order = (*CHAPTERS, *EXAMS)
    ordered = sorted(found, key=lambda name: order.index(name) if name in order else len(order))
    return {name: found[name] for name in ordered}


def _folder(folder: Path, is_overlay: bool) -> dict[str, Collection]:
    if not folder.is_dir():
        raise ProblemError(f"there is no folder {folder}: problems lie in lecturer/problems/*.py")
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    files += sorted(path.parent for path in folder.glob("*/__init__.py"))
    return {path.stem: read(path, is_overlay) for path in files}


def read(path: Path, is_overlay: bool = False) -> Collection:
    """The problems of one file, or of a folder: a package whose modules have them in turn."""
    name = f"teach_problems_{'overlay_' if is_overlay else ''}{path.stem}"
    modules = [_module(name, path / "__init__.py" if path.is_dir() else path)]
    if path.is_dir():
        inner = sorted(each for each in path.glob("*.py") if each.name != "__init__.py")
        modules += [_module(f"{name}.{each.stem}", each) for each in inner]
    found = [task for module in modules for task in vars(module).values() if isinstance(task, Task)]
    tasks = [replace(task, chapter=path.stem, secret=is_overlay) for task in found]
    if not tasks:
        raise ProblemError(f"{path} has no problem: write functions with @problem(…)")
    exam = getattr(modules[0], "EXAM", None)
    return Collection(path.stem, tuple(tasks), exam)


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        error.add_note(f"while the problems of {path} were read")
        raise
    return module


def _joined(public: Collection, own: Collection) -> Collection:
    replaced = {task.name: task for task in own.tasks}
    kept = [replaced.pop(task.name, task) for task in public.tasks]
    return Collection(public.name, (*kept, *replaced.values()), own.exam or public.exam)


def _refuse_twins(found: dict[str, Collection]) -> None:
    seen: dict[str, str] = {}
    for collection in found.values():
        for task in collection.tasks:
            if task.name in seen:
                raise ProblemError(
                    f"{task.where} and {seen[task.name]}/{task.name} are named alike: "
                    "a student's numbers are drawn from the name, so rename one"
                )
            seen[task.name] = collection.name
