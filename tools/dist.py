"""Build the wheel and the source archive, and try each: `python -m tools.dist FOLDER [--try]`.

Both must hold all files of the package. `--try` installs each into a fresh environment outside the
clone, with what it asks for, imports the library and runs the examples of the README there.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRY = """
import doctest, pathlib, sys
import gaugelib, gaugelib.check, gaugelib.plot, gaugelib.testing, gaugelib.widgets as widgets
from importlib.metadata import version
assert gaugelib.__version__ == version("gaugelib") == sys.argv[2], gaugelib.__version__
assert sys.prefix in gaugelib.__file__, gaugelib.__file__
assert "render" in widgets.GaugeRace()._esm
failed, tried = doctest.testfile(
    sys.argv[1], module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
)
assert tried and not failed
print(f"{gaugelib.__version__}: {tried} examples of the README hold")
"""


def build(folder: Path) -> tuple[Path, Path]:
    """Build both into an empty folder; their paths, the wheel first."""
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"dist: {folder} is not empty")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder.resolve())]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def package_files(archive: Path) -> set[str]:
    """The files of the package in a wheel or a source archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            names = opened.namelist()
    else:
        with tarfile.open(archive) as opened:
            names = [m.name.partition("/")[2] for m in opened.getmembers() if m.isfile()]
    return {name for name in names if name.startswith("gaugelib/")}


def alone(archive: Path, version: str) -> None:
    """Install it into an environment of its own, outside the clone, and use it there."""
    asked = subprocess.run([ROOT / "tools/uv.sh"], check=True, capture_output=True, text=True)
    uv = asked.stdout.strip()
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    torch = ["--find-links", links] if links else ["--torch-backend", "cpu"]  # as in setup.sh
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "venv", "bin", "python")
        install = [uv, "pip", "install", "--quiet", *torch, "--python", python, archive.resolve()]
        for words in (
            [uv, "venv", "--quiet", "--python", sys.executable, f"{folder}/venv"],
            install,
            [python, "-I", "-c", TRY, ROOT / "README.md", version],
        ):
            subprocess.run(words, cwd=folder, check=True)


def main(arguments: list[str] | None = None) -> None:
    """Build, compare and try."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--try", dest="tried", action="store_true", help="install each alone")
    options = parser.parse_args(arguments)
    wheel, source = build(options.folder)
    if package_files(wheel) != package_files(source):
        sys.exit(f"dist: they differ in {package_files(wheel) ^ package_files(source)}")
    for archive in (wheel, source):
        print(f"{archive}: {archive.stat().st_size // 1000} kB")
        if options.tried:
            alone(archive, archive.name.removesuffix(".tar.gz").split("-")[1])


if __name__ == "__main__":
    main()
