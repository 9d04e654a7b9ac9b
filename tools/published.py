"""Install the library as the published notebooks do, in an environment that has all but it.

    python tools/published.py SITE [--repository OWNER/NAME] [--commit SHA] [--read] [--here]

SITE is a built site or the branch gh-pages. Every notebook in it must have the same first cell; the
cell is run by IPython, outside any clone, and must bring gaugelib from that repository at a commit,
leave every other package as it is, and take less than a minute. `--read` only reads the cells,
`--here` runs the cell in this very environment, as in Colab's image. Prints the commit.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".cache" / "venv-published"
CELL = re.compile(
    r"""try:
    import gaugelib
except ModuleNotFoundError:[^\n]*
    %pip install -q "gaugelib @ git\+https://github\.com/(?P<slug>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})"
"""
)
MOST_SECONDS = 60
PACKAGES = (
    "from importlib.metadata import *; print(*{f'{d.name}=={d.version}' for d in distributions()})"
)
WHENCE = """
from importlib.metadata import distribution
import gaugelib
print(distribution("gaugelib").read_text("direct_url.json"))
"""


def read(site: Path) -> re.Match[str]:
    """The beginning that the first cells of the site's notebooks have in common.

    Notebooks that do not import gaugelib are passed over.
    """
    found: dict[str, re.Match[str]] = {}
    for path in sorted((site / "_sources").rglob("*.ipynb")):
        cells = json.loads(path.read_text("utf8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        if re.search(r"^\s*(?:import|from) gaugelib\b", "\n".join(code), re.MULTILINE):
            cell = CELL.match(f"{code[0]}\n")
            if cell is None:
                sys.exit(
                    f"{path}: the first cell does not install the library of this site from its "
                    f"repository at a commit; begin it as the first cell of book/symmetry.ipynb, "
                    f"and build where the address is known (GITHUB_REPOSITORY, or origin on "
                    f"GitHub). It is:\n{code[0]}"
                )
            found[cell[0]] = cell
    if len(found) != 1:
        sys.exit(f"{site}: {len(found)} different first cells in its notebooks, where one is meant")
    return found.popitem()[1]


def environment() -> Path:
    """The Python of an environment that has what a reader's has, but no gaugelib."""
    python = ENVIRONMENT / "bin" / "python"
    subprocess.run([ROOT / "tools/setup.sh", ENVIRONMENT, "requirements/newest.in"], check=True)
    uv = subprocess.run([ROOT / "tools/uv.sh"], check=True, capture_output=True, text=True)
    for words in (["uninstall", "gaugelib"], ["install", "pip"]):
        subprocess.run([uv.stdout.strip(), "pip", *words, "--python", python], check=True)
    return python


def packages(python: Path) -> set[str]:
    """What is installed there, with its version."""
    asked = subprocess.run([python, "-c", PACKAGES], capture_output=True, text=True, check=True)
    return set(asked.stdout.split())


def judge(before: set[str], after: set[str], seconds: float) -> None:
    """Refuse a first cell that touches more than the library, or lets a class wait."""
    changed = sorted(before ^ after)
    print(f"the first cell took {seconds:.0f} s and changed {changed}")
    if others := [name for name in changed if not name.startswith("gaugelib==")]:
        sys.exit(f"the first cell changes more than gaugelib: {others}")
    if seconds > MOST_SECONDS:
        sys.exit(f"the first cell takes {seconds:.0f} s; a class waits {MOST_SECONDS} at most")


def install(python: Path, cell: str) -> dict:
    """Run the cell in an empty folder; where the library came from, as pip recorded it."""
    before, since = packages(python), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "first_cell.ipy")
        script.write_text(cell + WHENCE, "utf8")
        ran = subprocess.run(
            [python, "-m", "IPython", "--no-banner", "--colors=NoColor", script.name],
            cwd=folder, env={**os.environ, "IPYTHONDIR": folder},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    print(ran.stdout, ran.stderr)
    lines = [line for line in ran.stdout.splitlines() if line.startswith('{"')]
    if ran.returncode != 0 or len(lines) != 1:
        sys.exit(f"the first cell does not install the library:\n{cell}")
    judge(before, packages(python), time.monotonic() - since)
    return json.loads(lines[0])


def main(arguments: list[str] | None = None) -> None:
    """Read, compare with what was asked for, and install."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--repository", help="owner/name that the cell must name")
    parser.add_argument("--commit", help="the commit that the cell must name")
    parser.add_argument("--read", action="store_true", help="install nothing")
    parser.add_argument("--here", action="store_true", help="install into this environment")
    options = parser.parse_args(arguments)
    cell = read(options.site)
    for name, wanted in (("slug", options.repository), ("commit", options.commit)):
        if wanted and cell[name] != wanted:
            sys.exit(f"the first cell installs from {cell[name]}, not from {wanted}:\n{cell[0]}")
    if not options.read:
        came = install(Path(sys.executable) if options.here else environment(), cell[0])
        whence = came["url"], came.get("vcs_info", {}).get("commit_id")
        if whence != (f"https://github.com/{cell['slug']}", cell["commit"]):
            sys.exit(f"the library did not come from where the first cell says: {came}")
    print(cell["commit"])


if __name__ == "__main__":
    main()
