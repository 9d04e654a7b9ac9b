"""Execute the book's notebooks in place, so that executing twice gives the same bytes.

    python tools/execute_notebooks.py [NOTEBOOK ...] [--no-write] [--jobs N] [--report FILE]

Outputs are stored; what differs from run to run is not: widget ids are drawn from a counter, widget
state and timing are left out, kernel and language are named without their versions. Figures compare
equal on the same versions of the libraries and the same family of processors. A report names each
cell that was executed, in the form that tools/tally.py counts.
"""

import argparse
import asyncio
import hashlib
import os
import pathlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from tqdm import tqdm

BOOK = pathlib.Path(__file__).parents[1] / "book"

# One thread and a fixed hash seed: sums are then taken in one order, sets iterate in one order.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}

# Widgets take their ids from `uuid.uuid4` in these two modules; the kernel's messages keep theirs.
COUNT_IDS = """
def _count_ids():
    import itertools, types
    import comm.base_comm, ipykernel.comm.comm
    numbers = itertools.count()
    new = lambda: types.SimpleNamespace(hex="{prefix}%016x" % next(numbers))
    comm.base_comm.uuid = ipykernel.comm.comm.uuid = types.SimpleNamespace(uuid4=new)
_count_ids(); del _count_ids
"""


class Client(NotebookClient):
    """A client that counts widget ids from zero, under a prefix that is the notebook's own.

    Where nothing is written the kernel stays as it came: the patch knows only the kernels that
    the book is built with, not those of other places.
    """

    def __init__(self, notebook: NotebookNode, name: str, count_ids: bool, **options) -> None:
        super().__init__(notebook, **options)
        self.prefix = hashlib.sha256(name.encode()).hexdigest()[:16]
        self.count_ids = count_ids

    async def async_start_new_kernel_client(self):
        """Start the kernel and patch it before the first cell."""
        client = await super().async_start_new_kernel_client()
        if not self.count_ids:
            return client
        code = COUNT_IDS.replace("{prefix}", self.prefix)
        sent = client.execute(code, silent=True, store_history=False)
        while True:
            reply = await client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == sent:
                if reply["content"]["status"] != "ok":
                    raise RuntimeError(f"could not patch the kernel: {reply['content']}")
                return client


def executed(
    source: NotebookNode,
    name: str,
    folder: pathlib.Path,
    tick: Callable[..., object] | None = None,
    timeout: int = 300,
    count_ids: bool = True,
) -> NotebookNode:
    """Execute a copy of a notebook from scratch and return it in its normal form.

    Args:
        source: the notebook; its outputs are ignored.
        name: its file name, of which widget ids are made.
        folder: the kernel's working directory.
        tick: called after each executed cell.
        timeout: seconds that one cell may take.
        count_ids: make the ids of widgets the same each time.

    Raises:
        CellExecutionError: a cell raised, and is not tagged `raises-exception`.
    """
    notebook = nbformat.from_dict(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = Client(
        notebook,
        name,
        count_ids,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        on_cell_executed=tick,
        resources={"metadata": {"path": str(folder)}},
    )
    asyncio.run(client.async_execute(env=os.environ | KERNEL_ENVIRONMENT))
    return normalised(notebook)


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Drop what depends on the moment or the machine rather than on the notebook."""
    kept = {key: value for key, value in notebook.metadata.items() if key == "mystnb"}
    notebook.metadata = nbformat.from_dict(
        {
            **kept,
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: set[str] = set()
    for cell in notebook.cells:
        cell.id = cell_id(cell, seen)
        seen.add(cell.id)
        cell.metadata = nbformat.from_dict(
            {
                key: value
                for key, value in cell.metadata.items()
                if key not in ("execution", "scrolled")
            }
        )
        if cell.cell_type == "code":
            cell.outputs = merged_streams(cell.outputs)
    nbformat.validate(notebook)
    return notebook


def cell_id(cell: NotebookNode, seen: set[str]) -> str:
    """Keep the id that a cell has; else name it after its text, not at random."""
    if cell.get("id") and cell.id not in seen:
        return cell.id
    text, copy = cell.source, 0
    while (name := hashlib.sha256(f"{copy}{text}".encode()).hexdigest()[:8]) in seen:
        copy += 1
    return name


def merged_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: where a print is cut depends on the clock."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            merged.append(output)
    return merged


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that execution runs: code that is not blank."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def report(done: list[str], failed: list[str]) -> bytes:
    """The cells that were executed, as JUnit counts tests: one for each, wherever it belongs."""
    suite = ElementTree.Element(
        "testsuite", tests=str(len(done)), failures=str(len(failed)), errors="0", skipped="0"
    )
    for notebook in done:
        ElementTree.SubElement(suite, "testcase", classname=notebook, name="cell")
    return ElementTree.tostring(suite)


def find_notebooks(folder: pathlib.Path = BOOK) -> list[pathlib.Path]:
    """Every notebook of the book; hidden folders hold editors' copies."""
    return sorted(
        path
        for path in folder.rglob("*.ipynb")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def main(arguments: list[str] | None = None) -> int:
    """Execute, write, and count; executing nothing is a failure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path)
    parser.add_argument(
        "--no-write", action="store_true", help="execute, but leave the files as they are"
    )
    parser.add_argument("--jobs", type=int, default=2, help="notebooks executed at a time")
    parser.add_argument("--report", type=pathlib.Path, help="write what ran, for tools/tally.py")
    parser.add_argument("--list", action="store_true", help="only print the paths")
    parser.add_argument("--count", action="store_true", help="only count the code cells")
    options = parser.parse_args(arguments)

    paths = options.notebooks or find_notebooks()
    if not paths:
        parser.error("no notebook found")
    if options.list:
        print(*paths)
        return 0
    sources = {path: nbformat.read(path, as_version=4) for path in paths}
    total = sum(len(code_cells(notebook)) for notebook in sources.values())
    if options.count:
        print(total)
        return 0
    done: list[str] = []
    failed: list[pathlib.Path] = []

    with (
        tqdm(total=total, unit="cell", disable=None) as bar,
        ThreadPoolExecutor(options.jobs) as pool,
    ):

        def execute(path: pathlib.Path) -> None:
            def tick(**_: object) -> None:
                done.append(path.name)
                bar.update()

            try:
                notebook = executed(
                    sources[path], path.name, path.parent, tick, count_ids=not options.no_write
                )
            except CellExecutionError as error:
                failed.append(path)
                print(f"{path}:\n{error}", file=sys.stderr)
                return
            if not options.no_write:
                nbformat.write(notebook, path)

        list(pool.map(execute, paths))

    if options.report is not None:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_bytes(report(done, [path.name for path in failed]))
    print(
        f"{len(paths)} notebooks, {len(done)} code cells executed, {len(failed)} notebooks failed"
    )
    return 1 if failed or not done or len(done) != total else 0


if __name__ == "__main__":
    sys.exit(main())
