"""Where a course keeps what is its own: problems and secrets that are in no public repository.

`course.yml` says so, or the environment; the book's extension reads both, and here its module is
loaded without the extension, which would bring all that builds a book.
"""

import importlib.util
import sys
from pathlib import Path

from tools.teach.loading import ROOT
from tools.teach.problem import ProblemError

NAME = "gaugebook_course"


def reader():
    """The module of the book's extension that reads `course.yml`."""
    if NAME not in sys.modules:
        path = ROOT / "book" / "_ext" / "gaugebook" / "course.py"
        spec = importlib.util.spec_from_file_location(NAME, path)
        sys.modules[NAME] = importlib.util.module_from_spec(spec)  # dataclasses look it up
        spec.loader.exec_module(sys.modules[NAME])
    return sys.modules[NAME]


def overlay_of(given: Path | None = None, book: Path = ROOT) -> Path | None:
    """The overlay's folder: as given, else COURSE_OVERLAY, else `overlay` of course.yml, or none.

    Raises:
        ProblemError: a folder is named that is not there, or the file is not understood.
    """
    course = reader()
    try:
        if given:
            return course.folder_of(str(given), book, "--overlay")
        return course.read(book).overlay
    except course.ExtensionError as problem:
        raise ProblemError(str(problem)) from None
