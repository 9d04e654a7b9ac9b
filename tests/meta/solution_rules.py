"""Without the cells tagged `solution` a notebook has each exercise, no solution, and still runs."""

import ast
import builtins
import re
from collections.abc import Iterator

from nbformat import NotebookNode

TAG = "solution"
GATE = re.compile(r"^:{3,}\{solution-(start|end)\}", re.MULTILINE)
OPENS = re.compile(r":{3,}\{solution-start\}")
CLOSES = re.compile(r"(?:^|\n)(:{3,})\{solution-end\}\n\1\s*\Z")


def tagged(cell: NotebookNode) -> bool:
    """Whether the cell is left out of a students' notebook."""
    return TAG in cell.metadata.get("tags", [])


def solutions_are_tagged(notebook: NotebookNode) -> Iterator[str]:
    """The cells from a solution's start to its end bear the tag, and no others.

    The first begins with the start and the last ends with the end: no exercise shares their cell.
    """
    inside = False
    for cell in notebook.cells:
        where = f"in {cell.source[:40]!r}"
        gates = GATE.findall(cell.source) if cell.cell_type == "markdown" else []
        if gates.count("start") > 1 or gates.count("end") > 1:
            yield f"two solutions {where}"
        if "start" in gates and not OPENS.match(cell.source):
            yield f"text before the start of a solution {where}"
        if "end" in gates and not CLOSES.search(cell.source):
            yield f"text after the end of a solution {where}"
        inside = inside or "start" in gates
        if inside and not tagged(cell):
            yield f"a solution without the tag {TAG} {where}"
        if tagged(cell) and not inside:
            yield f"the tag {TAG} outside a solution {where}"
        inside = inside and "end" not in gates


def solutions_can_be_left_out(notebook: NotebookNode) -> Iterator[str]:
    """No other cell uses a name that only a solution defines."""
    known = set(dir(builtins))
    for cell in notebook.cells:
        if cell.cell_type == "code" and not tagged(cell):
            tree = ast.parse(without_magics(cell.source))
            known |= bound(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id not in known:
                    yield f"{node.id} is not known without the solutions in {cell.source[:40]!r}"


def bound(tree: ast.AST) -> set[str]:
    """Every name that a piece of code gives to something."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


def without_magics(source: str) -> str:
    """The cell as Python: magic lines become `pass`."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
