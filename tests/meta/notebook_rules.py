"""The rules a notebook of the book keeps, each a function from notebook to complaints.

They read the file alone; `test_notebook_outputs.py` executes it.
"""

import ast
import re
import statistics
from collections.abc import Callable, Iterator

from nbformat import NotebookNode

from tests.meta.solution_rules import (
    solutions_are_tagged,
    solutions_can_be_left_out,
    without_magics,
)
from tools.execute_notebooks import code_cells

LONGEST_CELL, MEDIAN_CELL, MOST_CELLS, MOST_IN_A_ROW, LONGEST_FUNCTION = 25, 8, 20, 2, 12

# A package index may have another gaugelib, so the source installs nothing: it says what to do.
# Where the book is published from a repository, the build makes the two last lines install the
# library from there. Imports may follow.
FIRST_CELL = """\
try:
    import gaugelib
except ModuleNotFoundError:  # in Colab, come by the rocket on the book's page
    raise ImportError("run pip install -e . in the book's repository") from None
"""

FORBIDDEN = {
    r"\bsys\.path\b": "changes sys.path",
    r"import \*": "imports *",
    r"\bwarnings\.(filterwarnings|simplefilter|catch_warnings)|%%capture": "hides warnings",
    r"\bset_default_(dtype|device)\b|\bmanual_seed\(": "sets global state",
    # Where the kernel cuts a stream is chance, and whoever joins the pieces begins a new line.
    r"\bend=f?[\"']": "prints a line in pieces",
    r"(?i)#\s*(NBVAL_|PYTEST_VALIDATE_)": "tells the comparison of outputs to look away",
}
# A Generator's own seed is no global state.
SEEDED_GENERATOR = re.compile(r"Generator\([^)]*\)\.manual_seed\(|\bgenerator\.manual_seed\(")
LOOK_AWAY = re.compile(r"nbval|skip-execution|raises-exception")
ABSOLUTE_PATH = re.compile(r"(?<![\w.~:/-])/(?:home|Users|root|work|tmp|opt|usr|var|private)/\w")

SIDE = re.compile(r"\b[Oo]n the (?:left|right)\b|\b(?:Left|Right)[:,]")

WIDGET = "application/vnd.jupyter.widget-view+json"

Rule = Callable[[NotebookNode], Iterator[str]]


def lines(source: str) -> int:
    """Lines that a reader reads."""
    return sum(1 for line in source.splitlines() if line.strip())


def cells_are_short(notebook: NotebookNode) -> Iterator[str]:
    """Prose carries the argument: few cells, short ones, functions in the library."""
    sizes = [lines(cell.source) for cell in code_cells(notebook)]
    if not sizes:
        yield "has no code cell"
        return
    if max(sizes) > LONGEST_CELL:
        yield f"a code cell has {max(sizes)} lines; {LONGEST_CELL} is the cap"
    if statistics.median(sizes) > MEDIAN_CELL:
        yield f"the median code cell has {statistics.median(sizes)} lines, not {MEDIAN_CELL}"
    if len(sizes) > MOST_CELLS:
        yield f"has {len(sizes)} code cells; {MOST_CELLS} is the cap"
    run = 0
    for cell in notebook.cells:
        run = run + 1 if cell.cell_type == "code" else 0
        if run > MOST_IN_A_ROW:
            yield f"more than {MOST_IN_A_ROW} code cells in a row at {cell.source[:40]!r}"


def functions_are_short(notebook: NotebookNode) -> Iterator[str]:
    """A longer function belongs in gaugelib, where it has a test."""
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(without_magics(cell.source))):
            if (
                isinstance(node, ast.FunctionDef)
                and node.end_lineno - node.lineno >= LONGEST_FUNCTION
            ):
                yield f"function {node.name} has more than {LONGEST_FUNCTION} lines"


def first_cell_finds_the_library(notebook: NotebookNode) -> Iterator[str]:
    """The first code cell is the same everywhere, and nothing else reaches for the machine."""
    cells = code_cells(notebook)
    if not cells or not f"{cells[0].source}\n".startswith(FIRST_CELL):
        yield f"the first code cell does not begin with\n{FIRST_CELL}"
    for cell in cells:
        if re.search(r"^\s*[%!]", cell.source, re.MULTILINE):
            yield f"magic or shell command in {cell.source[:40]!r}"


def code_is_plain(notebook: NotebookNode) -> Iterator[str]:
    """Nothing reaches behind the reader's back, and every cell's output is compared."""
    if any(c.cell_type == "code" and not c.source.strip() for c in notebook.cells):
        yield "holds an empty code cell"
    for cell in code_cells(notebook):
        text = SEEDED_GENERATOR.sub("", cell.source)
        for pattern, what in FORBIDDEN.items():
            if re.search(pattern, text):
                yield f"{what}: {cell.source[:60]!r}"
        for tag in cell.metadata.get("tags", []):
            if LOOK_AWAY.search(tag):
                yield f"tag {tag} exempts a cell from the comparison of its output"


def was_executed_in_order(notebook: NotebookNode) -> Iterator[str]:
    """A null count makes nbval skip the comparison; a gap says that cells were run by hand."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}, not 1, 2, …: run `make notebooks`"
    if not any(cell.outputs for cell in code_cells(notebook)):
        yield "holds no output at all: run `make notebooks`"


def outputs_are_portable(notebook: NotebookNode) -> Iterator[str]:
    """What is stored reads the same in Colab, on GitHub and on the site."""
    if "widgets" in notebook.metadata:
        yield "carries widget state"
    for cell in code_cells(notebook):
        where = f"after {cell.source[:40]!r}"
        if "execution" in cell.metadata:
            yield f"timing {where}"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"error {where}"
            if output.get("name") == "stderr":
                yield f"text on stderr {where}"
            data = output.get("data", {})
            if "image/svg+xml" in data:
                yield f"SVG figure {where}"
            text = [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
            if any(ABSOLUTE_PATH.search(t) for t in text):
                yield f"absolute path {where}"
            if any(re.search(r"<[^<>]* at 0x[0-9a-f]+>", t) for t in text):
                yield f"memory address {where}"


def figures_are_described(notebook: NotebookNode) -> Iterator[str]:
    """A figure is shown on purpose and described for those who do not see it."""
    for cell in code_cells(notebook):
        where = f"after {cell.source[:40]!r}"
        pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
        stills = [o for o in pictures if WIDGET in o.data]
        if not all(o.metadata.get("image/png", {}).get("alt", "").strip() for o in stills):
            yield f"a widget's still picture without alt text {where}"
        if len(stills) == len(pictures):
            continue
        if cell.source.strip().splitlines()[-1] != "plt.show()":
            yield f"figure without a closing plt.show() {where}"
        options = cell.metadata.get("mystnb", {})
        if not options.get("image", {}).get("alt", "").strip():
            yield f"figure without alt text {where}"
        if not options.get("figure", {}).get("caption", "").strip():
            yield f"figure without a caption {where}"
        words = options.get("figure", {}).get("caption", "") + options.get("image", {}).get(
            "alt", ""
        )
        if side := SIDE.search(words):
            yield f"a panel is named by its side ({side[0]}), but on a phone it has another {where}"


def widgets_are_numbered(notebook: NotebookNode) -> Iterator[str]:
    """A widget is a figure like others: its caption gives it a number, its name an anchor."""
    for cell in code_cells(notebook):
        if not any(WIDGET in output.get("data", {}) for output in cell.outputs):
            continue
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        for part in ("name", "caption"):
            if not figure.get(part, "").strip():
                yield f"widget without a {part} after {cell.source[:40]!r}"


RULES: tuple[Rule, ...] = (
    cells_are_short,
    functions_are_short,
    first_cell_finds_the_library,
    solutions_are_tagged,
    solutions_can_be_left_out,
    code_is_plain,
    was_executed_in_order,
    outputs_are_portable,
    figures_are_described,
    widgets_are_numbered,
)
