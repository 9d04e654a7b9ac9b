"""Which commit changed a page last, and when: what a citation must name, as a book changes.

Known only where git knows it: not in a copy without a history, nor in a clone without its whole
history (a shallow one takes the commit that it begins with for the last change of everything), nor
for a page that differs from what is committed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from .repository import git

COMMIT = re.compile(r"\0(?P<commit>[0-9a-f]+) (?P<date>\d{4}-\d\d-\d\d)\n")


@dataclass(frozen=True)
class Revision:
    """The last change of a page."""

    commit: str
    date: str  # as 2026-12-01, in the time zone of who committed

    @property
    def short(self) -> str:
        """Seven digits, however many commits there are."""
        return self.commit[:7]


def revisions(folder: Path) -> dict[str, Revision]:
    """Of each file of the book in `folder`, by its path there; nothing where nobody knows."""
    if git(folder, "rev-parse", "--is-shallow-repository") != "false":
        return {}
    changed = git(folder, "-c", "core.quotepath=off", "diff", "--name-only", "HEAD")
    log = git(
        folder, "-c", "core.quotepath=off", "-c", "log.showSignature=false",
        "log", "--no-renames", "--format=%x00%H %cs", "--name-only", "--", "*.ipynb", "*.md",
    )  # fmt: skip
    return {
        path: revision for path, revision in latest(log).items() if path not in changed.splitlines()
    }


def latest(log: str) -> dict[str, Revision]:
    """From git's list of commits, the newest first, the first that names each file."""
    found: dict[str, Revision] = {}
    _, *parts = COMMIT.split(f"{log}\n")
    for commit, date, files in zip(*[iter(parts)] * 3, strict=True):
        for path in filter(None, files.splitlines()):
            found.setdefault(path, Revision(commit, date))
    return found
