#!/usr/bin/env bash
# nbgrader accepts the options of nbconvert's TagRemovePreprocessor, says nothing, and hands the tagged cells out.
#
# Version: nbgrader 0.9.6 with nbconvert 7.17.2.
# Behaviour: `jupyter nbconvert` with `--TagRemovePreprocessor.enabled=True` and `.remove_cell_tags=solution` removes
#   the cells tagged `solution`. `nbgrader generate_assignment` with the same two options ends with status 0, without a
#   word on them, and every tagged cell is in the students' copy. `enabled` switches on a preprocessor that is there;
#   nbgrader empties nbconvert's list of them and has its own.
#   What nbgrader removes by itself is what stands between BEGIN SOLUTION and END SOLUTION in a cell that its own
#   metadata declares to be a solution: there it writes "YOUR CODE HERE".
# Why it matters here: the solutions of this book are cells with this tag, without nbgrader's metadata.
# Remedy: name the preprocessor itself, `--Exporter.preprocessors=nbconvert.preprocessors.TagRemovePreprocessor`, as
#   below; or remove the cells before nbgrader sees them, with nbconvert or with `make students`.
# Upstream: no report of this was found. jupyter/nbgrader#1342 asks for cells that only the teacher has,
#   #1918 how to add a preprocessor.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet nbgrader==0.9.6 nbconvert==7.17.2
mkdir "$folder/course"
cd "$folder/course"
export HOME="$folder" PATH="$folder/venv/bin:$PATH" # HOME: no settings of the user's
python - <<'END'
import pathlib
import shutil
import subprocess

import nbformat
from nbformat import v4

TAG = {"tags": ["solution"]}
DECLARED = {"schema_version": 3, "grade_id": "product", "solution": True}
DECLARED |= {"grade": False, "locked": False, "task": False}
CELLS = {
    "question": v4.new_markdown_cell("What is 20 + 22? And 6 * 7?"),
    "tagged text": v4.new_markdown_cell("The sum is forty-two.", metadata=TAG),
    "tagged code": v4.new_code_cell("20 + 22", metadata=TAG),
    "region": v4.new_code_cell("### BEGIN SOLUTION\n6 * 7\n### END SOLUTION", metadata={"nbgrader": DECLARED}),
}
pathlib.Path("source/ps1").mkdir(parents=True)
nbformat.write(v4.new_notebook(cells=list(CELLS.values())), "source/ps1/sums.ipynb")

NBGRADER = ["nbgrader", "generate_assignment", "ps1", "--create"]
NBCONVERT = ["jupyter", "nbconvert", "--to=notebook", "--output-dir=release/ps1", "source/ps1/sums.ipynb"]
OPTIONS = ["--TagRemovePreprocessor.enabled=True", "--TagRemovePreprocessor.remove_cell_tags=solution"]
LISTED = ["--Exporter.preprocessors=nbconvert.preprocessors.TagRemovePreprocessor"]


def kept(title, command):
    """Which cells the command leaves as they were, and what it said."""
    shutil.rmtree("release", ignore_errors=True)
    pathlib.Path("gradebook.db").unlink(missing_ok=True)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sources = [cell.source for cell in nbformat.read("release/ps1/sums.ipynb", 4).cells]
    names = [name for name, cell in CELLS.items() if cell.source in sources]
    print(f"{title}: exit status {done.returncode}, kept: {', '.join(names)}")
    return names, done.stdout + done.stderr


converted, _ = kept("nbconvert", NBCONVERT + OPTIONS)
assert converted == ["question", "region"]
graded, said = kept("nbgrader", NBGRADER + OPTIONS)
assert graded == ["question", "tagged text", "tagged code"], "mended: the tagged cells"
assert "TagRemove" not in said, "mended: it says something"
listed, _ = kept("nbgrader, preprocessor listed", NBGRADER + OPTIONS + LISTED)
assert listed == ["question"]
END
# Output seen:
#   nbconvert: exit status 0, kept: question, region
#   nbgrader: exit status 0, kept: question, tagged text, tagged code
#   nbgrader, preprocessor listed: exit status 0, kept: question
