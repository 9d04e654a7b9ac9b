"""What a result was computed with."""

from __future__ import annotations

import pathlib
import platform
import subprocess
from importlib import metadata
from typing import Any

import torch

PACKAGE = pathlib.Path(__file__).parents[1]


def best_device() -> torch.device:
    """A CUDA device if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def provenance(device: torch.device | str) -> dict[str, Any]:
    """Versions, kind of device, number of threads and, if known, the commit.

    Example:
        >>> sorted(provenance("cpu"))
        ['commit', 'device', 'gaugelib', 'python', 'scikit-learn', 'threads', 'torch']
    """
    return {
        "gaugelib": _version("gaugelib"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # a subclass of str, which a checkpoint may not hold
        "scikit-learn": _version("scikit-learn"),
        "device": torch.device(device).type,
        "threads": torch.get_num_threads(),
        "commit": commit(PACKAGE),
    }


def commit(package: pathlib.Path) -> str | None:
    """The commit that a folder's files are at, with "+" if they were changed since.

    None if they are not under git, such as an installed package, even one inside a repository.
    """
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head = _git(package, "rev-parse", "HEAD")
    changed = _git(package, "status", "--porcelain", "--", ".")
    return None if head is None else head + ("+" if changed else "")


def _git(folder: pathlib.Path, *command: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *command], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
