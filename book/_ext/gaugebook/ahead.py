"""The notebooks are executed two at a time, before the first of them is read.

MyST-NB executes a notebook when it comes to read it, one after another. With `execute_notebooks:
cache` it first looks whether the outputs of the same cells are at hand; here they are put there,
anew in each build, so that a change in the library is never overlooked. Only a draft
(`make preview`) keeps those of the code that it knows. A notebook that fails is left out: MyST-NB
executes it again and reports it.

How long each cell took is kept beside the site, in `cells.json`: the lecturer's pages say it.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from tqdm import tqdm

from .predictions import INSERTED

AT_A_TIME = 2
TIMES = "cells.json"


def execute(app, env, docnames) -> None:
    """Fill the cache with the outputs of the notebooks that this build is going to read."""
    config = env.mystnb_config
    if config.execution_mode != "cache":
        return
    if not app.config.gaugebook_draft:
        shutil.rmtree(config.execution_cache_path, ignore_errors=True)
    cache = get_cache(config.execution_cache_path)
    waiting = dict(each for each in notebooks(app, docnames) if not known(cache, each[1]))
    with (
        tqdm(total=len(waiting), desc="executing the notebooks", unit="notebook") as bar,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):

        def run(path: Path) -> ExecutionResult:
            result = single_nb_execution(
                waiting[path],
                cwd=str(path.parent),
                timeout=config.execution_timeout,
                allow_errors=config.execution_allow_errors,
                record_timing=True,
            )
            bar.update()
            return result

        times = {}
        for path, result in zip(waiting, pool.map(run, waiting), strict=True):
            if result.err is None:
                times[env.path2doc(str(path))] = timed(result.nb)
                bundle = CacheBundleIn(
                    result.nb, str(path), data={"execution_seconds": result.time}
                )
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if not app.config.gaugebook_draft:
        Path(app.outdir).with_name(TIMES).write_text(json.dumps(times, indent=1), "utf8")


def timed(notebook: NotebookNode) -> list[dict]:
    """The first line of each code cell, its tags, and how many seconds it took.

    The times leave the notebook: what is kept of it is the same in every build.
    """
    found = []
    for cell in notebook.cells:
        when = cell.metadata.pop("execution", {})
        shown = cell.cell_type == "code" and INSERTED not in cell.metadata
        if shown and "iopub.execute_input" in when:
            ends = (when["iopub.execute_input"], when["shell.execute_reply"])
            began, ended = map(datetime.fromisoformat, ends)
            line = next(iter(cell.source.strip().splitlines()), "")
            seconds = (ended - began).total_seconds()
            tags = cell.metadata.get("tags", [])
            found.append({"line": line, "tags": tags, "seconds": round(seconds, 3)})
    return found


def notebooks(app, docnames) -> Iterator[tuple[Path, NotebookNode]]:
    """Each notebook as it will be read: what is published is what is executed."""
    for docname in docnames:
        path = Path(app.env.doc2path(docname))
        if path.suffix == ".ipynb":
            source = [path.read_text("utf8")]
            app.emit("source-read", docname, source)
            reader = create_nb_reader(
                str(path), app.env.myst_config, app.env.mystnb_config, source[0]
            )
            yield path, reader.read(source[0])


def known(cache, notebook: NotebookNode) -> bool:
    """Whether the cache has outputs of the same code."""
    try:
        return cache.match_cache_notebook(notebook) is not None
    except KeyError:
        return False


def setup(app) -> None:
    """When it is known which pages are out of date: with `--all`, every one."""
    app.connect("env-before-read-docs", execute)
