"""The files that belong to the repository."""

import pathlib
import subprocess

from tests.meta.prose import ROOT


def tracked_files(*patterns: str) -> list[pathlib.Path]:
    """What git tracks, and what it would: untracked files that are not ignored."""
    trusted = f"safe.directory={ROOT}"  # the tree may belong to another user
    listed = subprocess.run(
        ["git", "-c", trusted, "ls-files", "-z", "-co", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
