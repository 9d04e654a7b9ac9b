"""Write the notebooks as a built site has them, without building it.

    python tools/as_published.py SITE

SITE/_sources/book gets every notebook, whose first cell installs the library from the repository
and the commit at hand (GITHUB_REPOSITORY and GITHUB_SHA, or git). Needs nothing but Python: in
Colab's image there is no Sphinx of ours.
"""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def repository_module():
    """The module of the book's extension that knows the address, without the extension itself."""
    path = ROOT / "book" / "_ext" / "gaugebook" / "repository.py"
    spec = importlib.util.spec_from_file_location("gaugebook_repository", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def write(site: Path) -> list[Path]:
    """Write the notebooks and return their paths."""
    module = repository_module()
    repository = module.find(ROOT)
    if repository is None:
        sys.exit("where is this repository? Set GITHUB_REPOSITORY, or origin to GitHub's address")
    folder = site / "_sources" / "book"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        source = module.with_install_line(path.read_text("utf8"), repository)
        written.append(folder / path.name)
        written[-1].write_text(source, "utf8")
    return written


if __name__ == "__main__":
    print(f"{len(write(Path(sys.argv[1])))} notebooks in {sys.argv[1]}")
