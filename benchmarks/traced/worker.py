"""Models in a process each, in the environment that has them: `python -m traced.worker`.

    python -m traced.worker TARGET [WAY]

Adds a line of JSON to TARGET for each model whose name comes in, a line each. With a way of
`traced.capture`, it is looked at only whether and how fast that gets through the model. The
packages are imported once, and every model is looked at in a copy of this process with a limit on
its time and its memory.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import resource
import sys
import traceback
import warnings
from multiprocessing.connection import Connection
from typing import Any

import torch
from tqdm import tqdm
from traced.capture import captured
from traced.families import build, warm
from traced.measure import measured

SECONDS, GIGABYTES = 300, 12
"""Of the processor, and of memory: what one model may take."""


def main(target: pathlib.Path, way: str, names: list[str]) -> None:
    """One model after the other."""
    torch.set_num_threads(1)
    warm(names)
    for name in (bar := tqdm(names, unit=" models")):
        bar.set_postfix_str(name)
        row = {"name": name, **apart(name, way)}
        with target.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")


def apart(name: str, way: str = "") -> dict[str, Any]:
    """What a process of its own says of a model, and how it ended if not by itself."""
    fork = multiprocessing.get_context("fork")
    near, far = fork.Pipe(duplex=False)
    process = fork.Process(target=_alone, args=(name, way, far))
    process.start()
    far.close()
    row: dict[str, Any] = {"status": "ended while it was built"}
    while True:
        try:
            row.update(near.recv())
        except EOFError:
            break
    process.join()
    if process.exitcode:
        row["exit"] = process.exitcode
    return row


def _alone(name: str, way: str, far: Connection) -> None:
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, GIGABYTES << 30))
    try:
        if way:
            captured(way, *build(name), far.send)
        else:
            measured(*build(name), far.send)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{pathlib.Path(last.filename).name}:{last.lineno}"
        far.send({"reason": f"{type(error).__name__}: {error}"[:600], "where": where})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), "".join(sys.argv[2:]), sys.stdin.read().split())
