"""Give the exercises to a grader and see that it grades: a right answer, and one left as it was.

    python -m tools.try_graders nbgrader|otter

Runs where the grader and gaugelib are installed (`make graders`). Two students hand in the first
chapter: one has filled in one exercise, the other nothing. What the grader gives them is compared.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.teach.assignments import write

CHAPTER, LABEL, POINTS = "symmetry", "ex-balance", 5
ANSWER = """def balance(w_in, w_out, p):
    into, out = w_in.abs().pow(p).sum(), w_out.abs().pow(p).sum()
    return (out / into) ** (1 / (2 * p))
"""
STUB = "def balance(w_in, w_out, p): ..."


def answered(notebook: Path) -> str:
    """The notebook with one stub filled in."""
    content = json.loads(notebook.read_text("utf8"))
    stubs = [cell for cell in content["cells"] if "".join(cell["source"]).strip() == STUB]
    assert len(stubs) == 1, f"{len(stubs)} stubs of {LABEL}"
    stubs[0]["source"] = ANSWER
    return json.dumps(content)


def run(*command: str, where: Path) -> None:
    """A command; what it says, if it fails."""
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}")


def nbgrader(folder: Path) -> dict[str, float]:
    """The scores of both, by nbgrader."""
    write("nbgrader", [CHAPTER], folder)
    run("nbgrader", "generate_assignment", CHAPTER, "--create", where=folder)
    released = folder / "release" / CHAPTER / f"{CHAPTER}.ipynb"
    for student, text in (("one", answered(released)), ("two", released.read_text("utf8"))):
        path = folder / "submitted" / student / CHAPTER / released.name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf8")
    run("nbgrader", "autograde", CHAPTER, "--create", where=folder)
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        return {s: book.find_submission(CHAPTER, s).score for s in ("one", "two")}


def otter(folder: Path) -> dict[str, float]:
    """The scores of both, by otter-grader."""
    write("otter", [CHAPTER], folder)
    place = folder / CHAPTER
    run("otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment", where=place)
    scores = {}
    given = place / f"{CHAPTER}.ipynb"
    for student, text in (("one", answered(given)), ("two", given.read_text("utf8"))):
        (place / student).mkdir()
        own = place / student / given.name
        own.write_text(text, "utf8")
        run(
            "otter", "run", own.name, "-a", "../autograder.zip", "-o", ".", "--no-logo",
            where=own.parent,
        )  # fmt: skip
        results = json.loads((own.parent / "results.json").read_text("utf8"))
        scores[student] = sum(float(test.get("score", 0)) for test in results["tests"])
    return scores


def main(grader: str) -> None:
    """Grade, and compare."""
    folder = Path(tempfile.mkdtemp())
    try:
        os.environ["HOME"] = str(folder)  # no settings of the user's
        found = {"nbgrader": nbgrader, "otter": otter}[grader](folder / "course")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{grader}: {found}")
    if found != {"one": POINTS, "two": 0}:
        sys.exit(f"{grader} gives {found}, where {POINTS} and 0 are due")


if __name__ == "__main__":
    main(*sys.argv[1:])
