"""Write the exercises without their solutions, for a class or a grader.

python -m tools.students [FOLDER]
"""

import sys
from pathlib import Path

from tools.execute_notebooks import BOOK, find_notebooks

sys.path.append(str(BOOK / "_ext"))

from gaugebook.solutions import refuse_what_is_left, without_solutions


def write(folder: Path) -> list[Path]:
    """Write the students' notebooks into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in find_notebooks():
        if path.stem.endswith("_exercises"):
            source = without_solutions(path.read_text("utf8"))
            refuse_what_is_left(source, path.name)
            (folder / path.name).write_text(source, "utf8")
            written.append(folder / path.name)
    return written


if __name__ == "__main__":
    print(*write(Path(*sys.argv[1:] or ["students"])), sep="\n")
