"""Which choice of each prediction is right, and what is computed, without building the book.

    python -m tools.predictions book/NAME.ipynb [...]

Executes the notebooks as the build does, with a cell before each answer, as far as the last answer.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError

from tools.execute_notebooks import BOOK, executed

sys.path.append(str(BOOK / "_ext"))

from sphinx.errors import ExtensionError

from gaugebook.predictions import INSERTED, Prediction, read, with_verdicts


def verdicts(path: Path) -> dict[str, tuple[Prediction, dict]]:
    """Each prediction of a notebook with its verdict."""
    notebook = nbformat.read(path, as_version=4)
    known = {each.name: each for each in read(notebook.cells, path.name)}
    cells = [nbformat.from_dict(cell) for cell in with_verdicts(notebook.cells, path.name)]
    last = max((k for k, cell in enumerate(cells) if INSERTED in cell.metadata), default=-1)
    notebook.cells = cells[: last + 1]
    if not known:
        return {}
    return {
        cell.metadata[INSERTED]: (
            known[cell.metadata[INSERTED]],
            json.loads("".join(output.text for output in cell.outputs)),
        )
        for cell in executed(notebook, path.name, path.parent).cells
        if INSERTED in cell.metadata
    }


def main(arguments: list[str]) -> int:
    """Print them."""
    if not arguments:
        sys.exit(__doc__)
    for path in map(Path, arguments):
        try:
            found = verdicts(path)
        except (CellExecutionError, ExtensionError) as error:
            print(f"{path}:\n{error}", file=sys.stderr)
            return 1
        print(f"{path}: {len(found)} predictions")
        for name, (prediction, verdict) in found.items():
            print(f"\n{name}\n  computed: {verdict['found']}")
            for place, choice in enumerate(prediction.choices):
                mark = "right" if place in verdict["right"] else "     "
                print(f"  {mark} {place + 1}. {' '.join(choice.split())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
