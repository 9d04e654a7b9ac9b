"""Fetch what the site vendors: KaTeX (mathematics), Source Serif (text), axe-core (tests only).

Run by hand when a version is raised; the result is committed, so that building needs no network:

    python tools/site_vendor.py
"""

import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KATEX = ("katex", "0.19.1", ROOT / "book/_ext/gaugebook/vendor/katex")
SERIF = ("@fontsource/source-serif-4", "5.3.1", ROOT / "book/site/fonts")
CUTS = ("400-normal", "400-italic", "600-normal")
AXE = ("axe-core", "4.14.1", ROOT / "tests/site/vendor/axe-core")
# Every browser that runs the widgets reads woff2; the other two formats are dead weight.
OTHER_FORMATS = re.compile(r',url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)')


class Package:
    """The files of a published package, read from its archive."""

    def __init__(self, name: str, version: str, scratch: Path) -> None:
        packed = subprocess.run(
            ["npm", "pack", "--json", f"{name}@{version}"],
            cwd=scratch, check=True, capture_output=True, text=True,
        )  # fmt: skip
        path = scratch / json.loads(packed.stdout)[0]["filename"]
        with tarfile.open(path) as archive:
            files = [member for member in archive.getmembers() if member.isfile()]
            self.files = {
                member.name.removeprefix("package/"): archive.extractfile(member).read()
                for member in files
            }

    def names(self, suffix: str) -> list[str]:
        """The files that end so, relative to the package."""
        return [path for path in self.files if path.endswith(suffix)]

    def copy(self, paths: list[str], target: Path) -> None:
        """Put files, without their folders, into `target`."""
        target.mkdir(parents=True, exist_ok=True)
        for path in paths:
            (target / Path(path).name).write_bytes(self.files[path])


def vendor_katex(scratch: Path) -> None:
    """The typesetter, which stays here, and what the pages load: a style sheet and woff2 fonts."""
    name, version, target = KATEX
    package = Package(name, version, scratch)
    shutil.rmtree(target, ignore_errors=True)
    package.copy(["dist/katex.min.js", "LICENSE"], target)
    package.copy(["LICENSE"], target / "static/katex")
    package.copy(package.names(".woff2"), target / "static/katex/fonts")
    style = package.files["dist/katex.min.css"].decode("utf8")
    (target / "static/katex/katex.min.css").write_text(OTHER_FORMATS.sub("", style), "utf8")
    (target / "VERSION").write_text(version + "\n", "utf8")


def vendor_serif(scratch: Path) -> None:
    """The book's typeface: upright, italic, semibold; the Latin part."""
    name, version, target = SERIF
    shutil.rmtree(target, ignore_errors=True)
    package = Package(name, version, scratch)
    package.copy([f"files/source-serif-4-latin-{cut}.woff2" for cut in CUTS], target)
    package.copy(["LICENSE"], target)
    (target / "VERSION").write_text(version + "\n", "utf8")


def vendor_axe(scratch: Path) -> None:
    """The accessibility checker, for the tests only: it never enters the site."""
    name, version, target = AXE
    shutil.rmtree(target, ignore_errors=True)
    package = Package(name, version, scratch)
    package.copy(["axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt"], target)
    (target / "VERSION").write_text(version + "\n", "utf8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        vendor_katex(Path(scratch))
        vendor_serif(Path(scratch))
        vendor_axe(Path(scratch))
