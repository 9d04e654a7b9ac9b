"""A peer's process in an environment of its own: a line of JSON answers each question."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Sequence
from typing import Any

HERE = pathlib.Path(__file__).parent


def environment(wanted: Sequence[str], home: pathlib.Path, alone: Sequence[str] = ()) -> str:
    """Make an environment and return its Python.

    Args:
        wanted: what is installed, with versions.
        home: its folder.
        alone: those of them that come without what they ask for.
    """
    uv = subprocess.run(
        [HERE.parents[1] / "tools" / "uv.sh"], check=True, capture_output=True, text=True
    ).stdout.strip()
    python = str(home / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([uv, "venv", "--quiet", "--python", "3.11", str(home)], check=True)
    rest = [package for package in wanted if package not in alone]
    if rest:
        subprocess.run([*install, *rest], check=True)
    if alone:
        subprocess.run([*install, "--no-deps", *alone], check=True)
    return python


class Process:
    """A script of this folder that runs with another Python."""

    def __init__(self, python: str, script: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [python, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "", **variables},
        )
        self.greeting: Any = self._answer()

    def ask(self, question: str) -> Any:
        """The answer to a question."""
        assert self.process.stdin is not None
        print(question, file=self.process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a peer ended with status {self.process.wait()}")
        return json.loads(line)
