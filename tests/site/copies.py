"""A copy of the book, built aside without executing the notebooks: a fork, a class's book."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]


def sources() -> list[Path]:
    """The files that a fork has: what git tracks of the book, or all of it outside git."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "book", "*.yml", "*.cff"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [ROOT / line for line in listed.stdout.splitlines()]
    return [
        *ROOT.glob("*.yml"),
        *ROOT.glob("*.cff"),
        *(p for p in (ROOT / "book").rglob("*") if p.is_file()),
    ]


def copy_of_the_book(folder: Path) -> None:
    """What a fork would build, but with the outputs that are stored."""
    for path in sources():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    share_fonts(folder)
    configure(folder, "execute_notebooks: cache", 'execute_notebooks: "off"')


def share_fonts(folder: Path) -> None:
    """Fonts that were cut to the same glyphs are at hand for every copy."""
    (ROOT / ".cache" / "fonts").mkdir(parents=True, exist_ok=True)
    (folder / ".cache").mkdir()
    (folder / ".cache" / "fonts").symlink_to(ROOT / ".cache" / "fonts")


def configure(folder: Path, line: str, other: str) -> None:
    """Change a line of the configuration."""
    config = folder / "_config.yml"
    text = config.read_text("utf8")
    assert text.count(line) == 1, f"{line!r} does not stand once in _config.yml"
    config.write_text(text.replace(line, other), "utf8")


def build_copy(folder: Path, repository: str = "", commit: str = "") -> str:
    """Build it as `make book` does; what went wrong, or nothing."""
    environment = {**os.environ, "GITHUB_REPOSITORY": repository, "GITHUB_SHA": commit}
    built = subprocess.run(
        [*JUPYTER_BOOK, "build", str(folder), "--all", "-W", "-n", "--keep-going"],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return "" if built.returncode == 0 else built.stdout[-2000:] + built.stderr[-4000:]


def small_book(folder: Path, *pages: str) -> None:
    """The book's configuration, style and extension with a first page, and with these pages."""
    (folder / "book" / "site").mkdir(parents=True)
    share_fonts(folder)
    (folder / "_config.yml").write_text((ROOT / "_config.yml").read_text("utf8"), "utf8")
    configure(folder, "gaugebook: book/_ext", f"gaugebook: {ROOT / 'book' / '_ext'}")
    for path in (ROOT / "book" / "site").iterdir():
        (folder / "book" / "site" / path.name).symlink_to(path)
    (folder / "book" / "references.bib").write_text("", "utf8")
    (folder / "book" / "intro.md").write_text("# A page\n\nIts text.\n", "utf8")
    listed = "".join(f"- file: book/{page}\n" for page in pages)
    toc = f"format: jb-book\nroot: book/intro\nchapters:\n{listed}"
    (folder / "_toc.yml").write_text(toc, "utf8")
